"""Alexa as an OAuth 2.0 client: authorization code with PKCE and state, then the code for tokens (FACTS: what Alexa demands)."""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tools.simulator.wire import ALEXA, CUSTOMER, PROVIDER, Listener, Message, ignore, shorten

TOKEN_ENDPOINT_LIMIT_S = 4.5
SHORTEST_LIFE_S = 360
Browse = Callable[[str], str]  # opens the authorization URL, lets the customer sign in, returns the URL that the page sent them to


class AccountLinkingError(Exception):
    """Linking failed; the message says in plain words at which step, and why. It holds no secret."""


@dataclass(frozen=True)
class LinkingConfiguration:
    """What a developer types into the Alexa console, and the redirect URL of the customer's region."""

    authorization_url: str
    access_token_url: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    redirect_url: str
    default_life_s: int | None = None  # where the token endpoint does not say expires_in


@dataclass(frozen=True)
class Tokens:
    """What Alexa keeps for a linked customer."""

    access_token: str
    refresh_token: str | None
    life_s: int


class AccountLinking:
    """Links one account at a time; every method raises AccountLinkingError."""

    def __init__(self, configuration: LinkingConfiguration, listener: Listener = ignore) -> None:
        self._configuration, self._listener = configuration, listener

    @property
    def page(self) -> str:
        """Where a LinkAccount card leads."""
        return self._configuration.authorization_url

    def link(self, browse: Browse) -> Tokens:
        """From the authorization page to tokens that Alexa would accept."""
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        url = self._authorization_url(state, verifier)
        asked = {"page": self.page, "scope": " ".join(self._configuration.scopes), "state": shorten(state), "PKCE": "S256"}
        self._tell(ALEXA, CUSTOMER, "opens the sign-in page", asked)
        code = self._read_redirect(browse(url), state)
        answer, took_s = self._exchange(code, verifier)
        return self._accept(answer, took_s)

    def _authorization_url(self, state: str, verifier: str) -> str:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._configuration.client_id,
            "redirect_uri": self._configuration.redirect_url,
            "scope": " ".join(self._configuration.scopes),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.page}{'&' if '?' in self.page else '?'}{urlencode(query)}"

    def _read_redirect(self, url: str, state: str) -> str:
        """The authorization code out of the redirect."""
        landed = url.partition("?")[0]
        if landed != self._configuration.redirect_url:
            raise AccountLinkingError(f"the sign-in page sent the customer to {landed}, not to {self._configuration.redirect_url}")
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        if "error" in query:
            raise AccountLinkingError(f"the authorization server refused: {in_oauths_words(query)}")
        if query.get("state") != state:
            raise AccountLinkingError("the authorization server did not return Alexa's state as it was sent")
        if not query.get("code"):
            raise AccountLinkingError("the redirect carries no authorization code")
        self._tell(PROVIDER, ALEXA, "redirects with a code", {"to": landed, "code": shorten(query["code"]), "state": "as sent"})
        return query["code"]

    def _exchange(self, code: str, verifier: str) -> tuple[dict[str, Any], float]:
        """The token endpoint's answer, and the seconds it took."""
        asked = {"authentication": "HTTP Basic", "code": shorten(code), "code_verifier": shorten(verifier)}
        self._tell(ALEXA, PROVIDER, "exchanges the code for tokens", asked)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._configuration.redirect_url,
            "client_id": self._configuration.client_id,
            "code_verifier": verifier,
        }
        started = time.monotonic()
        try:
            answer = self._post(form)
        except requests.Timeout as error:
            raise AccountLinkingError(f"the token endpoint did not answer within Alexa's {TOKEN_ENDPOINT_LIMIT_S} s") from error
        except requests.RequestException as error:
            raise AccountLinkingError(f"the token endpoint could not be reached: {type(error).__name__}") from error
        return read_token_answer(answer), time.monotonic() - started

    def _post(self, form: Mapping[str, str]) -> requests.Response:
        credentials = (self._configuration.client_id, self._configuration.client_secret)
        with requests.Session() as session:
            session.trust_env = False  # neither proxies nor netrc
            url = self._configuration.access_token_url
            return session.post(url, data=form, auth=credentials, timeout=TOKEN_ENDPOINT_LIMIT_S, allow_redirects=False)

    def _accept(self, answer: Mapping[str, Any], took_s: float) -> Tokens:
        """The tokens, if they are such as Alexa works with."""
        if took_s > TOKEN_ENDPOINT_LIMIT_S:
            raise AccountLinkingError(f"the token endpoint took {took_s:.1f} s; Alexa waits {TOKEN_ENDPOINT_LIMIT_S}")
        access_token, refresh_token = answer.get("access_token"), answer.get("refresh_token")
        if not isinstance(access_token, str) or not access_token:
            raise AccountLinkingError("the token endpoint's answer holds no access_token")
        life = answer.get("expires_in", self._configuration.default_life_s)
        if isinstance(life, bool) or not str(life).isdecimal():
            raise AccountLinkingError("the token endpoint does not say expires_in, and the linking configuration has no default for it")
        if int(str(life)) < SHORTEST_LIFE_S:
            raise AccountLinkingError(f"the access token lives {life} seconds; Alexa needs at least {SHORTEST_LIFE_S}")
        if not refresh_token:
            raise AccountLinkingError(f"there is no refresh_token: the link would die with the access token, after {life} seconds")
        got = {"access_token": shorten(access_token), "refresh_token": shorten(refresh_token), "expires_in": f"{life} s"}
        self._tell(PROVIDER, ALEXA, "gives tokens", got | {"took": f"{took_s:.2f} s"})
        return Tokens(access_token, refresh_token, int(str(life)))

    def _tell(self, sender: str, receiver: str, text: str, details: Mapping[str, str]) -> None:
        self._listener(Message(sender, receiver, text, details))


def read_token_answer(answer: requests.Response) -> dict[str, Any]:
    """The JSON object. Raises AccountLinkingError, in OAuth's own words where the endpoint refused."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise AccountLinkingError(f"the token endpoint answered HTTP {answer.status_code} without a JSON object")
    if answer.status_code != 200 or "error" in body:
        raise AccountLinkingError(f"the token endpoint refused the code: HTTP {answer.status_code}, {in_oauths_words(body)}")
    return body


def in_oauths_words(refusal: Mapping[str, Any]) -> str:
    """OAuth's error and error_description."""
    return f"{refusal.get('error', 'no error code')}: {refusal.get('error_description', 'no description')}"
