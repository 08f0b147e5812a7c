"""Rows as people read them: folded, periods of one account joined, and the three different answers: known, account not known, none."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from linked_profile.fold import END, LINK, Link, fold, has_expired, item_to_entry, to_iso
from tools.customers.raw_table import Item

Answer = Literal["known", "none", "account not known"]
EXIT_CODES: dict[Answer, int] = {"known": 0, "none": 1, "account not known": 3}
LONGEST_KEY = 2048  # bytes, DynamoDB's limit of a partition key
COLUMNS = ("AccountID", "StartDatetime", "EndDatetime", "Status", "Source")


@dataclass(frozen=True)
class Period:
    """From start_ms on, the user id stood for an account, known or not."""

    account_id: str | None
    start_ms: int
    end_ms: int | None
    status: str
    source: str

    @property
    def columns(self) -> dict[str, str | None]:
        end = None if self.end_ms is None else to_iso(self.end_ms)
        return dict(zip(COLUMNS, (self.account_id, to_iso(self.start_ms), end, self.status, self.source), strict=True))


def is_user_id(text: str) -> bool:
    """Whether the table can have it for a user id; asking for anything else is an error to DynamoDB, or finds a note of ours."""
    try:
        return 0 < len(text.encode()) <= LONGEST_KEY and not text.startswith("X#")
    except UnicodeEncodeError:
        return False


def fold_items(items: Iterable[Item], now: float) -> list[Link]:
    """The rows of one user id, from what is stored of it, but for what has expired; `now` in epoch seconds."""
    mapped = (item for item in items if item["SK"]["S"].startswith((f"{LINK}#", f"{END}#")))
    return fold(item_to_entry(item) for item in mapped if not has_expired(item, now))


def join_periods(rows: Iterable[Link]) -> list[Period]:
    """The rows in order, where adjacent ones of one account are one period; a row without length is none."""
    periods: list[Period] = []
    for row in rows:
        before = periods[-1] if periods else None
        if row.end_ms == row.start_ms:
            continue
        if before and row.account_id is not None and (before.account_id, before.end_ms) == (row.account_id, row.start_ms):
            sources = before.source if row.source in before.source else f"{before.source}, {row.source}"
            periods[-1] = replace(before, end_ms=row.end_ms, source=sources)
        else:
            periods.append(Period(row.account_id, row.start_ms, row.end_ms, row.status, row.source))
    return periods


def answer_of(periods: Iterable[Period]) -> Answer:
    """Of several periods, one with a known account makes it known."""
    accounts = {period.account_id is not None for period in periods}
    return "known" if True in accounts else "account not known" if accounts else "none"


def counted(number: int, noun: str) -> str:
    """1 row, 1,000 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(value: Any) -> str:
    """Without control characters: what stands in a table must not write to the operator's terminal on its own account."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(value))
