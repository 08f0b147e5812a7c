"""The pages and endpoints of the stand-in, under Amazon's own paths."""

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from flask import Flask, Response, jsonify, render_template, request, session

from tools.simulator.login_with_amazon.authorization_server import MESSAGING_SCOPE, AuthorizationServer, error_body
from tools.simulator.login_with_amazon.behavior import Behavior
from tools.simulator.login_with_amazon.ledger import AccessToken, Client, Ledger

AUTHORIZATION_PATH, TOKEN_PATH = "/ap/oa", "/auth/o2/token"
TOKEN_INFO_PATH, PROFILE_PATH = "/auth/o2/tokeninfo", "/user/profile"
SHARED = {"profile": ("Your name", "Your email address"), "postal_code": ("Your postal code",)}
EXPIRED_FORM = "This page was open for too long, or in two windows. Please sign in again."
WRONG_PASSWORD = "There is no account with this email address and password."  # noqa: S105


def build_site(ledger: Ledger, behavior: Callable[[], Behavior], clock: Callable[[], float], pause: Callable[[float], bool]) -> Flask:
    """The WSGI application. `clock` gives epoch seconds, `pause` waits for as many and is False when there is no point in going on."""
    app = Flask(__name__, static_url_path="/stand-in")
    # Another page may be open on another port of this host, and cookies know no ports: hence the name.
    app.config.update(SECRET_KEY=secrets.token_bytes(32), SESSION_COOKIE_NAME="login-with-amazon-stand-in")
    app.config.update(SESSION_COOKIE_SAMESITE="Lax", TRUSTED_HOSTS=["127.0.0.1", "localhost"], MAX_CONTENT_LENGTH=65_536)
    site = _Site(AuthorizationServer(app, ledger, behavior), ledger, behavior, clock, pause)
    app.add_url_rule(AUTHORIZATION_PATH, view_func=site.sign_in, methods=["GET", "POST"])
    app.add_url_rule(TOKEN_PATH, view_func=site.give_tokens, methods=["POST"])
    app.add_url_rule(TOKEN_INFO_PATH, view_func=site.tell_about_token)
    app.add_url_rule(PROFILE_PATH, view_func=site.tell_profile)
    for path, view in ((TOKEN_PATH, "give_tokens"), (TOKEN_INFO_PATH, "tell_about_token")):
        app.add_url_rule(path.replace("o2", "O2"), endpoint=view, methods=["POST"] if view == "give_tokens" else ["GET"])
    app.after_request(lambda response: _protect(response, ledger))
    return app


class _Site:
    """One method for each address."""

    def __init__(
        self,
        server: AuthorizationServer,
        ledger: Ledger,
        behavior: Callable[[], Behavior],
        clock: Callable[[], float],
        pause: Callable[[float], bool],
    ) -> None:
        self._server, self._ledger, self._behavior, self._clock, self._pause = server, ledger, behavior, clock, pause

    def sign_in(self) -> Response | tuple[str, int]:
        """The page where a customer signs in and consents, in one; then back to the client."""
        try:
            grant = self._server.get_consent_grant()
        except OAuth2Error as error:
            return self._server.handle_error_response(None, error) if error.redirect_uri else (self._refuse(error), 400)
        if request.method == "GET":
            return self._ask(grant), 200
        if not secrets.compare_digest(session.get("csrf", "").encode(), request.form.get("csrf", "-").encode()):
            return self._ask(grant, EXPIRED_FORM), 400
        if request.form.get("decision") == "cancel":
            return self._answer(grant, None)
        customer = self._ledger.sign_in(request.form.get("email", ""), request.form.get("password", ""))
        return self._answer(grant, customer) if customer else (self._ask(grant, WRONG_PASSWORD), 200)

    def _answer(self, grant: Any, customer: Any) -> Response:
        session.pop("csrf", None)
        response: Response = self._server.create_authorization_response(grant=grant, grant_user=customer)
        return response

    def _ask(self, grant: Any, complaint: str = "") -> str:
        session.setdefault("csrf", secrets.token_urlsafe(24))
        shared = [line for scope in grant.request.scope.split() for line in SHARED.get(scope, ())]
        return render_template(
            "sign_in.html",
            client=grant.request.client.name,
            shared=shared,
            complaint=complaint,
            csrf=session["csrf"],
            email=request.form.get("email", ""),
        )

    def _refuse(self, error: OAuth2Error) -> str:
        """Nowhere to redirect to: an address that is not registered may be a thief's."""
        words = error.description
        if "redirect" in words.casefold():
            words = "The redirect_uri of this request is not among the redirect URLs that are registered for this client."
        return render_template("refused.html", error=error.error, words=words, redirect_url=request.args.get("redirect_uri", ""))

    def give_tokens(self) -> Response:
        """A code, or a refresh token, for tokens."""
        self._pause(self._behavior().token_endpoint_takes_s)
        response: Response = self._server.create_token_response()
        return response

    def tell_about_token(self) -> Response:
        """Whose the token is, and for how many more seconds."""
        token = self._ledger.access_token(request.args.get("access_token", ""))
        if token is None:
            return _refusal(HTTPStatus.BAD_REQUEST, "invalid_token", "The request has an invalid parameter : access_token")
        consent = token.consent
        answer = {"iss": "https://www.amazon.com", "user_id": consent.customer.user_id, "aud": consent.client_id}
        app_id = consent.client_id.replace("application-oa2-client", "application")
        return jsonify(answer | {"app_id": app_id, "exp": int(token.expires_at - self._clock()), "iat": int(token.issued_at)})

    def tell_profile(self) -> Response:
        """What the customer shares with the client."""
        value = _presented_token()
        if not value:
            return _refusal(HTTPStatus.BAD_REQUEST, "invalid_request", "The request is missing a required parameter : access_token")
        token = self._ledger.access_token(value)
        if token is None:
            return _refusal(HTTPStatus.BAD_REQUEST, "invalid_token", "The access token provided is invalid or has expired")
        if token.consent.scope == MESSAGING_SCOPE:
            return _refusal(HTTPStatus.UNAUTHORIZED, "insufficient_scope", "The access token does not have the required scope")
        return jsonify(profile_for(token))


def profile_for(token: AccessToken) -> dict[str, str]:
    """The user id with any scope, the rest by scope."""
    customer, scopes = token.consent.customer, token.consent.scope.split()
    profile = {"user_id": customer.user_id}
    if "profile" in scopes:
        profile |= {"name": customer.name, "email": customer.email}
    if "postal_code" in scopes and customer.postal_code:
        profile["postal_code"] = customer.postal_code
    return profile


def _presented_token() -> str:
    """In any of the three places where Amazon takes it."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    bearer = bearer.strip() if scheme.casefold() == "bearer" else ""
    return bearer or request.headers.get("x-amz-access-token", "") or request.args.get("access_token", "")


def _refusal(status: HTTPStatus, error: str, description: str) -> Response:
    response = jsonify(error_body(error, description))
    response.status_code = status
    return response


def _protect(response: Response, ledger: Ledger) -> Response:
    """Nothing from elsewhere on the page, and no page inside another; a form may lead to where its client's answers go."""
    clients: list[Client] = list(ledger.clients.values())
    origins = {f"{url.scheme}://{url.netloc}" for client in clients for url in map(urlsplit, client.redirect_urls)}
    # Chromium holds redirects after a form to form-action as well, and here they may be turned to a port of this machine.
    targets = " ".join(sorted(origins | {"http://127.0.0.1:*", "http://localhost:*"}))
    policy = f"default-src 'none'; style-src 'self'; img-src data:; form-action 'self' {targets}; base-uri 'none'; frame-ancestors 'none'"
    response.headers.update({"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"})
    response.headers.setdefault("Cache-Control", "no-store")
    return response
