"""Every message between the parties, for whoever shows or keeps them."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

CUSTOMER, ALEXA, SKILL, PROVIDER, GATEWAY = "customer", "Alexa", "skill", "identity provider", "event gateway"
MOST_KEPT = 1_000
SECRETS = frozenset(
    {"accesstoken", "access_token", "apiaccesstoken", "client_secret", "code", "code_verifier", "consenttoken", "refresh_token", "token"}
)
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

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


def ignore(message: Message) -> None:
    """For who wants to hear nothing."""


def shorten(secret: str) -> str:
    """Enough of a token to know it again, and too little to use it."""
    return f"{secret[:6]}…{secret[-4:]} ({len(secret)} characters)" if len(secret) > 20 else "…"


def shorten_id(identifier: str) -> str:
    """An Amazon user id in the width of a line: they have 200 characters and more."""
    kind, dot, rest = identifier.rpartition(".")
    return f"{kind}{dot}{rest[:4]}…{rest[-4:]}" if len(rest) > 12 else identifier


def redacted(value: Any, key: str = "") -> Any:
    """The same JSON with every token, code and secret shortened."""
    if isinstance(value, Mapping):
        return {name: redacted(part, str(name)) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(part) for part in value]
    is_word = isinstance(value, str) and value.replace("_", "").isupper()  # ER_SUCCESS_MATCH and error names are codes, too
    return shorten(value) if isinstance(value, str) and key.casefold() in SECRETS and not is_word else value
