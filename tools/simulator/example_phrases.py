"""Phrases that a customer might try, made from the samples of the interaction model."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tools.simulator.slot_types import spoken_example
from tools.simulator.usual_words import EXAMPLES

if TYPE_CHECKING:
    from tools.simulator.interaction_model import InteractionModel

MOST_EXAMPLES = 12
PER_INTENT = 6  # values of its slot; fewer where the skill has many intents
MY = {"en": "my {}", "de": "{}"}
NICEST_LENGTH = 4  # words of a sample: a sentence, and no monologue


def examples(model: "InteractionModel") -> list[str]:
    """A dozen at most: opening the skill, each intent in turn with the values of its slot, a one-shot, help and stop."""
    opening, _, *usual = EXAMPLES[model.language]
    known = {intent["name"] for intent in model.intents}
    usual = [words for words, name in zip(usual, ("AMAZON.HelpIntent", "AMAZON.StopIntent"), strict=True) if name in known]
    first, last = [opening.format(name=model.invocation_name)], [*one_shots(model), *usual]
    return list(dict.fromkeys([*first, *own_examples(model)[: MOST_EXAMPLES - len(first) - len(last)], *last]))


def one_shots(model: "InteractionModel") -> list[str]:
    """ "Ask link demo for my name", where the model understands it so; one, or none."""
    for intent in model.intents:
        for slot, value in slot_values(model, intent):
            rest = MY[model.language].format(value)
            if is_understood(model, rest, intent["name"], slot):
                return [EXAMPLES[model.language][1].format(name=model.invocation_name, rest=rest)]
    return []


def own_examples(model: "InteractionModel") -> list[str]:
    """Those of the skill's own intents: those with slots first, one of each intent before the second of any."""
    intents = [intent for intent in model.intents if not intent["name"].startswith("AMAZON.")]
    intents.sort(key=lambda intent: not intent.get("slots"))
    phrases = [list(phrases_of(model, intent)) for intent in intents]
    most = PER_INTENT if len(intents) < 3 else 2
    by_turn = [each[turn] for turn in range(most) for each in phrases if turn < len(each)]
    return by_turn if len(intents) > 2 else [phrase for each in phrases for phrase in each[:most]]


def phrases_of(model: "InteractionModel", intent: Mapping[str, Any]) -> Iterator[str]:
    """The nicest sample that is understood as meant, with each value of its slot; or the first samples, where there is no slot."""
    samples = sorted(intent.get("samples", []), key=lambda sample: abs(len(sample.split()) - NICEST_LENGTH) if "{" in sample else 0)
    if not intent.get("slots"):
        yield from samples[:2]
        return
    for name, value in slot_values(model, intent):
        for sample in samples:
            phrase = filled(model, intent, sample, {name: value})
            if phrase and is_understood(model, phrase, intent["name"], name):
                yield phrase
                break


def slot_values(model: "InteractionModel", intent: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The first slot's name with each of its values, or with one made up."""
    for slot in intent.get("slots", [])[:1]:
        values = [value["name"]["value"] for value in model.types.get(slot["type"], [])]
        example = spoken_example(slot["type"], model.language)
        yield from ((slot["name"], value) for value in values or ([example] if example else []))


def filled(model: "InteractionModel", intent: Mapping[str, Any], sample: str, values: Mapping[str, str]) -> str:
    """The sample with words for its slots; nothing where a slot has none, or the chosen one is not in it."""
    types = {slot["name"]: slot["type"] for slot in intent["slots"]}
    named = re.findall(r"\{(\w+)\}", sample)
    words = {name: values.get(name) or first_value(model, types.get(name, "")) for name in named}
    if not set(values) <= set(named) or not all(words.values()):
        return ""
    return re.sub(r"\{(\w+)\}", lambda slot: words[slot[1]], sample)


def first_value(model: "InteractionModel", type_name: str) -> str:
    values = model.types.get(type_name)
    return values[0]["name"]["value"] if values else spoken_example(type_name, model.language) or ""


def is_understood(model: "InteractionModel", phrase: str, intent: str, slot: str) -> bool:
    resolution = model.resolve(phrase)
    return resolution.intent == intent and resolution.slots.get(slot) is not None
