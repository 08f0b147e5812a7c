"""Rows expire so many days after their end, if that is wanted; DynamoDB deletes late and in no order, and no answer depends on it."""

import itertools

import pytest

from linked_profile.fold import Link
from tests.proof.simulation import FOREVER, START_S, Simulation, launch, skill_event

USER = "amzn1.ask.account.U1"
DAY_S = 86_400
EVENTS = [(0, "a"), (5, None), (10, "b"), (20, "c"), (40, None), (50, "d")]  # day, account; None = disabled
PERIODS = [("a", 0, 5), ("b", 10, 20), ("c", 20, 40), ("d", 50, None)]


@pytest.fixture
def kept() -> Simulation:
    simulation = Simulation(seed=5, RETENTION_DAYS="30")
    for day, account in EVENTS:
        simulation.clock.now = START_S + day * DAY_S
        kind = "SkillAccountLinked" if account else "SkillDisabled"
        assert simulation.deliver(skill_event(kind, USER, simulation.clock.now, account))
    return simulation


def days(rows: list[Link]) -> list[tuple[str | None, int, int | None]]:
    def day(time_ms: int) -> int:
        return (time_ms // 1000 - START_S) // DAY_S

    return [(row.account_id, day(row.start_ms), None if row.end_ms is None else day(row.end_ms)) for row in rows]


@pytest.mark.parametrize("now", [34, 36, 49, 51, 69, 71, 500])
def test_a_row_is_there_until_its_days_are_over_whatever_was_deleted_when(kept: Simulation, now: int) -> None:
    kept.clock.now = START_S + now * DAY_S
    expected = [row for row in PERIODS if row[2] is None or row[2] + 30 > now]
    items = dict(kept.table.items)
    expired = [key for key, item in items.items() if "ExpiresAt" in item and int(item["ExpiresAt"]["N"]) <= kept.clock.now]
    for size in range(len(expired) + 1):  # every set of items that can be gone = every point of every order of deletion
        for gone in itertools.combinations(expired, size):
            kept.table.items = {key: item for key, item in items.items() if key not in gone}
            assert days(kept.mappings.history(USER, FOREVER)) == expected, gone


def test_an_open_row_never_expires(kept: Simulation) -> None:
    kept.clock.now = START_S + 10_000 * DAY_S
    assert days(kept.mappings.history(USER, FOREVER)) == [("d", 50, None)]
    assert [item["AccountID"]["S"] for item in kept.table.rows() if item["SK"]["S"].startswith("L#") and "ExpiresAt" not in item] == ["d"]


def test_an_expiry_falls_with_its_end(kept: Simulation) -> None:
    kept.clock.now = START_S + 44 * DAY_S
    kept.handler(skill_event("SkillDisabled", USER, START_S + 15 * DAY_S), None)
    (row,) = [item for item in kept.table.rows() if item.get("AccountID") == {"S": "b"}]
    assert int(row["ExpiresAt"]["N"]) == START_S + 45 * DAY_S


def test_the_stored_end_holds_when_only_the_boundary_has_expired(kept: Simulation) -> None:
    """As after the days were raised for the row alone."""
    kept.clock.now = START_S + 36 * DAY_S
    for item in kept.table.rows():
        if item.get("AccountID") == {"S": "a"}:
            item["ExpiresAt"] = {"N": str(START_S + 365 * DAY_S)}
    assert days(kept.mappings.history(USER, FOREVER))[0] == ("a", 0, 5)
    kept.table.items = {key: item for key, item in kept.table.items.items() if not key[1].startswith("E#")}
    assert days(kept.mappings.history(USER, FOREVER))[0] == ("a", 0, 5)


def test_nothing_expires_when_no_retention_was_asked_for() -> None:
    simulation = Simulation(seed=5)
    for event in (skill_event("SkillAccountLinked", USER, START_S, "a"), skill_event("SkillDisabled", USER, START_S + 60)):
        simulation.handler(event, None)
    simulation.handler(launch(USER, START_S + 3600, "a"), None)
    assert not any("ExpiresAt" in item for item in simulation.table.rows())
