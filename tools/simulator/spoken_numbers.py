"""Number words in English and German: "twenty five", "fünfundzwanzig", "25"; umlauts as they are, ß as ss."""

from collections.abc import Sequence
from functools import cache
from typing import Literal

Language = Literal["en", "de"]

EN_UNITS = (  # noqa: SIM905  (in quotes, one by one, it would be a page)
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
EN_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
DE_UNITS = (  # noqa: SIM905
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"
).split()
DE_TENS = "zwanzig dreissig vierzig fünfzig sechzig siebzig achtzig neunzig".split()  # noqa: SIM905
DIGIT_NAMES = {
    "en": {name: str(digit) for digit, name in enumerate(EN_UNITS[:10])} | {"oh": "0", "o": "0", "nought": "0"},
    "de": {name: str(digit) for digit, name in enumerate(DE_UNITS[:10])} | {"zwo": "2", "ein": "1"},
}
TIMES = {"double": 2, "triple": 3, "doppel": 2}
EN_ORDINALS = {1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth", 12: "twelfth"}
DE_ORDINALS = {1: "erste", 3: "dritte", 7: "siebte", 8: "achte"}


def language_of(locale: str) -> Language:
    """The words of a locale; English where there are none of its own."""
    return "de" if locale.startswith("de") else "en"


def number(words: Sequence[str], language: Language) -> int | None:
    """Up to 999,999; None for words that are no number."""
    joined = "".join(words)
    if joined.isdecimal():
        return int(joined) if len(words) == 1 or all(len(group) == 3 for group in words[1:]) else None  # 1,000 is two words
    names, thousand = names_below_1000(language), "thousand" if language == "en" else "tausend"
    head, has_thousands, tail = joined.partition(thousand)
    if not has_thousands:
        return names.get(joined)
    thousands = 1 if head in {"", "a", "ein"} else names.get(head)
    rest = names.get(tail.removeprefix("and").removeprefix("und"), None) if tail else 0
    return None if not thousands or rest is None else thousands * 1000 + rest


@cache
def names_below_1000(language: Language) -> dict[str, int]:
    """Every way to say each, written together."""
    names = names_below_100(language)
    hundred, and_, ones = ("hundred", "and", ("one", "a", "")) if language == "en" else ("hundert", "und", ("ein", ""))
    heads = {1: ones} | {digit: (name,) for name, digit in names.items() if 2 <= digit <= 9 and name != "zwo"}
    for digit, spoken in heads.items():
        for head in spoken:
            below = {} if digit == 0 else dict(names_below_100(language))
            names |= {f"{head}{hundred}": digit * 100}
            names |= {f"{head}{hundred}{link}{name}": digit * 100 + rest for name, rest in below.items() if rest for link in ("", and_)}
    return names


def names_below_100(language: Language) -> dict[str, int]:
    if language == "en":
        names = {name: value for value, name in enumerate(EN_UNITS)}
        for ten, name in enumerate(EN_TENS, 2):
            names |= {name: ten * 10} | {f"{name}{unit}": ten * 10 + value for value, unit in enumerate(EN_UNITS[1:10], 1)}
        return names
    names = {name: value for value, name in enumerate(DE_UNITS)} | {"zwo": 2, "ein": 1, "eine": 1, "einen": 1, "einem": 1, "einer": 1}
    for ten, name in enumerate(DE_TENS, 2):
        units = enumerate(["ein", *DE_UNITS[2:10]], 1)
        names |= {name: ten * 10} | {f"{unit}und{name}": ten * 10 + value for value, unit in units}
    return names


def ordinal(words: Sequence[str], language: Language) -> int | None:
    """Up to the hundredth: "twenty fifth", "25th", "fünfundzwanzigster", and "25" as in "25. November"."""
    joined = "".join(words)
    return ordinals(language).get(joined) or (int(joined) if joined.isdecimal() and len(words) == 1 else None)


@cache
def ordinals(language: Language) -> dict[str, int]:
    names: dict[str, int] = {}
    for name, value in names_below_100(language).items():
        if language == "en":
            names |= {english_ordinal(name, value): value, f"{value}{english_suffix(value)}": value}
        else:
            stem = DE_ORDINALS.get(value) or f"{name}{'ste' if value >= 20 else 'te'}"
            names |= dict.fromkeys((stem, *(f"{stem}{ending}" for ending in "rsnm")), value)
    return names


def english_ordinal(name: str, value: int) -> str:
    if value in EN_ORDINALS:
        return EN_ORDINALS[value]
    if value > 20 and value % 10 in EN_ORDINALS:
        return name.removesuffix(EN_UNITS[value % 10]) + EN_ORDINALS[value % 10]
    return f"{name.removesuffix('y')}ieth" if name.endswith("y") else f"{name}th"


def english_suffix(value: int) -> str:
    return "th" if 10 < value % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")


def digits(words: Sequence[str], language: Language) -> str | None:
    """One after the other, as phone numbers are said: "five five five oh one double two"."""
    said, times = "", 1
    for word in words:
        if word in TIMES and times == 1:
            times = TIMES[word]
            continue
        digit = word if word.isdecimal() else DIGIT_NAMES[language].get(word)
        if digit is None:
            return None
        said, times = said + digit * times, 1
    return said if said and times == 1 else None


def four_digits(words: Sequence[str], language: Language) -> str | None:
    """As years and PINs are said: "six oh four five", "nineteen eighty four", "two thousand five"."""
    one_by_one, whole = digits(words, language), number(words, language)
    if one_by_one and len(one_by_one) == 4:
        return one_by_one
    if whole is not None and 1000 <= whole <= 9999:
        return str(whole)
    for cut in range(1, len(words)):
        head, tail = number(words[:cut], language), words[cut:]
        pair = digits(tail, language) if len(tail) == 2 else None
        rest = pair or str(number(tail, language))
        if head is not None and 10 <= head <= 99 and len(rest) == 2:
            return f"{head}{rest}"
    return None
