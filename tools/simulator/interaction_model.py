"""From what a customer says to an intent and its slots, by the skill's own interaction model."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tools.simulator.example_phrases import examples
from tools.simulator.language_model import InteractionModelError, read_json, read_language_model
from tools.simulator.slot_types import READERS, SEARCH_QUERY, BuiltInSlots, is_built_in
from tools.simulator.spoken_numbers import language_of
from tools.simulator.usual_words import INTENTS, ONE_SHOTS, OPENINGS

__all__ = ["InteractionModel", "InteractionModelError", "Resolution", "SlotMatch", "examples"]

FALLBACK = "AMAZON.FallbackIntent"
# How sure a match of a slot is; the least sure slot decides about the sample.
KNOWN, TAKEN_AS_SPOKEN, UNKNOWN, NO_MATCH = 2, 1, 0, -1
LONGEST_UTTERANCE = 500  # characters; nobody says more in one breath, and trying every sample on it takes time
APOSTROPHES = r"['\u2018\u2019\u02bc`]"
SLOT = re.compile(rf"(\{{\w+\}}(?:{APOSTROPHES}s\b)?)", re.IGNORECASE)
POSSESSIVE = "'s"


@dataclass(frozen=True)
class SlotMatch:
    """What was said for a slot; id and name only where it is one of the type's values. `value` is what the skill gets."""

    spoken: str
    type_name: str
    value_name: str | None = None
    value_id: str | None = None
    value: str = ""  # differs from what was spoken in dates, times and numbers
    is_looked_up: bool = True  # entity resolution ran, because the model has values for the type

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", self.value or self.spoken)


@dataclass(frozen=True)
class Resolution:
    """An intent, and each of its slots: None where nothing was said for it."""

    intent: str
    slots: Mapping[str, SlotMatch | None] = field(default_factory=dict)


@dataclass(frozen=True)
class _Match:
    """A sample that fits; the better one is greater: how sure its slots are, then how many of its words are its own."""

    rank: tuple[int, int]
    resolution: Resolution


class InteractionModel:
    """The language model of one locale."""

    def __init__(self, model: object, locale: str = "en-US", now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`now` is when tomorrow is the day after. Raises InteractionModelError."""
        read = read_language_model(model)
        self.locale, self.language, self._now = locale, language_of(locale), now
        self.invocation_name, self.intents, self.types = read.invocation_name, read.intents, read.types
        self._values = {name: _values_by_key(values) for name, values in self.types.items()}

    @classmethod
    def load(cls, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Self:
        """From interaction_models/<locale>.json. Raises InteractionModelError."""
        return cls(read_json(path), path.stem, now)

    def after_invocation(self, utterance: str) -> str | None:
        """What is said to the skill in "ask link demo for my e-mail"; "" for "open link demo", None where the skill is not called."""
        said, name = " ".join(_words(utterance[:LONGEST_UTTERANCE])), re.escape(" ".join(_words(self.invocation_name)))
        if re.fullmatch(OPENINGS[self.language].format(name=name), said):
            return ""
        for phrase in ONE_SHOTS[self.language]:
            one_shot = re.fullmatch(phrase.format(name=name), said)
            if one_shot:
                return one_shot["rest"]
        return None

    def resolve(self, utterance: str) -> Resolution:
        """The best match: a value that the model knows beats free text, and more of the sample's own words beat fewer."""
        said, slots = _words(utterance[:LONGEST_UTTERANCE]), BuiltInSlots(self.language, self._now().date())
        matches = [match for intent in self.intents for match in self._matches(intent, said, slots)]
        return max(matches, key=lambda match: match.rank).resolution if matches else self._fallback()

    def _fallback(self) -> Resolution:
        """Without a FallbackIntent in the model, Alexa picks the nearest of the skill's intents; so this takes the first."""
        names = [intent["name"] for intent in self.intents]
        return Resolution(FALLBACK if FALLBACK in names else names[0])

    def _matches(self, intent: Mapping[str, Any], said: list[str], built_in: BuiltInSlots) -> Iterator[_Match]:
        types = {slot["name"]: slot["type"] for slot in intent.get("slots", [])}
        for sample in (*INTENTS[self.language].get(intent["name"], ()), *intent.get("samples", [])):
            for spoken in _fillings(_sample_parts(sample), said):
                slots = {name: self._slot(kind, spoken[name], built_in) if name in spoken else None for name, kind in types.items()}
                own_words = len(said) - sum(len(words) for words in spoken.values())
                sureness = min((_sureness(slots[name], own_words) for name in spoken if name in slots), default=KNOWN)
                if sureness > NO_MATCH:
                    yield _Match((sureness, own_words), Resolution(intent["name"], slots))

    def _slot(self, type_name: str, spoken: list[str], built_in: BuiltInSlots) -> SlotMatch | None:
        """None for words that the type does not take."""
        name, value_id = self._values.get(type_name, {}).get("".join(spoken), (None, None))
        if not is_built_in(type_name) or name is not None:
            return SlotMatch(" ".join(spoken), type_name, name, value_id)
        value = built_in.value(type_name, spoken)
        return None if value is None else SlotMatch(" ".join(spoken), type_name, value=value, is_looked_up=type_name in self._values)


def _sureness(slot: SlotMatch | None, own_words: int) -> int:
    """Negative where the sample does not fit: a query or a list of the skill's own, alone, would take anything."""
    if slot is None:
        return NO_MATCH
    if slot.value_id is not None or slot.type_name in READERS:
        return KNOWN
    if own_words:
        return TAKEN_AS_SPOKEN if is_built_in(slot.type_name) else UNKNOWN
    return UNKNOWN if is_built_in(slot.type_name) and slot.type_name != SEARCH_QUERY else NO_MATCH


def _values_by_key(values: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Name and id of each value, by its name and every synonym; written together, so that "e-mail" is "email" and "g. mail" is "gmail"."""
    return {
        "".join(_words(text)): (value["name"]["value"], value.get("id", ""))
        for value in values
        for text in (*value["name"].get("synonyms", []), value["name"]["value"])
    }


def _words(text: str) -> list[str]:
    """Small letters, without punctuation; an apostrophe, straight or curled, joins: what's = whats."""
    return re.findall(r"\w+", re.sub(APOSTROPHES, "", unicodedata.normalize("NFC", text).casefold()))


def _sample_parts(sample: str) -> list[str]:
    """Words, and slots in braces, with 's behind the brace where they are in the possessive."""
    return [part for piece in SLOT.split(sample) for part in ([_slot_part(piece)] if piece.startswith("{") else _words(piece))]


def _slot_part(piece: str) -> str:
    name, _, possessive = piece.partition("}")
    return f"{name}}}{POSSESSIVE if possessive else ''}"


def _fillings(parts: list[str], said: list[str]) -> Iterator[dict[str, list[str]]]:
    """The words that each slot of the sample may stand for; none where the sample's own words differ."""
    if not parts:
        if not said:
            yield {}
        return
    first, rest = parts[0], parts[1:]
    if not first.startswith("{"):
        if said and first == said[0]:
            yield from _fillings(rest, said[1:])
        return
    for taken in range(1, len(said) - len(rest) + 1):
        spoken = _without_possessive(said[:taken]) if first.endswith(POSSESSIVE) else said[:taken]
        for filling in _fillings(rest, said[taken:]) if spoken else ():
            yield {first[1 : first.index("}")]: spoken, **filling}


def _without_possessive(words: list[str]) -> list[str]:
    """Anna for Anna's, which is one word by now; nothing where no s ends it."""
    *before, last = words
    return [*before, last[:-1]] if len(last) > 1 and last.endswith("s") else []
