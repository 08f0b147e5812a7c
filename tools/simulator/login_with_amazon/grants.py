"""What the stand-in gives codes and tokens for: an authorization code with PKCE, and a refresh token."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, grants  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import CodeChallenge  # type: ignore[import-untyped]

from tools.simulator.login_with_amazon.ledger import Code, Consent, Customer

if TYPE_CHECKING:
    from tools.simulator.login_with_amazon.authorization_server import AuthorizationServer, RegisteredClient


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    """RFC 6749 section 4.1."""

    server: "AuthorizationServer"

    def generate_authorization_code(self) -> str:
        request = self.request
        consent = Consent(request.client.client_id, request.user, request.scope)
        return self.server.ledger.add_code(consent, request.payload.redirect_uri, request.payload.data.get("code_challenge", ""))

    def save_authorization_code(self, code: str, request: Any) -> None:
        """The ledger has it."""

    def create_authorization_response(self, redirect_uri: str, grant_user: Customer | None) -> tuple[int, str, list[tuple[str, str]]]:
        """Amazon names the scopes that were granted beside the code."""
        status, body, ((_, location),) = super().create_authorization_response(redirect_uri, grant_user)
        return status, body, [("Location", f"{location}&{urlencode({'scope': self.request.scope})}")]

    def query_authorization_code(self, code: str, client: "RegisteredClient") -> "_UsedCode | None":
        """Used from here on, whatever else is wrong with the request."""
        used = self.server.ledger.use_code(code, client.client_id)
        return _UsedCode(used) if used else None

    def delete_authorization_code(self, authorization_code: "_UsedCode") -> None:
        """It was used when it was asked for."""

    def authenticate_user(self, authorization_code: "_UsedCode") -> Consent:
        return authorization_code.code.consent

    def generate_token(self, user: Consent | None = None, **named: Any) -> dict[str, Any]:
        token: dict[str, Any] = super().generate_token(user=user, **named)
        if user and self.server.behavior(self.client).gives_refresh_token:
            token["refresh_token"] = self.server.ledger.add_refresh_token(user)
        return token


class _UsedCode:
    """A code as Authlib asks about it."""

    def __init__(self, code: Code) -> None:
        self.code, self.code_challenge, self.code_challenge_method = code, code.code_challenge, "S256"

    def get_redirect_uri(self) -> str:
        return self.code.redirect_url

    def get_scope(self) -> str:
        return self.code.consent.scope


class StrictCodeChallenge(CodeChallenge):  # type: ignore[misc]
    """RFC 7636 with S256 alone; a client that sends no challenge is let through, as at Amazon."""

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        sent = grant.request.payload.data
        if "code_challenge" in sent and grant.server.behavior().pkce == "refused by the page":
            raise InvalidRequestError("Unsupported parameter: code_challenge")
        if "code_challenge" in sent and sent.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256")
        super().validate_code_challenge(grant, redirect_uri)

    def validate_code_verifier(self, grant: CodeGrant, result: object) -> None:
        if "code_verifier" in grant.request.form and grant.server.behavior().pkce == "refused by the token endpoint":
            raise InvalidRequestError("Unsupported parameter: code_verifier")
        super().validate_code_verifier(grant, result)


class RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    """RFC 6749 section 6."""

    TOKEN_ENDPOINT_AUTH_METHODS = CodeGrant.TOKEN_ENDPOINT_AUTH_METHODS
    server: "AuthorizationServer"

    def authenticate_refresh_token(self, refresh_token: str) -> "_RefreshToken | None":
        consent = self.server.ledger.refresh_consent(refresh_token, self.request.client.client_id)
        return _RefreshToken(refresh_token, consent) if consent else None

    def authenticate_user(self, refresh_token: "_RefreshToken") -> Consent:
        return refresh_token.consent

    def issue_token(self, user: Consent, refresh_token: "_RefreshToken") -> dict[str, Any]:
        """Amazon gives a refresh token here as well, and the old one goes on working."""
        given: str | None = refresh_token.value
        if self.server.behavior().on_refresh == "new refresh token":
            given = self.server.ledger.replace_refresh_token(refresh_token.value)
        if given is None:
            raise InvalidGrantError("The refresh token was replaced by a newer one")
        token: dict[str, Any] = super().issue_token(user, refresh_token)
        return token if self.server.behavior().on_refresh == "no refresh token" else token | {"refresh_token": given}

    def revoke_old_credential(self, refresh_token: "_RefreshToken") -> None:
        """It is replaced when the new one is made, or not at all."""


class _RefreshToken:
    """A refresh token as Authlib asks about it."""

    def __init__(self, value: str, consent: Consent) -> None:
        self.value, self.consent = value, consent

    def check_client(self, client: "RegisteredClient") -> bool:
        return client.client_id == self.consent.client_id

    def get_scope(self) -> str:
        return self.consent.scope
