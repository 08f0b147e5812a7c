"""What is asked of an identity provider, and how that provider would refuse it: Cognito, Login with Amazon, or OpenID's userinfo."""

import json
import uuid
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from tools.simulator.http_relay import HttpAnswer, HttpRequest

Kind = Literal["api", "token", "login"]  # the function's calls, tokens, pages in the customer's browser
GET_USER = "AWSCognitoIdentityProviderService.GetUser"
USERINFO_PATHS = {"/oauth2/userinfo", "/userinfo"}
LWA_TOKEN_PATH, LWA_LOGIN_PATH = "/auth/o2/token", "/ap/oa"
LWA_PROFILE_PATHS = {"/auth/o2/tokeninfo", "/user/profile"}
AWS_JSON = "application/x-amz-json-1.1"
TOKEN_PATHS = {"/oauth2/token", LWA_TOKEN_PATH}
MAINTENANCE = "<!doctype html><html lang=en><title>Maintenance</title><h1>We will be back soon</h1></html>"
BUSY = "<!doctype html><html lang=en><title>Too many requests</title><h1>Too many requests</h1></html>"


@dataclass(frozen=True)
class ProviderCall:
    """One request to a provider, by what it is for."""

    request: HttpRequest

    @property
    def path(self) -> str:
        """Without the query, which may hold a token."""
        return urlsplit(self.request.target).path

    @property
    def label(self) -> str:
        """The path; Cognito's API has one for everything, so its operation is named with it."""
        operation = self._amz_target.rpartition(".")[2]
        return f"{self.path} ({operation})" if operation else self.path

    @property
    def kind(self) -> Kind:
        is_for_keys = "/.well-known/" in self._route
        if self._amz_target or is_for_keys or self._route in USERINFO_PATHS | LWA_PROFILE_PATHS:
            return "api"
        return "token" if self._route in TOKEN_PATHS else "login"

    @property
    def carries_access_token(self) -> bool:
        return self._amz_target == GET_USER or self._route in USERINFO_PATHS | LWA_PROFILE_PATHS

    @property
    def is_refresh(self) -> bool:
        form = parse_qs(self.request.content.decode("latin-1")) if self.kind == "token" else {}
        return form.get("grant_type") == ["refresh_token"]

    @property
    def _amz_target(self) -> str:
        return self.request.header("X-Amz-Target")

    @property
    def _route(self) -> str:
        """Amazon's own documents write o2 and O2."""
        return self.path.casefold()

    @property
    def _is_lwa(self) -> bool:
        return self._route in LWA_PROFILE_PATHS | {LWA_TOKEN_PATH, LWA_LOGIN_PATH}

    # ---- refusals, as the provider itself makes them

    def refused_as_expired(self) -> HttpAnswer:
        """The access token has expired."""
        return self._refused_for_token("Access Token has expired")

    def refused_as_revoked(self) -> HttpAnswer:
        """The access token was revoked, or the refresh token."""
        if not self.is_refresh:
            return self._refused_for_token("Access Token has been revoked")
        return _lwa_error(400, "invalid_grant", "The refresh token was revoked") if self._is_lwa else _json(400, {"error": "invalid_grant"})

    def refused_as_throttled(self) -> HttpAnswer:
        """Cognito's API does it with status 400; Login with Amazon's body is not documented, and the status is what counts."""
        if self._amz_target:
            return _json(400, {"__type": "TooManyRequestsException", "message": "Too many requests"}, AWS_JSON)
        if self.kind == "login":
            return html_page(429, BUSY)
        return _lwa_error(429, "too_many_requests", "Rate exceeded") if self._is_lwa else _json(429, {"error": "too_many_requests"})

    def _refused_for_token(self, cognitos_words: str) -> HttpAnswer:
        if self._amz_target:
            return _json(400, {"__type": "NotAuthorizedException", "message": cognitos_words}, AWS_JSON)
        if self._is_lwa:
            return _lwa_error(400, "invalid_token", "The access token is not valid")
        words = "Access token is expired, disabled, or deleted, or the user has globally signed out."
        challenge = ("WWW-Authenticate", f'error="invalid_token", error_description="{words}"')
        refusal = _json(401, {"error": "invalid_token", "error_description": words})
        return HttpAnswer(refusal.status, (*refusal.headers, challenge), refusal.content)


def html_page(status: int, page: str) -> HttpAnswer:
    return HttpAnswer(status, (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")), page.encode())


def _json(status: int, body: dict[str, str], content_type: str = "application/json") -> HttpAnswer:
    return HttpAnswer(status, (("Content-Type", content_type), ("Cache-Control", "no-store")), json.dumps(body).encode())


def _lwa_error(status: int, error: str, description: str) -> HttpAnswer:
    return _json(status, {"error": error, "error_description": description, "request_id": str(uuid.uuid4())})
