"""The moment that an operator asks about: 10 minutes before the end, halfway, now, or a time."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.simulator.storytelling.durations import parse_duration

Row = Mapping[str, Any]
Moment = Callable[[Row, datetime], datetime]  # in UTC, of a row and of Alexa's time now
BESIDE = re.compile(r"(?:(?P<span>.+) (?P<side>before|after) )?the (?P<edge>start|end)")
ALLOWED = "such as now, halfway, the start, 10 minutes before the end, 1 hour after the end, or 2026-03-14T08:00:00Z"


def parse_moment(text: str) -> Moment:
    """Raises ValueError, with what is allowed, for anything else; the moment itself raises LookupError for an end that is not there."""
    said = " ".join(text.lower().split())
    if said == "now":
        return lambda row, now: now
    if said == "halfway":
        return lambda row, now: edge(row, "start") + (edge(row, "end") - edge(row, "start")) / 2
    if beside := BESIDE.fullmatch(said):
        span = parse_duration(beside["span"]) if beside["span"] else timedelta(0)
        signed, name = -span if beside["side"] == "before" else span, beside["edge"]
        return lambda row, now: edge(row, name) + signed
    return at_time(text)


def at_time(text: str) -> Moment:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no moment, {ALLOWED}") from None
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone, {ALLOWED}")
    return lambda row, now: at.astimezone(UTC)


def edge(row: Row, name: str) -> datetime:
    """The row's start or end, aware."""
    value = row.get(f"{name.capitalize()}Datetime")
    if not value:
        raise LookupError("there is no row" if name == "start" else "the row is open and has no end")
    return datetime.fromisoformat(str(value))
