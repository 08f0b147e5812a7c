"""How Alexa brings skill events: at least once, again with growing pauses for an hour until they are taken, and on demand at its worst."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from tools.simulator import envelopes
from tools.simulator.clock import SimulatedClock
from tools.simulator.judgement import judge_acknowledgement
from tools.simulator.known_secrets import KnownSecrets
from tools.simulator.skill import Skill, SkillFailedError
from tools.simulator.waiting_events import WaitingEvent, WaitingEvents
from tools.simulator.wire import ALEXA, SKILL, Listener, Message, as_body, ignore, redacted

Mode = Literal["normal", "duplicated", "delayed", "reordered", "twice-at-once", "lost"]
MODES: tuple[Mode, ...] = get_args(Mode)
HELD = "held back on demand"


@dataclass(frozen=True)
class DeliveryPlan:
    """How events are brought from now on; those that are delayed or reordered wait for `delay`, or to be asked for."""

    mode: Mode = "normal"
    delay: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Attempt:
    """One delivery, and whether the skill acknowledged it."""

    kind: str
    number: int
    acknowledged: bool
    took_s: float
    because: str = ""


@dataclass(frozen=True)
class Pending:
    """An event that is still to be brought: in `next_try_s`, after so many attempts that failed."""

    kind: str
    attempts: int
    next_try_s: float
    because: str


class Deliveries:
    """The events of one customer on their way to one skill; safe to be used by several threads, if the skill and the listener are."""

    def __init__(self, skill: Skill, clock: SimulatedClock, listener: Listener = ignore, known: KnownSecrets | None = None) -> None:
        """`known` is what is not to be repeated, and is added to."""
        self.skill, self.plan, self._known = skill, DeliveryPlan(), known or KnownSecrets()
        self.given_up: list[Mapping[str, Any]] = []  # lost on demand, or not taken within the hour
        self._clock, self._listener, self._waiting = clock, listener, WaitingEvents()

    @property
    def pending(self) -> list[Pending]:
        """What waits, in the order in which it was sent; what is overdue is due in 0 s."""
        now = self._clock.now()
        return [
            Pending(each.kind, each.attempts, max(0.0, (each.next_try - now).total_seconds()), each.because) for each in self._waiting.all()
        ]

    @property
    def next_due(self) -> datetime | None:
        """When `run_due` has something to do next."""
        return self._waiting.next_due()

    def send(self, event: Mapping[str, Any]) -> list[Attempt]:
        """The attempts that the plan makes at once; what they do not settle waits."""
        now, mode = self._clock.now(), self.plan.mode
        waiting = WaitingEvent(event, now, now)
        if mode == "lost":
            self._give_up(waiting, "is lost on the way")
            return []
        self._waiting.add(waiting)
        if mode in {"delayed", "reordered"}:
            self._hold(waiting, now)
            return []
        bring = {"duplicated": self._bring_twice, "twice-at-once": self._bring_twice_at_once}.get(mode, self._bring_once)
        return self._settle(waiting, bring, now)

    def deliver(self, event: Mapping[str, Any]) -> bool:
        """Brings any event once, whatever the plan; whether the skill acknowledged it. If not, it waits."""
        now = self._clock.now()
        waiting = WaitingEvent(event, now, now)
        self._waiting.add(waiting)
        return any(attempt.acknowledged for attempt in self._settle(waiting, self._bring_once, now))

    def run_due(self) -> list[Attempt]:
        """Brings what is due by now; where the clock has jumped over several tries, each of them at its own time."""
        attempts: list[Attempt] = []
        while due := self._waiting.take_due(self._clock.now()):
            waiting, at = due
            attempts += self._settle(waiting, self._bring_once, at)
        return attempts

    def flush(self, *, reordered: bool = False) -> list[Attempt]:
        """Brings all that waits now, in the order in which it was sent, or in reverse."""
        taken, now = self._waiting.take_all(), self._clock.now()
        attempts: list[Attempt] = []
        for index, each in enumerate(queue := taken[::-1] if reordered else taken):
            try:
                attempts += self._settle(each, self._bring_once, now)
            except BaseException:  # an interruption, too: events that were taken out and not brought wait on
                self._waiting.release(queue[index:])
                raise
        return attempts

    def retry_now(self) -> int:
        """Brings all that waits once more, in order; how many still wait."""
        self.flush()
        return len(self.pending)

    def _hold(self, waiting: WaitingEvent, now: datetime) -> None:
        waiting.next_try, waiting.because, waiting.is_newest_first = now + self.plan.delay, HELD, self.plan.mode == "reordered"
        self._waiting.release([waiting])
        minutes = f"{self.plan.delay.total_seconds() / 60:g} min"
        self._listener(Message(ALEXA, SKILL, f"holds {waiting.kind} back", {"for": minutes, "plan": self.plan.mode}))

    def _settle(self, waiting: WaitingEvent, bring: Callable[[WaitingEvent, datetime], list[Attempt]], at: datetime) -> list[Attempt]:
        """Brings it; then it is done, waits for its next try, or is given up."""
        try:
            attempts = bring(waiting, at)
        except BaseException:  # a desk that is being stopped, or a fault of its own: the event is not to blame
            self._waiting.release([waiting])
            raise
        waiting.attempts += len(attempts)
        if any(attempt.acknowledged for attempt in attempts):
            self._waiting.remove(waiting)
            return attempts
        waiting.because = attempts[-1].because
        if waiting.put_off(at):
            self._waiting.release([waiting])
        else:
            self._waiting.remove(waiting)
            self._give_up(waiting, "is dropped: not acknowledged within an hour")
        return attempts

    def _bring_once(self, waiting: WaitingEvent, at: datetime) -> list[Attempt]:
        return [self._bring(waiting, waiting.attempts + 1, at)]

    def _bring_twice(self, waiting: WaitingEvent, at: datetime) -> list[Attempt]:
        return [self._bring(waiting, number, at) for number in (1, 2)]

    def _bring_twice_at_once(self, waiting: WaitingEvent, at: datetime) -> list[Attempt]:
        """From two threads that start together."""
        ready = threading.Barrier(2)

        def bring(number: int) -> Attempt:
            ready.wait()
            return self._bring(waiting, number, at)

        with ThreadPoolExecutor(max_workers=2) as both:
            return list(both.map(bring, (1, 2)))

    def _bring(self, waiting: WaitingEvent, number: int, at: datetime) -> Attempt:
        """One delivery; from the second on, and after any pause, with an id and a publishing time of its own."""
        is_first = number == 1 and at == waiting.first_sent
        event = dict(waiting.event) if is_first else envelopes.redelivered(waiting.event, at)
        self._known.add_from(event)
        details = {"eventCreationTime": str(event["request"].get("eventCreationTime"))} | ({} if is_first else {"delivery": str(number)})
        self._listener(Message(ALEXA, SKILL, waiting.kind, details, body=redacted(event)))
        started = time.monotonic()
        try:
            answer = self.skill.invoke(event)
        except SkillFailedError as error:
            return self._failed(waiting, number, time.monotonic() - started, self._known.in_a_line(error))
        took_s = time.monotonic() - started
        findings, told = judge_acknowledgement(took_s), {"took": f"{took_s:.2f} s"}
        reason, mend = (findings[0].what, findings[0].mend) if findings else ("", "")
        body = redacted(as_body(answer), hide=self._known.hide)
        self._listener(Message(SKILL, ALEXA, "acknowledges", told, "warning" if findings else "ok", reason, mend, body))
        return Attempt(waiting.kind, number, acknowledged=True, took_s=took_s)

    def _failed(self, waiting: WaitingEvent, number: int, took_s: float, because: str) -> Attempt:
        self._listener(Message(SKILL, ALEXA, "fails", {"took": f"{took_s:.2f} s"}, "failed", because))
        return Attempt(waiting.kind, number, acknowledged=False, took_s=took_s, because=because)

    def _give_up(self, waiting: WaitingEvent, text: str) -> None:
        self.given_up.append(waiting.event)
        because = waiting.because if waiting.attempts else ""
        self._listener(Message(ALEXA, SKILL, f"{waiting.kind} {text}", {"attempts": str(waiting.attempts)}, "failed", because))
