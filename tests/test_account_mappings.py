"""The rows depend on the set of events alone: every order and repetition, compared with a model of a few lines."""

import itertools
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linked_profile.account_mappings import AccountMappings, Table
from linked_profile.fold import End, Link, content_id, fold, row_at
from linked_profile.outbound import Deadline
from tests.in_memory_table import InMemoryTable

USER = "amzn1.ask.account.AHVQ3UKDTRZ5PBL2XW7N"
FOREVER = Deadline(3600)
TIMES = [1_773_480_000_000 + 1000 * second for second in (0, 1, 2, 40)]
Fact = tuple[str, int, str]  # L or E, time, account

facts = st.lists(st.tuples(st.sampled_from("LLE"), st.sampled_from(TIMES), st.sampled_from(["a", "b"])), min_size=1, max_size=4)


def model(history: set[Fact]) -> list[tuple[str, int, int | None]]:
    """Account, start and end of every row: the end is the time of the next link or end."""
    ordered = sorted({(time, kind == "E", "" if kind == "E" else account) for kind, time, account in history})
    by_content = sorted(ordered, key=lambda fact: (fact[0], fact[1], content_id("E" if fact[1] else "L", USER, fact[0], fact[2])))
    rows = []
    for place, (time, is_end, account) in enumerate(by_content):
        if not is_end:
            rows.append((account, time, by_content[place + 1][0] if place + 1 < len(by_content) else None))
    return rows


def deliver(mappings: AccountMappings, fact: Fact) -> None:
    kind, time, account = fact
    if kind == "E":
        mappings.record_end(End(USER, time, content_id("E", USER, time)), FOREVER)
        return
    link = Link(USER, time, content_id("L", USER, time, account))
    mappings.record_link(link, FOREVER)
    mappings.resolve_account(link, account, FOREVER)


def stored(table: InMemoryTable) -> list[tuple[str, int, int | None]]:
    links = [item for item in table.rows() if item["SK"]["S"].startswith("L#")]
    return [(item["AccountID"]["S"], int(item["StartMs"]["N"]), int(item["EndMs"]["N"]) if "EndMs" in item else None) for item in links]


@settings(deadline=None, max_examples=150)
@given(facts, st.data())
@example([("L", TIMES[0], "a"), ("E", TIMES[0], "a"), ("L", TIMES[0], "b"), ("E", TIMES[1], "a")], None)
def test_every_order_and_repetition_gives_the_rows_of_the_set(history: list[Fact], data: Any) -> None:
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=2)) if data else history[:2]
    for order in itertools.permutations(history):
        table = InMemoryTable()
        mappings = AccountMappings(Table("table", "amzn1.ask.skill.a"), lambda table=table: table)  # type: ignore[misc]
        for fact in [*order, *repeats]:
            deliver(mappings, fact)
        assert stored(table) == model(set(history))
        assert [(row.account_id, row.start_ms, row.end_ms) for row in mappings.history(USER, FOREVER)] == model(set(history))


@given(facts)
def test_rows_never_overlap_and_at_most_one_is_open(history: list[Fact]) -> None:
    entries = [
        End(USER, t, content_id("E", USER, t)) if kind == "E" else Link(USER, t, content_id("L", USER, t, a)) for kind, t, a in history
    ]
    rows = fold({entry.sort_key: entry for entry in entries}.values())
    assert all(row.end_ms is None or row.end_ms >= row.start_ms for row in rows)
    assert all(earlier.end_ms is not None and earlier.end_ms <= later.start_ms for earlier, later in itertools.pairwise(rows))
    for instant in {time + shift for time in TIMES for shift in (-1, 0, 1)}:
        assert sum(row_at([row], instant) is not None for row in rows) <= 1


def test_the_stored_end_holds_when_the_boundary_is_gone() -> None:
    link = Link(USER, TIMES[0], "eid", end_ms=TIMES[1])
    assert fold([link])[0].end_ms == TIMES[1]
    assert fold([link, End(USER, TIMES[2], "later")])[0].end_ms == TIMES[1]


def test_an_erased_link_is_a_boundary_without_a_row() -> None:
    rows = fold([Link(USER, TIMES[0], "a"), Link(USER, TIMES[1], "b", status="ERASED"), Link(USER, TIMES[2], "c")])
    assert [(row.start_ms, row.end_ms) for row in rows] == [(TIMES[0], TIMES[1]), (TIMES[2], None)]


@pytest.mark.parametrize("lag_ms", [0, 29_999, 30_000, 30_001])
@pytest.mark.parametrize("fact", [End(USER, TIMES[0], "e"), Link(USER, TIMES[0], "l")])
def test_an_observed_link_counts_for_nothing_in_the_30_seconds_after_a_fact(fact: Link | End, lag_ms: int) -> None:
    rows = fold([fact, Link(USER, TIMES[0] + lag_ms, "o", source="OBSERVED")])
    assert (any(row.source == "OBSERVED" for row in rows)) is (lag_ms > 30_000)


def test_two_observed_links_both_count() -> None:
    rows = fold([Link(USER, TIMES[0], "o1", source="OBSERVED"), Link(USER, TIMES[1], "o2", source="OBSERVED")])
    assert [(row.start_ms, row.end_ms) for row in rows] == [(TIMES[0], TIMES[1]), (TIMES[1], None)]
