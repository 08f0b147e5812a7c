"""Times of day and lengths of time as they are said, in English and German, to the values of AMAZON.TIME and AMAZON.DURATION."""

import re
from collections.abc import Mapping, Sequence

from tools.simulator.spoken_numbers import Language, number

NAMED: Mapping[str, str] = {
    "noon": "12:00", "midday": "12:00", "midnight": "00:00", "mittag": "12:00", "mitternacht": "00:00",
    "morning": "MO", "afternoon": "AF", "evening": "EV", "night": "NI", "tonight": "EV",
    "vormittag": "MO", "nachmittag": "AF", "abend": "EV", "nacht": "NI",
}  # fmt: skip
FILLERS = {"at", "the", "in", "this", "oclock", "uhr", "um", "am", "der"}
# Words that say which half of the day it is; where "am" ends a time, it is not the filler of "am Abend".
BEFORE_NOON = {"a m", "am", "morning", "morgens", "früh", "vormittags"}
AFTER_NOON = {"p m", "pm", "afternoon", "evening", "night", "nachmittags", "abends"}
BEFORE, AFTER, HALF, QUARTER = {"to", "before", "vor"}, {"past", "after", "nach"}, {"half", "halb"}, {"quarter", "viertel"}
UNITS: Mapping[str, str] = {
    "second": "S", "seconds": "S", "sekunde": "S", "sekunden": "S",
    "minute": "M", "minutes": "M", "minuten": "M",
    "hour": "H", "hours": "H", "stunde": "H", "stunden": "H",
    "day": "D", "days": "D", "tag": "D", "tage": "D", "tagen": "D",
    "week": "W", "weeks": "W", "woche": "W", "wochen": "W",
    "month": "m", "months": "m", "monat": "m", "monate": "m",
    "year": "Y", "years": "Y", "jahr": "Y", "jahre": "Y",
}  # fmt: skip
HALF_OF = {"H": ("M", 30), "Y": ("m", 6), "M": ("S", 30), "D": ("H", 12)}
HALF_ENDING = re.compile(r"(half|einhalb|halben?|halb)$")
ARTICLES = {"a", "an", "of", "eine", "einen", "einem", "ein"}


def time_value(words: Sequence[str], language: Language) -> str | None:
    """HH:MM, or MO, AF, EV, NI for a part of the day; None for words that are no time."""
    said, half_of_day = split_half_of_day(words)
    text = " ".join(word for word in said if word not in FILLERS)
    if not half_of_day and (named := NAMED.get(" ".join(words)) or NAMED.get(text)):
        return named
    clock = clock_time([word for word in said if word not in FILLERS], language, has_uhr="uhr" in said)
    if clock is None:
        return None
    hour, minute = clock
    if half_of_day and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half_of_day == "pm" else 0) if half_of_day else hour
    return f"{hour:02d}:{minute:02d}"


def split_half_of_day(words: Sequence[str]) -> tuple[Sequence[str], str]:
    """The words before it, and am, pm or nothing: "five p m", "five in the morning"."""
    for length in (2, 1):
        ending, before = " ".join(words[-length:]), words[:-length]
        if before and ending in BEFORE_NOON | AFTER_NOON and any(word not in FILLERS for word in before):
            return before, "am" if ending in BEFORE_NOON else "pm"
    return words, ""


def clock_time(said: Sequence[str], language: Language, *, has_uhr: bool) -> tuple[int, int] | None:
    """Hour and minute: "five", "five thirty", "17 30", "half past five", "quarter to six", "halb sechs" (half an hour before)."""
    if len(said) == 2 and said[0] in HALF and language == "de":
        hour = number(said[1:], language)
        return ((hour - 1) % 24, 30) if hour else None
    for at, word in enumerate(said[1:-1], 1):
        if word in BEFORE | AFTER:
            return around(minutes(said[:at], language), number(said[at + 1 :], language), is_before=word in BEFORE)
    for cut in range(len(said), 0, -1):
        hour, minute = number(said[:cut], language), minute_after(said[cut:], language, has_uhr=has_uhr)
        if hour is not None and hour < 24 and minute is not None:
            return hour, minute
    return None


def minute_after(said: Sequence[str], language: Language, *, has_uhr: bool) -> int | None:
    """What follows the hour: nothing, "thirty", "oh five", "05"; a bare "five" only after "Uhr"."""
    if not said:
        return 0
    minute = number([word for word in said if word != "oh"], language)
    is_spoken_so = minute is not None and (minute > 9 or said[0] == "oh" or said[0].startswith("0") or has_uhr)
    return minute if minute is not None and minute < 60 and is_spoken_so else None


def minutes(said: Sequence[str], language: Language) -> int | None:
    """Of "ten", "ten minutes", "quarter", "a quarter", "half"."""
    words = [word for word in said if word not in {"a", "minutes", "minuten"}]
    if len(words) == 1 and words[0] in HALF | QUARTER:
        return 30 if words[0] in HALF else 15
    return number(words, language) if words else None


def around(minute: int | None, hour: int | None, *, is_before: bool) -> tuple[int, int] | None:
    if minute is None or hour is None or not (0 < minute < 60 and hour < 24):
        return None
    return ((hour - 1) % 24, 60 - minute) if is_before else (hour, minute)


def duration_value(words: Sequence[str], language: Language) -> str | None:
    """PT10M, P3D, PT1H30M; None for words that are no length of time."""
    amounts: dict[str, int] = {}
    said: list[str] = []
    last = ""
    for word in words:
        if word in UNITS:
            found = amount(said, UNITS[word], language)
            if found is None or found.keys() & amounts.keys():
                return None
            amounts, said, last = amounts | found, [], UNITS[word]
        elif word not in {"and", "und"} or (said and language == "en" and said[-1] in {"hundred", "thousand"}):
            said.append(word)
    if said == ["a", "half"] and last in HALF_OF:  # an hour and a half
        unit, count = HALF_OF[last]
        return write({**amounts, unit: count})
    return write(amounts) if amounts and not said else None


def amount(said: Sequence[str], unit: str, language: Language) -> dict[str, int] | None:
    """How many of the unit; a half is so many of the next smaller one."""
    words = [word.replace("anderthalb", "eineinhalb") for word in said if word not in ARTICLES]
    if not words:
        return {unit: 1} if said else None
    whole = [*words[:-1], HALF_ENDING.sub("", words[-1])]
    if whole == words or unit not in HALF_OF:
        count = number(words, language)
        return None if count is None else {unit: count}
    count, (smaller, half) = number(whole, language) if any(whole) else 0, HALF_OF[unit]
    return None if count is None else ({unit: count} if count else {}) | {smaller: half}


def write(amounts: Mapping[str, int]) -> str:
    """ISO 8601."""
    day = "".join(f"{amounts[unit]}{unit.upper()}" for unit in ("Y", "m", "W", "D") if unit in amounts)
    time = "".join(f"{amounts[unit]}{unit}" for unit in ("H", "M", "S") if unit in amounts)
    return f"P{day}{f'T{time}' if time else ''}"
