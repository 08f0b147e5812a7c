"""The batch look-up: a file of user ids in, the same file with an account for each row out. For Amazon's communications."""

from collections.abc import Iterator
from pathlib import Path

import click

from tools.customers.answers import COLUMNS, Period, answer_of, counted, is_user_id
from tools.customers.atomic_files import whole_file
from tools.customers.csv_files import CsvFile, open_csv
from tools.customers.errors import WrongUseError
from tools.customers.lookup_scratch import Histories, digest_of_file
from tools.customers.progress import progress
from tools.customers.session import Session, with_session
from tools.customers.table_access import MOST_THREADS
from tools.customers.times import Span, TimeType, parse_time

USER_ID_NAMES = ("amazonuserid", "userid")
SEPARATOR = "; "


@click.command(short_help="The batch job: an account for every row of a file.")
@click.argument("source", metavar="IN.csv", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("target", metavar="OUT.csv", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--at", type=TimeType(), default=None, help="The time of all rows. [default: when the look-up was first started]")
@click.option("--at-column", default=None, metavar="NAME", help="The column that holds each row's own time.")
@click.option("--column", default=None, metavar="NAME", help="The column of user ids. [default: AmazonUserID, user_id, userId, …]")
@click.option("--rate", type=click.FloatRange(min=0.1), default=1000.0, show_default=True, help="Most reads a second, over all threads.")
@click.option("--threads", type=click.IntRange(1, MOST_THREADS), default=16, show_default=True, help="Reads at the same time.")
@with_session
def lookup(
    session: Session, source: Path, target: Path, at: Span | None, at_column: str | None, column: str | None, rate: float, threads: int
) -> int:
    """Answer every row of IN.csv in OUT.csv: which account its user id stood for at that time.

    \b
      python -m tools.customers lookup IN.csv OUT.csv --at 2026-03-14 --stack my-skill
      python -m tools.customers lookup IN.csv OUT.csv --at-column "Sent at" --rate 200

    OUT.csv has the rows of IN.csv in their order, duplicates too, with the columns AccountID, StartDatetime, EndDatetime, Status and
    Source after their own. Status is known, none, account not known, wrong id or wrong time. A date is a whole UTC day: where it has
    several periods, each column holds all of them, in order, separated by "; ". Blank lines are left out. A cell that a spreadsheet would
    run (it begins with = + - @, tab or CR) gets an apostrophe before it. Encoding, delimiter and line ends are those of IN.csv.

    Each user id is read once, however often it stands in IN.csv. What was read is kept in OUT.csv.scratch until OUT.csv is whole:
    interrupted at any moment, the same command goes on where it was, with the time of its first start. OUT.csv appears at the end, whole.
    """
    if at and at_column:
        raise WrongUseError("--at and --at-column exclude each other")
    if source.resolve() == target.resolve():
        raise WrongUseError("IN.csv and OUT.csv are the same file")
    rows = open_csv(source, USER_ID_NAMES, column)
    time_column = rows.find_column(at_column) if at_column else None
    identity = {"input": digest_of_file(source), "at": str(at), "at_column": at_column, "column": column, "table": session.access.place}
    with Histories(target, identity) as histories:
        now_ms = histories.fact("now_ms", int(session.access.clock() * 1000))
        read_histories(session, rows, histories, rate, threads)
        counts = write_answers(session, rows, histories, target, at or Span(now_ms, now_ms), time_column)
        histories.discard()
    summarise(session, target, at or Span(now_ms, now_ms), counts)
    return 0


def read_histories(session: Session, rows: CsvFile, histories: Histories, rate: float, threads: int) -> None:
    """Every id of the file is in the scratch file after this, with its periods."""
    if not histories.knows("staged"):
        with progress("user ids") as advance:
            histories.stage(user_ids(rows), advance)
    total, done = histories.counts()
    if done:
        session.note(f"goes on: {done:,} of {total:,} user ids are read already")
    access = session.access
    with progress("look-up", total, done) as advance:
        histories.read_missing(access.client_without_retries, access.table.name, access.clock, rate, threads, advance)


def user_ids(rows: CsvFile) -> Iterator[str]:
    """What can be asked for, repeated ones too."""
    for _, cells in rows.rows():
        amazon_user_id = cells[rows.column].strip()
        if is_user_id(amazon_user_id):
            yield amazon_user_id


def write_answers(session: Session, rows: CsvFile, histories: Histories, target: Path, at: Span, time_column: int | None) -> dict[str, int]:
    """OUT.csv, whole; how many rows have which status."""
    counts: dict[str, int] = {}
    with progress("writing", histories.fact("staged", 0)) as advance, whole_file(target) as file:
        file.write(rows.format.mark + rows.format.line([*(rows.header or ["AmazonUserID"]), *COLUMNS]))
        for _, cells in rows.rows():
            status, columns = answer_row(cells, rows.column, histories, at, time_column)
            file.write(rows.format.line([*cells, *columns]))
            counts[status] = counts.get(status, 0) + 1
            session.audit.rows += 1
            advance(1)
    return counts


def answer_row(cells: list[str], id_column: int, histories: Histories, at: Span, time_column: int | None) -> tuple[str, list[str]]:
    """The status in one word, and the five columns."""
    amazon_user_id = cells[id_column].strip()
    if not is_user_id(amazon_user_id):
        return "wrong id", columns_of("wrong id", [])
    if time_column is not None:
        try:
            at = parse_time(cells[time_column])
        except ValueError:
            return "wrong time", columns_of("wrong time", [])
    periods = [period for period in histories.find(amazon_user_id) if at.touches(period)]
    return answer_of(periods), columns_of(answer_of(periods), periods)


def columns_of(status: str, periods: list[Period]) -> list[str]:
    """AccountID, StartDatetime, EndDatetime, Status, Source; of several periods, each column holds all."""
    if not periods:
        return ["", "", "", status, ""]
    columns = [{**period.columns, "Status": answer_of([period])} for period in periods]
    return [SEPARATOR.join(each[name] or "" for each in columns) for name in COLUMNS]


def summarise(session: Session, target: Path, at: Span, counts: dict[str, int]) -> None:
    """What became of the rows."""
    session.result({"output": str(target), "at": str(at), "rows": sum(counts.values()), **counts})
    session.say(f"{target}: {counted(sum(counts.values()), 'row')}", fg="green", bold=True)
    session.table((status, f"{count:,}") for status, count in sorted(counts.items()))
