"""The steps of a story: what each may be, how it is read, what is expected of it where nothing is said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from tools.simulator.answers import Answer
from tools.simulator.customers import CUSTOMERS
from tools.simulator.delivery import MODES
from tools.simulator.envelopes import EndReason
from tools.simulator.faults import FAULTS
from tools.simulator.linking_configuration import REDIRECT_HOSTS
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.providers import PROVIDERS, linking_setups
from tools.simulator.storytelling.answers_expected import failing, no_problem, not_failing
from tools.simulator.storytelling.expectations import ANSWER, LOOK_UP, STATE
from tools.simulator.storytelling.look_ups import replay, who
from tools.simulator.storytelling.scene import Play, Scene, calling, choosing, simply
from tools.simulator.storytelling.seen import Check, Read, Seen, devices_of, nothing
from tools.simulator.storytelling.state_expected import all_delivered
from tools.simulator.storytelling.story_text import Part

LINK = ("as", "password", "fails")
END_REASONS = get_args(EndReason)


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
