"""The steps of a story: what each may be, how it is read, and how it is played."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.simulator.answers import Answer, apology, read_answer
from tools.simulator.customers import CUSTOMERS
from tools.simulator.delivery import MODES
from tools.simulator.expectations import (
    ANSWER,
    LOOK_UP,
    STATE,
    Check,
    Read,
    Seen,
    all_delivered,
    devices_of,
    failing,
    in_order,
    no_problem,
    not_failing,
    nothing,
)
from tools.simulator.faults import FAULTS
from tools.simulator.linking_configuration import REDIRECT_HOSTS
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.moments import Moment, parse_moment
from tools.simulator.providers import PROVIDERS, linking_setups
from tools.simulator.skill import SkillFailedError
from tools.simulator.story_text import Part, StoryFormatError
from tools.simulator.wire import shorten_id

if TYPE_CHECKING:
    from tools.simulator.simulation import Simulation
    from tools.simulator.transcript import Transcript

LINK = ("as", "password", "fails")
END_REASONS = ("USER_INITIATED", "ERROR", "EXCEEDED_MAX_REPROMPTS")
LARGEST_MESSAGE = 1_000_000


@dataclass(frozen=True)
class Scene:
    """What a story is played on."""

    simulation: "Simulation"
    transcript: "Transcript"

    def seen(self, **brought: Any) -> Seen:
        return Seen(self.simulation, (), **brought)


Play = Callable[[Scene], Seen]


@dataclass(frozen=True)
class Step:
    """One step, ready to be played."""

    title: str
    line: int
    play: Play
    checks: tuple[Check, ...]
    shows_rows: bool = False


@dataclass(frozen=True)
class Kind:
    """How a kind of step is read, what may be expected of it, and what is expected where nothing is said."""

    read: Callable[[Part], Play]
    expectations: Mapping[str, Read] = field(default_factory=lambda: STATE)
    unless_said: Mapping[str, Check] = field(default_factory=dict)


def read_step(part: Part) -> Step:
    """Raises StoryFormatError."""
    parts = part.named((*KINDS, "expect"), "a step")
    names = [name for name in parts if name != "expect"]
    if len(names) != 1:
        which = f"not {' and '.join(names)} in one" if names else "and this has none"
        raise part.refusal(f"a step is one of {', '.join(KINDS)}, {which}")
    name, value = names[0], parts[names[0]]
    kind = KINDS[name]
    play = kind.read(value)
    wanted = parts["expect"].named(kind.expectations, f"expect of {name}") if "expect" in parts else {}
    usual = {**kind.unless_said, **(linking_checks(value) if name == "link" else {})}
    checks = [check for each, check in usual.items() if each not in wanted]
    checks += [kind.expectations[each](wish) for each, wish in wanted.items()]
    words = f" {value.text()!r}" if not value.is_empty and not value.is_mapping and not value.is_list else ""
    return Step(f"{name}{words}", value.line, play, tuple(checks), "rows" in wanted)


# ---- what each kind does


def act(part: Part) -> Play:
    title = part.text()

    def play(scene: Scene) -> Seen:
        scene.transcript.act(title)
        return scene.seen()

    return play


def simply(method: str) -> Callable[[Part], Play]:
    """A step with nothing after its colon."""

    def read(part: Part) -> Play:
        part.nothing()
        return calling(method)

    return read


def choosing(method: str, allowed: Callable[[], tuple[str, ...]], what: str) -> Callable[[Part], Play]:
    """A step that names one of these."""
    return lambda part: calling(method, part.choice(allowed(), what))


def calling(method: str, *arguments: Any) -> Play:
    def play(scene: Scene) -> Seen:
        getattr(scene.simulation, method)(*arguments)
        return scene.seen()

    return play


def link(part: Part) -> Play:
    """`link: anna`, or as whom, with which password, and how it fails."""
    parts = part.named(LINK, "link") if part.is_mapping else {}
    who = parts.get("as", part if not part.is_mapping and not part.is_empty else None)
    key = who.choice(tuple(CUSTOMERS), "customer") if who else ""
    password = parts["password"].text() if "password" in parts else None

    def play(scene: Scene) -> Seen:
        try:
            scene.simulation.link(key, password)
        except AccountLinkingError as error:
            return scene.seen(linking_error=error)
        return scene.seen()

    return play


def linking_checks(part: Part) -> Mapping[str, Check]:
    """A link that fails sends no event."""
    parts = part.named(LINK, "link") if part.is_mapping else {}
    return {"fails": failing(parts["fails"]), "undelivered": nothing} if "fails" in parts else {"fails": not_failing}


def say(part: Part) -> Play:
    text = part.text()
    return lambda scene: scene.seen(answer=scene.simulation.say(text))


def silence(part: Part) -> Play:
    part.nothing()
    return lambda scene: scene.seen(answer=scene.simulation.stay_silent() or Answer())


def end(part: Part) -> Play:
    return calling("end_session", "USER_INITIATED" if part.is_empty else part.choice(END_REASONS, "reason"))


def permission(part: Part) -> Play:
    parts = part.named(("scope", "granted"), "permission")
    if len(parts) != 2:
        raise part.refusal("a permission has a scope and granted")
    return calling("set_permission", parts["scope"].text(), parts["granted"].flag())


def purchases(part: Part) -> Play:
    return calling("set_purchases", part.flag())


def clock(part: Part) -> Play:
    return calling("move_clock", part.duration())


def send_alexa_events(part: Part) -> Play:
    return calling("set_send_alexa_events", part.flag())


def switch(part: Part) -> Play:
    """A device by the name that the skill gave it."""
    parts = part.named(("device", "on"), "switch")
    if len(parts) != 2:
        raise part.refusal("a switch has a device, and on: true or false")
    name, on = parts["device"].text(), parts["on"].flag()

    def play(scene: Scene) -> Seen:
        endpoints = devices_of(scene.simulation)
        found = [each["endpoint_id"] for each in endpoints if each["name"].casefold() == name.casefold()]
        if not found:
            known = ", ".join(each["name"] for each in endpoints)
            raise LookupError(f"Alexa knows no device {name!r}; it knows {known or 'none: it has to discover them first'}")
        scene.simulation.switch_device(found[0], on)
        return scene.seen()

    return play


def who(part: Part) -> Play:
    """The operator's look-up, typed as a person would."""
    parts = part.named(("at", "row"), "who")
    if "at" not in parts:
        raise part.refusal("who needs at: the moment that is asked about")
    row = parts["row"].number() if "row" in parts else None
    try:
        moment = parse_moment(parts["at"].text())
    except ValueError as error:
        raise parts["at"].refusal(str(error)) from error
    return lambda scene: look_up(scene, moment, row)


def look_up(scene: Scene, moment: Moment, number: int | None) -> Seen:
    """Of the row with this number, counted from 1 in order of time, or of the last one. Raises LookupError."""
    rows, state = in_order(scene.simulation), scene.simulation.state()
    if number is not None and not 0 < number <= len(rows):
        raise LookupError(f"there is no row {number}, but {len(rows)}")
    row = rows[number - 1 if number else -1] if rows else {}
    user_id = str(row.get("AmazonUserID") or state["card"]["user_id"])
    at = f"{moment(row, datetime.fromisoformat(state['simulator']['clock'])):%Y-%m-%dT%H:%M:%SZ}"
    scene.transcript.line(f"$ python -m tools.customers who {shorten_id(user_id)} --at {at}", "bold")
    answer = scene.simulation.operator("who", user_id, "--at", at)
    scene.transcript.line((answer.stdout + answer.stderr).rstrip().replace(user_id, shorten_id(user_id)))
    return scene.seen(looked_up=answer)


def replay(part: Part) -> Play:
    """A recorded message from a file beside the story, as it is."""
    path = Path(part.file).parent / part.text()
    try:
        message = read_message(path)
    except ValueError as error:
        raise part.refusal(str(error)) from error

    def play(scene: Scene) -> Seen:
        try:
            return scene.seen(answer=read_reply(scene.simulation.replay(message)))
        except SkillFailedError as error:
            return scene.seen(answer=apology(str(error), 0.0))

    return play


def read_message(path: Path) -> dict[str, Any]:
    """Raises ValueError where it is no JSON object."""
    try:
        with path.open("rb") as file:
            message = json.loads(file.read(LARGEST_MESSAGE + 1))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or type(error).__name__}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON message: {' '.join(str(error).split())}") from error
    if not isinstance(message, dict):
        raise ValueError(f"{path} is no JSON object")
    return message


def read_reply(reply: Mapping[str, Any]) -> Answer:
    """An acknowledged event and a directive's response have no speech, and are no problem."""
    return read_answer(reply, 0.0) if "response" in reply else Answer(response=reply)


ACKNOWLEDGED: Mapping[str, Check] = {"undelivered": all_delivered}
SPOKEN = Kind(say, {**STATE, **ANSWER}, {"problem": no_problem})
KINDS: Mapping[str, Kind] = {
    "act": Kind(act, {}),
    "enable": Kind(simply("enable"), STATE, ACKNOWLEDGED),
    "link": Kind(link, STATE, ACKNOWLEDGED),
    "say": SPOKEN,
    "silence": replace(SPOKEN, read=silence),
    "end": Kind(end),
    "disable": Kind(simply("disable"), STATE, ACKNOWLEDGED),
    "permission": Kind(permission, STATE, ACKNOWLEDGED),
    "purchases": Kind(purchases),
    "customer": Kind(choosing("choose_customer", lambda: tuple(CUSTOMERS), "customer")),
    "provider": Kind(choosing("choose_provider", lambda: tuple(PROVIDERS), "provider")),
    "locale": Kind(lambda part: calling("choose_locale", part.text())),
    "region": Kind(choosing("choose_region", lambda: tuple(REDIRECT_HOSTS), "region")),
    "fault": Kind(choosing("set_fault", lambda: tuple(fault.name for fault in FAULTS), "fault")),
    "linking_setup": Kind(choosing("set_linking_setup", lambda: tuple(each["name"] for each in linking_setups()), "linking set-up")),
    "clock": Kind(clock),
    "events": Kind(choosing("plan_delivery", lambda: MODES, "way of delivery")),
    "deliver": Kind(simply("deliver_held")),
    "send_alexa_events": Kind(send_alexa_events),
    "discover": Kind(simply("discover")),
    "switch": Kind(switch),
    "who": Kind(who, {**STATE, **LOOK_UP}),
    "replay": replace(SPOKEN, read=replay),
    "look": Kind(simply("state")),
}

__all__ = ["KINDS", "Scene", "Step", "StoryFormatError", "read_message", "read_reply", "read_step"]
