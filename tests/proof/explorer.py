"""Runs event handlers at the same moment: every call to the table is a point where another handler may go on, or where one dies.

The handlers are the real ones (skill_events over account_mappings); each runs in a greenlet that stops before each storage call.
A schedule is the list of choices who goes next: all of them are walked, or some drawn at random.
"""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from greenlet import getcurrent, greenlet

from linked_profile.access_tokens import digest
from linked_profile.account_mappings import AccountMappings, Table
from linked_profile.envelopes import SkillEvent
from linked_profile.fold import Link, content_id, fold, item_to_entry, row_at
from linked_profile.logs import OutcomeLog
from linked_profile.outbound import Deadline
from linked_profile.skill_events import EventRecord, SkillAccountLinkedHandler, SkillDisabledHandler
from tests.in_memory_table import InMemoryTable
from tests.proof.model import Fact, Row, account_at, rows

USER = "amzn1.ask.account.AHVQ3UKDTRZ5PBL2XW7N"
SKILL_ID = "amzn1.ask.skill.5a7c2f0e-3b1d-4c8e-9f6a-0d2b4e6f8a1c"
T0 = 1_773_480_000_000
FOREVER = Deadline(10**9)


class CrashError(BaseException):
    """The container dies: no handler of ours may catch it."""


@dataclass(frozen=True)
class Event:
    """A skill event of the one user: kind L(ink) or E(nd), at T0 + second, with the account of its token."""

    kind: str
    second: int
    account: str = ""

    @property
    def time_ms(self) -> int:
        return T0 + 1000 * self.second

    def fact(self) -> Fact:
        """As the model knows it; the tie-breaker is the content id of the event, read off the event alone."""
        name = "SkillAccountLinked" if self.kind == "L" else "SkillDisabled"
        token_digest = digest(f"token-{self.account}") if self.kind == "L" else ""
        return Fact(self.time_ms, int(self.kind == "E"), content_id(name, USER, self.time_ms, token_digest), self.account or None)


class World:
    """One table, and handlers that meet in it."""

    def __init__(self) -> None:
        self.table = InMemoryTable()
        mappings = AccountMappings(Table("table", SKILL_ID), lambda: self.table, lambda: T0 / 1000)  # type: ignore[arg-type,return-value]
        record = EventRecord(mappings, lambda token, deadline: token.removeprefix("token-"), OutcomeLog(SKILL_ID), "required", lambda: T0)
        self.mappings = mappings
        self._handlers = {"L": SkillAccountLinkedHandler(record), "E": SkillDisabledHandler(record)}

    def handle(self, event: Event) -> None:
        token = f"token-{event.account}" if event.kind == "L" else None
        kind = "SkillAccountLinked" if event.kind == "L" else "SkillDisabled"
        skill_event = SkillEvent(kind, USER, event.time_ms, token, "" if token else "NO_TOKEN")
        self._handlers[event.kind].handle_event(skill_event, FOREVER)

    def stored(self) -> list[Row]:
        """The rows as they stand in the table, unfolded."""
        links = [item for item in self.table.rows() if item["SK"]["S"].startswith("L#")]
        known = [(item.get("AccountID", {}).get("S"), int(item["StartMs"]["N"])) for item in links]
        ends = [int(item["EndMs"]["N"]) if "EndMs" in item else None for item in links]
        return [(account, start, end) for (account, start), end in zip(known, ends, strict=True)]


@dataclass
class Run:
    """One schedule played to its end."""

    choices: list[int] = field(default_factory=list)  # who went, as a place among those who could
    width: list[int] = field(default_factory=list)  # how many could
    steps: int = 0
    divergences: list[str] = field(default_factory=list)


class Scenario:
    """Some events that meet, and what must hold whatever the schedule."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = tuple(events)
        facts = [event.fact() for event in events]
        self._by_key = {f"{'E' if fact.kind else 'L'}#{fact.time_ms:013d}#{fact.tie}": fact for fact in facts}
        self._instants = sorted({fact.time_ms + shift for fact in facts for shift in (-1, 0, 1)})
        self._at_rest = rows(set(facts))
        self._seen: dict[tuple[object, ...], list[str]] = {}  # states of the table whose look-ups were checked

    def __str__(self) -> str:
        return " ".join(f"{event.kind}{event.second}{event.account}" for event in self.events)

    def play(self, choose: Callable[[int, int], int], crash: tuple[int, int] | None = None) -> Run:
        """Plays the events, each in a handler of its own, all begun at the same moment.

        `choose(step, width)` picks who goes; `crash = (handler, call)` kills that handler before its call of that number (from 0),
        and delivers its event again at the end, as Alexa does.
        """
        world, run = World(), Run()
        main = getcurrent()
        world.table.before = lambda operation: main.switch()
        workers = [greenlet(lambda event=event: world.handle(event)) for event in self.events]
        calls = [-1] * len(workers)
        running = list(range(len(workers)))
        while running:
            place = choose(run.steps, len(running))
            run.choices.append(place)
            run.width.append(len(running))
            run.steps += 1
            number = running[place]
            if crash == (number, calls[number]):
                _kill(workers[number])
            else:
                workers[number].switch()
                calls[number] += 1
            if workers[number].dead:
                running.remove(number)
            run.divergences += self._check_look_ups(world)
        world.table.before = lambda operation: None
        if crash:
            world.handle(self.events[crash[0]])
        run.divergences += self._check_at_rest(world)
        return run

    def all_schedules(self, crash: tuple[int, int] | None = None) -> Iterator[Run]:
        """Every schedule once: depth first through the tree of choices."""
        prefix: list[int] = []
        while True:
            run = self.play(lambda step, width, prefix=prefix: prefix[step] if step < len(prefix) else 0, crash)  # type: ignore[misc]
            yield run
            last = next((step for step in reversed(range(run.steps)) if run.choices[step] + 1 < run.width[step]), None)
            if last is None:
                return
            prefix = [*run.choices[:last], run.choices[last] + 1]

    def random_schedules(self, count: int, seed: int, *, crashing: bool = False) -> Iterator[Run]:
        """So many schedules drawn at random; with `crashing`, one handler of each dies somewhere."""
        chance = random.Random(seed)
        for _ in range(count):
            crash = (chance.randrange(len(self.events)), chance.randrange(6)) if crashing else None
            yield self.play(lambda step, width: chance.randrange(width), crash)

    def _check_look_ups(self, world: World) -> list[str]:
        """At any moment a look-up gives what the facts in the table say, or "not known yet"; never a neighbour's account."""
        items = world.table.items
        state = tuple((key, *items[key].get("EndMs", {}).values(), *items[key].get("AccountID", {}).values()) for key in sorted(items))
        if state not in self._seen:
            present = {self._by_key[sort_key] for _, sort_key in items}
            folded = fold(map(item_to_entry, items.values()))
            self._seen[state] = [wrong for when in self._instants for wrong in _look_up(folded, present, when)]
        return self._seen[state]

    def _check_at_rest(self, world: World) -> list[str]:
        stored = world.stored()
        wrong = [] if stored == self._at_rest else [f"stored {stored} instead of {self._at_rest}"]
        return wrong + [f"negative row {row}" for row in stored if row[2] is not None and row[2] < row[1]]


def _kill(worker: greenlet) -> None:
    try:
        worker.throw(CrashError)
    except CrashError:
        return


def _look_up(folded: list[Link], present: set[Fact], when_ms: int) -> list[str]:
    row, (linked, account) = row_at(folded, when_ms), account_at(present, when_ms)
    is_right = (row is not None) is linked and (row is None or row.account_id in {None, account})
    return [] if is_right else [f"look-up at {when_ms}: {row} instead of {account}"]


def scenarios(size: int) -> list[Scenario]:
    """Every choice of so many events out of links of two accounts and a disable, at three instants, ties included."""
    kinds = [Event("L", second, account) for second in (0, 1, 2) for account in "ab"] + [Event("E", second) for second in (0, 1, 2)]
    return [Scenario(events) for events in itertools.combinations(kinds, size)]
