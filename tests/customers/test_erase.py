"""The command erase: shows what would go and how many, goes on only with the count, and says when it is done."""

from datetime import datetime
from typing import Any

import pytest

from tests.customers.conftest import ANNA, BEN, Desk
from tools.customers.times import parse_time


@pytest.fixture
def shared(desk: Desk) -> Desk:
    """The account acme had Anna's and Ben's user ids; Ben's is another account's now."""
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.link(ANNA, "acme", "2026-01-05T00:00:00Z")
    desk.link(BEN, "acme", "2026-01-01T00:00:00Z")
    desk.link(BEN, "bolt", "2026-02-01T00:00:00Z")
    return desk


def test_it_shows_what_would_go_and_writes_nothing_when_nobody_says_yes(shared: Desk) -> None:
    before = repr(shared.table.items)
    ran = shared("erase", "acme")
    assert (ran.code, repr(shared.table.items) == before) == (0, True)
    assert "3 rows of 2 user ids would go.\nUser ids with another account's row, which stays: 1.\n" in ran.out
    assert "To go on: --yes 3" in ran.out
    as_json = shared("erase", "acme", "--json").json
    assert (as_json["count"], as_json["user_ids"], as_json["user_ids_shared"], len(as_json["rows"])) == (3, 2, 1, 3)


@pytest.mark.parametrize("count", ["0", "2", "4"])
def test_it_does_not_go_on_when_the_count_is_another(shared: Desk, count: str) -> None:
    before = repr(shared.table.items)
    ran = shared("erase", "acme", "--yes", count)
    assert (ran.code, repr(shared.table.items) == before) == (2, True)
    assert f"it is 3 rows now, not {count}" in ran.err


@pytest.mark.parametrize("wrong", ["acm", "ACME", "nobody"])
def test_exit_code_is_1_when_there_is_nothing_to_erase(shared: Desk, wrong: str) -> None:
    ran = shared("erase", wrong)
    assert (ran.code, "To go on: --yes 0" in ran.out) == (1, True)


@pytest.mark.parametrize("finish", [("repair", "--apply"), ("erase", "acme", "--yes", "3"), ("erase", "acme", "--yes", "0")])
def test_nothing_is_left_when_the_second_sweep_is_done(shared: Desk, finish: tuple[str, ...]) -> None:
    ran = shared("erase", "acme", "--yes", "3", "--json")
    assert (ran.code, ran.json["done"], ran.json["again_at"]) == (0, False, "2026-03-20T13:05:00Z")
    assert "acme" not in repr(shared.table.items)
    shared.now = "2026-03-20T13:05:00Z"
    assert shared(*finish).code == 0
    assert ANNA not in repr(shared.table.items)
    assert [row["AccountID"] for row in shared("history", BEN, "--json").json["rows"]] == ["bolt"]
    assert shared("erase", "acme").code == 1
    assert shared("repair").code == 0


def test_it_continues_when_it_was_interrupted(shared: Desk) -> None:
    def interrupt(operation: str) -> None:
        if shared.table.calls[-1] == "update_item":
            raise KeyboardInterrupt

    shared.table.before = interrupt
    shared.table.calls.clear()
    shared.table.calls.append("")
    assert shared("erase", "acme", "--yes", "3").code == 130
    shared.table.before = lambda operation: None
    assert "acme" in repr(shared.table.items)
    shared.now = "2026-03-20T12:30:00Z"
    ran = shared("erase", "acme", "--yes", "3", "--json")
    assert (ran.code, ran.json["again_at"]) == (0, "2026-03-20T13:05:00Z")
    assert "acme" not in repr(shared.table.items)


def test_it_begins_anew_when_the_account_was_linked_since(shared: Desk) -> None:
    shared("erase", "acme", "--yes", "3")
    shared.link(ANNA, "acme", "2026-03-20T12:10:00Z")
    shared.now = "2026-03-20T12:30:00Z"
    ran = shared("erase", "acme", "--yes", "1", "--json")
    assert (ran.code, ran.json["again_at"]) == (0, "2026-03-20T13:35:00Z")
    assert "acme" not in repr(shared.table.items)


def test_it_begins_anew_when_the_erasure_before_was_done(shared: Desk) -> None:
    shared("erase", "acme", "--yes", "3")
    shared.now = "2026-03-21T00:00:00Z"
    shared("repair", "--apply")
    shared.link("cara", "acme", "2026-03-21T00:00:00Z")
    shared.now = "2026-03-22T00:00:00Z"
    assert shared("erase", "acme", "--yes", "1", "--json").json["again_at"] == "2026-03-22T01:05:00Z"


def test_it_says_how_many_stay_when_rows_start_in_the_future(shared: Desk) -> None:
    shared.link("cara", "acme", "2026-03-21T00:00:00Z")
    assert "1 more row in the future: not covered." in shared("erase", "acme").out


def test_it_refuses_when_this_machines_clock_is_wrong(shared: Desk) -> None:
    class Dated:
        """The table, whose answers carry AWS's time as HTTP ones do."""

        def __getattr__(self, name: str) -> Any:
            date = {"ResponseMetadata": {"HTTPHeaders": {"date": "Fri, 20 Mar 2026 12:02:00 GMT"}}}
            return lambda **call: {**getattr(shared.table, name)(**call), **date}

    shared.clients["dynamodb"] = Dated()
    ran = shared("erase", "acme", "--yes", "3")
    assert (ran.code, "clock differs from AWS's" in ran.err) == (2, True)
    shared.now = "2026-03-20T12:01:30Z"
    assert shared("erase", "acme", "--yes", "3").code == 0


def test_two_accounts_that_share_a_user_id_leave_every_other_answer_when_both_are_erased(shared: Desk) -> None:
    shared.link(BEN, "cord", "2026-03-01T00:00:00Z")
    shared.link("cara", "cord", "2026-01-01T00:00:00Z")
    hours = [f"2026-{month:02d}-15T00:00:00Z" for month in (1, 2, 3)]
    shared("erase", "acme", "--yes", "3")
    shared("erase", "bolt", "--yes", "1")
    shared.now = "2026-03-20T14:00:00Z"
    assert shared("repair", "--apply", "--json").json["erasures_done"] == 2
    everything = repr(shared.table.items)
    assert not any(gone in everything for gone in ("acme", "bolt", ANNA))
    assert [shared("who", BEN, "--at", hour).code for hour in hours] == [1, 1, 0]
    assert shared("who", "cara").code == 0


def test_the_time_in_words_is_a_time_when_it_is_read_again(shared: Desk) -> None:
    again_at = shared("erase", "acme", "--yes", "3", "--json").json["again_at"]
    assert parse_time(again_at).first_ms == datetime.fromisoformat(again_at).timestamp() * 1000
