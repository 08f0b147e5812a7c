"""A stand-in for Alexa's event gateway on this machine: takes what a skill sends for a customer, if its token is a grant's."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import quote

import requests

from tools.simulator.loopback_server import LoopbackHttpServer
from tools.simulator.skill import parse_json

PATH = "/v3/events"
LARGEST_EVENT = 256 * 1024
MALFORMED: tuple[int, str, dict[str, Any]] = (400, "INVALID_REQUEST_EXCEPTION", {})
OnEvent = Callable[[dict[str, Any], int, str], None]  # the event, the answer's status, and Alexa's code where it was refused


class EventGateway:
    """Runs until the end of the `with` block."""

    def __init__(
        self,
        login_with_amazon_url: str,
        messaging_client_id: str,
        on_event: OnEvent,
        has_ended: Callable[[str], bool] = lambda token: False,
    ) -> None:
        """Tokens are good if Login with Amazon says that they were given to this client; `on_event` runs in the call's own thread.

        `has_ended` says of a token that is not good whether it was, until the customer disabled the skill.
        """
        self._tokeninfo = f"{login_with_amazon_url}/auth/o2/tokeninfo?access_token="
        self._client_id, self.on_event, self._has_ended = messaging_client_id, on_event, has_ended

    def __enter__(self) -> Self:
        self._server = LoopbackHttpServer(("127.0.0.1", 0), _handler_for(self)).__enter__()
        self.url = self._server.url
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)

    def judge(self, body: bytes) -> tuple[int, str, dict[str, Any]]:
        """Status, Alexa's code where it refuses, and the event."""
        try:
            event = parse_json(body)
            inner = event["event"]
            name, scope = inner["header"]["name"], inner["endpoint"]["scope"] if "endpoint" in inner else inner["payload"]["scope"]
        except (ValueError, KeyError, TypeError):
            return MALFORMED
        if not isinstance(name, str):
            return MALFORMED
        token = scope.get("token") if isinstance(scope, dict) and scope.get("type") == "BearerToken" else None
        if isinstance(token, str) and self._is_grants(token):
            return 202, "", event
        if isinstance(token, str) and self._has_ended(token):
            return 403, "SKILL_DISABLED_EXCEPTION", event
        return 401, "INVALID_ACCESS_TOKEN_EXCEPTION", event

    def _is_grants(self, token: str) -> bool:
        with requests.Session() as session:
            session.trust_env = False
            info = session.get(self._tokeninfo + quote(token, safe=""), timeout=5)
        return info.status_code == 200 and info.json().get("aud") == self._client_id


def refusal(code: str) -> bytes:
    """As the gateway words it."""
    header = {"namespace": "System", "name": "Exception", "messageId": "00000000-0000-0000-0000-000000000000"}
    return json.dumps(
        {"header": header, "payload": {"code": code, "description": "The simulator's event gateway refused the event."}}
    ).encode()


def _handler_for(gateway: EventGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "0")
            is_length = length.isascii() and length.isdecimal() and len(length) < 10
            body = self.rfile.read(min(int(length), LARGEST_EVENT)) if is_length else b""
            status, code, event = (404, "INVALID_REQUEST_EXCEPTION", {}) if self.path != PATH else gateway.judge(body)
            gateway.on_event(event, status, code)
            content = refusal(code) if code else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """The wire shows it."""

    return Handler
