"""The page's server: who may call it, what it answers, and that it never holds up nor outlives what runs behind it."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any, Literal

import pytest
import requests

from tools.simulator.answers import Answer
from tools.simulator.desk import SimulationError
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.page.server import PageServer
from tools.simulator.page.site import STATIC

JWT = "eyJraWQiOiJhYmNkZWZnaCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLW9mLXRoaXM"
LWA_TOKEN = "Atza|IwEBIExampleExampleExampleExample"
OUR_OWN = {"X-Simulator": "page"}


@dataclass
class FakeSimulation:
    """Says back what it was asked, and keeps it."""

    done: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    wire: list[dict[str, Any]] = field(default_factory=list)
    lands_on: str = ""
    version: int = 1
    goes_on: threading.Event = field(default_factory=threading.Event)
    has_begun: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def land_on(self, url: str) -> None:
        self.lands_on = url

    def state(self) -> dict[str, Any]:
        return {"simulator": {"version": self.version, "clock": "now"}, "rows": [], "pending_events": [], "wire": list(self.wire)}

    def wait(self, version: int, timeout: float) -> int:
        with self.changed:
            self.changed.wait_for(lambda: self.version != version, timeout)
            return self.version

    def hear(self, **entry: Any) -> None:
        with self.changed:
            self.wire.append({"number": len(self.wire) + 1, **entry})
            self.version += 1
            self.changed.notify_all()

    def enable(self) -> str:
        self.done.append(("enable", ()))
        return "amzn1.ask.account.A"

    def begin_link(self) -> str:
        return f"https://provider.example/authorize?state={JWT}"

    def finish_link(self, landed_url: str) -> None:
        self.done.append(("finish_link", (landed_url,)))

    def link(self, account: str = "", password: str | None = None) -> None:
        raise AccountLinkingError("the secret is wrong", step="code exchange", mend="Copy it again.")

    def say(self, text: str) -> Answer:
        if text == "wait":
            self.has_begun.set()
            self.goes_on.wait(10)
        return Answer(f"You said {text}.", response={"sessionAttributes": {"accessToken": "t" * 40, "kept": JWT}})

    def disable(self) -> None:
        raise SimulationError("the skill is not enabled")

    def set_purchases(self, on: bool) -> None:
        self.done.append(("set_purchases", (on,)))

    def end_session(self, reason: Literal["USER_INITIATED", "ERROR"] = "USER_INITIATED") -> None:
        raise RuntimeError(f"it failed over {JWT}")

    def move_clock(self, by: timedelta | float) -> None:
        self.done.append(("move_clock", (by,)))

    def replay(self, message: dict[str, Any]) -> dict[str, Any]:
        return message


class Browser:
    """A client of the page on loopback, with nothing of the machine's own proxies."""

    def __init__(self, url: str) -> None:
        self.url, self._session = url, requests.Session()
        self._session.trust_env = False

    def get(self, path: str, **named: Any) -> requests.Response:
        return self._session.get(self.url + path, timeout=10, **{"allow_redirects": False, **named})

    def act(self, name: str, arguments: object = None, headers: dict[str, str] | None = None) -> requests.Response:
        return self._session.post(f"{self.url}/api/{name}", json=arguments or {}, headers=OUR_OWN | (headers or {}), timeout=10)

    def post(self, path: str, **named: Any) -> requests.Response:
        return self._session.post(self.url + path, timeout=10, **named)

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def simulation() -> FakeSimulation:
    return FakeSimulation()


@pytest.fixture
def browser(simulation: FakeSimulation) -> Iterator[Browser]:
    with PageServer(simulation) as server:
        browser = Browser(server.url)
        yield browser
        browser.close()
        simulation.goes_on.set()


def test_the_page_and_all_of_its_parts_are_served_when_they_are_asked_for(browser: Browser) -> None:
    kinds = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    assert browser.get("/").text == (STATIC / "index.html").read_text("utf-8")
    for path in STATIC.iterdir():
        answer = browser.get(f"/static/{path.name}")
        assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, kinds[path.suffix])


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/api/state", "/static/absent.js", "/nowhere", "/landed/layla.amazon.com/x"])
def test_every_answer_forbids_what_the_page_does_not_need_when_it_is_served(path: str, browser: Browser) -> None:
    headers = browser.get(path).headers
    policy = dict(directive.strip().split(" ", 1) for directive in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src", "form-action")} == {"'self'"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline_when_the_page_is_read() -> None:
    for path in STATIC.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        examples = text.replace("https://layla.amazon.com/api/skill/link/…", "")
        assert re.findall(r"https?://\S+|//[\w.]+\.\w+/|@import", examples) == [], path.name
    page = PageReader((STATIC / "index.html").read_text("utf-8"))
    assert page.inline == []
    assert "innerHTML" not in "".join(path.read_text("utf-8") for path in STATIC.glob("*.js"))


def test_every_part_that_the_scripts_ask_for_is_on_the_page() -> None:
    page = PageReader((STATIC / "index.html").read_text("utf-8"))
    asked = {name for path in STATIC.glob("*.js") for name in re.findall(r'byId\("([\w-]+)"\)', path.read_text("utf-8"))}
    assert asked - page.ids - {"banner-linking"} == set()  # that one is made when there is something to say


class PageReader(HTMLParser):
    """The ids of a page, and what its policy would not let run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.ids.add(attributes.get("id") or "")
        self.inline += [name for name in attributes if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and not attributes.get("src")):
            self.inline.append(tag)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_page_is_shown_when_it_is_called_by_its_own_name(host: str, browser: Browser) -> None:
    port = browser.url.rpartition(":")[2]
    assert browser.get("/", headers={"Host": f"{host}:{port}"}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:{port}", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example:{port}", "", "127.0.0.1:{port}.evil"]
)
@pytest.mark.parametrize("path", ["/", "/api/state", "/api/events", "/landed/layla.amazon.com/x"])
def test_nothing_is_shown_or_done_when_it_is_called_by_another_name(
    host: str, path: str, browser: Browser, simulation: FakeSimulation
) -> None:
    port = browser.url.rpartition(":")[2]
    answer = browser.get(path, headers={"Host": host.format(port=port)})
    assert answer.status_code in {400, 421}
    assert simulation.done == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"X-Simulator": "cli"}, 200),
        ({"Origin": "{own}", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"X-Simulator": ""}, 403),
        ({"X-Simulator": "somebody"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
    ids=str,
)
def test_an_act_is_done_only_when_the_page_or_the_command_line_asks(
    headers: dict[str, str], status: int, browser: Browser, simulation: FakeSimulation
) -> None:
    answer = browser.act("enable", headers={name: value.format(own=browser.url) for name, value in headers.items()})
    assert (answer.status_code, bool(simulation.done)) == (status, status == 200)
    assert (answer.json().get("ok") is True, "error" in answer.json()) == (status == 200, status != 200)


def test_an_act_is_refused_when_it_is_asked_for_by_a_link(browser: Browser, simulation: FakeSimulation) -> None:
    assert browser.get("/api/enable").status_code == 405
    assert simulation.done == []


def test_the_state_is_not_told_when_another_site_asks(browser: Browser) -> None:
    assert browser.get("/api/state", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert "Access-Control-Allow-Origin" not in browser.get("/api/state").headers


@pytest.mark.parametrize(
    ("act", "arguments", "done"),
    [
        ("set_purchases", {"on": True}, ("set_purchases", (True,))),
        ("move_clock", {"by": 3600}, ("move_clock", (3600,))),
        ("move_clock", {"by": 0.5}, ("move_clock", (0.5,))),
        ("finish_link", {"landed_url": "https://x"}, ("finish_link", ("https://x",))),
    ],
)
def test_an_act_gets_its_arguments_by_name(
    act: str, arguments: dict[str, Any], done: Any, browser: Browser, simulation: FakeSimulation
) -> None:
    assert browser.act(act, arguments).json() == {"ok": True, "result": None}
    assert simulation.done == [done]


@pytest.mark.parametrize(
    ("act", "body", "status", "says"),
    [
        ("fly", "{}", 400, "there is no act 'fly'"),
        ("land_on", '{"url": "http://evil.example"}', 400, "there is no act 'land_on'"),
        ("__init__", "{}", 400, "there is no act"),
        ("say", "{}", 400, "say: missing a required argument: 'text'"),
        ("say", '{"text": "hi", "loud": true}', 400, "say: got an unexpected keyword argument 'loud'"),
        ("say", '{"text": 5}', 400, "say: text is text"),
        ("say", '["hi"]', 400, "the arguments are a JSON object"),
        ("set_purchases", '{"on": "yes"}', 400, "set_purchases: on is true or false"),
        ("move_clock", '{"by": true}', 400, "move_clock: by is a number"),
        ("end_session", '{"reason": "BORED"}', 400, "end_session: reason is one of USER_INITIATED, ERROR"),
        ("replay", '{"message": []}', 400, "replay: message is an object"),
        ("say", "{", 400, ""),
        ("say", '{"text": "' + "a" * 300_000 + '"}', 413, ""),
        ("disable", "{}", 409, "the skill is not enabled"),
        ("link", "{}", 409, "the secret is wrong. Copy it again."),
        ("end_session", "{}", 500, "the simulator failed: RuntimeError"),
    ],
    ids=str,
)
def test_one_line_says_why_when_an_act_cannot_be_done(act: str, body: str, status: int, says: str, browser: Browser) -> None:
    answer = browser.post(f"/api/{act}", data=body, headers=OUR_OWN | {"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert (answer.status_code, error.count("\n")) == (status, 0)
    assert says in error
    assert "Traceback" not in answer.text


def test_the_step_the_cause_and_the_mend_are_told_when_linking_fails(browser: Browser) -> None:
    told = browser.act("link").json()
    assert (told["step"], told["cause"], told["mend"]) == ("code exchange", "the secret is wrong", "Copy it again.")


def test_no_token_is_told_whole_when_the_skill_gives_one_away(
    browser: Browser, simulation: FakeSimulation, capfd: pytest.CaptureFixture[str]
) -> None:
    simulation.hear(body={"note": f"{JWT} {LWA_TOKEN}"})
    replayed = browser.act("replay", {"message": {"accessToken": "s" * 60, "anything": JWT}})
    texts = [browser.act("say", {"text": "hi"}).text, replayed.text, browser.get("/api/state").text, browser.act("end_session").text]
    texts += [first_event(browser), *capfd.readouterr()]
    for secret in (JWT, LWA_TOKEN, "t" * 40, "s" * 60):
        assert [text for text in texts if secret in text] == []


def test_the_address_of_the_sign_in_page_is_whole_when_linking_begins(browser: Browser) -> None:
    assert browser.act("begin_link").json()["result"] == f"https://provider.example/authorize?state={JWT}"


def test_the_answer_is_told_when_the_customer_says_something(browser: Browser) -> None:
    assert browser.act("say", {"text": "hello"}).json()["result"]["speech"] == "You said hello."


def test_linking_goes_on_and_the_page_comes_back_when_the_sign_in_page_sends_the_browser(
    browser: Browser, simulation: FakeSimulation
) -> None:
    answer = browser.get("/landed/layla.amazon.com/api/skill/link/M1?code=a%20b&state=s", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?landed")
    assert simulation.done == [("finish_link", ("https://layla.amazon.com/api/skill/link/M1?code=a%20b&state=s",))]


def test_browsers_come_back_to_this_server_when_it_is_started(browser: Browser, simulation: FakeSimulation) -> None:
    assert simulation.lands_on == browser.url


def test_the_state_is_still_told_when_an_act_takes_long(browser: Browser, simulation: FakeSimulation) -> None:
    waiting = threading.Thread(target=browser.act, args=("say", {"text": "wait"}))
    waiting.start()
    assert simulation.has_begun.wait(10)
    assert browser.get("/api/state").status_code == 200
    assert waiting.is_alive()
    simulation.goes_on.set()
    waiting.join()


def test_acts_wait_for_each_other_when_several_are_asked_for(browser: Browser, simulation: FakeSimulation) -> None:
    first, second = (threading.Thread(target=browser.act, args=arguments) for arguments in (("say", {"text": "wait"}), ("enable",)))
    first.start()
    assert simulation.has_begun.wait(10)
    second.start()
    assert browser.get("/api/state").ok
    assert simulation.done == []
    simulation.goes_on.set()
    first.join()
    second.join()
    assert simulation.done == [("enable", ())]


def test_only_what_is_new_on_the_wire_is_told_when_the_state_changes(browser: Browser, simulation: FakeSimulation) -> None:
    simulation.hear(text="one")
    with browser.get("/api/events", stream=True) as stream:
        events = read_events(stream)
        first = next(events)
        simulation.hear(text="two")
        second = next(events)
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert (first["complete"], [entry["text"] for entry in first["wire"]]) == (True, ["one"])
    assert (second["complete"], [entry["text"] for entry in second["wire"]], second["wire_first"]) == (False, ["two"], 1)


def test_the_rest_is_told_whole_when_the_browser_connects_again(browser: Browser, simulation: FakeSimulation) -> None:
    simulation.hear(text="one")
    simulation.hear(text="two")
    assert [json.loads(first_event(browser))["complete"] for _ in range(2)] == [True, True]


def test_the_stream_ends_quietly_when_the_state_cannot_be_read(
    browser: Browser, simulation: FakeSimulation, capfd: pytest.CaptureFixture[str]
) -> None:
    simulation.state = lambda: {}["gone"]  # type: ignore[method-assign]
    assert browser.get("/api/events").text == ""
    assert browser.get("/api/state").json() == {"error": "the simulator failed: KeyError"}
    assert capfd.readouterr().err == "simulator: KeyError in /api/state\n"


def test_the_server_ends_at_once_when_pages_are_open_and_an_act_is_going_on(simulation: FakeSimulation) -> None:
    with PageServer(simulation) as server:
        browser = Browser(server.url)
        stream = browser.get("/api/events", stream=True)
        next(read_events(stream))
        answers: list[int] = []
        waiting = threading.Thread(target=lambda: answers.append(status_of(browser, "say", {"text": "wait"})))
        waiting.start()
        assert simulation.has_begun.wait(10)
    assert not simulation.goes_on.is_set()  # the server has ended although the act has not
    simulation.goes_on.set()
    waiting.join()
    stream.close()
    browser.close()
    assert answers in ([0], [409])
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=5):
        pass


def test_the_port_is_the_one_that_was_asked_for_and_an_error_when_it_is_taken(simulation: FakeSimulation) -> None:
    with PageServer(simulation) as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), PageServer(simulation, port):
            pass
    with PageServer(simulation, port) as again:
        assert again.url == f"http://127.0.0.1:{port}"


def status_of(browser: Browser, act: str, arguments: dict[str, Any]) -> int:
    """0 where the connection was cut."""
    try:
        return browser.act(act, arguments).status_code
    except requests.ConnectionError:
        return 0


def first_event(browser: Browser) -> str:
    with browser.get("/api/events", stream=True) as stream:
        return json.dumps(next(read_events(stream)))


def read_events(stream: requests.Response) -> Iterator[dict[str, Any]]:
    for line in stream.iter_lines(chunk_size=1):
        if line.startswith(b"data: "):
            yield json.loads(line[6:])
