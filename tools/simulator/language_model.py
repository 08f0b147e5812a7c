"""What is in an interaction model's file: the invocation name, intents and types, each of the shape that they should have."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class InteractionModelError(Exception):
    """It is no interaction model; the message says what is missing."""


@dataclass(frozen=True)
class LanguageModel:
    """As in the JSON; every intent has its slots and samples, every value its synonyms, be they empty."""

    invocation_name: str
    intents: Sequence[Mapping[str, Any]]
    types: Mapping[str, Sequence[Mapping[str, Any]]]  # the values by the type's name; none where a catalog supplies them


def read_json(path: Path) -> object:
    """Raises InteractionModelError."""
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InteractionModelError(f"it is no JSON: {error}") from error


def read_language_model(model: object) -> LanguageModel:
    """Raises InteractionModelError."""
    language = read_object(read_object(model, "interactionModel"), "languageModel")
    intents = [read_intent(intent) for intent in read_objects(language, "intents")]
    if not intents:
        raise InteractionModelError("it has no intents")
    types = {
        read_text(kind, "name"): [read_value(value) for value in read_objects(kind, "values")] for kind in read_objects(language, "types")
    }
    return LanguageModel(read_text(language, "invocationName"), intents, types)


def read_intent(intent: Mapping[str, Any]) -> Mapping[str, Any]:
    slots = [{**slot, "name": read_text(slot, "name"), "type": read_text(slot, "type")} for slot in read_objects(intent, "slots")]
    return {**intent, "name": read_text(intent, "name"), "slots": slots, "samples": read_texts(intent, "samples")}


def read_value(value: Mapping[str, Any]) -> Mapping[str, Any]:
    name = read_object(value, "name")
    return {**value, "name": {**name, "value": read_text(name, "value"), "synonyms": read_texts(name, "synonyms")}}


def read_object(parent: object, name: str) -> Mapping[str, Any]:
    found = parent.get(name) if isinstance(parent, Mapping) else None
    if not isinstance(found, Mapping):
        raise InteractionModelError(f"it has no object {name}")
    return found


def read_objects(parent: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """Empty where there is no such list."""
    found = parent.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise InteractionModelError(f"{name} is no list of objects")
    return found


def read_texts(parent: Mapping[str, Any], name: str) -> Sequence[str]:
    """Empty where there is no such list."""
    found = parent.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise InteractionModelError(f"{name} is no list of texts")
    return found


def read_text(parent: Mapping[str, Any], name: str) -> str:
    found = parent.get(name)
    if not isinstance(found, str) or not found.strip():
        raise InteractionModelError(f"{name} is missing, or no text")
    return found
