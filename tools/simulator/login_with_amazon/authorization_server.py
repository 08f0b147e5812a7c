"""The authorization server: Authlib does OAuth 2.0, the ledger remembers, and Login with Amazon's own ways are added here."""

import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from authlib.integrations import flask_oauth2  # type: ignore[import-untyped]
from authlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749 import ClientMixin  # type: ignore[import-untyped]
from flask import Flask, Response

from tools.simulator.login_with_amazon.behavior import WORKING, Behavior
from tools.simulator.login_with_amazon.grants import CodeGrant, RefreshGrant, StrictCodeChallenge
from tools.simulator.login_with_amazon.ledger import Client, Consent, Ledger

SCOPES = {"profile", "profile:user_id", "postal_code"}
MESSAGING_SCOPE = "alexa::async_event:write"
WORDS = {  # where Authlib has none to use
    "invalid_client": "Client authentication failed",
    "invalid_grant": "The request has an invalid grant parameter",
    "unsupported_grant_type": "The authorization grant type is not supported",
}


class AuthorizationServer(flask_oauth2.AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Over one ledger. `behavior` is asked anew for each request, so that it can be changed while a browser is on the page."""

    def __init__(self, app: Flask, ledger: Ledger, behavior: Callable[[], Behavior]) -> None:
        self.ledger, self._behavior = ledger, behavior
        super().__init__(app, query_client=self._find_client, save_token=_is_in_the_ledger_already)
        self.register_token_generator("default", self._make_token)
        self.register_grant(CodeGrant, [StrictCodeChallenge()])
        self.register_grant(RefreshGrant)

    def behavior(self, client: "RegisteredClient | None" = None) -> Behavior:
        """At this moment. A developer's mistake is one with account linking, and leaves the skill's messaging client alone."""
        behavior = self._behavior()
        is_for_messages = client is not None and not client.redirect_urls
        return replace(WORKING, on_refresh=behavior.on_refresh) if is_for_messages else behavior

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Response:
        """On the way back to the client, or as Amazon's JSON."""
        if error.redirect_uri:
            return self.handle_response(*error())
        has_own_words = error.description and error.error != "invalid_client"  # Authlib's name its own settings there
        description = error.description if has_own_words else WORDS.get(error.error, error.error)
        headers = [(name, value) for name, value in error.get_headers() if name != "WWW-Authenticate"]
        challenge = [("WWW-Authenticate", 'Basic realm="Login with Amazon"')] if error.status_code == 401 else []
        return self.handle_response(error.status_code, error_body(error.error, description), headers + challenge)

    def handle_response(self, status_code: int, payload: Mapping[str, Any] | str, headers: list[tuple[str, str]]) -> Response:
        if not self.behavior().returns_state:
            headers = [(name, _without_state(value) if name == "Location" else value) for name, value in headers]
        content = payload if isinstance(payload, str) else json.dumps(payload)
        return Response(content, status=status_code, headers=headers)

    def _find_client(self, client_id: str) -> "RegisteredClient | None":
        client = self.ledger.clients.get(client_id)
        return RegisteredClient(client, self.behavior) if client else None

    def _make_token(self, *, client: "RegisteredClient", user: Consent, **_: object) -> dict[str, Any]:
        """Authlib's user is a consent here, because that is what tokens are given for."""
        behavior = self.behavior(client)
        token = {"access_token": self.ledger.add_access_token(user, behavior.access_token_life_s), "token_type": "bearer"}
        return token | ({"expires_in": behavior.access_token_life_s} if behavior.says_expires_in else {})


class RegisteredClient(ClientMixin):  # type: ignore[misc]
    """A client as Authlib asks about it."""

    def __init__(self, client: Client, behavior: Callable[["RegisteredClient"], Behavior]) -> None:
        self.client_id, self.name, self.redirect_urls = client.client_id, client.name, client.redirect_urls
        self._secret, self._behavior = client.client_secret, behavior(self)

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return ""  # Amazon asks for it in every request

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """None refuses: Amazon knows no default scope."""
        asked = (scope or "").split()
        return " ".join(asked) if asked and SCOPES.issuperset(asked) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return self._behavior.registers_redirect_url and redirect_uri in self.redirect_urls

    def check_client_secret(self, client_secret: str) -> bool:
        return self._behavior.knows_client_secret and hmac.compare_digest(self._secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return True

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in {"authorization_code", "refresh_token"}


def error_body(error: str, description: str) -> dict[str, str]:
    """As every endpoint of Login with Amazon refuses."""
    return {"error": error, "error_description": description, "request_id": str(uuid.uuid4())}


def _is_in_the_ledger_already(token: Mapping[str, Any], request: Any) -> None:
    """Authlib's hook for keeping a token."""


def _without_state(url: str) -> str:
    path, _, query = url.partition("?")
    return f"{path}?{urlencode([(name, value) for name, value in parse_qsl(query) if name != 'state'])}"
