"""From what a customer says to an intent and its slots, by the skill's own interaction model."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

FALLBACK = "AMAZON.FallbackIntent"
# What Alexa understands without a sample in the model; a model's own samples for a built-in intent are added to these.
USUAL_WORDS: Mapping[str, tuple[str, ...]] = {
    "AMAZON.HelpIntent": ("help", "help me", "can you help me", "what can you do"),
    "AMAZON.StopIntent": ("stop", "off", "shut up", "that's enough", "goodbye"),
    "AMAZON.CancelIntent": ("cancel", "never mind", "forget it"),
    "AMAZON.NavigateHomeIntent": ("go home", "home", "home screen", "navigate home"),
    "AMAZON.YesIntent": ("yes", "yeah", "yes please", "sure", "okay"),
    "AMAZON.NoIntent": ("no", "nope", "no thanks"),
    "AMAZON.RepeatIntent": ("repeat", "repeat that", "say that again"),
}
OPENING = r"(?:alexa )?(?:open|launch|start|begin|run) {name}"
ONE_SHOT = r"(?:alexa )?(?:ask|tell|using) {name} (?:for |to |about |that |and )?(?P<rest>.+)"


@dataclass(frozen=True)
class SlotMatch:
    """What was said for a slot; id and name only where it is one of the type's values."""

    spoken: str
    type_name: str
    value_name: str | None = None
    value_id: str | None = None


@dataclass(frozen=True)
class Resolution:
    """An intent, and each of its slots: None where nothing was said for it."""

    intent: str
    slots: Mapping[str, SlotMatch | None] = field(default_factory=dict)


class InteractionModel:
    """The language model of one locale."""

    def __init__(self, model: Mapping[str, Any]) -> None:
        language = model["interactionModel"]["languageModel"]
        self.invocation_name: str = language["invocationName"]
        self._intents: list[Mapping[str, Any]] = language["intents"]
        self._values = {kind["name"]: _values_by_key(kind["values"]) for kind in language.get("types", [])}

    @classmethod
    def load(cls, path: Path) -> Self:
        """From interaction_models/<locale>.json."""
        return cls(json.loads(path.read_text("utf-8")))

    def after_invocation(self, utterance: str) -> str | None:
        """What is said to the skill in "ask link demo for my e-mail"; "" for "open link demo", None where the skill is not called."""
        said, name = " ".join(_words(utterance)), re.escape(" ".join(_words(self.invocation_name)))
        if re.fullmatch(OPENING.format(name=name), said):
            return ""
        one_shot = re.fullmatch(ONE_SHOT.format(name=name), said)
        return one_shot["rest"] if one_shot else None

    def resolve(self, utterance: str) -> Resolution:
        """The best match: a value that the model knows beats free text, and more of the sample's own words beat fewer."""
        said = _words(utterance)
        matches = [match for intent in self._intents for match in self._matches(intent, said)]
        return max(matches, key=lambda match: match[0])[1] if matches else self._fallback()

    def _fallback(self) -> Resolution:
        """Without a FallbackIntent in the model, Alexa picks the nearest of the skill's intents; so this takes the first."""
        names = [intent["name"] for intent in self._intents]
        return Resolution(FALLBACK if FALLBACK in names else names[0])

    def _matches(self, intent: Mapping[str, Any], said: list[str]) -> Iterator[tuple[tuple[bool, int], Resolution]]:
        types = {slot["name"]: slot["type"] for slot in intent.get("slots", [])}
        for sample in (*USUAL_WORDS.get(intent["name"], ()), *intent.get("samples", [])):
            spoken = _match_sample(_sample_parts(sample), said)
            if spoken is None:
                continue
            slots = {name: self._slot(kind, spoken[name]) if name in spoken else None for name, kind in types.items()}
            is_known = all(slot is None or slot.value_id is not None for slot in slots.values())
            own_words = len(said) - sum(len(words) for words in spoken.values())
            if is_known or own_words:  # a sample that is a slot and nothing else would take anything
                yield (is_known, own_words), Resolution(intent["name"], slots)

    def _slot(self, type_name: str, spoken: list[str]) -> SlotMatch:
        name, value_id = self._values.get(type_name, {}).get("".join(spoken), (None, None))
        return SlotMatch(" ".join(spoken), type_name, name, value_id)


def _values_by_key(values: list[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Name and id of each value, by its name and every synonym; written together, so that "e-mail" is "email" and "g. mail" is "gmail"."""
    return {
        "".join(_words(text)): (value["name"]["value"], value.get("id", ""))
        for value in values
        for text in (*value["name"].get("synonyms", []), value["name"]["value"])
    }


def _words(text: str) -> list[str]:
    """Small letters, without punctuation; an apostrophe, straight or curled, joins: what's = whats."""
    return re.findall(r"\w+", re.sub(r"['\u2018\u2019\u02bc`]", "", text.casefold()))


def _sample_parts(sample: str) -> list[str]:
    """Words, and slots in braces."""
    return [part for piece in re.split(r"(\{\w+\})", sample) for part in ([piece] if piece.startswith("{") else _words(piece))]


def _match_sample(parts: list[str], said: list[str]) -> dict[str, list[str]] | None:
    """The words that each slot of the sample stands for, or None; a slot takes as many as the rest leaves it."""
    if not parts or not said:
        return {} if not parts and not said else None
    first, rest = parts[0], parts[1:]
    if not first.startswith("{"):
        return _match_sample(rest, said[1:]) if first == said[0] else None
    for taken in range(1, len(said) + 1):
        matched = _match_sample(rest, said[taken:])
        if matched is not None:
            return {first.strip("{}"): said[:taken], **matched}
    return None
