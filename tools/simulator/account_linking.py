"""Alexa as an OAuth 2.0 client: authorization code with PKCE and state, the code for tokens, and fresh tokens for old ones."""

import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tools.simulator.authorization_redirect import PendingLink, begin_link, read_redirect
from tools.simulator.linking_configuration import AccessTokenScheme, LinkingConfiguration
from tools.simulator.linking_diagnosis import (
    ALLOW_PKCE,
    OTHER_SCHEME,
    explain_page,
    explain_pkce_refused,
    explain_unreachable_page,
    explain_wrong_scheme,
)
from tools.simulator.linking_errors import REFRESH, AccountLinkingError, RefreshFailedError, RefreshRefusedError, SignInPageError
from tools.simulator.token_answers import (
    EndpointRefusalError,
    Tokens,
    no_answer,
    read_object,
    read_token_answer,
    read_tokens,
    without_refresh_token,
)
from tools.simulator.token_endpoint import TOKEN_ENDPOINT_LIMIT_S, NoAnswerError, TokenAnswer, TokenEndpoint
from tools.simulator.wire import ALEXA, CUSTOMER, PROVIDER, Listener, Message, ignore, shorten

__all__ = [
    "AccountLinking",
    "AccountLinkingError",
    "Browse",
    "LinkingConfiguration",
    "PendingLink",
    "RefreshFailedError",
    "RefreshRefusedError",
    "SignInPageError",
    "Tokens",
]

Browse = Callable[[str], str]  # opens the authorization URL, lets the customer sign in, returns the URL that the page sent them to


class AccountLinking:
    """Links accounts for the customers of one skill; every method raises AccountLinkingError."""

    def __init__(
        self,
        configuration: LinkingConfiguration,
        listener: Listener = ignore,
        *,
        tls: ssl.SSLContext | None = None,
        limit_s: float = TOKEN_ENDPOINT_LIMIT_S,
    ) -> None:
        """`tls` replaces the public roots for the token endpoint."""
        self.configuration, self._listener = configuration, listener
        self._endpoint = TokenEndpoint(configuration, tls, limit_s)

    @property
    def page(self) -> str:
        """Where a LinkAccount card leads."""
        return self.configuration.authorization_url

    def link(self, browse: Browse, region: str = "EU") -> Tokens:
        """From the authorization page to tokens that Alexa would accept."""
        pending = self.begin(region)
        return self.finish(pending, self.visit(pending, browse))

    def begin(self, region: str = "EU") -> PendingLink:
        """The first half: what the customer's browser opens."""
        pending = begin_link(self.configuration, region)
        asked = {"page": self.page, "scope": " ".join(self.configuration.scopes), "state": shorten(pending.state), "PKCE": "S256"}
        self._tell(ALEXA, CUSTOMER, "opens the sign-in page", asked)
        return pending

    def visit(self, pending: PendingLink, browse: Browse) -> str:
        """Where the page at last sent the customer."""
        try:
            return browse(pending.url)
        except SignInPageError as shown:
            raise explain_page(shown.status, shown.text, self.configuration) from shown
        except OSError as error:
            raise explain_unreachable_page(error, self.configuration) from error

    def finish(self, pending: PendingLink, landed_url: str) -> Tokens:
        """The second half: from the URL on which the customer landed to tokens."""
        code = read_redirect(landed_url, pending, self.configuration)
        self._tell(PROVIDER, ALEXA, "redirects with a code", {"to": pending.redirect_url, "code": shorten(code), "state": "as sent"})
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": pending.redirect_url,
            "code_verifier": pending.verifier,
        }
        asked = {"code": shorten(code), "code_verifier": shorten(pending.verifier)}
        self._tell(ALEXA, PROVIDER, "exchanges the code for tokens", {"authentication": self.configuration.access_token_scheme, **asked})
        hide = (code, pending.verifier, self.configuration.client_secret)
        tokens, answer = self._ask(form, hide)
        if tokens.refresh_token is None:
            raise without_refresh_token(tokens.life_s)
        self._tell_tokens(tokens, answer)
        return tokens

    def refresh(self, tokens: Tokens) -> Tokens:
        """Fresh tokens; the old refresh token stays in use where no new one comes. Raises RefreshRefusedError, RefreshFailedError.

        How Alexa treats an endpoint that is only down is not documented; keeping the tokens is what loses nothing.
        """
        if tokens.refresh_token is None:
            raise RefreshRefusedError("the access token has expired, and there is no refresh token", step=REFRESH)
        self._tell(ALEXA, PROVIDER, "refreshes the access token", {"refresh_token": shorten(tokens.refresh_token)})
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        try:
            fresh, answer = self._ask(form, (tokens.refresh_token, self.configuration.client_secret))
        except AccountLinkingError as error:
            raise refresh_error(error) from error
        self._tell_tokens(fresh, answer)
        return replace(fresh, refresh_token=fresh.refresh_token or tokens.refresh_token)

    def _ask(self, form: Mapping[str, str], hide: tuple[str, ...]) -> tuple[Tokens, TokenAnswer]:
        try:
            answer = self._endpoint.post(form)
        except NoAnswerError as error:
            raise no_answer(error, self.configuration.access_token_url) from error
        try:
            return read_tokens(read_token_answer(answer, hide), self.configuration.default_life_s), answer
        except EndpointRefusalError as refusal:
            raise self._looked_into(refusal) from refusal

    def _looked_into(self, refusal: EndpointRefusalError) -> AccountLinkingError:
        """Two refusals have causes that only a second question tells apart; it is asked with a code that was never given out."""
        if refusal.code == "invalid_client":
            other = OTHER_SCHEME[self.configuration.access_token_scheme]
            # Some servers look at the code first: only one that refuses a wrong secret has shown that it knows ours.
            if self._error_of(other) == "invalid_grant" and self._error_of(other, secret="made-up") == "invalid_client":  # noqa: S106
                return explain_wrong_scheme(self.configuration)
        if refusal.code == "invalid_request" and refusal.mend != ALLOW_PKCE:
            with_verifier, without = self._error_of(verifier="v" * 43), self._error_of()
            if (with_verifier, without) == ("invalid_request", "invalid_grant"):
                return explain_pkce_refused(refusal.cause)
        return refusal

    def _error_of(self, scheme: AccessTokenScheme | None = None, *, secret: str | None = None, verifier: str = "") -> str:
        """The error for a made-up code: invalid_grant says that all else was taken."""
        form = {
            "grant_type": "authorization_code",
            "code": f"made-up-{secrets.token_hex(8)}",
            "redirect_uri": next(iter(self.configuration.redirect_urls.values())),
        }
        self._tell(ALEXA, PROVIDER, "asks once more with a made-up code, to find the cause", {"authentication": scheme or "as configured"})
        try:
            answer = self._endpoint.post(form | ({"code_verifier": verifier} if verifier else {}), scheme, secret)
        except NoAnswerError:
            return ""
        return str((read_object(answer.content) or {}).get("error", ""))

    def _tell_tokens(self, tokens: Tokens, answer: TokenAnswer) -> None:
        kept = {"access_token": shorten(tokens.access_token)}
        if tokens.refresh_token:
            kept |= {"refresh_token": shorten(tokens.refresh_token)}
        self._tell(PROVIDER, ALEXA, "gives tokens", kept | {"expires_in": f"{tokens.life_s} s", "took": f"{answer.took_s:.2f} s"})

    def _tell(self, sender: str, receiver: str, text: str, details: Mapping[str, Any]) -> None:
        self._listener(Message(sender, receiver, text, details))


def refresh_error(error: AccountLinkingError) -> AccountLinkingError:
    """Only a refused refresh token costs the link; all else may pass, or is the developer's to mend."""
    cause = error.cause.replace("refused the code", "refused the refresh token")
    if isinstance(error, EndpointRefusalError) and error.code == "invalid_grant":
        return RefreshRefusedError(cause, step=REFRESH, mend="The customer links the account again; give refresh tokens a longer life.")
    return RefreshFailedError(cause, step=REFRESH, mend=error.mend)
