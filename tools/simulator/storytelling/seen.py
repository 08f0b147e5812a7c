"""What a step brought, and how it is said when that is not what was expected: expected …; got: …"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

from tools.simulator.answers import Answer
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.storytelling.story_text import Part
from tools.simulator.wire import Message

if TYPE_CHECKING:
    from tools.simulator.simulation import Simulation

LONGEST = 400  # characters of what came instead


@dataclass(frozen=True)
class Seen:
    """What a step brought; each field but the first two is there only where the step can bring it."""

    simulation: "Simulation"
    messages: Sequence[Message]
    answer: Answer | None = None
    linking_error: AccountLinkingError | None = None
    looked_up: "CompletedProcess[str] | None" = None

    @property
    def state(self) -> dict[str, Any]:
        return self.simulation.state()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Of the mapping table, in order of time."""
        return in_order(self.simulation)

    @property
    def heard(self) -> Answer:
        return self.answer or Answer()

    @property
    def looked_up_text(self) -> str:
        return self.looked_up.stdout + self.looked_up.stderr if self.looked_up else ""


Check = Callable[[Seen], list[str]]
Read = Callable[[Part], Check]


def nothing(seen: Seen) -> list[str]:
    """Whatever came is right."""
    return []


def unless(is_so: bool, expected: str, got: object) -> list[str]:  # noqa: FBT001  (reads as a sentence)
    """The complaint as a list, which is empty where all is well."""
    text = " ".join(str(got).split()) or "nothing"
    return [] if is_so else [f"expected {expected}; got: {text if len(text) <= LONGEST else text[:LONGEST] + '…'}"]


def in_order(simulation: "Simulation") -> list[dict[str, Any]]:
    """All rows of the mapping table, with whose Alexa and whose account each is about, by their start."""
    return sorted(simulation.state()["rows"], key=lambda row: (str(row["StartDatetime"]), str(row.get("EndDatetime") or "~")))


def devices_of(simulation: "Simulation") -> list[dict[str, str]]:
    """Of the customer in front of the desk."""
    home = simulation.state().get("devices") or {}
    return list(home.get("endpoints", []))
