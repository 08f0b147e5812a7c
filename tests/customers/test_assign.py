"""An operator says whose a row is: set once, replaced only with a reason, never for an account that was erased."""

from typing import Any

import pytest

from tests.customers.conftest import ANNA, TABLE, Desk
from tools.customers.erasure_notes import note_erasure


def stored(desk: Desk) -> list[dict[str, Any]]:
    items = [item for item in desk.table.rows() if item["SK"]["S"].startswith("L#")]
    return [{name: value.get("S") for name, value in item.items()} for item in items]


@pytest.mark.parametrize("why", ["", "NO_LINKING", "INVALID_TOKEN"])
def test_the_account_is_set_when_it_was_not_known(desk: Desk, why: str) -> None:
    desk.link(ANNA, None, "2026-01-01T00:00:00Z", why=why)
    before = stored(desk)[0]
    ran = desk("assign", ANNA, "acme", "--json")
    assert (ran.code, ran.json["changed"]) == (0, True)
    assert stored(desk)[0] == before | {"AccountID": "acme", "Status": "RESOLVED", "AccountSource": "OPERATOR"}
    assert desk("who", ANNA).code == 0


def test_nothing_changes_when_it_is_so_already(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    before = stored(desk)
    ran = desk("assign", ANNA, "acme", "--json")
    assert (ran.code, ran.json["changed"], stored(desk)) == (0, False, before)


def test_an_account_that_is_known_stays_when_nobody_says_replace(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    ran = desk("assign", ANNA, "bolt")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "--replace" in ran.err
    assert stored(desk)[0]["AccountID"] == "acme"


def test_replace_needs_a_reason_when_asked_for(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    assert desk("assign", ANNA, "bolt", "--replace").code == 2
    assert stored(desk)[0]["AccountID"] == "acme"
    assert desk("assign", ANNA, "bolt", "--replace", "--reason", "case 4711").code == 0
    assert (stored(desk)[0]["AccountID"], stored(desk)[0]["Source"]) == ("bolt", "EVENT")
    assert desk.audit_lines()[-1]["reason"] == "case 4711"


@pytest.mark.parametrize(("at", "code"), [("2025-12-31", 1), ("2026-01-01", 0), ("2026-01-15T00:00:00Z", 0), ("2026-02-01T00:00:00Z", 1)])
def test_the_row_of_the_time_is_meant_when_one_is_given(desk: Desk, at: str, code: int) -> None:
    desk.link(ANNA, None, "2026-01-01T00:00:00Z")
    desk.end(ANNA, "2026-02-01T00:00:00Z")
    assert desk("assign", ANNA, "acme", "--at", at).code == code
    assert ("AccountID" in stored(desk)[0]) is (code == 0)


def test_it_asks_which_row_is_meant_when_a_day_has_several(desk: Desk) -> None:
    desk.link(ANNA, None, "2026-01-01T08:00:00Z")
    desk.link(ANNA, None, "2026-01-01T09:00:00Z")
    ran = desk("assign", ANNA, "acme", "--at", "2026-01-01")
    assert ran.code == 2
    assert "2026-01-01T08:00:00Z, 2026-01-01T09:00:00Z" in ran.err
    assert desk("assign", ANNA, "acme", "--at", "2026-01-01T08:30:00Z").code == 0
    assert [item.get("AccountID") for item in stored(desk)] == ["acme", None]


@pytest.mark.parametrize("account", ["", " ", " acme"])
def test_an_account_is_refused_when_it_is_blank(desk: Desk, account: str) -> None:
    desk.link(ANNA, None, "2026-01-01T00:00:00Z")
    assert desk("assign", ANNA, account).code == 2


@pytest.mark.parametrize(("erased", "code"), [("2025-12-31T00:00:00Z", 0), ("2026-01-01T00:00:00Z", 2), ("2026-02-01T00:00:00Z", 2)])
def test_an_erased_account_is_refused_when_the_row_started_before(desk: Desk, erased: str, code: int) -> None:
    desk.link(ANNA, None, "2026-01-01T00:00:00Z")
    desk.now, now = erased, desk.now
    note_erasure(desk.table, TABLE, "acme", desk.now_ms)
    desk.now = now
    ran = desk("assign", ANNA, "acme")
    assert ran.code == code
    assert ("was erased at" in ran.err) is (code == 2)
    assert ("AccountID" in stored(desk)[0]) is (code == 0)


def test_the_row_goes_with_the_account_when_it_is_erased_at_the_same_moment(desk: Desk) -> None:
    desk.link(ANNA, None, "2026-01-01T00:00:00Z")

    def erase(operation: str) -> None:
        if operation == "update_item":
            desk.table.before = lambda operation: None
            note_erasure(desk.table, TABLE, "acme", desk.now_ms)

    desk.table.before = erase
    assert desk("assign", ANNA, "acme").code == 2
    assert "acme" not in repr(desk.table.items)


def test_it_refuses_when_the_row_got_an_account_at_the_same_moment(desk: Desk) -> None:
    link = desk.link(ANNA, None, "2026-01-01T00:00:00Z")

    def resolve(operation: str) -> None:
        if operation == "update_item":
            desk.table.items[(ANNA, link.sort_key)]["AccountID"] = {"S": "bolt"}

    desk.table.before = resolve
    assert desk("assign", ANNA, "acme").code == 2
    assert stored(desk)[0]["AccountID"] == "bolt"
