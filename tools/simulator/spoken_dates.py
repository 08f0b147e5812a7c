"""Dates as they are said, in English and German, to the values of AMAZON.DATE: a day, a week, a weekend, a month or a year."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from tools.simulator.spoken_numbers import Language, four_digits, number, ordinal

NOW = {"now", "right now", "jetzt", "gerade"}
DAYS: Mapping[str, int] = {
    "today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1, "day after tomorrow": 2, "day before yesterday": -2,
    "heute": 0, "heute abend": 0, "morgen": 1, "gestern": -1, "übermorgen": 2, "vorgestern": -2,
}  # fmt: skip
WEEKDAYS = {
    "en": "monday tuesday wednesday thursday friday saturday sunday".split(),  # noqa: SIM905
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag".split(),  # noqa: SIM905
}
MONTHS = {
    "en": "january february march april may june july august september october november december".split(),  # noqa: SIM905
    "de": "januar februar märz april mai juni juli august september oktober november dezember".split(),  # noqa: SIM905
}
SPANS = {"week": "week", "weekend": "weekend", "month": "month", "year": "year"} | {
    "woche": "week", "wochenende": "weekend", "monat": "month", "jahr": "year",
}  # fmt: skip
STEPS: Mapping[str, int] = {"this": 0, "next": 1, "coming": 1, "last": -1, "dies": 0, "nächst": 1, "kommend": 1, "letzt": -1}
FILLERS = {"on", "the", "of", "am", "den", "der", "das", "im", "vom"}


def date_value(words: Sequence[str], language: Language, today: date) -> str | None:
    """ISO 8601 as Alexa writes it; a date without a year is the next one from today on. None for words that are no date."""
    said, text = [word for word in words if word not in FILLERS], " ".join(words)
    if text in NOW:
        return "PRESENT_REF"
    day = DAYS.get(" ".join(said))
    if day is not None:
        return (today + timedelta(days=day)).isoformat()
    for read in (relative, weekday, span, day_of_month, written):
        found = read(said, language, today)
        if found:
            return found
    return None


def relative(said: Sequence[str], language: Language, today: date) -> str | None:
    """In three days, in two weeks; in drei Tagen."""
    if len(said) < 3 or said[0] != "in":
        return None
    count, unit = number(said[1:-1], language) or (1 if said[1:-1] == ["a"] else None), said[-1]
    days = {"day": 1, "days": 1, "tag": 1, "tagen": 1, "week": 7, "weeks": 7, "woche": 7, "wochen": 7}.get(unit)
    return (today + timedelta(days=count * days)).isoformat() if count and days and count < 100_000 else None


def weekday(said: Sequence[str], language: Language, today: date) -> str | None:
    """Monday is the next one from today on; next Monday is not today."""
    names = {name: index for index, name in enumerate(WEEKDAYS[language])} | {"sonnabend": 5}
    if not said or said[-1] not in names or len(said) > 2:
        return None
    step = step_of(said[0]) if len(said) == 2 else 0
    if step is None:
        return None
    ahead = (names[said[-1]] - today.weekday()) % 7
    days = ahead - 7 if step < 0 else ahead or 7 * step
    return (today + timedelta(days=days)).isoformat()


def span(said: Sequence[str], _: Language, today: date) -> str | None:
    """This week, next weekend, last month, nächstes Jahr."""
    if len(said) != 2 or said[1] not in SPANS or (step := step_of(said[0])) is None:
        return None
    kind = SPANS[said[1]]
    if kind == "year":
        return f"{today.year + step}"
    if kind == "month":
        months = today.year * 12 + today.month - 1 + step
        return f"{months // 12}-{months % 12 + 1:02d}"
    return (today + timedelta(weeks=step)).strftime("%G-W%V") + ("-WE" if kind == "weekend" else "")


def step_of(word: str) -> int | None:
    """German endings are left off: nächste, nächsten, nächstes."""
    return STEPS.get(word, STEPS.get(word.removesuffix("n").removesuffix("m").removesuffix("r").removesuffix("s").removesuffix("e")))


def day_of_month(said: Sequence[str], language: Language, today: date) -> str | None:
    """November twenty fifth, the 25th of November 2026, 25. November, November; the fifth."""
    names = {name: index for index, name in enumerate(MONTHS[language], 1)}
    at = next((index for index, word in enumerate(said) if word in names), None)
    if at is None:
        day = ordinal(said, language) if said and not "".join(said).isdecimal() else None
        return next_day(day, today) if day else None
    month, rest = names[said[at]], [*said[:at], *said[at + 1 :]]
    if not rest:
        return f"{today.year + (month < today.month)}-{month:02d}"
    year = int(four_digits(rest, language) or 0)
    if year:
        return f"{year}-{month:02d}"
    for cut in range(len(rest), 0, -1):
        day, year = ordinal(rest[:cut], language) or number(rest[:cut], language), int(four_digits(rest[cut:], language) or 0)
        if day and (year or cut == len(rest)):
            return next_date(day, month, year, today)
    return None


def next_date(day: int, month: int, year: int, today: date) -> str | None:
    try:
        found = date(year or today.year, month, day)
        return (found if year or found >= today else found.replace(year=today.year + 1)).isoformat()
    except ValueError:
        return None


def next_day(day: int, today: date) -> str | None:
    """The next month's, where this month's is over or has no such day."""
    for months in range(today.month - 1, today.month + 11):
        try:
            found = date(today.year + months // 12, months % 12 + 1, day)
        except ValueError:
            continue
        if found >= today:
            return found.isoformat()
    return None


def written(said: Sequence[str], _: Language, today: date) -> str | None:
    """2026-11-25, as it is typed."""
    try:
        year, month, day = map(int, said)
        return date(year, month, day).isoformat() if year >= 1000 else None
    except ValueError:
        return None
