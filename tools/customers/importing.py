"""The import of rows that a system kept before this one: everything is checked before anything is written."""

from contextlib import closing
from pathlib import Path

import click

from tools.customers.answers import counted
from tools.customers.csv_files import open_csv
from tools.customers.errors import WrongUseError
from tools.customers.import_rows import read_links
from tools.customers.import_staging import ImportStaging
from tools.customers.lookup import USER_ID_NAMES
from tools.customers.progress import progress
from tools.customers.session import Session, with_session
from tools.customers.table_access import MOST_THREADS

MOST_SHOWN = 50


@click.command("import", short_help="Take over rows that another system kept.")
@click.argument("source", metavar="IN.csv", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--apply", is_flag=True, help="Write the rows, if all of them are right. Without it they are only checked.")
@click.option("--column", default=None, metavar="NAME", help="The column of user ids. [default: AmazonUserID, user_id, userId, …]")
@click.option(
    "--retention-days",
    type=click.IntRange(0, 36_500),
    envvar="RETENTION_DAYS",
    default=0,
    metavar="N",
    help="Rows expire N days after their end; 0 = never. [env: RETENTION_DAYS]",
)
@click.option("--rate", type=click.FloatRange(min=0.1), default=500.0, show_default=True, help="Most reads or writes a second.")
@click.option("--threads", type=click.IntRange(1, MOST_THREADS), default=16, show_default=True, help="Reads or writes at the same time.")
@with_session
def import_rows(session: Session, *, source: Path, apply: bool, column: str | None, retention_days: int, rate: float, threads: int) -> int:
    """Take over rows that another system kept: columns AmazonUserID, AccountID, StartDatetime, EndDatetime (ID is made anew).

    \b
      python -m tools.customers import IN.csv --stack my-skill
      python -m tools.customers import IN.csv --stack my-skill --apply --reason "rows of 2024, from the old database"

    All rows are checked first, against each other and against the record: times with a zone, no end before its start, no two periods of
    one user id that overlap, no account that was erased since. With one wrong row nothing is written; its line is named. An empty
    EndDatetime is an open row, an empty AccountID an account not known. Source is OPERATOR. A row that is there already is left
    alone, so an interrupted import is simply run again.
    """
    rows = open_csv(source, USER_ID_NAMES, column)
    session.audit.dry_run = not apply
    with closing(ImportStaging(session.access, rate, threads)) as staging:
        staging.stage(read_links(rows, int(session.access.clock() * 1000)))
        with progress("checking") as advance:
            staging.check_periods(advance)
        staging.check_erased()
        refuse(session, source, staging)
        counts = staging.counts()
        with progress("writing", counts["new"]) as advance:
            session.audit.rows = staging.write(advance) if apply else counts["new"]
    session.result({"applied": apply, **counts})
    known = f"{counts['present']:,} there already, {counts['expired']:,} past their retention"
    session.say(f"{counted(counts['rows'], 'row')}, all right: {counts['new']:,} new, {known}.")
    written = f"Written: {counted(session.audit.rows, 'row')}."
    session.say(written if apply else "Nothing is written. To write them: --apply", fg="green", bold=True)
    return 0


def refuse(session: Session, source: Path, staging: ImportStaging) -> None:
    """Raises WrongUseError where any row is wrong, after naming the first ones."""
    count, complaints = staging.complaints(MOST_SHOWN)
    if not count:
        return
    for line, complaint in complaints:
        session.note(f"{source.name}, line {line}: {complaint}")
    session.result({"applied": False, "wrong": [{"line": line, "complaint": complaint} for line, complaint in complaints], "count": count})
    raise WrongUseError(f"{counted(count, 'wrong row')}; nothing is written")
