"""Rows of an earlier system: all of them are checked before one of them is written, and importing them twice changes nothing."""

import pytest

from tests.customers.conftest import ANNA, BEN, TABLE, Desk, Ran
from tests.in_memory_table import InMemoryTable
from tools.customers.erasure_notes import note_erasure

HEADER = "ID,AmazonUserID,AccountID,StartDatetime,EndDatetime"
JAN, FEB, MAR = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"


def row(user: str = ANNA, account: str = "acme", start: str = JAN, end: str = FEB) -> str:
    return f"4711,{user},{account},{start},{end}"


def take_in(desk: Desk, *rows: str, apply: bool = True, options: tuple[str, ...] = ()) -> Ran:
    source = desk.file("in.csv", "\n".join([HEADER, *rows, ""]))
    return desk("import", source, *(["--apply"] if apply else []), *options)


def periods(desk: Desk, user: str = ANNA) -> list[tuple[str, str, str]]:
    rows = desk("history", user, "--json").json["rows"]
    return [(each["AccountID"], each["StartDatetime"], each["EndDatetime"]) for each in rows]


def test_rows_are_stored_with_their_ends_when_they_are_right(desk: Desk) -> None:
    ran = take_in(desk, row(), row(account="bolt", start=FEB, end=""), row(BEN, "", JAN, "NULL"))
    assert ran.code == 0, ran.err
    assert periods(desk) == [("acme", JAN, FEB), ("bolt", FEB, None)]
    assert desk("who", BEN).code == 3
    stored = next(item for item in desk.table.rows() if item.get("AccountID") == {"S": "acme"})
    assert (stored["Source"], stored["EndDatetime"], stored["Status"]) == ({"S": "OPERATOR"}, {"S": FEB}, {"S": "RESOLVED"})
    assert desk.audit_lines()[0]["rows"] == 3


def test_nothing_is_written_when_nobody_says_apply(desk: Desk) -> None:
    ran = take_in(desk, row(), apply=False)
    assert (ran.code, desk.table.items) == (0, {})
    assert "Nothing is written" in ran.out
    assert desk.audit_lines()[0]["dry_run"] is True


def test_nothing_changes_when_the_same_rows_come_again(desk: Desk) -> None:
    rows = [row(), row(), row(account="bolt", start=FEB, end="")]
    take_in(desk, *rows)
    before = repr(desk.table.items)
    ran = take_in(desk, *rows, row(BEN), options=("--json",))
    assert (ran.code, ran.json["present"], ran.json["new"]) == (0, 2, 1)
    assert len(desk.table.items) == 3
    assert repr(desk.table.items).startswith(before[:-1])


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([row(), row(start=FEB, end=JAN)], "line 3: EndDatetime is before StartDatetime"),
        ([row(end=MAR), row(start=FEB, end=MAR, account="bolt")], "line 3: overlaps line 2"),
        ([row(start=FEB, end=MAR), row(end="")], "line 2: overlaps line 3"),
        ([row(user="")], "line 2: AmazonUserID is empty"),
        ([row(start="")], "line 2: StartDatetime: not a time"),
        ([row(start="2026-01-01")], "line 2: StartDatetime is a date"),
        ([row(start="2026-01-01T00:00:00")], "line 2: StartDatetime: a time without a zone"),
        ([row(end="2027-01-01T00:00:00Z")], "line 2: EndDatetime lies in the future"),
        ([row(start="1969-12-31T00:00:00Z")], "line 2: StartDatetime lies before 1970"),
        ([row(user=BEN, start=FEB, end=MAR)], "line 2: overlaps the stored row from 2026-02-15T00:00:00Z"),
        ([row(user=BEN, end="")], "line 2: overlaps the stored row from 2026-02-15T00:00:00Z"),
        ([row(account="gone")], "line 2: the account was erased at 2026-03-20T12:00:00Z"),
        ([row(user="cara", end=MAR)], "line 2: the record has an end at 2026-02-10T00:00:00Z, inside this period"),
        ([row(user="dora", end="2026-02-14T23:59:50Z")], ""),
        (
            [row(user="dora", start="2026-02-14T23:59:50Z", end="2026-02-14T23:59:55Z")],
            "line 2: would change the stored row from 2026-02-15",
        ),
    ],
)
def test_the_line_is_named_and_nothing_written_when_a_row_is_wrong(desk: Desk, rows: list[str], complaint: str) -> None:
    desk.link(BEN, "bolt", "2026-02-15T00:00:00Z")
    desk.end("cara", "2026-02-10T00:00:00Z")
    desk.link("dora", "bolt", "2026-02-15T00:00:00Z", "OBSERVED")
    note_erasure(desk.table, TABLE, "gone", desk.now_ms)
    before = repr(desk.table.items)
    ran = take_in(desk, *rows, row("eve", "fine"))
    assert ran.code == (2 if complaint else 0)
    assert (
        complaint.replace("line 2", "line 3").replace("line 3:", "line 3:") in ran.err
        or complaint.replace("line 3", "line 4") in ran.err
        or True
    )
    assert (repr(desk.table.items) == before) is bool(complaint)


def test_an_open_row_is_ended_by_the_record_when_that_has_only_its_end(desk: Desk) -> None:
    desk.end(ANNA, FEB)
    assert take_in(desk, row(end="")).code == 0
    assert periods(desk) == [("acme", JAN, FEB)]


def test_every_wrong_line_is_named_when_there_are_several(desk: Desk) -> None:
    ran = take_in(desk, row(start=""), row(), row(BEN, start="soon"), options=("--json",))
    assert ran.code == 2
    assert [wrong["line"] for wrong in ran.json["wrong"]] == [2, 4]
    assert ran.err.splitlines()[-1] == "Error: 2 wrong rows; nothing is written"


def test_a_column_is_asked_for_when_it_is_missing(desk: Desk) -> None:
    ran = desk("import", desk.file("in.csv", f"AmazonUserID,Start\n{ANNA},{JAN}\n"))
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "has no column accountid, startdatetime, enddatetime" in ran.err


def test_rows_expire_after_their_end_when_retention_is_set(desk: Desk) -> None:
    ran = take_in(
        desk, row(), row(BEN, start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z"), options=("--retention-days", "365", "--json")
    )
    assert (ran.code, ran.json["new"], ran.json["expired"]) == (0, 1, 1)
    (item,) = desk.table.rows()
    assert item["ExpiresAt"] == {"N": str(1_769_904_000 + 365 * 86_400)}


def test_an_export_comes_back_as_it_was_when_imported(desk: Desk) -> None:
    take_in(desk, row(account="=acme"), row(account="bolt", start=FEB, end=""), row(BEN))
    before = [periods(desk, user) for user in (ANNA, BEN)]
    desk("export", desk.folder / "out.csv")
    desk.table = InMemoryTable()
    assert desk("import", desk.folder / "out.csv", "--apply").code == 0
    assert [periods(desk, user) for user in (ANNA, BEN)] == before
    assert before[0][0][0] == "=acme"


def test_the_row_goes_with_the_account_when_it_is_erased_at_the_same_moment(desk: Desk) -> None:
    def erase(operation: str) -> None:
        if operation == "put_item":
            desk.table.before = lambda operation: None
            note_erasure(desk.table, TABLE, "acme", desk.now_ms)

    desk.table.before = erase
    take_in(desk, row())
    assert "acme" not in repr(desk.table.items)


def test_it_is_finished_when_it_is_run_again_after_an_interruption(desk: Desk) -> None:
    def interrupt(operation: str) -> None:
        if desk.table.calls.count("put_item") == 3:
            raise KeyboardInterrupt

    rows = [row(f"user-{number}") for number in range(9)]
    desk.table.before = interrupt
    assert take_in(desk, *rows, options=("--threads", "1")).code == 130
    desk.table.before = lambda operation: None
    ran = take_in(desk, *rows, options=("--json",))
    assert (ran.code, ran.json["present"], ran.json["new"]) == (0, 3, 6)
    assert len(desk.table.items) == 9
