"""The export: every row once, with the fold's end, in a file that is there whole or not at all."""

import csv
import json
import random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from linked_profile.fold import erase_link
from tests.customers.conftest import ANNA, BEN, FOREVER, Desk, ms
from tests.in_memory_table import InMemoryTable

HEADER = ["ID", "AmazonUserID", "AccountID", "StartDatetime", "EndDatetime", "Status", "Source"]


@pytest.fixture
def full(desk: Desk) -> Desk:
    """Forty user ids with up to six rows each, in pages of five items."""
    desk.table = InMemoryTable(page_size=5)
    chance = random.Random(1)
    for number in range(40):
        for _ in range(chance.randint(1, 6)):
            at = f"2026-03-{chance.randint(1, 19):02d}T{chance.randint(0, 23):02d}:00:00Z"
            if chance.random() < 0.3:
                desk.end(f"user-{number}", at)
            else:
                desk.link(f"user-{number}", chance.choice(["acme", "bolt", None]), at)
    return desk


def export(desk: Desk, name: str, *options: object) -> list[Any]:
    target = desk.folder / name
    ran = desk("export", target, *options)
    assert ran.code == 0, ran.err
    assert not (desk.folder / f"{name}.scratch").exists()
    text = target.read_bytes().decode()
    return [json.loads(line) for line in text.splitlines()] if name.endswith("jsonl") else list(csv.reader(text.splitlines(keepends=True)))


def test_amazons_columns_and_ours_are_written_when_exported(desk: Desk) -> None:
    link = desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.end(ANNA, "2026-02-01T00:00:00Z")
    columns = [link.id, ANNA, "acme", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "RESOLVED", "EVENT"]
    assert export(desk, "out.csv") == [HEADER, columns]
    assert export(desk, "out.jsonl") == [dict(zip(HEADER, columns, strict=True))]


def test_what_is_absent_is_empty_or_null_when_a_row_is_open_and_not_known(desk: Desk) -> None:
    desk.link(ANNA, None, "2026-01-01T00:00:00Z")
    assert export(desk, "out.csv")[1][2:] == ["", "2026-01-01T00:00:00Z", "", "PENDING", "EVENT"]
    assert export(desk, "out.jsonl")[0]["EndDatetime"] is None


@pytest.mark.parametrize("segments", [1, 3, 16])
def test_every_row_is_there_once_and_folded_when_partitions_span_pages(full: Desk, segments: int) -> None:
    expected = {row.id: row.end_ms for number in range(40) for row in full.mappings.history(f"user-{number}", FOREVER)}
    rows = export(full, "out.jsonl", "--segments", segments)
    assert {row["ID"]: row["EndDatetime"] is None for row in rows} == {row_id: end is None for row_id, end in expected.items()}
    assert len(rows) == len(expected) > 60


def test_only_open_rows_are_written_when_asked(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.link(ANNA, "bolt", "2026-02-01T00:00:00Z")
    assert [row["AccountID"] for row in export(desk, "out.jsonl", "--open-only")] == ["bolt"]


@pytest.mark.parametrize(
    ("since", "accounts"), [("2026-01-01", ["acme", "bolt"]), ("2026-02-01", ["bolt"]), ("2026-01-31T23:59:59Z", ["acme", "bolt"])]
)
def test_only_rows_that_held_later_are_written_when_a_time_is_given(desk: Desk, since: str, accounts: list[str]) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    desk.link(ANNA, "bolt", "2026-02-01T00:00:00Z")
    assert [row["AccountID"] for row in export(desk, "out.jsonl", "--since", since)] == accounts


def test_neither_erased_links_nor_notes_are_rows_when_exported(desk: Desk) -> None:
    desk.table.update_item(**erase_link(desk.link(ANNA, "acme", "2026-01-01T00:00:00Z"), "acme", 1))
    desk.link(BEN, "bolt", "2026-01-01T00:00:00Z")
    desk("erase", "gone", "--yes", "0")
    assert [row["AmazonUserID"] for row in export(desk, "out.jsonl")] == [BEN]


def test_the_snapshots_time_stands_beside_the_file_when_it_is_done(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    export(desk, "out.csv", "--open-only")
    assert json.loads((desk.folder / "out.csv.snapshot.json").read_text()) == {
        "table": "account-mappings", "from": desk.now, "until": desk.now, "open_only": True, "since": None, "rows": 1,
    }  # fmt: skip


def test_a_cell_is_defused_when_a_spreadsheet_would_run_it(desk: Desk) -> None:
    desk.link("=1+1", "@SUM(A1)", "2026-01-01T00:00:00Z")
    assert export(desk, "out.csv")[1][1:3] == ["'=1+1", "'@SUM(A1)"]
    assert export(desk, "out.jsonl")[0]["AccountID"] == "@SUM(A1)"


def test_each_row_was_true_at_some_instant_when_events_come_during_the_export(full: Desk) -> None:
    chance, true = random.Random(2), set()

    def note_rows(operation: str = "") -> None:
        true.update((row.id, row.end_ms) for number in range(40) for row in full.mappings.history(f"user-{number}", FOREVER))

    def happen(operation: str) -> None:
        full.table.before = lambda operation: None
        full.link(f"user-{chance.randint(0, 39)}", "cord", f"2026-03-19T{chance.randint(0, 23):02d}:30:00Z")
        note_rows()
        full.table.before = happen

    note_rows()
    full.table.before = happen
    rows = export(full, "out.jsonl", "--segments", 1)
    assert {(row["ID"], ms(row["EndDatetime"]) if row["EndDatetime"] else None) for row in rows} <= true
    assert any(row["AccountID"] == "cord" for row in rows)


def interrupt_after(desk: Desk, calls: int) -> None:
    last = len(desk.table.calls) + calls

    def interrupt(operation: str) -> None:
        if len(desk.table.calls) == last:
            desk.table.before = lambda operation: None
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "Scan")

    desk.table.before = interrupt


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_file_is_the_same_when_the_export_was_interrupted_again_and_again(full: Desk, kind: str) -> None:
    export(full, f"whole.{kind}", "--segments", 3)
    target, codes = full.folder / f"broken.{kind}", []
    for calls in range(1, 12):
        interrupt_after(full, calls)
        codes.append(full("export", target, "--segments", 3).code)
        assert target.exists() is (codes[-1] == 0)
        if codes[-1] == 0:
            break
    assert codes[-1] == 0
    assert len(codes) > 3
    assert target.read_bytes() == (full.folder / f"whole.{kind}").read_bytes()


def test_it_goes_on_where_it_was_when_it_was_interrupted(full: Desk) -> None:
    full.table.calls.clear()
    export(full, "whole.csv", "--segments", 2)
    undisturbed = len(full.table.calls)
    interrupt_after(full, undisturbed // 2)
    assert full("export", full.folder / "out.csv", "--segments", 2).code == 2
    full.table.calls.clear()
    export(full, "out.csv", "--segments", 2)
    assert len(full.table.calls) < undisturbed


def test_it_refuses_when_the_scratch_file_is_of_another_export(full: Desk) -> None:
    interrupt_after(full, 2)
    full("export", full.folder / "out.csv")
    ran = full("export", full.folder / "out.csv", "--open-only")
    assert (ran.code, "another input or other options" in ran.err) == (2, True)


@pytest.mark.parametrize("arguments", [(), ("out.txt",), ("out",), ("out.csv", "--to-s3", "bucket"), ("--to-s3", "bucket", "--open-only")])
def test_exit_code_is_2_when_it_is_not_clear_where_to(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk("export", *arguments).code == 2


def test_dynamodb_exports_to_s3_when_asked(desk: Desk) -> None:
    client = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    desk.table, stub = client, Stubber(client)
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/account-mappings"
    stub.add_response("describe_table", {"Table": {"TableArn": arn}}, {"TableName": "account-mappings"})
    call = {"TableArn": arn, "S3Bucket": "my-bucket", "ExportFormat": "DYNAMODB_JSON", "S3Prefix": "mappings/"}
    answer = {"ExportDescription": {"ExportArn": f"{arn}/export/01", "ExportStatus": "IN_PROGRESS"}}
    stub.add_response("export_table_to_point_in_time", answer, call)
    with stub:
        ran = desk("export", "--to-s3", "my-bucket", "--s3-prefix", "mappings/", "--json")
    assert (ran.code, ran.json["ExportArn"], ran.json["status"]) == (0, f"{arn}/export/01", "IN_PROGRESS")
    stub.assert_no_pending_responses()
