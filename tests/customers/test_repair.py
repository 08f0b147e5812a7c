"""What is wrong or waiting in the record is listed, and mended only when asked."""

from typing import Any

import pytest

from linked_profile.fold import Link
from tests.customers.conftest import ANNA, BEN, SKILL_ID, TABLE, Desk, ms
from tests.in_memory_table import InMemoryTable
from tools.customers.erasure_notes import note_erasure


def findings(desk: Desk, *options: str) -> tuple[int, list[tuple[str, str]], dict[str, Any]]:
    """Exit code, what was found of whom, and the sum."""
    ran = desk("repair", "--json", *options)
    return ran.code, [(each["finding"], each["AmazonUserID"]) for each in ran.json["findings"]], ran.json


def forget_end(desk: Desk, link: Link) -> None:
    """As if the function had died before it lowered the end."""
    for name in ("EndMs", "EndDatetime", "ExpiresAt"):
        desk.table.items[(link.amazon_user_id, link.sort_key)].pop(name, None)


def test_nothing_is_to_mend_when_the_record_is_right(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.end(ANNA, "2026-02-01T00:00:00Z")
    assert findings(desk)[:2] == (0, [])
    assert "Nothing to mend." in desk("repair").out


def test_a_stored_end_becomes_the_folds_when_an_event_died_half_way(desk: Desk) -> None:
    link = desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.end(ANNA, "2026-02-01T00:00:00Z")
    right = repr(desk.table.items[(ANNA, link.sort_key)])
    forget_end(desk, link)
    assert findings(desk)[:2] == (1, [("stored end is not the fold's", ANNA)])
    assert repr(desk.table.items[(ANNA, link.sort_key)]) != right
    assert findings(desk, "--apply")[0] == 0
    assert sorted(desk.table.items[(ANNA, link.sort_key)]) == sorted(eval(right))  # noqa: S307
    assert findings(desk)[:2] == (0, [])


def test_an_end_that_is_lower_than_the_folds_stays_when_mended(desk: Desk) -> None:
    link = desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.end(ANNA, "2026-02-01T00:00:00Z")
    desk.table.items[(ANNA, link.sort_key)]["EndMs"] = {"N": str(ms("2026-01-02"))}
    assert findings(desk, "--apply")[:2] == (0, [])


def test_rows_without_an_account_are_listed_and_left_when_mended(desk: Desk) -> None:
    desk.link(ANNA, None, "2026-01-01T00:00:00Z")
    desk.link(BEN, None, "2026-01-01T00:00:00Z", why="NO_TOKEN")
    desk.link("cara", None, "2026-03-20T11:30:00Z")
    before = repr(desk.table.items)
    assert findings(desk, "--apply")[:2] == (0, [("pending", ANNA), ("unresolved", BEN), ("pending", "cara")])
    assert repr(desk.table.items) == before
    text = desk("repair").out
    assert "NO_TOKEN" in text
    assert text.count("may still be resolved") == 1


def test_open_rows_are_listed_when_nothing_came_of_their_user_id_for_so_long(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.link(BEN, "bolt", "2026-03-01T00:00:00Z")
    desk.link("cara", "cord", "2026-01-01T00:00:00Z")
    desk.end("cara", "2026-01-02T00:00:00Z")
    assert findings(desk)[1] == []
    assert findings(desk, "--unseen-days", "30")[:2] == (0, [("open and not seen", ANNA)])


def test_rows_get_their_expiry_when_retention_is_set(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.end(ANNA, "2026-02-01T00:00:00Z")
    desk.link(BEN, "bolt", "2026-01-01T00:00:00Z")
    code, found, _ = findings(desk, "--retention-days", "365")
    assert (code, found) == (1, [("has not the expiry it should have", ANNA)] * 2)
    findings(desk, "--retention-days", "365", "--apply")
    expiries = {item.get("ExpiresAt", {}).get("N") for item in desk.table.rows()}
    assert expiries == {str(ms("2026-02-01") // 1000 + 365 * 86_400), None}
    assert findings(desk, "--retention-days", "365")[:2] == (0, [])


def test_the_end_comes_first_when_end_and_expiry_are_missing(desk: Desk) -> None:
    link = desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.end(ANNA, "2026-02-01T00:00:00Z")
    forget_end(desk, link)
    findings(desk, "--retention-days", "365", "--apply")
    assert findings(desk, "--retention-days", "365")[:2] == (0, [])


def test_an_erasure_is_listed_when_it_is_due_and_done_when_applied(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk("erase", "acme", "--yes", "1")
    assert findings(desk)[0] == 0
    assert "The next erasure is due at 2026-03-20T13:05:00Z" in desk("repair").out
    desk.now = "2026-03-20T13:05:00Z"
    code, found, sums = findings(desk)
    assert (code, found, sums["erasures_due"]) == (1, [("rest of an erasure", ANNA)], 1)
    assert findings(desk, "--apply")[2]["user_ids_deleted"] == 1
    assert findings(desk)[0] == 0


def test_an_erased_account_goes_again_when_a_backup_brought_it_back(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    backup = dict(desk.table.items)
    desk("erase", "acme", "--yes", "1")
    desk.now = "2026-03-21T00:00:00Z"
    desk("repair", "--apply")
    desk.table.items |= backup
    assert findings(desk)[:2] == (1, [("an erased account is here", ANNA)])
    findings(desk, "--apply")
    assert ANNA not in repr(desk.table.items)


def test_the_notes_come_from_the_old_table_when_a_restored_one_has_none(desk: Desk) -> None:
    old: Any = InMemoryTable()
    note_erasure(old, TABLE, "acme", ms("2026-03-01"))
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")

    class Tables:
        """Both of them behind one client."""

        def __getattr__(self, name: str) -> Any:
            return lambda **call: getattr(old if call["TableName"] == "old" else desk.table, name)(**call)

    desk.clients["dynamodb"] = Tables()
    assert desk("repair", "--erasures-from", "old").code == 2
    assert desk("repair", "--erasures-from", "old", "--apply").code == 0
    assert not any(gone in repr(desk.table.items) for gone in ("acme", ANNA))


def test_partitions_are_judged_whole_when_they_span_pages(desk: Desk) -> None:
    desk.table = InMemoryTable(page_size=2)
    for day in range(1, 10):
        desk.link(ANNA, "acme", f"2026-01-0{day}T00:00:00Z")
    assert findings(desk)[:2] == (0, [])


@pytest.mark.parametrize("options", [("--unseen-days", "0"), ("--retention-days", "-1"), ("--retention-days", "x")])
def test_exit_code_is_2_when_a_number_of_days_is_none(desk: Desk, options: tuple[str, ...]) -> None:
    assert desk("repair", *options).code == 2


def test_other_skills_notes_mean_nothing_when_the_skill_id_differs(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    note_erasure(desk.table, TABLE, "acme", desk.now_ms)
    assert desk("repair", skill_id=SKILL_ID.replace("5", "6")).code == 0
    assert desk("repair").code == 1
