"""Times as an operator writes them: a date is the whole UTC day, a time names its zone, everything else is refused."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import click

from linked_profile.fold import to_iso, to_ms

DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?", re.ASCII)
FORMS = "2026-03-14 (the whole UTC day) or 2026-03-14T09:00:00Z"


class Lasting(Protocol):
    """A row or a joined period."""

    @property
    def start_ms(self) -> int: ...

    @property
    def end_ms(self) -> int | None: ...


@dataclass(frozen=True)
class Span:
    """An instant, or the first and the last millisecond of a day."""

    first_ms: int
    last_ms: int
    is_day: bool = False

    def touches(self, period: Lasting) -> bool:
        """Whether the period held at the instant, or at some instant of the day."""
        return period.start_ms <= self.last_ms and (period.end_ms is None or period.end_ms > self.first_ms)

    def __str__(self) -> str:
        return to_iso(self.first_ms)[:10] if self.is_day else to_iso(self.first_ms)


def parse_time(text: str) -> Span:
    """Raises ValueError, whose message says what is wrong."""
    text = text.strip()
    if WITHOUT_ZONE.fullmatch(text):
        raise ValueError(f"a time without a zone names no instant: write {text}Z for UTC")
    is_day = DATE.fullmatch(text) is not None
    if not is_day and not INSTANT.fullmatch(text):
        raise ValueError(f"not a time: write {FORMS}")
    try:
        when = datetime.fromisoformat(text.upper()).replace(tzinfo=UTC) if is_day else datetime.fromisoformat(text.upper())
        first_ms = to_ms(when.astimezone(UTC))
    except (ValueError, OverflowError):
        raise ValueError("there is no such date or time") from None
    return (
        Span(first_ms, first_ms + (timedelta(days=1) // timedelta(milliseconds=1)) - 1, is_day=True) if is_day else Span(first_ms, first_ms)
    )


class TimeType(click.ParamType[Span]):
    """An option's time."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Span:
        if isinstance(value, Span):
            return value
        try:
            return parse_time(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
