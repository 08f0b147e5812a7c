"""How linking an account fails, for who acts on it: at which step, why, and what mends it; no secret is in any of these words."""

import re
from collections.abc import Iterable

CONFIGURATION, SIGN_IN, REDIRECT, EXCHANGE, TOKENS, ACCEPT_GRANT, REFRESH = (
    "linking configuration",
    "sign-in page",
    "redirect",
    "code exchange",
    "tokens",
    "AcceptGrant",
    "token refresh",
)
LONGEST_QUOTE = 300  # characters


class AccountLinkingError(Exception):
    """Linking failed: at which step, why, and which setting mends it, in plain words."""

    def __init__(self, cause: str, *, step: str = SIGN_IN, mend: str = "") -> None:
        cause = cause.rstrip(".")
        super().__init__(f"{cause}. {mend}" if mend else cause)
        self.step, self.cause, self.mend = step, cause, mend


class SignInPageError(AccountLinkingError):
    """The authorization server showed this page where a redirect or a login form was due."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"the sign-in page answered HTTP {status}: {quoted(readable(text))}")
        self.status, self.text = status, text


class RefreshRefusedError(AccountLinkingError):
    """The refresh token is good no longer: Alexa drops the tokens and asks the customer to link again."""


class RefreshFailedError(AccountLinkingError):
    """There is no new access token now; the tokens are kept, and the next request tries again."""


def quoted(text: str, hide: Iterable[str] = ()) -> str:
    """What the other side wrote, in a line, shortened, with no control characters and none of the secrets in `hide`."""
    for secret in filter(None, hide):
        text = text.replace(secret, "…")
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[: LONGEST_QUOTE - 1]}…"


def readable(page: str) -> str:
    """A page's words, without its markup, scripts and styles."""
    without_code = re.sub(r"(?is)<(script|style|head)\b.*?(</\1\s*>|$)", " ", page[:100_000])
    return re.sub(r"(?s)<[^>]*>", " ", without_code)
