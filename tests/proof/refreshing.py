"""Functions that want to refresh one grant at the same moment: every call to the table and to Amazon is a point where another may go on.

The code is the real one (grants over its table and the token endpoint's client); each function is a container of its own, in a greenlet.
Amazon takes a refresh token once and gives the next one for it, which is the hardest of what it might do. A write may be done twice, as a
client does that lost the first answer; and time may pass between two steps, so that claims run out while their owners still work.
"""

import random
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from greenlet import getcurrent, greenlet

from linked_profile.aws_calls import AwsCalls
from linked_profile.errors import GrantRefusedError
from linked_profile.grants import Grants
from linked_profile.grants_table import CLAIM_MS, LIVE, Grant, GrantsTable
from linked_profile.outbound import Answer, Deadline
from linked_profile.sealed_tokens import TokenSeal
from linked_profile.skill_messaging import SkillMessaging
from tests.aws_fakes import FakeAws
from tests.in_memory_table import InMemoryTable
from tests.proof.explorer import Run

ACCOUNT, CODE = "7f2c9d1e-4b60-4d3a-9c58-2e0a1b6d8f47", "code"
FOREVER = Deadline(10**9)


class StrictAmazon:
    """Stands where Outbound does. A code and a refresh token are good once; `good` are those that still are."""

    def __init__(self, switch: Callable[[], None]) -> None:
        self._switch = switch
        self.good = {CODE}
        self.made = self.asked = 0

    def fetch(self, method: str, url: str, *, headers: Any, body: bytes, read: Callable[[Answer], Any], deadline: Deadline) -> Any:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self._switch()
        answer = self._answer(form.get("refresh_token") or form["code"])
        self._switch()  # what Amazon has done, nobody knows yet
        return read(answer)

    def _answer(self, shown: str) -> Answer:
        self.asked += 1
        if shown not in self.good:
            return Answer(400, {"error": "invalid_grant"})
        self.made += 1
        self.good = {self.good_token(self.made)}
        return Answer(200, {"access_token": f"access-{self.made}", "refresh_token": self.good_token(self.made), "expires_in": 3600})

    def good_token(self, number: int) -> str:
        return f"refresh-{number}"


class WatchedTable(InMemoryTable):
    """Tells after each write; some writes are done once more, later."""

    def __init__(self, switch: Callable[[], None], chance: random.Random | None) -> None:
        super().__init__(before=lambda operation: switch(), key=("AccountID", "GrantID"))
        self._chance = chance
        self.after_write: Callable[[], None] = lambda: None

    def update_item(self, **call: Any) -> dict[str, Any]:
        if self._chance and self._chance.random() < 0.2:
            self._write(call)
        return self._write(call)

    def _write(self, call: dict[str, Any]) -> dict[str, Any]:
        answer = super().update_item(**call)
        self.after_write()
        return answer


class Meeting:
    """One stored grant, and what meets at it: `renew` as many times as wanted, `end` by a 403, `accept` of its code once more."""

    def __init__(self, kinds: tuple[str, ...], chance: random.Random | None = None, *, is_stored: bool = True) -> None:
        self.kinds, self._chance, self.now = kinds, chance, 1_773_480_000.0
        self.wrong: list[str] = []
        self.refused = 0
        self.is_over = False
        self._main = getcurrent()
        self._paused: set[greenlet] = set()
        self._is_running = False
        self.amazon = StrictAmazon(self._switch)
        self.aws = FakeAws(WatchedTable(self._switch, chance))
        self.aws.secrets.versions = {"AWSCURRENT": '{"client_id": "a", "client_secret": "b"}'}
        if is_stored:
            self.container().accept(ACCOUNT, CODE, FOREVER)
        self.aws.table.after_write = self._watch
        self._stored = self.stored_token()

    def container(self) -> Grants:
        """A function that has nothing in memory."""
        aws, clock = AwsCalls(self.aws), lambda: self.now
        messaging = SkillMessaging("https://lwa", "arn", aws, self.amazon, clock)  # type: ignore[arg-type]
        return Grants("NA", GrantsTable("grants", aws, clock), TokenSeal("key", aws), messaging, lambda seconds: self._pause())

    def play(self, choose: Callable[[int, int], int], *, jumps: bool = False) -> Run:
        """`choose(step, width)` picks who goes; with `jumps`, claims run out at random moments."""
        run, workers = Run(), [greenlet(lambda kind=kind: self._work(kind)) for kind in self.kinds]
        self._is_running = True
        while any(not worker.dead for worker in workers):
            living = [worker for worker in workers if not worker.dead]
            ready = [worker for worker in living if worker not in self._paused]
            if not ready:
                self.now += 1 + CLAIM_MS / 1000  # everybody waits for somebody whose claim has to run out
                self._paused.clear()
                continue
            place = choose(run.steps, len(ready))
            run.choices.append(place)
            run.width.append(len(ready))
            run.steps += 1
            if jumps and self._chance and self._chance.random() < 0.2:
                self.now += 1 + CLAIM_MS / 1000
            self._paused.clear()  # who waits looks again when somebody has done something
            ready[place].switch()
        self._is_running = False
        run.divergences = self.wrong + self._check_at_rest(jumps=jumps)
        return run

    def stored_token(self) -> str | None:
        """The refresh token of the one grant, in clear; None where it is dead or absent."""
        for item in self.aws.table.rows():
            if item["Status"]["S"] == LIVE:
                blob, context = item["RefreshToken"]["B"], {"AccountID": ACCOUNT}
                return str(self.aws.kms.decrypt(CiphertextBlob=blob, EncryptionContext=context, KeyId="")["Plaintext"].decode())
        return None

    def _work(self, kind: str) -> None:
        grants = self.container()
        try:
            if kind == "accept":
                grants.accept(ACCOUNT, CODE, FOREVER)
            for grant in grants.live(ACCOUNT, FOREVER) if kind != "accept" else []:
                self._meet(kind, grants, grant)
        except GrantRefusedError:
            self.refused += 1

    def _meet(self, kind: str, grants: Grants, grant: Grant) -> None:
        """With what the event gateway has said of the token that was stored: renew it, or that the skill is disabled."""
        if kind == "renew":
            grants.fresh(grant, FOREVER, refused_version=grant.version)
        else:
            self.is_over = True
            grants.bury(grant, "SKILL_DISABLED_EXCEPTION", FOREVER)

    def _switch(self) -> None:
        if self._is_running:
            self._main.switch()

    def _pause(self) -> None:
        self._paused.add(getcurrent())
        self._main.switch()

    def _watch(self) -> None:
        """No write may put a dead token, or death, in the place of a token that is good."""
        before, self._stored = self._stored, self.stored_token()
        if before in self.amazon.good and self._stored not in self.amazon.good and not self.is_over:
            self.wrong.append(f"{self._stored} over {before}, which was good")

    def _check_at_rest(self, *, jumps: bool) -> list[str]:
        if self.is_over:
            return [] if self.stored_token() is None else ["a grant that was over lives"]
        wrong = [] if self.stored_token() in self.amazon.good else [f"{self.stored_token()} is stored, good are {self.amazon.good}"]
        if not jumps and self.refused:
            wrong.append(f"{self.refused} were refused although the grant lives")
        return wrong


RENEWALS = (("renew", "renew", "renew"), ("renew", "renew", "end"), ("renew", "renew", "accept"))


def random_meetings(kinds: tuple[str, ...], count: int, seed: int, *, jumps: bool) -> list[Run]:
    """So many schedules drawn at random, with writes done twice here and there."""
    runs = []
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        meeting = Meeting(kinds, chance)
        runs.append(meeting.play(lambda step, width, chance=chance: chance.randrange(width), jumps=jumps))
    return runs


def all_meetings(kinds: tuple[str, ...], *, is_stored: bool = True) -> list[Run]:
    """Every schedule once: depth first through the tree of choices."""
    runs, prefix = [], []
    while True:
        run = Meeting(kinds, is_stored=is_stored).play(lambda step, width, prefix=prefix: prefix[step] if step < len(prefix) else 0)
        runs.append(run)
        last = next((step for step in reversed(range(run.steps)) if run.choices[step] + 1 < run.width[step]), None)
        if last is None:
            return runs
        prefix = [*run.choices[:last], run.choices[last] + 1]
