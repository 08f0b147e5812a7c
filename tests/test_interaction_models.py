"""interaction_models/: the four questions resolve everywhere, nothing resolves in two ways, and Alexa's builder takes every file."""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from tools.simulator.interaction_model import InteractionModel

FOLDER = Path(__file__).resolve().parent.parent / "interaction_models"
LOCALES = ("en-US", "en-GB", "en-AU", "en-CA", "en-IN")
BUILT_IN = ("AMAZON.HelpIntent", "AMAZON.StopIntent", "AMAZON.CancelIntent", "AMAZON.NavigateHomeIntent", "AMAZON.FallbackIntent")
IDS = ("fullName", "streetAddress", "phoneNumber", "emailAddress", "fullProfile")
SLOT = "{infoTypeRequested}"

# Words in small letters, with inner apostrophes and hyphens; spelt letters with their full stop ("g. mail"); whole slots.
WORD = re.compile(r"[a-z]+(['-][a-z]+)*|[a-z]\.|\{[A-Za-z]+\}")

ASKED = {
    "name": "fullName",
    "full name": "fullName",
    "number": "phoneNumber",
    "phone number": "phoneNumber",
    "mobile number": "phoneNumber",
    "address": "streetAddress",
    "home address": "streetAddress",
    "email": "emailAddress",
    "email address": "emailAddress",
    "g. mail": "emailAddress",
    "profile": "fullProfile",
    "data": "fullProfile",
}
SAID_THERE = {
    "en-US": {"cell phone number": "phoneNumber", "zip code": "streetAddress"},
    "en-GB": {"mobile phone": "phoneNumber", "postcode": "streetAddress", "landline": "phoneNumber"},
    "en-AU": {"mobile phone": "phoneNumber", "postcode": "streetAddress"},
    "en-CA": {"cell number": "phoneNumber", "postal code": "streetAddress"},
    "en-IN": {"good name": "fullName", "pin code": "streetAddress", "mail id": "emailAddress"},
}

pytestmark = pytest.mark.parametrize("locale", LOCALES)


@pytest.fixture
def language_model(locale) -> dict[str, Any]:
    return json.loads((FOLDER / f"{locale}.json").read_text())["interactionModel"]["languageModel"]


@pytest.fixture
def model(locale) -> InteractionModel:
    return InteractionModel.load(FOLDER / f"{locale}.json")


def samples(language_model: dict[str, Any], intent: str) -> list[str]:
    return next(spec["samples"] for spec in language_model["intents"] if spec["name"] == intent)


def names(language_model: dict[str, Any]) -> dict[str, list[str]]:
    """Every way to say each id: its value, then its synonyms."""
    (info_type,) = language_model["types"]
    return {value["id"]: [value["name"]["value"], *value["name"]["synonyms"]] for value in info_type["values"]}


def asked_for(model: InteractionModel, utterance: str) -> str | None:
    resolution = model.resolve(utterance)
    slot = resolution.slots.get("infoTypeRequested")
    return slot.value_id if resolution.intent == "RequestInfoIntent" and slot else None


def frames(language_model: dict[str, Any]) -> dict[str, list[str]]:
    """The sentences that contain each text in the slot's place."""
    return {text: [sample.replace(SLOT, text) for sample in samples(language_model, "RequestInfoIntent")] for text in ASKED}


# ---- what is understood


def test_the_four_questions_resolve_when_asked(model):
    questions = {
        "what is my name": "fullName",
        "what is my number": "phoneNumber",
        "what's my address": "streetAddress",
        "what is my email": "emailAddress",
    }
    assert {question: asked_for(model, question) for question in questions} == questions


def test_every_part_resolves_when_asked_for_in_every_sentence(model, language_model):
    wrong = [said for text, said_so in frames(language_model).items() for said in said_so if asked_for(model, said) != ASKED[text]]
    assert wrong == []


def test_every_name_of_a_part_resolves_to_its_id_when_said(model, language_model):
    for part, said in names(language_model).items():
        assert {text: asked_for(model, f"tell me {text}") for text in said} == dict.fromkeys(said, part)


def test_regional_words_resolve_when_said_where_they_are_used(model, locale):
    local = SAID_THERE[locale]
    assert {text: asked_for(model, f"what is my {text}") for text in local} == local


def test_greetings_say_hello_when_said(model):
    greetings = ("hello", "hi", "hey", "hiya", "good day", "howdy", "greetings", "namaste", "aloha", "hola", "bonjour", "g'day")
    assert {model.resolve(greeting).intent for greeting in greetings} == {"SayHelloIntent"}


# ---- what would be a coincidence


def test_nothing_has_two_meanings_when_every_sentence_is_spelt_out(language_model):
    meanings = defaultdict(set)
    for intent in language_model["intents"]:
        for sample in intent["samples"]:
            for part, said in names(language_model).items():
                for text in said:
                    meanings[sample.replace(SLOT, text)].add((intent["name"], part if SLOT in sample else None))
    assert {sentence: found for sentence, found in meanings.items() if len(found) > 1} == {}


def test_no_sample_stands_twice_when_counted(language_model):
    counted = Counter(sample for intent in language_model["intents"] for sample in intent["samples"])
    assert [sample for sample, count in counted.items() if count > 1] == []


def test_no_synonym_stands_twice_when_counted(language_model):
    counted = Counter(text for said in names(language_model).values() for text in said)
    assert [text for text, count in counted.items() if count > 1] == []


# ---- what Alexa's builder takes


def test_samples_are_written_as_they_are_spoken_when_read_word_by_word(language_model):
    texts = [sample for intent in language_model["intents"] for sample in intent["samples"]]
    texts += [text for said in names(language_model).values() for text in said]
    assert [text for text in texts if not all(WORD.fullmatch(word) for word in text.split(" "))] == []


def test_every_slot_is_declared_when_a_sample_uses_it(language_model):
    types = {spec["name"] for spec in language_model["types"]}
    for intent in language_model["intents"]:
        declared = {slot["name"]: slot["type"] for slot in intent.get("slots", [])}
        used = set(re.findall(r"\{(\w+)\}", " ".join(intent["samples"])))
        assert used == set(declared), intent["name"]
        assert set(declared.values()) <= types


def test_intents_and_invocation_name_are_the_skill_s_when_loaded(language_model):
    assert language_model["invocationName"] == "link demo"
    assert [intent["name"] for intent in language_model["intents"]] == ["SayHelloIntent", "RequestInfoIntent", *BUILT_IN]
    assert tuple(names(language_model)) == IDS


def test_models_differ_in_words_only_when_compared(language_model, locale):
    american = json.loads((FOLDER / "en-US.json").read_text())["interactionModel"]["languageModel"]
    assert samples(language_model, "RequestInfoIntent") == samples(american, "RequestInfoIntent")
    assert {part: said[0] for part, said in names(language_model).items()} == {part: said[0] for part, said in names(american).items()}
    assert {path.stem for path in FOLDER.glob("*.json")} == set(LOCALES), locale
