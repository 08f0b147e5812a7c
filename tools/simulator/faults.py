"""What can go wrong with an identity provider, in words for a page, a command line and a story."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """By the name that a command line takes; `description` says what the customer notices and what the skill should do."""

    name: str
    label: str
    description: str


NONE = Fault("none", "Works", "Every call is answered as usual.")
DOWN = Fault(
    "down",
    "Down",
    "Connections end without an answer: the customer hears an apology and stays linked, and events are brought again later.",
)
SLOW = Fault(
    "slow",
    "Slow, 5 seconds",
    "Answers take 5 seconds: the skill stops waiting and apologizes in time, and nobody has to link again.",
)
SLOWER = Fault(
    "slower",
    "Slower, 9 seconds",
    "Answers take longer than Alexa waits for the skill: it has to speak without them, and linking fails at the token endpoint.",
)
THROTTLED = Fault(
    "throttled",
    "Throttled",
    "The provider refuses because too much was asked of it: it proves nothing about the token, so the customer stays linked.",
)
HTML = Fault(
    "html",
    "An HTML page",
    "A web page with status 200 comes instead of JSON, as from a proxy or a notice of maintenance: the same as being down.",
)
EXPIRED = Fault(
    "expired",
    "Access token expired",
    "The access token is too old, and Alexa did not refresh it: the skill asks the customer to link again.",
)
REVOKED = Fault(
    "revoked",
    "Access revoked",
    "The customer took the access back at the provider, so that no refresh helps either: the skill asks to link again.",
)
OTHER_CLIENT = Fault(
    "other-client",
    "Another client's token",
    "The token is good but was given to somebody else's application: the skill must refuse it, or that application opens the account.",
)
FAULTS = (NONE, DOWN, SLOW, SLOWER, THROTTLED, HTML, EXPIRED, REVOKED, OTHER_CLIENT)


def fault_named(name: str) -> Fault:
    """Raises LookupError, with the names that there are."""
    found = [fault for fault in FAULTS if fault.name == name]
    if not found:
        raise LookupError(f"there is no fault {name!r}; there are {', '.join(fault.name for fault in FAULTS)}")
    return found[0]
