"""What Alexa, or a customer, would find wrong with an answer."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """In plain words, with what mends it; for an error, Alexa does not use the answer."""

    severity: Literal["error", "warning"]
    what: str
    mend: str


def error(what: str, mend: str) -> Finding:
    return Finding("error", what, mend)


def warning(what: str, mend: str) -> Finding:
    return Finding("warning", what, mend)
