"""An erasure that meets handlers: random histories in which anybody may die before any call to the table, then everything is redelivered.

Account `gone` is erased. Whatever the schedule: the answers about other accounts stay as they were at every step, after the second sweep
no byte of it is left nor of a user id that had only it, nothing comes back, and a new link of it works.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from greenlet import getcurrent, greenlet

from linked_profile.account_mappings import AccountMappings, Table
from linked_profile.envelopes import SkillEvent, VoiceRequest
from linked_profile.errors import LinkGoneError
from linked_profile.fold import Link, fold, item_to_entry, row_at
from linked_profile.logs import OutcomeLog
from linked_profile.observed_links import ObservedLinks
from linked_profile.skill_events import EventRecord, SkillAccountLinkedHandler, SkillDisabledHandler
from tests.in_memory_table import InMemoryTable
from tests.proof.explorer import FOREVER, SKILL_ID, T0, CrashError
from tools.customers.erasure import first_sweep, second_sweep

GONE, OTHER = "account-gone", "account-other"
USERS = ("amzn1.ask.account.ONLY", "amzn1.ask.account.SHARED")
TABLE = Table("table", SKILL_ID)
SETTLED_S = 65 * 60
CRASH_RATE = 0.04  # of all steps: about one death in two histories


@dataclass(frozen=True)
class Happening:
    """A link (with its account), a disable, or a request that proves an account."""

    kind: str  # link, disable, request
    user_id: str
    time_ms: int
    account: str | None = None


@dataclass
class History:
    """One drawn history; `wrong` collects what should not have been."""

    seed: int
    page_size: int = 1000
    steps: int = 0
    deaths: int = 0
    assigned: bool = False
    wrong: list[str] = field(default_factory=list)
    held: dict[str, set[str]] = field(default_factory=lambda: {user_id: set() for user_id in USERS})  # the accounts each ever had a link of

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.now_s = T0 / 1000
        self.table = InMemoryTable(page_size=self.page_size)
        log = OutcomeLog(SKILL_ID)
        self.mappings = AccountMappings(TABLE, lambda: self.table, self.clock)  # type: ignore[arg-type,return-value]
        record = EventRecord(self.mappings, lambda token, deadline: token, log, "required", lambda: T0)
        self.handlers = {"link": SkillAccountLinkedHandler(record), "disable": SkillDisabledHandler(record)}
        self.log = log

    def clock(self) -> float:
        return self.now_s

    # ---- what happens

    def play(self) -> "History":
        before = [self._draw(GONE if n == 0 else None) for n in range(self.chance.randrange(1, 4))]
        during = [self._draw() for _ in range(self.chance.randrange(1, 3))]
        for happening in before:
            self._handle(happening)
        pending = self._link_while_the_provider_is_down()
        self._note_held()
        self.now_s += 1
        others = self._answers_about(OTHER)
        erase, *_ = self._meet([self._erase, *(lambda h=h: self._handle(h) for h in during)], others, {h.user_id for h in during})
        if not erase:
            self._erase()  # an interrupted erasure is simply run again
        self._redeliver([*before, *during])
        self.wrong += ["the erased account came back within the hour"] if GONE in json.dumps(self.table.rows()) else []
        self.now_s += SETTLED_S
        others = self._answers_about(OTHER)
        sweep, assign = self._meet([self._sweep, lambda: self._assign(pending)], others, {pending.amazon_user_id})
        if not sweep:
            self._sweep()
        self._check_nothing_left()
        if assign and self.assigned:
            row = row_at(self.mappings.history(pending.amazon_user_id, FOREVER), pending.start_ms)
            self.wrong += [] if row and row.account_id == OTHER else ["a row that an operator had just assigned was deleted"]
        self._request_of_a_customer_who_is_still_linked()
        self._check_nothing_left()
        self._link_anew()
        return self

    def _link_while_the_provider_is_down(self) -> Link:
        """A row that stays pending: nobody redelivers it."""
        link = Link(self.chance.choice(USERS), T0 - 5000, f"{self.chance.randrange(16**4):016x}")
        if self.chance.random() < 0.5:
            self.mappings.record_link(link, FOREVER)
        return link

    def _assign(self, link: Link) -> None:
        """An operator knows whose the pending row was, just while the sweep runs."""
        try:
            self.assigned = self.mappings.resolve_account(link, OTHER, FOREVER) == OTHER
        except LinkGoneError:
            self.assigned = False

    def _draw(self, account: str | None = None) -> Happening:
        user_id, time_ms = self.chance.choice(USERS), T0 - 1000 * self.chance.choice([0, 0, 1, 2, 40, 900])
        kind = self.chance.choice(["link", "link", "link", "disable", "request"]) if account is None else "link"
        account = account or self.chance.choice([GONE, GONE if user_id == USERS[0] else OTHER])
        return Happening(kind, user_id, time_ms, None if kind == "disable" else account)

    def _handle(self, happening: Happening) -> None:
        if happening.kind == "request":
            request = VoiceRequest("LaunchRequest", "en-US", happening.user_id, happening.time_ms, True, None, None)
            observed = ObservedLinks(self.mappings, self.log, enabled=True)
            observed._reader = AtOnce()  # type: ignore[assignment]  # a thread would leave the scheduler's hands
            observed.start(request, FOREVER)(happening.account)
            return
        kind = "SkillAccountLinked" if happening.kind == "link" else "SkillDisabled"
        event = SkillEvent(kind, happening.user_id, happening.time_ms, happening.account)
        self.handlers[happening.kind].handle_event(event, FOREVER)

    def _erase(self) -> None:
        first_sweep(self.table, TABLE, GONE, self.clock)  # type: ignore[arg-type]

    def _sweep(self) -> None:
        second_sweep(self.table, TABLE, self.clock)  # type: ignore[arg-type]

    def _redeliver(self, happenings: list[Happening]) -> None:
        """Alexa's hour: every event once more, in any order."""
        self.table.before = lambda operation: self._note_held()
        events = [happening for happening in happenings if happening.kind != "request"]
        for happening in self.chance.sample(events, len(events)):
            self._handle(happening)
        self.table.before = lambda operation: None

    def _meet(self, works: list[Callable[[], None]], others: dict[tuple[str, int], bool], changing: set[str]) -> list[bool]:
        """Runs the works step by step, whoever's turn chance makes it; each may die before any of its calls. Returns who came through."""
        main = getcurrent()
        self.table.before = lambda operation: main.switch()
        workers = [greenlet(work) for work in works]
        came_through = [True] * len(workers)
        while any(not worker.dead for worker in workers):
            number = self.chance.choice([number for number, worker in enumerate(workers) if not worker.dead])
            self.steps += 1
            if workers[number] and self.chance.random() < CRASH_RATE:
                self.deaths += 1
                came_through[number] = False
                kill(workers[number])
            else:
                workers[number].switch()
            self._note_held()
            self._check_answers(others, changing)
        self.table.before = lambda operation: None
        return came_through

    # ---- what must hold

    def _answers_about(self, account: str) -> dict[tuple[str, int], bool]:
        """For each user id and instant: whether it was that account."""
        instants = sorted({T0 - 1000 * second + shift for second in (0, 1, 2, 40, 900) for shift in (-1, 0, 1)} | {int(self.now_s * 1000)})
        answers = {}
        for user_id in USERS:
            rows = fold(item_to_entry(item) for key, item in self.table.items.items() if key[0] == user_id)
            for when in instants:
                row = row_at(rows, when)
                answers[user_id, when] = row is not None and row.account_id == account
        return answers

    def _check_answers(self, others: dict[tuple[str, int], bool], changing: set[str]) -> None:
        """Where a handler is at work on the same user id, its own event may change the answers; elsewhere nothing may."""
        now = self._answers_about(OTHER)
        changed = [key for key, answer in others.items() if now.get(key) != answer and key[0] not in changing]
        self.wrong += [f"the answer about another account changed at {key}" for key in changed]

    def _note_held(self) -> None:
        for (user_id, _), item in self.table.items.items():
            if "AccountID" in item:
                self.held[user_id].add(item["AccountID"]["S"])

    def _check_nothing_left(self) -> None:
        text = json.dumps(self.table.rows())
        self.wrong += ["the erased account is still in the table"] if GONE in text else []
        for user_id, accounts in self.held.items():
            self.wrong += [f"{user_id} is still in the table: {text}"] if accounts == {GONE} and user_id in text else []
            self.wrong += [f"the other account of {user_id} is gone"] if OTHER in accounts and OTHER not in text else []

    def _request_of_a_customer_who_is_still_linked(self) -> None:
        for user_id in USERS:
            self._handle(Happening("request", user_id, int(self.now_s * 1000), GONE))

    def _link_anew(self) -> None:
        self.now_s += 60
        time_ms = int(self.now_s * 1000)
        self._handle(Happening("link", USERS[0], time_ms, GONE))
        row = row_at(self.mappings.history(USERS[0], FOREVER), time_ms)
        self.wrong += [] if row and row.account_id == GONE else ["a new link of the erased account does not work"]


class AtOnce:
    """Stands for the thread that reads beside the provider's fetch."""

    def submit(self, work: Callable[..., object], *arguments: object) -> "AtOnce":
        self.value = work(*arguments)
        return self

    def result(self, timeout: float) -> object:
        return self.value


def kill(worker: greenlet) -> None:
    try:
        worker.throw(CrashError)
    except CrashError:
        return
