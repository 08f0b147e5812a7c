"""The state as it changes, to every open page, as server-sent events."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from tools.simulator.page.guards import without_tokens

LOOK_AGAIN_S = 0.5  # the table changes without the simulation when an operator's command writes to it
STILL_HERE_S = 10.0


class Watched(Protocol):
    """What the page needs to see of a simulation."""

    def state(self) -> dict[str, Any]: ...

    def wait(self, version: int, timeout: float) -> int:
        """The version as soon as it is another than this one, or after `timeout` seconds."""


def follow(simulation: Watched, is_ending: Callable[[], bool]) -> Iterator[str]:
    """The whole state, then each that differs from the one before with only new entries of the wire in it; a comment now and then."""
    version, told, last_number, told_at = 0, "", 0, time.monotonic()
    while not is_ending():
        try:
            state = simulation.state()
        except Exception:  # noqa: BLE001  (AWS may be gone: the page then says that nothing answers, and connects again)
            return
        if (seen := fingerprint(state)) != told:
            yield event(state, last_number)
            told, last_number, told_at = seen, newest(state, last_number), time.monotonic()
        elif time.monotonic() - told_at > STILL_HERE_S:
            yield ": still here\n\n"
            told_at = time.monotonic()
        version = simulation.wait(version, LOOK_AGAIN_S)


def fingerprint(state: Mapping[str, Any]) -> str:
    """Two states with the same one look the same: the clock is drawn by the page itself, from how far it is ahead."""
    settled = {name: part for name, part in state["simulator"].items() if name != "clock"}
    waiting = [{**each, "next_try_s": round(each.get("next_try_s") or 0)} for each in state["pending_events"]]
    seen = {**state, "simulator": settled, "pending_events": waiting, "wire": newest(state, 0)}
    return json.dumps(seen, sort_keys=True, default=str)


def newest(state: Mapping[str, Any], otherwise: int) -> int:
    """The number of the wire's last entry."""
    return state["wire"][-1]["number"] if state["wire"] else otherwise


def event(state: Mapping[str, Any], last_number: int) -> str:
    """`wire_first` says which entries the page may forget, `complete` that it has to forget all."""
    wire = state["wire"]
    first = wire[0]["number"] if wire else None
    unseen = [entry for entry in wire if entry["number"] > last_number]
    told = {**state, "complete": last_number == 0, "wire": unseen, "wire_first": first}
    return f"data: {without_tokens(json.dumps(told, default=str))}\n\n"
