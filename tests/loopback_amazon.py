"""Amazon's side of events on a loopback socket: Login with Amazon's token endpoint and Alexa's event gateway, and their bad days."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from tests.loopback_provider import send, send_json

CLIENT_ID = "amzn1.application-oa2-client.9c0ffee1b2a34d5e"
SECRET = "amzn1.oa2-cs.v1.CanaryClientSecret"
Fault = Callable[[Any], None]


def gateway_error(status: int, code: str) -> Fault:
    """As the event gateway words its errors."""
    header = {"namespace": "System", "name": "Exception", "messageId": "90c3fc62-4b2d-460c-9c8b-77251f1698a0"}
    body = {"header": header, "payload": {"code": code, "description": "CanaryDescription"}}
    return lambda request: send_json(request, status, body)


def oauth_error(error: str, status: int = 400) -> Fault:
    """As the token endpoint words its errors (RFC 6749, 5.2)."""
    return lambda request: send_json(request, status, {"error": error, "error_description": "CanaryDescription", "request_id": "7c1f"})


def html(status: int) -> Fault:
    return lambda request: send(request, status, b"<html>Sorry! Something went wrong.</html>")


class LoopbackAmazon:
    """Every code is good once, every refresh token as long as it is in `refresh_tokens`; faults in the two lists come first, one a call."""

    def __init__(self) -> None:
        self.secrets = {SECRET}  # that the token endpoint knows the client by
        self.codes = {"CanaryCode1", "CanaryCode2", "CanaryCode3"}
        self.refresh_tokens: set[str] = set()
        self.access_tokens: set[str] = set()  # that the gateway takes
        self.rotates, self.repeats_refresh_token, self.lives_s = False, True, 3600
        self.token_faults: list[Fault | None] = []
        self.gateway_faults: list[Fault | None] = []
        self.forms: list[dict[str, str]] = []  # what the token endpoint was asked
        self.events: list[dict[str, Any]] = []  # what the gateway got, whatever it answered
        self.headers: list[dict[str, str]] = []
        self.made = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def new_tokens(self) -> dict[str, Any]:
        """Another pair, as the token endpoint gives it."""
        self.made += 1
        access, refresh = f"Atza|CanaryAccess{self.made}" + "a" * 600, f"Atzr|CanaryRefresh{self.made}" + "r" * 600
        self.access_tokens.add(access)
        self.refresh_tokens.add(refresh)
        return {"access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": self.lives_s}

    def _token(self, request: Any) -> None:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        self.forms.append(form)
        if self.token_faults and (fault := self.token_faults.pop(0)):
            return fault(request)
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") not in self.secrets:
            return oauth_error("invalid_client", 401)(request)
        if form["grant_type"] == "authorization_code" and form["code"] in self.codes:
            self.codes.remove(form["code"])
            return send_json(request, 200, self.new_tokens())
        if form["grant_type"] == "refresh_token" and form["refresh_token"] in self.refresh_tokens:
            return send_json(request, 200, self._refreshed(form["refresh_token"]))
        return oauth_error("invalid_grant")(request)

    def _refreshed(self, old: str) -> dict[str, Any]:
        tokens = self.new_tokens()
        if self.rotates:
            self.refresh_tokens.discard(old)
            return tokens
        self.refresh_tokens.discard(tokens["refresh_token"])
        return {**tokens, "refresh_token": old} if self.repeats_refresh_token else {k: v for k, v in tokens.items() if k != "refresh_token"}

    def _events(self, request: Any) -> None:
        self.events.append(json.loads(request.content))
        self.headers.append(dict(request.headers.items()))
        if self.gateway_faults and (fault := self.gateway_faults.pop(0)):
            return fault(request)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.access_tokens:
            return gateway_error(401, "INVALID_ACCESS_TOKEN_EXCEPTION")(request)
        send(request, 202, b"")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        amazon = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None: ...

            def do_POST(self) -> None:
                self.content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answers = {"/auth/o2/token": amazon._token, "/v3/events": amazon._events}
                answers.get(self.path, html(404))(self)

        return Handler
