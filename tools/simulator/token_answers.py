"""What the token endpoint answered: tokens such as Alexa works with, or why not."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tools.simulator.linking_diagnosis import SEE_THE_LOG, explain_refusal
from tools.simulator.linking_errors import EXCHANGE, TOKENS, AccountLinkingError, quoted
from tools.simulator.token_endpoint import TOKEN_ENDPOINT_LIMIT_S, NoAnswerError, TokenAnswer

SHORTEST_LIFE_S = 360
LONGEST_LIFE_S = 100 * 365 * 24 * 3600  # some say 2**63 - 1 for "never"; dates end before that
MOST_DIGITS = 20
CORRECT_THE_URL = 'Correct accessTokenUrl ("Access Token URI" in the Alexa console)'


@dataclass(frozen=True)
class Tokens:
    """What Alexa keeps for a linked customer."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    life_s: int


class EndpointRefusalError(AccountLinkingError):
    """The token endpoint refused with an error of OAuth; `code` is its name."""

    def __init__(self, refusal: Mapping[str, Any], explained: AccountLinkingError) -> None:
        super().__init__(explained.cause, step=explained.step, mend=explained.mend)
        self.code = str(refusal.get("error", ""))


def read_token_answer(answer: TokenAnswer, hide: Iterable[str]) -> dict[str, Any]:
    """The JSON object. Raises EndpointRefusalError for an error of OAuth, AccountLinkingError for what is no token endpoint's answer."""
    body = read_object(answer.content)
    if body is None or 300 <= answer.status < 400:
        raise no_token_answer(answer, hide)
    if answer.status != 200 or "error" in body:
        before = f"the token endpoint refused the code: HTTP {answer.status},"
        raise EndpointRefusalError(body, explain_refusal({"error": f"HTTP {answer.status}", **body}, EXCHANGE, before, hide))
    return body


def read_object(content: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def no_token_answer(answer: TokenAnswer, hide: Iterable[str]) -> AccountLinkingError:
    """By the status, and by what came instead of JSON."""
    cause = f"the token endpoint answered HTTP {answer.status} without a JSON object"
    if 300 <= answer.status < 400:
        target = quoted(answer.location.partition("?")[0], hide) or "nowhere"
        cause, mend = f"the token endpoint redirects to {target}, and Alexa does not follow", f"{CORRECT_THE_URL}: it has to answer itself."
    elif answer.status in {404, 405, 410}:
        mend = f"{CORRECT_THE_URL}: there is no token endpoint."
    elif answer.status >= 500 or answer.status == 429:
        mend = f"Try again later: the authorization server failed or is overloaded. {SEE_THE_LOG}"
    elif "html" in answer.content_type.lower() or answer.content.lstrip()[:1] == b"<":
        cause = f"the token endpoint answered HTTP {answer.status} with a web page (HTML) instead of JSON"
        mend = f"{CORRECT_THE_URL}: this one shows a web page, a login page or a firewall's."
    else:
        mend = "Let the token endpoint answer with a JSON object (application/json)."
    return AccountLinkingError(cause, step=EXCHANGE, mend=mend)


def no_answer(error: NoAnswerError, url: str) -> AccountLinkingError:
    """Why there was no HTTP answer at all."""
    parts = urlsplit(url)
    cause, mend = {
        "slow": (
            f"the token endpoint did not answer within Alexa's {TOKEN_ENDPOINT_LIMIT_S} s",
            f"Make the token endpoint answer in under {TOKEN_ENDPOINT_LIMIT_S} s, the last byte included; see what it waits for.",
        ),
        "tls": (
            f"the token endpoint's TLS was refused: {error.detail}",
            f"Give {parts.hostname} a certificate for its name from an authority that Amazon trusts; and an https accessTokenUrl.",
        ),
        "unreachable": (
            f"the token endpoint could not be reached: {error.detail}",
            f"{CORRECT_THE_URL}, now {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}, or start the server behind it.",
        ),
        "not-http": (f"the token endpoint did not answer in HTTP: {error.detail}", f"{CORRECT_THE_URL}: what listens there hung up."),
    }[error.silence]
    return AccountLinkingError(cause, step=EXCHANGE, mend=mend)


def read_tokens(body: Mapping[str, Any], default_life_s: int | None) -> Tokens:
    """Raises AccountLinkingError unless they are such as Alexa works with; the refresh token may be missing here."""
    access_token, refresh_token = body.get("access_token"), body.get("refresh_token")
    if not isinstance(access_token, str) or not access_token:
        mend = "Let the token endpoint answer with access_token, refresh_token, token_type and expires_in."
        raise AccountLinkingError("the token endpoint's answer holds no access_token", step=TOKENS, mend=mend)
    refresh_token = refresh_token if isinstance(refresh_token, str) else ""
    for name, token in (("access_token", access_token), ("refresh_token", refresh_token)):
        if not (token.isascii() and token.isprintable()):
            cause, mend = f"the token endpoint's {name} holds characters that no token may have", f"Make {name} printable ASCII (RFC 6749)."
            raise AccountLinkingError(cause, step=TOKENS, mend=mend)
    kind = body.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        cause = f"the token endpoint's token_type is {quoted(str(kind))}; Alexa knows Bearer tokens only"
        raise AccountLinkingError(cause, step=TOKENS, mend="Let the token endpoint give out Bearer tokens.")
    life_s = read_life(body.get("expires_in"), default_life_s)
    return Tokens(access_token, refresh_token or None, life_s)


def read_life(expires_in: object, default_life_s: int | None) -> int:
    """Seconds, as a number or in digits; a hundred years at most. Raises AccountLinkingError."""
    say_it = f"Let the token endpoint say expires_in, a number of seconds, {SHORTEST_LIFE_S} at least"
    if expires_in is None and default_life_s is None:
        cause = "the token endpoint does not say expires_in, and the linking configuration has no default for it"
        raise AccountLinkingError(cause, step=TOKENS, mend=f"{say_it}, or set defaultTokenExpirationInSeconds.")
    life = default_life_s if expires_in is None else expires_in
    is_whole = isinstance(life, float) and life.is_integer()
    if isinstance(life, bool) or len(str(life)) > MOST_DIGITS or not (is_whole or str(life).isdecimal()):
        raise AccountLinkingError(
            f"the token endpoint's expires_in is no number of seconds: {quoted(str(life))}", step=TOKENS, mend=f"{say_it}."
        )
    seconds = int(float(str(life)))
    if seconds < SHORTEST_LIFE_S:
        where = "defaultTokenExpirationInSeconds" if expires_in is None else "the access token's life at the authorization server"
        cause = f"the access token lives {seconds} seconds; Alexa needs at least {SHORTEST_LIFE_S}"
        mend = f"Raise {where} to {SHORTEST_LIFE_S} seconds or more (in Cognito: AccessTokenValidity of the app client); an hour is usual."
        raise AccountLinkingError(cause, step=TOKENS, mend=mend)
    return min(seconds, LONGEST_LIFE_S)


def without_refresh_token(life_s: int) -> AccountLinkingError:
    return AccountLinkingError(
        f"there is no refresh_token: the link would die with the access token, after {life_s} seconds",
        step=TOKENS,
        mend="Let the authorization server give a refresh_token with the code; many want the scope offline_access in scopes for it, "
        "or refreshing allowed for the client.",
    )
