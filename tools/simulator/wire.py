"""Every message between the parties, for whoever shows or keeps them."""

import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

CUSTOMER, ALEXA, SKILL, PROVIDER, GATEWAY = "customer", "Alexa", "skill", "identity provider", "event gateway"
MOST_KEPT = 1_000
SECRETS = frozenset(  # names of JSON fields, in small letters alone
    {
        "accesstoken",
        "apiaccesstoken",
        "authorization",
        "clientsecret",
        "code",
        "codeverifier",
        "consenttoken",
        "idtoken",
        "password",
        "refreshtoken",
        "token",
    }
)
ERROR_CODE = re.compile(r"[A-Z]+(?:_[A-Z]+)+|[A-Z]{1,12}")  # ER_SUCCESS_MATCH; authorization codes have digits, or are longer
SHORTENED = re.compile(r"…|.{6}….{4} \(\d+ characters\)", re.DOTALL)
Verdict = Literal["", "ok", "warning", "failed"]


@dataclass(frozen=True)
class Message:
    """Who told whom what; `details` are its named parts and `body` its JSON, secrets in them shortened."""

    sender: str
    receiver: str
    text: str
    details: Mapping[str, str] = field(default_factory=dict)
    verdict: Verdict = ""
    reason: str = ""  # in plain words, where it failed or may fail elsewhere
    mend: str = ""
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Entry:
    """A message as it is kept: its number, the time on Alexa's clock (ISO 8601, UTC), and in whose household it was."""

    number: int
    at: str
    customer: str
    message: Message


Listener = Callable[[Message], None]


class Wire:
    """Keeps the last thousand messages; safe to be used by several threads."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MOST_KEPT)
        self._lock = threading.Lock()
        self._number = 0

    def add(self, message: Message, at: str, customer: str) -> None:
        with self._lock:
            self._number += 1
            self._entries.append(Entry(self._number, at, customer, message))

    def entries(self, after: int = 0) -> list[Entry]:
        """In order; those with a higher number than `after`."""
        with self._lock:
            return [entry for entry in self._entries if entry.number > after]


def ignore(message: Message) -> None:
    """For who wants to hear nothing."""


def shorten(secret: str) -> str:
    """Enough of a token to know it again, and too little to use it; what is shortened already stays as it is."""
    if SHORTENED.fullmatch(secret):
        return secret
    return f"{secret[:6]}…{secret[-4:]} ({len(secret)} characters)" if len(secret) > 20 else "…"


def shorten_id(identifier: str) -> str:
    """An Amazon user id in the width of a line: they have 200 characters and more."""
    kind, dot, rest = identifier.rpartition(".")
    return f"{kind}{dot}{rest[:4]}…{rest[-4:]}" if len(rest) > 12 else identifier


def as_it_is(text: str) -> str:
    """Where nothing else is to be hidden."""
    return text


def redacted(value: Any, key: str = "", hide: Callable[[str], str] = as_it_is) -> Any:
    """The same JSON with every token, code and secret shortened by its name; `hide` goes over all other texts."""
    if isinstance(value, Mapping):
        return {hide(str(name)): redacted(part, str(name), hide) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(part, key, hide) for part in value]
    if not isinstance(value, str):
        return value
    return shorten(value) if is_secret(key, value) else hide(value)


def as_body(answer: Any) -> Mapping[str, Any] | None:
    """A skill's answer as a message shows it; None for one that is no object."""
    return redacted(answer) if isinstance(answer, Mapping) else None


def is_secret(key: str, value: str) -> bool:
    """By the name of the field; error codes and those of entity resolution are codes, too, and no secrets."""
    name = re.sub(r"[^a-z]", "", key.casefold())
    return name in SECRETS and not (name == "code" and ERROR_CODE.fullmatch(value))
