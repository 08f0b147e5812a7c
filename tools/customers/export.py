"""The whole record as a file, CSV or JSON lines; or, past what one machine scans, DynamoDB's own export to S3."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from linked_profile.fold import Link, to_iso
from tools.customers.answers import counted
from tools.customers.atomic_files import whole_file
from tools.customers.csv_files import Format
from tools.customers.errors import WrongUseError
from tools.customers.export_scratch import Lines, SegmentReader
from tools.customers.progress import progress
from tools.customers.session import Session, with_session
from tools.customers.times import Span, TimeType

COLUMNS = ("ID", "AmazonUserID", "AccountID", "StartDatetime", "EndDatetime", "Status", "Source")
CSV = Format(line_end="\r\n")


@click.command(short_help="Every row as CSV or JSON lines, or to S3.")
@click.argument("target", metavar="OUT.csv|OUT.jsonl", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--open-only", is_flag=True, help="Only rows that have no end.")
@click.option("--since", type=TimeType(), default=None, help="Only rows that held at that time or later.")
@click.option("--segments", type=click.IntRange(1, 64), default=4, show_default=True, help="Scans at the same time.")
@click.option("--rate", type=click.FloatRange(min=0.1), default=100.0, show_default=True, help="Most pages (of 1 MB) a second.")
@click.option("--to-s3", metavar="BUCKET", default=None, help="Let DynamoDB export the table as it is to this bucket, and write no file.")
@click.option("--s3-prefix", metavar="PREFIX", default="", help="Where in the bucket.")
@with_session
def export(
    session: Session,
    target: Path | None,
    *,
    open_only: bool,
    since: Span | None,
    segments: int,
    rate: float,
    to_s3: str | None,
    s3_prefix: str,
) -> int:
    """Write every row: Amazon's five columns (ID, AmazonUserID, AccountID, StartDatetime, EndDatetime), Status and Source.

    \b
      python -m tools.customers export OUT.csv --open-only --stack my-skill
      python -m tools.customers export OUT.jsonl --since 2026-01-01 --rate 20
      python -m tools.customers export --to-s3 my-bucket --s3-prefix mappings/

    Ends are those of the fold, right also where an event is half done. Each row was true at some instant of the export; from when to
    when that was stands in OUT.csv.snapshot.json. What was read is kept in OUT.csv.scratch until OUT.csv is whole: interrupted at any
    moment, the same command goes on where it was. OUT.csv appears at the end, whole. With --to-s3 nothing of the table's capacity is
    used; it needs point-in-time recovery, gives the items as they are stored, and works on after the command has ended.
    """
    if to_s3:
        if target or open_only or since:
            raise WrongUseError("--to-s3 exports the table as it is: without OUT, --open-only and --since")
        return export_to_s3(session, to_s3, s3_prefix)
    if target is None or target.suffix not in {".csv", ".jsonl"}:
        raise WrongUseError("say where to: OUT.csv, OUT.jsonl or --to-s3 BUCKET")
    return export_to_file(session, target, open_only=open_only, since=since, segments=segments, rate=rate)


def export_to_file(session: Session, target: Path, *, open_only: bool, since: Span | None, segments: int, rate: float) -> int:
    """Reads what is not in the scratch file yet, then writes the file and says so."""
    wanted = {"open_only": open_only, "since": str(since) if since else None}
    identity = {"export": wanted, "segments": segments, "kind": target.suffix, "table": session.access.place}
    with Lines(target, identity, segments) as lines:
        now_ms = lines.fact("now_ms", int(session.access.clock() * 1000))
        read_segments(session, lines, row_writer(target.suffix, since, open_only=open_only), now_ms / 1000, rate)
        until_ms, session.audit.rows = int(session.access.clock() * 1000), lines.count()
        times = {"from": to_iso(now_ms), "until": to_iso(until_ms)}
        snapshot = {"table": session.access.table.name, **times, **wanted, "rows": session.audit.rows}
        write_export(target, lines, snapshot)
        lines.discard()
    session.result({"output": str(target), **snapshot})
    session.say(f"{target}: {counted(session.audit.rows, 'row')}, as of {times['from']} to {times['until']}", fg="green", bold=True)
    return 0


def row_writer(kind: str, since: Span | None, *, open_only: bool) -> Callable[[Link], bytes | None]:
    """Gives the line of a row; None for one that is not wanted."""

    def write(row: Link) -> bytes | None:
        if (open_only and row.end_ms is not None) or (since and row.end_ms is not None and row.end_ms <= since.first_ms):
            return None
        columns = columns_of(row)
        return CSV.line(value or "" for value in columns.values()) if kind == ".csv" else (json.dumps(columns) + "\n").encode()

    return write


def columns_of(row: Link) -> dict[str, str | None]:
    """Amazon's five columns and ours."""
    end = None if row.end_ms is None else to_iso(row.end_ms)
    return dict(zip(COLUMNS, (row.id, row.amazon_user_id, row.account_id, to_iso(row.start_ms), end, row.status, row.source), strict=True))


def read_segments(session: Session, lines: Lines, write: Callable[[Link], bytes | None], now: float, rate: float) -> None:
    """All segments that are not done yet, from where they were."""
    if lines.items():
        session.note(f"goes on: {lines.items():,} items are read already")
    reader = SegmentReader(session.access.client_without_retries, session.access.table.name, lines.segments, write, now, rate)
    with progress("items", None, lines.items()) as advance:
        for page in reader.read(lines.starts()):
            lines.add(page)
            advance(page.items)


def write_export(target: Path, lines: Lines, snapshot: Mapping[str, object]) -> None:
    """The snapshot's times first, so that they are there when the file is."""
    with whole_file(target.with_name(f"{target.name}.snapshot.json")) as file:
        file.write((json.dumps(snapshot) + "\n").encode())
    with whole_file(target) as file:
        if target.suffix == ".csv":
            file.write(CSV.line(COLUMNS))
        for line in lines.in_order():
            file.write(line)


def export_to_s3(session: Session, bucket: str, prefix: str) -> int:
    """Asks for the export and says how to follow it."""
    client = session.access.client
    arn = client.describe_table(TableName=session.access.table.name)["Table"]["TableArn"]
    call: Any = {"TableArn": arn, "S3Bucket": bucket, "ExportFormat": "DYNAMODB_JSON", **({"S3Prefix": prefix} if prefix else {})}
    asked = client.export_table_to_point_in_time(**call)["ExportDescription"]
    session.result({"ExportArn": asked["ExportArn"], "status": asked["ExportStatus"], "bucket": bucket, "prefix": prefix})
    session.say(f"{asked['ExportStatus']}: {asked['ExportArn']}", fg="green", bold=True)
    session.say(f"To follow it: aws dynamodb describe-export --export-arn {asked['ExportArn']}")
    return 0
