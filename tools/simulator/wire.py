"""Every message between the parties, for whoever shows or keeps them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

CUSTOMER, ALEXA, SKILL, PROVIDER = "customer", "Alexa", "skill", "identity provider"


@dataclass(frozen=True)
class Message:
    """Who told whom what; `details` are its named parts, secrets in them shortened."""

    sender: str
    receiver: str
    text: str
    details: Mapping[str, str] = field(default_factory=dict)


Listener = Callable[[Message], None]


def ignore(message: Message) -> None:
    """For who wants to hear nothing."""


def shorten(secret: str) -> str:
    """Enough of a token to know it again, and too little to use it."""
    return f"{secret[:6]}…{secret[-4:]} ({len(secret)} characters)" if len(secret) > 20 else "…"


def shorten_id(identifier: str) -> str:
    """An Amazon user id in the width of a line: they have 200 characters and more."""
    kind, dot, rest = identifier.rpartition(".")
    return f"{kind}{dot}{rest[:4]}…{rest[-4:]}" if len(rest) > 12 else identifier
