"""Three functions at one grant: no dead token is ever stored over a live one, and nobody is told that a living grant is over."""

import pytest

from tests.proof.refreshing import RENEWALS, Meeting, all_meetings, random_meetings


def divergences(runs: list[object]) -> list[str]:
    return [wrong for run in runs for wrong in run.divergences]  # type: ignore[attr-defined]


def test_two_functions_refresh_a_grant_once_under_every_schedule() -> None:
    runs = all_meetings(("renew", "renew"))
    assert len(runs) > 100, "if there were few schedules, the test tested nothing"
    assert divergences(runs) == []


def test_one_code_makes_one_living_grant_when_it_is_delivered_twice_at_once() -> None:
    assert divergences(all_meetings(("accept", "accept"), is_stored=False)) == []


@pytest.mark.parametrize("kinds", RENEWALS, ids="-".join)
@pytest.mark.parametrize("jumps", [False, True], ids=["in-time", "claims-run-out"])
def test_three_functions_keep_the_living_token_under_random_schedules(kinds: tuple[str, ...], jumps: bool) -> None:
    assert divergences(random_meetings(kinds, 300, seed=1, jumps=jumps)) == []


def test_amazon_is_asked_once_when_three_functions_find_the_same_token_old() -> None:
    meeting = Meeting(("renew", "renew", "renew"))
    order = iter([0, 1, 2] * 100)
    run = meeting.play(lambda step, width: next(order) % width)
    assert (run.divergences, meeting.amazon.asked) == ([], 2), "once for the code, once for the token"
