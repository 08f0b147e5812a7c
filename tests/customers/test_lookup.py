"""The batch look-up: one answer for each row in its order, from files of any kind, each user id read once."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.customers.conftest import ANNA, BEN, Desk
from tools.customers.scratch import Scratch

CARA = "amzn1.ask.account.CARA"
ADDED = ["AccountID", "StartDatetime", "EndDatetime", "Status", "Source"]


@pytest.fixture
def customers(desk: Desk) -> Desk:
    """Anna is known, Ben is linked without an account; nobody knows Cara."""
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.link(BEN, None, "2026-01-01T00:00:00Z")
    return desk


def lookup(desk: Desk, content: str | bytes, *options: object) -> bytes:
    source, target = desk.file("in.csv", content), desk.folder / "out.csv"
    ran = desk("lookup", source, target, *options)
    assert ran.code == 0, ran.err
    assert sorted(path.name for path in desk.folder.iterdir()) == ["audit.jsonl", "in.csv", "out.csv"]
    return target.read_bytes()


def table(content: bytes, encoding: str = "utf-8") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(encoding), newline="")))


def statuses(content: bytes, encoding: str = "utf-8") -> list[str]:
    return [row[-2] for row in table(content, encoding)[1:]]


def test_every_row_is_answered_in_its_order_when_some_repeat(customers: Desk) -> None:
    out = lookup(customers, f"AmazonUserID\n{ANNA}\n{CARA}\n{BEN}\n{ANNA}\n{CARA}\n")
    assert table(out) == [
        ["AmazonUserID", *ADDED],
        [ANNA, "acme", "2026-01-01T00:00:00Z", "", "known", "EVENT"],
        [CARA, "", "", "", "none", ""],
        [BEN, "", "2026-01-01T00:00:00Z", "", "account not known", "EVENT"],
        [ANNA, "acme", "2026-01-01T00:00:00Z", "", "known", "EVENT"],
        [CARA, "", "", "", "none", ""],
    ]


def test_each_user_id_is_read_once_when_it_repeats(customers: Desk) -> None:
    customers.table.calls.clear()
    lookup(customers, f"AmazonUserID\n{ANNA}\n{CARA}\n{ANNA}\n {ANNA} \n{CARA}\n")
    assert Counter(customers.table.calls) == {"query": 2}


@pytest.mark.parametrize("header", ["AmazonUserID", "amazonuserid", "user_id", "userId", "USERID", "Amazon User Id", " amazon-user-id "])
def test_the_column_is_found_when_its_header_has_any_case(customers: Desk, header: str) -> None:
    assert statuses(lookup(customers, f"name,{header}\nx,{ANNA}\n")) == ["known"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_file_is_written_as_it_was_when_it_comes_in_any_form(customers: Desk, line_end: str, encoding: str, delimiter: str) -> None:
    rows = [["Name", "User ID", "Note"], ["Zoë", ANNA, "a b"], ["Łukasz", CARA, ""]]
    out = lookup(customers, line_end.join([*(delimiter.join(row) for row in rows), ""]).encode(encoding))
    answers = [ADDED, ["acme", "2026-01-01T00:00:00Z", "", "known", "EVENT"], ["", "", "", "none", ""]]
    lines = [delimiter.join([*row, *answer]) for row, answer in zip(rows, answers, strict=True)]
    assert out == line_end.join([*lines, ""]).encode(encoding)


def test_a_file_of_one_column_needs_no_header_when_it_has_only_ids(customers: Desk) -> None:
    out = lookup(customers, f"{ANNA}\n{CARA}\n")
    assert table(out)[0] == ["AmazonUserID", *ADDED]
    assert statuses(out) == ["known", "none"]


def test_blank_lines_are_left_out_and_quotes_and_line_ends_kept_when_cells_have_them(customers: Desk) -> None:
    out = lookup(customers, f'\r\nNote,UserId\r\n\r\n"say ""hi"", or\r\nnot",{ANNA}\r\n\r\n"","{CARA}"\r\n\r\n')
    assert [row[:2] for row in table(out)] == [["Note", "UserId"], ['say "hi", or\r\nnot', ANNA], ["", CARA]]


def test_bytes_that_are_no_text_come_through_when_a_cell_has_them(customers: Desk) -> None:
    assert b"caf\xe9,amzn1" in lookup(customers, f"note,user_id\ncafé,{ANNA}\n".encode("latin-1"))


ODD = ["a b", "'; DROP", "X#1", "=1+1", "x" * 3000, "amzn1.ask.account.", "\t", "ünï", "a'b", "null"]


@pytest.mark.parametrize("odd", ODD)
def test_the_run_goes_on_when_an_id_is_odd(customers: Desk, odd: str) -> None:
    out = lookup(customers, f'user_id,n\n"{odd}",1\n,2\n{ANNA},3\n')
    assert statuses(out)[0] in {"none", "wrong id"}
    assert statuses(out)[1:] == ["wrong id", "known"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_a_cell_is_defused_when_a_spreadsheet_would_run_it(customers: Desk, start: str) -> None:
    cell = f'{start}cmd|"/c calc"!A1'
    escaped = cell.replace('"', '""')
    out = table(lookup(customers, f'user_id,"{start}head"\n{ANNA},"{escaped}"\n'))
    assert [row[1] for row in out] == [f"'{start}head", f"'{cell}"]


def test_an_account_is_defused_when_it_begins_like_a_formula(desk: Desk) -> None:
    desk.link(ANNA, "=HYPERLINK(1)", "2026-01-01T00:00:00Z")
    assert table(lookup(desk, f"user_id\n{ANNA}\n"))[1][1] == "'=HYPERLINK(1)"


def test_each_row_has_its_own_time_when_a_column_holds_it(customers: Desk) -> None:
    times = ["2025-12-31", "2026-01-01", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", "2026-01-01T09:00:00", "soon", ""]
    out = lookup(customers, "user_id,Sent at\n" + "".join(f"{ANNA},{time}\n" for time in times), "--at-column", "sent AT")
    assert statuses(out) == ["none", "known", "known", "none", "wrong time", "wrong time", "wrong time"]


def test_all_periods_of_the_day_are_in_one_row_when_there_are_several(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-03-14T09:00:00Z")
    desk.link(ANNA, None, "2026-03-14T10:00:00Z")
    desk.link(ANNA, "bolt", "2026-03-14T11:00:00Z")
    row = table(lookup(desk, f"user_id\n{ANNA}\n", "--at", "2026-03-14"))[1]
    assert row[1] == "acme; ; bolt"
    assert row[3:] == ["2026-03-14T10:00:00Z; 2026-03-14T11:00:00Z; ", "known; account not known; known", "EVENT; EVENT; EVENT"]


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("a,b\n1,2\n", (), "no column is named amazonuserid or userid"),
        ("user_id,b\n1,2\n", ("--column", "c"), "no column is named c"),
        ("user_id\n1\n", ("--at-column", "c"), "no column named c"),
        ("user_id,b\n1,2,3\n", (), "line 2: 3 cells where the header has 2"),
        ('user_id,b\n1,"2\n3,4\n', (), "a quotation mark is opened and never closed"),
        ("user_id,b\n" + "x" * 200_000 + ",2\n", (), "field larger than field limit"),
        (b"\xff\xfeu\0s\0e\0r\0_\0i\0d\0\n\0a", (), "in.csv, line"),
        ("user_id\n1\n", ("--at", "2026-01-01", "--at-column", "user_id"), "exclude each other"),
    ],
)
def test_one_line_says_what_is_wrong_when_the_file_cannot_be_used(
    customers: Desk, content: Any, options: tuple[str, ...], words: str
) -> None:
    ran = customers("lookup", customers.file("in.csv", content), customers.folder / "out.csv", *options)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert ran.err.count("\n") == 1
    assert not (customers.folder / "out.csv").exists()


def test_one_line_says_so_when_a_file_cannot_be_opened(customers: Desk) -> None:
    for source, target in (("missing.csv", "out.csv"), (".", "out.csv"), ("in.csv", "no-folder/out.csv"), ("in.csv", "in.csv")):
        customers.file("in.csv", f"user_id\n{ANNA}\n")
        ran = customers("lookup", customers.folder / source, customers.folder / target)
        assert (ran.code, ran.out) == (2, "")
        assert "Traceback" not in ran.err


def test_rows_are_answered_when_some_are_short_or_end_in_empty_cells(customers: Desk) -> None:
    out = table(lookup(customers, f"user_id,a\n{ANNA}\n{CARA},1,,\n"))
    assert [row[:2] for row in out[1:]] == [[ANNA, ""], [CARA, "1"]]
    assert len({len(row) for row in out}) == 1


def test_an_empty_file_has_an_empty_answer_when_it_has_only_a_header(customers: Desk) -> None:
    assert table(lookup(customers, "user_id,a\n")) == [["user_id", "a", *ADDED]]
    (customers.folder / "out.csv").unlink()
    assert table(lookup(customers, "")) == [["AmazonUserID", *ADDED]]


def die_at(desk: Desk, call: int) -> None:
    last = len(desk.table.calls) + call

    def die(operation: str) -> None:
        if len(desk.table.calls) >= last:
            raise KeyboardInterrupt

    desk.table.before = die


def test_it_goes_on_with_its_first_time_when_it_was_interrupted(customers: Desk) -> None:
    users = [f"user-{number}" for number in range(200)]
    source, target = customers.file("in.csv", "user_id\n" + "\n".join([*users, ANNA])), customers.folder / "out.csv"
    die_at(customers, 50)
    assert customers("lookup", source, target, "--threads", "2").code == 130
    assert not target.exists()
    customers.table.before = lambda operation: None
    customers.now = "2026-04-01T00:00:00Z"
    customers.end(ANNA, "2026-03-25T00:00:00Z")
    customers.table.calls.clear()
    ran = customers("lookup", source, target, "--threads", "2", "--json")
    assert (ran.code, ran.json["at"], ran.json["known"], ran.json["none"]) == (0, "2026-03-20T12:00:00Z", 1, 200)
    assert 0 < len(customers.table.calls) <= 160
    assert ran.err.startswith("goes on: ")


@pytest.mark.parametrize("change", [("--at", "2026-01-02"), ("--column", "user_id"), ("content",)])
def test_it_refuses_when_the_scratch_file_is_of_another_look_up(customers: Desk, change: tuple[str, ...]) -> None:
    source, target = customers.file("in.csv", f"user_id\n{CARA}\n{ANNA}\n"), customers.folder / "out.csv"
    die_at(customers, 1)
    assert customers("lookup", source, target, "--threads", "1").code == 130
    customers.table.before = lambda operation: None
    if change == ("content",):
        customers.file("in.csv", f"user_id\n{ANNA}\n")
    ran = customers("lookup", source, target, *(change if change[0] != "content" else ()))
    assert ran.code == 2
    assert "was begun with another input or other options" in ran.err


def test_it_refuses_when_the_scratch_file_is_none(customers: Desk) -> None:
    customers.file("out.csv.scratch", "not a database, but long enough to be taken for one" * 100)
    ran = customers("lookup", customers.file("in.csv", f"user_id\n{ANNA}\n"), customers.folder / "out.csv")
    assert (ran.code, ran.err.count("\n")) == (2, 1)


def test_it_refuses_when_another_run_is_at_work_on_the_same_output(customers: Desk) -> None:
    source = customers.file("in.csv", f"user_id\n{ANNA}\n")
    with Scratch(customers.folder / "out.csv", {}, ""):
        ran = customers("lookup", source, customers.folder / "out.csv")
    assert ran.code == 2
    assert "another run is at work on it" in ran.err


def test_throttling_is_waited_for_when_it_comes(customers: Desk) -> None:
    def throttle(operation: str) -> None:
        customers.table.before = lambda operation: None
        raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}, "Query")

    customers.table.before = throttle
    assert statuses(lookup(customers, f"user_id\n{ANNA}\n")) == ["known"]


def test_the_input_stays_when_the_output_is_written_over(customers: Desk, tmp_path: Path) -> None:
    customers.file("out.csv", "old")
    assert b"old" not in lookup(customers, f"user_id\n{ANNA}\n")
    assert (tmp_path / "in.csv").read_text() == f"user_id\n{ANNA}\n"
