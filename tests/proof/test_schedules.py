"""Two and three handlers at the same moment: the same rows under every schedule, and no wrong answer in between."""

import pytest

from tests.proof.explorer import Scenario, scenarios

PAIRS, TRIPLES = scenarios(2), scenarios(3)
CRASH_POINTS = range(6)  # an event makes at most six calls to the table when two events meet


def divergences(runs: object) -> list[str]:
    return [wrong for run in runs for wrong in run.divergences]  # type: ignore[attr-defined]


@pytest.mark.parametrize("scenario", PAIRS[::3], ids=str)
def test_two_handlers_agree_under_every_schedule(scenario: Scenario) -> None:
    assert divergences(scenario.all_schedules()) == []


@pytest.mark.parametrize("seed", range(4))
def test_three_handlers_agree_under_random_schedules(seed: int) -> None:
    assert [
        wrong for number, scenario in enumerate(TRIPLES) for wrong in divergences(scenario.random_schedules(6, 1000 * seed + number))
    ] == []


def test_redelivery_completes_whatever_call_a_handler_died_before() -> None:
    for scenario in PAIRS[::5]:
        for handler in (0, 1):
            for call in CRASH_POINTS:
                assert divergences(scenario.all_schedules(crash=(handler, call))) == [], (scenario, handler, call)


def test_a_death_among_three_handlers_is_mended_by_redelivery() -> None:
    assert [
        wrong for number, scenario in enumerate(TRIPLES) for wrong in divergences(scenario.random_schedules(4, number, crashing=True))
    ] == []
