"""Who was this user id then: known, linked but account not known, and none are different answers, in words and in exit codes."""

import pytest

from tests.customers.conftest import ANNA, BEN, Desk

DAY = "2026-03-14"


def test_the_account_is_named_when_it_is_known(desk: Desk) -> None:
    desk.link(ANNA, "acme", f"{DAY}T09:00:00Z")
    ran = desk("who", ANNA)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.split() == ["known", "acme", "2026-03-14T09:00:00Z", "still", "open", "RESOLVED", "EVENT"]


@pytest.mark.parametrize(("why", "status"), [("", "PENDING"), ("INVALID_TOKEN", "UNRESOLVED:INVALID_TOKEN")])
def test_exit_code_is_3_when_the_account_is_not_known(desk: Desk, why: str, status: str) -> None:
    desk.link(ANNA, None, f"{DAY}T09:00:00Z", why=why)
    ran = desk("who", ANNA)
    assert ran.code == 3
    assert ran.out.startswith("linked, account not known\n")
    assert status in ran.out


@pytest.mark.parametrize(
    ("at", "account"),
    [
        ("2026-03-14T08:59:59.999Z", None),
        ("2026-03-14T09:00:00Z", "acme"),
        ("2026-03-14T09:59:59.999Z", "acme"),
        ("2026-03-14T10:00:00Z", "bolt"),
        ("2026-03-14T12:00:00+01:00", "bolt"),
        ("2026-03-14T11:30:00Z", None),
    ],
)
def test_a_row_holds_from_its_start_until_its_end_when_an_instant_is_asked_for(desk: Desk, at: str, account: str | None) -> None:
    desk.link(ANNA, "acme", f"{DAY}T09:00:00Z")
    desk.link(ANNA, "bolt", f"{DAY}T10:00:00Z")
    desk.end(ANNA, f"{DAY}T11:30:00Z")
    ran = desk("who", ANNA, "--at", at, "--json")
    assert ran.code == (0 if account else 1)
    assert [row["AccountID"] for row in ran.json["rows"]] == ([account] if account else [])


@pytest.mark.parametrize(
    ("day", "accounts"),
    [("2026-03-13", []), (DAY, ["acme", "bolt"]), ("2026-03-15", ["bolt"]), ("2026-03-16", ["bolt"]), ("2026-03-17", [])],
)
def test_all_rows_that_touch_the_day_are_shown_when_a_date_is_asked_for(desk: Desk, day: str, accounts: list[str]) -> None:
    desk.link(ANNA, "acme", f"{DAY}T00:00:00Z")
    desk.link(ANNA, "bolt", f"{DAY}T23:59:59.999Z")
    desk.end(ANNA, "2026-03-16T00:00:00.001Z")
    ran = desk("who", ANNA, "--at", day, "--json")
    assert [row["AccountID"] for row in ran.json["rows"]] == accounts
    assert ran.json["at"] == day


def test_adjacent_rows_of_one_account_are_one_period_when_shown(desk: Desk) -> None:
    desk.link(ANNA, "acme", f"{DAY}T09:00:00Z")
    desk.link(ANNA, "acme", f"{DAY}T10:00:00Z", "OBSERVED")
    desk.link(ANNA, None, f"{DAY}T11:00:00Z")
    desk.link(ANNA, None, f"{DAY}T12:00:00Z")
    desk.link(ANNA, "acme", f"{DAY}T13:00:00Z")
    rows = desk("history", ANNA, "--json").json["rows"]
    assert [(row["AccountID"], row["StartDatetime"][11:13], (row["EndDatetime"] or "")[11:13], row["Source"]) for row in rows] == [
        ("acme", "09", "11", "EVENT, OBSERVED"), (None, "11", "12", "EVENT"), (None, "12", "13", "EVENT"), ("acme", "13", "", "EVENT"),
    ]  # fmt: skip


def test_a_row_without_length_is_no_answer_when_its_day_is_asked_for(desk: Desk) -> None:
    desk.link(ANNA, "acme", f"{DAY}T09:00:00Z")
    desk.end(ANNA, f"{DAY}T09:00:00Z")
    assert desk("who", ANNA, "--at", DAY).code == 1


@pytest.mark.parametrize("half_done", [True, False])
def test_the_end_is_the_folds_when_an_event_died_half_way(desk: Desk, half_done: bool) -> None:
    first = desk.link(ANNA, "acme", f"{DAY}T09:00:00Z")
    desk.link(ANNA, "bolt", f"{DAY}T10:00:00Z")
    if half_done:
        for name in ("EndMs", "EndDatetime"):
            del desk.table.items[(ANNA, first.sort_key)][name]
    rows = desk("history", ANNA, "--json").json["rows"]
    assert [row["EndDatetime"] for row in rows] == ["2026-03-14T10:00:00Z", None]


@pytest.mark.parametrize("odd", ["", " ", "nobody", "a b", '"', "'; --", "X#0123", "x" * 3000, "\udcff", "\x1b[31m", "ünï"])
def test_nobody_is_found_when_the_id_is_odd(desk: Desk, odd: str) -> None:
    ran = desk("who", odd)
    assert (ran.code, ran.out, ran.err) == (1, "none\n", "")
    assert desk("history", odd).code == 1


UNCLEAR = """
    yesterday|2026-03-14T09:00:00|2026-03-14 09:00|2026-02-30|14.03.2026|2026-3-4|20260314|2026-W11-6||2026-03-14T25:00:00Z
    |2026-03-14T09:00:00 Europe/Paris|1773480000|٢٠٢٦-٠٣-١٤|0001-01-01T00:00:00+23:59
""".replace("\n", "").split("|")


@pytest.mark.parametrize("at", UNCLEAR)
def test_a_time_is_refused_when_it_leaves_a_doubt(desk: Desk, at: str) -> None:
    ran = desk("who", ANNA, "--at", at)
    assert (ran.code, ran.out) == (2, "")
    assert "Error: Invalid value for '--at'" in ran.err
    assert "Traceback" not in ran.err


def test_the_zone_is_asked_for_when_it_is_missing(desk: Desk) -> None:
    assert "write 2026-03-14T09:00:00Z for UTC" in desk("who", ANNA, "--at", "2026-03-14T09:00:00").err


def test_a_row_is_gone_when_it_has_expired_and_is_not_deleted_yet(desk: Desk) -> None:
    link = desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.end(ANNA, "2026-02-01T00:00:00Z")
    desk.table.items[(ANNA, link.sort_key)]["ExpiresAt"] = {"N": str(desk.now_ms // 1000)}
    assert desk("history", ANNA).code == 1


def test_all_user_ids_of_an_account_are_listed_when_it_had_several(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.end(ANNA, "2026-02-01T00:00:00Z")
    desk.link(BEN, "acme", "2026-02-02T00:00:00Z")
    desk.link(BEN, "bolt", "2026-02-03T00:00:00Z")
    ran = desk("account", "acme", "--json")
    assert ran.code == 0
    assert [(row["AmazonUserID"], row["EndDatetime"]) for row in ran.json["rows"]] == [
        (ANNA, "2026-02-01T00:00:00Z"), (BEN, "2026-02-03T00:00:00Z"),
    ]  # fmt: skip
    assert "2 user ids" in desk("account", "acme").out


@pytest.mark.parametrize("account", ["nobody", "", "X#1"])
def test_exit_code_is_1_when_an_account_has_no_user_id(desk: Desk, account: str) -> None:
    assert desk("account", account).code == 1


def test_nothing_of_the_tables_writes_to_the_terminal_when_it_holds_control_characters(desk: Desk) -> None:
    desk.link(ANNA, "a\x1b[31mred\n", "2026-01-01T00:00:00Z")
    assert "\x1b" not in desk("who", ANNA).out
    assert desk("who", ANNA, "--json").json["rows"][0]["AccountID"] == "a\x1b[31mred\n"


def test_reading_writes_nothing_when_it_is_done(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    before = repr(desk.table.items)
    for command in (("who", ANNA), ("history", ANNA), ("account", "acme"), ("repair",), ("erase", "acme")):
        desk(*command)
    assert repr(desk.table.items) == before
