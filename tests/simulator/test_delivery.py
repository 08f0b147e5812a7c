"""Skill events are brought at least once, for an hour, and on demand in every bad way."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tools.simulator import envelopes
from tools.simulator.clock import SimulatedClock
from tools.simulator.delivery import MODES, Deliveries, DeliveryPlan, Mode
from tools.simulator.envelopes import Enablement
from tools.simulator.skill import SkillFailedError
from tools.simulator.wire import Message

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ENABLEMENT = Enablement(
    "amzn1.ask.skill.7d1f0c52", "amzn1.ask.account.ABCDEF", "amzn1.ask.device.0", access_token="Atza|secret-of-the-customer"
)
FAILURE = SkillFailedError("TableUnavailableError", "put_item")


class StandingClock(SimulatedClock):
    """Moves only when it is moved."""

    def now(self) -> datetime:
        return NOON + self.now_ahead()


class ListeningSkill:
    """Keeps what it is sent; fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.events, self.during = failures, list[dict[str, Any]](), lambda: None

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        self.events.append(event)
        self.during()
        if self.failures:
            self.failures -= 1
            raise FAILURE
        return {}


class Desk:
    """Deliveries with all that they need, and what came of them."""

    def __init__(self, failures: int = 0, mode: Mode = "normal") -> None:
        self.skill, self.clock, self.messages = ListeningSkill(failures), StandingClock(), list[Message]()
        self.deliveries = Deliveries(self.skill, self.clock, self.messages.append)
        self.deliveries.plan = DeliveryPlan(mode)

    def send(self, kind: str = "SkillEnabled") -> list[bool]:
        event = envelopes.skill_event(ENABLEMENT, kind, self.clock.now(), {"accessToken": ENABLEMENT.access_token})
        return [attempt.acknowledged for attempt in self.deliveries.send(event)]

    def move_on(self, seconds: float) -> list[bool]:
        self.clock.move_on(timedelta(seconds=seconds))
        return [attempt.acknowledged for attempt in self.deliveries.run_due()]

    def kinds(self) -> list[str]:
        return [event["request"]["type"].removeprefix("AlexaSkillEvent.") for event in self.skill.events]

    def pending(self) -> list[tuple[int, float]]:
        return [(each.attempts, each.next_try_s) for each in self.deliveries.pending]

    def said(self) -> list[str]:
        return [message.text for message in self.messages]


def test_an_event_is_brought_once_when_it_is_acknowledged() -> None:
    desk = Desk()
    assert (desk.send(), desk.move_on(7200), desk.pending()) == ([True], [], [])
    assert desk.said() == ["AlexaSkillEvent.SkillEnabled", "acknowledges"]


def test_an_event_is_brought_again_with_growing_pauses_until_it_is_acknowledged() -> None:
    desk = Desk(failures=3)
    assert (desk.send(), desk.pending()) == ([False], [(1, 10)])
    assert (desk.move_on(9), desk.pending()) == ([], [(1, 1)])
    assert (desk.move_on(1), desk.pending()) == ([False], [(2, 30)])
    assert (desk.move_on(30), desk.pending()) == ([False], [(3, 60)])
    assert (desk.move_on(60), desk.pending()) == ([True], [])
    assert [pending.because for pending in desk.deliveries.pending] == []


def test_each_delivery_has_its_own_id_and_publishing_time_and_the_same_content() -> None:
    desk = Desk(failures=1)
    desk.send()
    desk.move_on(10)
    first, second = (event["request"] for event in desk.skill.events)
    assert (first.pop("requestId") != second.pop("requestId"), first.pop("eventPublishingTime")) == (True, "2026-11-22T12:00:00Z")
    assert second.pop("eventPublishingTime") == "2026-11-22T12:00:10Z"
    assert first == second


def test_all_tries_are_made_at_their_own_times_when_the_clock_jumps_over_them() -> None:
    desk = Desk(failures=99)
    desk.send()
    assert desk.move_on(1000) == [False] * 5
    published = [event["request"]["eventPublishingTime"][11:19] for event in desk.skill.events]
    assert published == ["12:00:00", "12:00:10", "12:00:40", "12:01:40", "12:03:40", "12:08:40"]
    assert desk.pending() == [(6, 120)]


def test_an_event_is_dropped_when_it_was_not_acknowledged_within_the_hour() -> None:
    desk = Desk(failures=99)
    desk.send()
    attempts = desk.move_on(4000)
    assert (set(attempts), desk.pending(), len(desk.deliveries.given_up)) == ({False}, [], 1)
    last = desk.skill.events[-1]["request"]["eventPublishingTime"]
    assert "2026-11-22T12:30:00Z" < last <= "2026-11-22T13:00:00Z"
    assert "is dropped" in desk.said()[-1]
    assert (desk.messages[-1].verdict, desk.messages[-1].reason) == ("failed", str(FAILURE))


def test_an_event_comes_a_second_time_when_deliveries_are_duplicated() -> None:
    desk = Desk(mode="duplicated")
    assert (desk.send(), desk.kinds(), desk.pending()) == ([True, True], ["SkillEnabled"] * 2, [])


@pytest.mark.parametrize(("failures", "pending"), [(1, []), (2, [(2, 30)])])
@pytest.mark.parametrize("mode", ["duplicated", "twice-at-once"])
def test_a_duplicate_counts_as_acknowledged_when_either_of_the_two_was(mode: Mode, failures: int, pending: list[Any]) -> None:
    desk = Desk(failures, mode)
    assert len(desk.send()) == 2
    assert desk.pending() == pending


def test_both_are_in_the_skill_at_the_same_time_when_deliveries_come_at_once() -> None:
    desk, both_inside = Desk(mode="twice-at-once"), threading.Barrier(2, timeout=10)
    desk.skill.during = lambda: (both_inside.wait(), None)[1]
    assert desk.send() == [True, True]
    assert len({event["request"]["requestId"] for event in desk.skill.events}) == 2


def test_a_delayed_event_comes_when_the_clock_has_moved_past_its_time() -> None:
    desk = Desk(mode="delayed")
    assert (desk.send(), desk.move_on(299), desk.pending()) == ([], [], [(0, 1)])
    assert (desk.move_on(1), desk.pending(), desk.kinds()) == ([True], [], ["SkillEnabled"])
    assert desk.skill.events[0]["request"]["eventCreationTime"] == "2026-11-22T12:00:00Z"
    assert desk.skill.events[0]["request"]["eventPublishingTime"] == "2026-11-22T12:05:00Z"


@pytest.mark.parametrize("bring", [lambda desk: desk.deliveries.flush(reordered=True), lambda desk: desk.move_on(3600)])
def test_the_newest_comes_first_when_deliveries_are_reordered(bring: Callable[[Desk], object]) -> None:
    desk = Desk(mode="reordered")
    for kind in ("SkillEnabled", "SkillAccountLinked", "SkillDisabled"):
        desk.send(kind)
        desk.move_on(20)
    bring(desk)
    assert desk.kinds() == ["SkillDisabled", "SkillAccountLinked", "SkillEnabled"]
    assert desk.pending() == []


def test_all_held_events_come_newest_first_when_the_oldest_is_due() -> None:
    desk = Desk(mode="reordered")
    desk.send("SkillEnabled")
    desk.move_on(20)
    desk.send("SkillAccountLinked")
    desk.move_on(281)
    assert desk.kinds() == ["SkillAccountLinked", "SkillEnabled"]


def test_held_events_come_in_order_when_they_are_asked_for() -> None:
    desk = Desk(mode="delayed")
    desk.send("SkillEnabled")
    desk.send("SkillDisabled")
    assert [attempt.acknowledged for attempt in desk.deliveries.flush()] == [True, True]
    assert desk.kinds() == ["SkillEnabled", "SkillDisabled"]


def test_a_held_event_is_brought_again_when_it_fails_after_its_delay() -> None:
    desk = Desk(failures=1, mode="reordered")
    desk.send()
    assert (desk.move_on(300), desk.pending()) == ([False], [(1, 10)])
    assert desk.move_on(10) == [True]


def test_an_event_never_comes_when_it_is_lost() -> None:
    desk = Desk(mode="lost")
    assert (desk.send(), desk.move_on(7200), desk.kinds(), desk.pending()) == ([], [], [], [])
    assert (len(desk.deliveries.given_up), desk.said()) == (1, ["AlexaSkillEvent.SkillEnabled is lost on the way"])


def test_an_event_of_its_own_is_delivered_whatever_the_plan() -> None:
    desk = Desk(failures=1, mode="lost")
    event = envelopes.skill_event(ENABLEMENT, "SkillEnabled", desk.clock.now())
    assert (desk.deliveries.deliver(event), desk.deliveries.retry_now()) == (False, 0)
    assert desk.kinds() == ["SkillEnabled"] * 2


def test_an_event_that_is_on_its_way_is_not_brought_by_another_thread_meanwhile() -> None:
    desk = Desk(failures=1)
    desk.send()
    desk.clock.move_on(timedelta(minutes=1))
    desk.skill.during = lambda: seen.append((desk.deliveries.run_due(), desk.deliveries.flush(), desk.deliveries.next_due))
    seen: list[object] = []
    desk.deliveries.run_due()
    assert (seen, len(desk.skill.events)) == ([([], [], None)], 2)


def test_an_event_still_waits_when_the_simulator_itself_failed_or_was_stopped() -> None:
    desk = Desk(mode="delayed")
    desk.send()
    desk.send("SkillDisabled")

    def stop() -> None:
        raise KeyboardInterrupt

    desk.skill.during = stop
    with pytest.raises(KeyboardInterrupt):
        desk.deliveries.flush()
    desk.skill.during = lambda: None
    assert (desk.deliveries.retry_now(), desk.kinds()) == (0, ["SkillEnabled", "SkillEnabled", "SkillDisabled"])


@pytest.mark.parametrize("mode", MODES)
def test_no_token_is_told_when_events_are_brought(mode: Mode) -> None:
    desk = Desk(failures=1, mode=mode)
    desk.send("SkillAccountLinked")
    desk.move_on(3600)
    assert "secret-of-the-customer" not in str(desk.messages)
