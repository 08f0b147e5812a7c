"""The addresses of the page and of the API behind it."""

import json
import sys
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

from tools.simulator.desk import SimulationError
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.page import guards
from tools.simulator.page.acts import WrongCallError, as_json, bind
from tools.simulator.page.guards import without_tokens
from tools.simulator.page.stream import Watched, follow

STATIC = Path(__file__).parent / "static"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}  # a registry may know them otherwise
LANDED_WITHIN_S = 1.0  # then the page shows that the code is being exchanged, instead of the browser an old page
Do = Callable[[Callable[[], Any]], "Future[Any]"]


class Site:
    """One method for each address. `do` does one act after the other, `port` is the server's, `is_ending` whether it goes away."""

    def __init__(self, simulation: Watched, do: Do, port: Callable[[], int], is_ending: Callable[[], bool]) -> None:
        self._simulation, self._do, self._port, self._is_ending = simulation, do, port, is_ending

    def app(self) -> Flask:
        """The WSGI application."""
        app = Flask(__name__, static_folder=None)
        app.config.update(MAX_CONTENT_LENGTH=262_144, PROPAGATE_EXCEPTIONS=False)
        app.before_request(self.guard)
        app.after_request(guards.protect)
        app.register_error_handler(Exception, failed)
        app.add_url_rule("/", view_func=lambda: file("index.html"), endpoint="page")
        app.add_url_rule("/static/<name>", view_func=file)
        app.add_url_rule("/api/state", view_func=self.state)
        app.add_url_rule("/api/events", view_func=self.events)
        app.add_url_rule("/api/<act>", view_func=self.act, methods=["POST"])
        app.add_url_rule("/landed/<host>/<path:path>", view_func=self.landed)
        return app

    def guard(self) -> Response | None:
        refused = guards.refusal(request, self._port())
        return told({"error": refused[1]}, refused[0]) if refused else None

    def state(self) -> Response:
        return told(self._simulation.state())

    def events(self) -> Response:
        return Response(follow(self._simulation, self._is_ending), mimetype="text/event-stream")

    def act(self, act: str) -> Response:
        """A method of the simulation with its arguments by name."""
        done = self._do(bind(self._simulation, act, request.get_json()))
        return told({"ok": True, "result": as_json(self._outcome(done))}, hides_tokens=act != "begin_link")

    def landed(self, host: str, path: str) -> Response:
        """Where the sign-in page's redirect to Amazon ends on this machine; how it went is part of the state."""
        query = request.query_string.decode("ascii", "replace")
        finish = bind(self._simulation, "finish_link", {"landed_url": f"https://{host}/{path}?{query}"})
        wait_for(self._do(finish), LANDED_WITHIN_S)
        return Response("", 303, {"Location": "/?landed"})

    def _outcome(self, done: "Future[Any]") -> Any:
        """What the act gave, or what it raised. A server that ends does not wait for it."""
        while not wait_for(done, 0.2):
            if self._is_ending():
                raise SimulationError("the simulator is being stopped")
        return done.result()


def file(name: str) -> Response:
    """A part of the page. Raises NotFound."""
    path = STATIC / name
    if path.suffix not in KINDS or not path.is_file():
        abort(404)
    return Response(path.read_bytes(), mimetype=KINDS[path.suffix])


def failed(error: Exception) -> Response:
    """One line for a person; of an error that nobody foresaw only its name, because its text may hold anything."""
    match error:
        case AccountLinkingError():
            return told({"error": str(error), "step": error.step, "cause": error.cause, "mend": error.mend}, 409)
        case SimulationError():
            return told({"error": str(error)}, 409)
        case WrongCallError():
            return told({"error": str(error)}, 400)
        case HTTPException():
            return told({"error": error.description or error.name}, error.code or 500)
    print(f"simulator: {type(error).__name__} in {request.path}", file=sys.stderr)
    return told({"error": f"the simulator failed: {type(error).__name__}"}, 500)


def told(answer: object, status: int = 200, *, hides_tokens: bool = True) -> Response:
    text = json.dumps(answer, default=str)
    return Response(without_tokens(text) if hides_tokens else text, status, mimetype="application/json")


def wait_for(done: "Future[Any]", seconds: float) -> bool:
    return bool(wait([done], seconds).done)
