"""What a story may expect of a step, and how it is said when it is otherwise: expected …; got: …"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

from tools.simulator.answers import Answer
from tools.simulator.customers import CUSTOMERS
from tools.simulator.durations import in_words
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.story_text import Part
from tools.simulator.wire import Message

if TYPE_CHECKING:
    from tools.simulator.simulation import Simulation

NONE, UNKNOWN = "none", "unknown"
STATUSES = ("RESOLVED", "PENDING", "UNRESOLVED", "ERASED")
SOURCES = ("EVENT", "OBSERVED", "OPERATOR")
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


def nothing(seen: Seen) -> list[str]:
    """Whatever came is right."""
    return []


def unless(is_so: bool, expected: str, got: object) -> list[str]:  # noqa: FBT001  (reads as a sentence)
    """The complaint as a list, which is empty where all is well."""
    text = " ".join(str(got).split()) or "nothing"
    return [] if is_so else [f"expected {expected}; got: {text if len(text) <= LONGEST else text[:LONGEST] + '…'}"]


# ---- of what Alexa says


def speech(part: Part) -> Check:
    wanted = part.texts()
    return lambda seen: [
        complaint for text in wanted for complaint in unless(text in seen.heard.speech, f"Alexa to say {text!r}", told(seen.heard))
    ]


def not_speech(part: Part) -> Check:
    unwanted = part.texts()
    return lambda seen: [
        complaint
        for text in unwanted
        for complaint in unless(text not in seen.heard.speech, f"Alexa not to say {text!r}", told(seen.heard))
    ]


def reprompt(part: Part) -> Check:
    wanted = part.text()
    return lambda seen: unless(wanted in seen.heard.reprompt, f"the reprompt to say {wanted!r}", seen.heard.reprompt)


def card(part: Part) -> Check:
    wanted = part.text()
    said = "no card" if wanted == NONE else f"a {wanted} card"
    return lambda seen: unless((seen.heard.card_type or NONE) == wanted, said, card_or_speech(seen.heard))


def problem(part: Part) -> Check:
    wanted = part.text()
    if wanted == NONE:
        return no_problem
    return lambda seen: unless(wanted in seen.heard.problem, f"a problem with {wanted!r} in it", seen.heard.problem or told(seen.heard))


def no_problem(seen: Seen) -> list[str]:
    """What every answer has to be, unless the story says otherwise."""
    return unless(not seen.heard.problem, "an answer that Alexa can speak", seen.heard.problem)


def findings(part: Part) -> Check:
    """Texts in what Alexa finds fault with; none: it finds none."""
    wanted = part.texts()

    def check(seen: Seen) -> list[str]:
        found = "; ".join(f"{finding.what} {finding.mend}" for finding in seen.heard.findings)
        if wanted == (NONE,):
            return unless(not found, "an answer without fault", found)
        return [complaint for text in wanted for complaint in unless(text in found, f"the finding {text!r}", found)]

    return check


def ends_session(part: Part) -> Check:
    wanted = part.flag()
    told_by = {True: "the answer to end the session", False: "the answer to leave the session open"}
    return lambda seen: unless(seen.heard.ends_session is wanted, told_by[wanted], told(seen.heard))


def within(part: Part) -> Check:
    limit = part.duration()
    return lambda seen: unless(
        seen.heard.took_s <= limit.total_seconds(), f"an answer within {in_words(limit)}", f"{seen.heard.took_s:.1f} s"
    )


def told(answer: Answer) -> str:
    return answer.problem or answer.speech or "silence"


def card_or_speech(answer: Answer) -> str:
    return f"a {answer.card_type} card" if answer.card else answer.problem or f"no card, and: {answer.speech}"


# ---- of the state that a step leaves


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


def devices_of(simulation: "Simulation") -> list[dict[str, str]]:
    """Of the customer in front of the desk."""
    home = simulation.state().get("devices") or {}
    return list(home.get("endpoints", []))


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


# ---- of the mapping table


def rows(part: Part) -> Check:
    """All rows of the table in order of time, each with what is to be seen of it."""
    wanted = [read_row(item) for item in part.items()]

    def check(seen: Seen) -> list[str]:
        found = seen.rows
        is_so = len(found) == len(wanted) and all(fits(row, wish) for row, wish in zip(found, wanted, strict=True))
        return unless(is_so, described(wanted), described([told_row(row) for row in found]))

    return check


def in_order(simulation: "Simulation") -> list[dict[str, Any]]:
    """All rows of the mapping table, with whose Alexa and whose account each is about, by their start."""
    return sorted(simulation.state()["rows"], key=lambda row: (str(row["StartDatetime"]), str(row.get("EndDatetime") or "~")))


def read_row(part: Part) -> Mapping[str, object]:
    read: Mapping[str, Callable[[Part], object]] = {
        "account": lambda each: each.choice((*CUSTOMERS, UNKNOWN), "account"),
        "customer": lambda each: each.choice(tuple(CUSTOMERS), "customer"),
        "open": lambda each: each.flag(),
        "status": lambda each: each.text(),
        "source": lambda each: each.choice(SOURCES, "source"),
    }
    return {name: read[name](value) for name, value in part.named(read, "a row").items()}


def told_row(row: Mapping[str, Any]) -> dict[str, object]:
    """A row in a story's own words."""
    return {
        "account": row.get("account") or UNKNOWN,
        "customer": row.get("customer") or UNKNOWN,
        "open": bool(row.get("open")),
        "status": str(row.get("Status", "")),
        "source": str(row.get("Source", "")),
    }


def fits(row: Mapping[str, Any], wish: Mapping[str, object]) -> bool:
    """UNRESOLVED stands for every reason of being so."""
    said = told_row(row) | ({"status": str(row.get("Status", "")).partition(":")[0]} if wish.get("status") in STATUSES else {})
    return all(said[name] == value for name, value in wish.items())


def described(each: Sequence[Mapping[str, object]]) -> str:
    """No row; 2 rows (account anna, open; account carlos, closed)."""
    if not each:
        return "no row"
    told_rows = (", ".join(word(name, value) for name, value in row.items()) or "any" for row in each)
    return f"{len(each)} row{'' if len(each) == 1 else 's'} ({'; '.join(told_rows)})"


def word(name: str, value: object) -> str:
    if name == "open":
        return "open" if value else "closed"
    return str(value) if name in {"status", "source"} else f"{name} {value}"


def user_ids(part: Part) -> Check:
    """How many different Amazon user ids the table knows."""
    wanted = part.number()

    def check(seen: Seen) -> list[str]:
        found = len({row["AmazonUserID"] for row in seen.rows})
        return unless(found == wanted, f"{wanted} user id{'' if wanted == 1 else 's'} in the table", found)

    return check


# ---- of the operator's look-up


def code(part: Part) -> Check:
    wanted = part.number()
    return lambda seen: unless(
        seen.looked_up is not None and seen.looked_up.returncode == wanted,
        f"exit code {wanted}",
        f"{seen.looked_up.returncode if seen.looked_up else 'no answer'} {seen.looked_up_text}",
    )


def account(part: Part) -> Check:
    """Whose account the look-up names; none: nobody's."""
    wanted = part.choice((*CUSTOMERS, NONE), "account")

    def check(seen: Seen) -> list[str]:
        named = {row["account"] for row in seen.rows if row.get("AccountID") and row["AccountID"] in seen.looked_up_text}
        expected = "no account" if wanted == NONE else f"the account of {wanted}"
        return unless(named == ({wanted} - {NONE}), expected, seen.looked_up_text)

    return check


def says(part: Part) -> Check:
    wanted = part.texts()
    return lambda seen: [
        complaint
        for text in wanted
        for complaint in unless(text in seen.looked_up_text, f"the command to say {text!r}", seen.looked_up_text)
    ]


# ---- which expectations there are

Read = Callable[[Part], Check]
STATE: Mapping[str, Read] = {
    "rows": rows,
    "user_ids": user_ids,
    "undelivered": undelivered,
    "enabled": enabled,
    "linked": linked,
    "session": session,
    "devices": devices,
    "wire": wire,
    "not_wire": not_wire,
}
ANSWER: Mapping[str, Read] = {
    "speech": speech,
    "not_speech": not_speech,
    "card": card,
    "reprompt": reprompt,
    "ends_session": ends_session,
    "within": within,
    "findings": findings,
    "problem": problem,
}
LOOK_UP: Mapping[str, Read] = {"code": code, "account": account, "says": says}


def failing(part: Part) -> Check:
    """That linking fails, with these words among step, cause and mend."""
    wanted = part.texts()

    def check(seen: Seen) -> list[str]:
        error = seen.linking_error
        if error is None:
            return unless(is_so=False, expected="linking to fail", got="it is linked")
        text = f"{error.step}: {error.cause}. {error.mend}"
        return [complaint for each in wanted for complaint in unless(each in text, f"linking to fail with {each!r}", text)]

    return check


def not_failing(seen: Seen) -> list[str]:
    """What linking has to be, unless the story says otherwise."""
    return unless(seen.linking_error is None, "the account to be linked", seen.linking_error)
