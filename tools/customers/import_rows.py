"""The rows that a system kept before this one: read from a file, and checked against each other and against what is stored. Pure."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from linked_profile.fold import RESOLVED, UNRESOLVED, End, Link, content_id, fold, to_iso
from tools.customers.answers import is_user_id
from tools.customers.csv_files import CsvFile, plain, undefuse
from tools.customers.errors import WrongUseError
from tools.customers.times import parse_time

Numbered = tuple[int, Link]  # line number in the file, and the row as it will be stored
Complaint = tuple[int, str]
NEEDED = ("accountid", "startdatetime", "enddatetime")
NO_VALUE = re.compile(r"(null|none|nil)?", re.IGNORECASE)


def read_links(rows: CsvFile, now_ms: int) -> Iterator[Numbered | Complaint]:
    """Each row as a link with its end, or what is wrong with it. Raises WrongUseError where a column is missing."""
    names = [plain(name) for name in rows.header or []]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise WrongUseError(
            f"{rows.path.name} has no column {', '.join(missing)}: Amazon's are ID, AmazonUserID, AccountID, StartDatetime, EndDatetime"
        )
    places = [names.index(name) for name in NEEDED]
    for line, cells in rows.rows():
        account_id, start, end = (undefuse(cells[place]).strip() for place in places)
        try:
            yield line, parse_link(undefuse(cells[rows.column]).strip(), account_id, start, end, now_ms)
        except ValueError as error:
            yield line, str(error)


def parse_link(amazon_user_id: str, account_id: str, start: str, end: str, now_ms: int) -> Link:
    """The row as it is stored: under a key made of its content, so that importing it twice changes nothing. Raises ValueError."""
    if not is_user_id(amazon_user_id):
        raise ValueError("AmazonUserID is empty, or none")
    start_ms = parse_instant("StartDatetime", start, now_ms)
    end_ms = None if NO_VALUE.fullmatch(end) else parse_instant("EndDatetime", end, now_ms)
    if end_ms is not None and end_ms < start_ms:
        raise ValueError("EndDatetime is before StartDatetime")
    known = None if NO_VALUE.fullmatch(account_id) else account_id
    eid = content_id("IMPORTED", amazon_user_id, start_ms, f"{known or ''}|{'' if end_ms is None else end_ms}")
    return Link(amazon_user_id, start_ms, eid, "OPERATOR", RESOLVED if known else f"{UNRESOLVED}:IMPORTED", known, end_ms)


def parse_instant(name: str, text: str, now_ms: int) -> int:
    """Raises ValueError; a whole day is no instant, and a period before 1970 or after today is nobody's."""
    try:
        span = parse_time(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if span.is_day:
        raise ValueError(f"{name} is a date: write the time too, {text.strip()}T09:00:00Z")
    if not 0 <= span.first_ms <= now_ms:
        raise ValueError(f"{name} lies {'in the future' if span.first_ms > now_ms else 'before 1970'}")
    return span.first_ms


def overlaps_in_file(links: Iterable[Numbered]) -> Iterator[Complaint]:
    """Of one user id; `links` are in order of their start."""
    for (line, before), (later_line, link) in pairwise(links):
        if before.end_ms is None or link.start_ms < before.end_ms:
            yield later_line, f"overlaps line {line}"


def conflicts_with_stored(stored: list[Link | End], links: list[Numbered]) -> Iterator[Complaint]:
    """Of one user id: the record with these rows has to be the record and these rows, and nothing else."""
    present = {entry.sort_key for entry in stored}
    new = [(line, link) for line, link in links if link.sort_key not in present]
    before = fold(stored)
    after = {row.sort_key: row.end_ms for row in fold([*stored, *(link for _, link in new)])}
    for line, link in new:
        overlapped = next((row for row in before if overlap(row, link)), None)
        if overlapped:
            yield line, f"overlaps the stored row from {to_iso(overlapped.start_ms)}"
        elif link.end_ms is not None and after.get(link.sort_key) != link.end_ms:
            yield line, f"the record has an end at {to_iso(after[link.sort_key] or 0)}, inside this period"
    changed = next((row for row in before if after.get(row.sort_key, -1) != row.end_ms), None)
    if changed and not any(overlap(changed, link) for _, link in new):
        yield new[0][0], f"would change the stored row from {to_iso(changed.start_ms)}"


def overlap(row: Link, link: Link) -> bool:
    """Whether two half-open periods share an instant."""
    return (link.end_ms is None or row.start_ms < link.end_ms) and (row.end_ms is None or link.start_ms < row.end_ms)
