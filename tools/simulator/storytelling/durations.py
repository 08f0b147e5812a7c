"""Spans of time as people write them: 90 seconds, 20 minutes, 1 hour 30 minutes, 31 days."""

import re
from datetime import timedelta

UNITS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
ABBREVIATIONS = {"s": "second", "min": "minute", "m": "minute", "h": "hour", "d": "day", "w": "week"}
PART = re.compile(r"(\d+)\s*([a-z]+)\s*(?:,|and)?\s*")
ALLOWED = "such as 90 seconds, 20 minutes, 1 hour 30 minutes or 31 days"
LONGEST = timedelta(days=3_650)


def parse_duration(text: str) -> timedelta:
    """Raises ValueError, with what is allowed, for anything else."""
    wanted, seconds, place = text.strip().lower().removeprefix("+"), 0, 0
    while place < len(wanted) and (part := PART.match(wanted, place)):
        unit = ABBREVIATIONS.get(part[2], part[2].removesuffix("s"))
        if unit not in UNITS or len(part[1]) > 9:
            break
        seconds, place = seconds + int(part[1]) * UNITS[unit], part.end()
    if not wanted or place < len(wanted):
        raise ValueError(f"{text!r} is no duration, {ALLOWED}")
    if timedelta(seconds=seconds) > LONGEST:
        raise ValueError(f"{text!r} is too long: at most {LONGEST.days:,} days")
    return timedelta(seconds=seconds)


def in_words(duration: timedelta) -> str:
    """1 hour 30 minutes."""
    left, words = int(duration.total_seconds()), []
    for unit in ("day", "hour", "minute", "second"):
        count, left = divmod(left, UNITS[unit])
        if count:
            words.append(f"{count:,} {unit}{'' if count == 1 else 's'}")
    return " ".join(words) or "0 seconds"
