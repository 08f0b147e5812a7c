"""Alexa's built-in slot types: which words each takes, and the value that the skill gets for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tools.simulator.spoken_dates import date_value
from tools.simulator.spoken_numbers import Language, digits, four_digits, number, ordinal
from tools.simulator.spoken_times import duration_value, time_value

PREFIX = "AMAZON."
SEARCH_QUERY = "AMAZON.SearchQuery"
Reader = Callable[[Sequence[str], Language, date], str | None]


def written(value: int | None) -> str | None:
    return None if value is None else str(value)


# These take nothing but what they can turn into a value; every other built-in type is a list of names that takes any words.
READERS: Mapping[str, Reader] = {
    "AMAZON.NUMBER": lambda words, language, _: written(number(words, language)),
    "AMAZON.Ordinal": lambda words, language, _: written(ordinal(words, language)),
    "AMAZON.FOUR_DIGIT_NUMBER": lambda words, language, _: four_digits(words, language),
    "AMAZON.PhoneNumber": lambda words, language, _: digits(words, language),
    "AMAZON.DATE": date_value,
    "AMAZON.TIME": lambda words, language, _: time_value(words, language),
    "AMAZON.DURATION": lambda words, language, _: duration_value(words, language),
}
# What one might say for a slot, for example phrases; English and German.
SPOKEN_EXAMPLES: Mapping[str, tuple[str, str]] = {
    "AMAZON.NUMBER": ("five", "fünf"),
    "AMAZON.Ordinal": ("first", "erste"),
    "AMAZON.FOUR_DIGIT_NUMBER": ("six oh four five", "sechs null vier fünf"),
    "AMAZON.PhoneNumber": ("five five five oh one two three", "null drei null eins zwei drei"),
    "AMAZON.DATE": ("tomorrow", "morgen"),
    "AMAZON.TIME": ("five p.m.", "siebzehn Uhr"),
    "AMAZON.DURATION": ("ten minutes", "zehn Minuten"),
    "AMAZON.FirstName": ("Anna", "Anna"),
    "AMAZON.City": ("Seattle", "Berlin"),
    "AMAZON.Color": ("blue", "blau"),
    SEARCH_QUERY: ("the weather", "das Wetter"),
}


@dataclass(frozen=True)
class BuiltInSlots:
    """The built-in types in one language, on one day."""

    language: Language
    today: date

    def value(self, type_name: str, words: Sequence[str]) -> str | None:
        """None for words that the type does not take."""
        reader = READERS.get(type_name)
        return reader(words, self.language, self.today) if reader else " ".join(words)


def is_built_in(type_name: str) -> bool:
    return type_name.startswith(PREFIX)


def spoken_example(type_name: str, language: Language) -> str | None:
    """None where nothing can be made up."""
    examples = SPOKEN_EXAMPLES.get(type_name)
    return examples[language == "de"] if examples else None
