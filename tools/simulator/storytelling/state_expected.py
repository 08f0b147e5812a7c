"""What may be expected of the state that a step leaves, and of the messages that it sent."""

from tools.simulator.storytelling.seen import Check, Seen, devices_of, unless
from tools.simulator.storytelling.story_text import Part
from tools.simulator.wire import Message


def enabled(part: Part) -> Check:
    wanted = part.flag()
    said = "the skill to be enabled" if wanted else "the skill not to be enabled"
    return lambda seen: unless(seen.state["card"]["enabled"] is wanted, said, "the opposite")


def linked(part: Part) -> Check:
    wanted = part.flag()
    said = "an account to be linked" if wanted else "no account to be linked"
    return lambda seen: unless(seen.state["card"]["linked"] is wanted, said, "the opposite")


def session(part: Part) -> Check:
    wanted = part.choice(("open", "closed"), "state of a session")
    return lambda seen: unless(seen.state["session_open"] is (wanted == "open"), f"the session to be {wanted}", "the opposite")


def undelivered(part: Part) -> Check:
    """The types of the events that the skill has not acknowledged, in any order."""
    wanted = sorted(item.text() for item in part.items())
    return lambda seen: still_waiting(seen, wanted)


def all_delivered(seen: Seen) -> list[str]:
    """What every step with an event has to leave, unless the story says otherwise."""
    return still_waiting(seen, [])


def still_waiting(seen: Seen, wanted: list[str]) -> list[str]:
    pending = seen.state["pending_events"]
    types = sorted(str(event["type"]).removeprefix("AlexaSkillEvent.") for event in pending)
    got = "; ".join(f"{event['type']}: {event['because']}" for event in pending) or "every event acknowledged"
    expected = f"{', '.join(wanted)} to be undelivered" if wanted else "the skill to acknowledge the event"
    return unless(types == wanted, expected, got)


def devices(part: Part) -> Check:
    """All that Alexa knows of this customer, by name, each with its power where that is said: Lamp, or {name: Lamp, power: ON}."""
    wanted = [read_device(item) for item in part.items()]

    def check(seen: Seen) -> list[str]:
        found = sorted((each["name"], each["power"]) for each in devices_of(seen.simulation))
        is_so = len(found) == len(wanted) and all(
            name == wish and power in {None, has} for (name, has), (wish, power) in zip(found, sorted(wanted, key=str), strict=True)
        )
        names = ", ".join(f"{name} {power or ''}".strip() for name, power in wanted) or "no device"
        return unless(is_so, names, ", ".join(f"{name} {power}".strip() for name, power in found) or "no device")

    return check


def read_device(part: Part) -> tuple[str, str | None]:
    if not part.is_mapping:
        return part.text(), None
    parts = part.named(("name", "power"), "a device")
    if "name" not in parts:
        raise part.refusal("a device has a name")
    return parts["name"].text(), parts["power"].text() if "power" in parts else None


def wire(part: Part) -> Check:
    """Texts, each of which some message of this step has."""
    wanted = part.texts()
    return lambda seen: [
        complaint
        for text in wanted
        for complaint in unless(any(text in line(message) for message in seen.messages), f"{text!r} on the wire", on_wire(seen))
    ]


def not_wire(part: Part) -> Check:
    unwanted = part.texts()
    return lambda seen: [
        complaint
        for text in unwanted
        for complaint in unless(not any(text in line(message) for message in seen.messages), f"no {text!r} on the wire", on_wire(seen))
    ]


def line(message: Message) -> str:
    """A message in words: Alexa -> skill: LaunchRequest, account: linked."""
    details = (f"{name}: {value}" for name, value in message.details.items())
    words = [message.text, *details, *filter(None, (message.reason, message.mend))]
    return f"{message.sender} -> {message.receiver}: {', '.join(words)}"


def on_wire(seen: Seen) -> str:
    return " | ".join(f"{message.sender} -> {message.receiver}: {message.text}" for message in seen.messages)
