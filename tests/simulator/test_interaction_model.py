"""From what is said to an intent and its slots, as Alexa would understand it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tools.setup import ROOT
from tools.simulator.interaction_model import InteractionModel, Resolution, examples

LOCALES = ("en-AU", "en-CA", "en-GB", "en-IN", "en-US")
SUNDAY = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)


def model(locale: str = "en-US") -> InteractionModel:
    return InteractionModel.load(ROOT / "interaction_models" / f"{locale}.json")


def built_in(type_name: str, sample: str = "take {it}", locale: str = "en-US", **types: list[dict[str, Any]]) -> InteractionModel:
    """A model with one intent, TakeIntent, whose one slot is of that type; `types` gives types values of the model's own."""
    intents = [
        {"name": "TakeIntent", "slots": [{"name": "it", "type": type_name}], "samples": [sample]},
        *({"name": f"AMAZON.{name}Intent", "samples": []} for name in ("Help", "Stop", "Yes", "No", "Fallback")),
    ]
    listed = [{"name": name.replace("_", "."), "values": values} for name, values in types.items()]
    language = {"invocationName": "link demo", "intents": intents, "types": listed}
    return InteractionModel({"interactionModel": {"languageModel": language}}, locale, lambda: SUNDAY)


def value(resolution: Resolution) -> str | None:
    slot = resolution.slots.get("it")
    return slot.value if slot else None


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("utterance", "intent", "value_id"),
    [
        ("what is my name", "RequestInfoIntent", "fullName"),
        ("What's my address?", "RequestInfoIntent", "streetAddress"),
        ("what\u2019s my phone number", "RequestInfoIntent", "phoneNumber"),
        ("WHAT IS MY E-MAIL!", "RequestInfoIntent", "emailAddress"),
        ("tell me my full profile", "RequestInfoIntent", "fullProfile"),
        ("what is my shoe size", "RequestInfoIntent", None),
        ("hello", "SayHelloIntent", None),
        ("help", "AMAZON.HelpIntent", None),
        ("stop.", "AMAZON.StopIntent", None),
        ("never mind", "AMAZON.CancelIntent", None),
        ("go home", "AMAZON.NavigateHomeIntent", None),
        ("purple monkey", "AMAZON.FallbackIntent", None),
        ("", "AMAZON.FallbackIntent", None),
    ],
)
def test_an_utterance_is_understood_as_alexa_would(utterance: str, intent: str, value_id: str | None, locale: str) -> None:
    resolution = model(locale).resolve(utterance)
    slot = resolution.slots.get("infoTypeRequested")
    assert (resolution.intent, slot.value_id if slot else None) == (intent, value_id)


@pytest.mark.parametrize(
    ("utterance", "rest"),
    [
        ("open link demo", ""),
        ("Alexa, start Link Demo", ""),
        ("Alexa, please open the link demo skill", ""),
        ("launch link demo please", ""),
        ("ask link demo for my email", "my email"),
        ("Alexa, ask Link Demo what is my name, please", "what is my name"),
        ("open link demo and tell me my name", "tell me my name"),
        ("get my email from link demo", "get my email"),
        ("what is my email", None),
        ("open link", None),
    ],
)
def test_the_skill_is_called_by_its_invocation_name(utterance: str, rest: str | None) -> None:
    assert model().after_invocation(utterance) == rest


@pytest.mark.parametrize(
    ("utterance", "rest"),
    [
        ("Alexa, öffne Link Demo", ""),
        ("O\u0308ffne Link Demo", ""),
        ("frage link demo nach meiner adresse", "meiner adresse"),
        ("öffne link demo", ""),
        ("open link demo", None),
    ],
)
def test_the_skill_is_called_in_german_when_the_model_is_german(utterance: str, rest: str | None) -> None:
    assert built_in("AMAZON.NUMBER", locale="de-DE").after_invocation(utterance) == rest


@pytest.mark.parametrize(
    ("utterance", "locale", "intent"),
    [("yes please", "en-US", "AMAZON.YesIntent"), ("nein danke", "de-DE", "AMAZON.NoIntent"), ("hilfe", "de-DE", "AMAZON.HelpIntent")],
)
def test_the_built_in_intents_have_their_usual_words(utterance: str, locale: str, intent: str) -> None:
    assert built_in("AMAZON.NUMBER", locale=locale).resolve(utterance).intent == intent


@pytest.mark.parametrize(
    ("type_name", "spoken", "expected"),
    [
        ("NUMBER", "five", "5"),
        ("NUMBER", "twenty-five", "25"),
        ("NUMBER", "one hundred and five", "105"),
        ("NUMBER", "two thousand five", "2005"),
        ("NUMBER", "1,000", "1000"),
        ("NUMBER", "seven bananas", None),
        ("Ordinal", "twenty first", "21"),
        ("FOUR_DIGIT_NUMBER", "six oh four five", "6045"),
        ("FOUR_DIGIT_NUMBER", "nineteen eighty four", "1984"),
        ("FOUR_DIGIT_NUMBER", "five", None),
        ("PhoneNumber", "five five five double two oh one", "5552201"),
        ("PhoneNumber", "206-555-0147", "2065550147"),
        ("DATE", "today", "2026-11-22"),
        ("DATE", "tomorrow", "2026-11-23"),
        ("DATE", "next monday", "2026-11-23"),
        ("DATE", "next sunday", "2026-11-29"),
        ("DATE", "last friday", "2026-11-20"),
        ("DATE", "november twenty fifth", "2026-11-25"),
        ("DATE", "the 3rd of october", "2027-10-03"),
        ("DATE", "march third twenty twenty eight", "2028-03-03"),
        ("DATE", "february thirtieth", None),
        ("DATE", "next week", "2026-W48"),
        ("DATE", "this weekend", "2026-W47-WE"),
        ("DATE", "next month", "2026-12"),
        ("DATE", "next year", "2027"),
        ("DATE", "the fifth", "2026-12-05"),
        ("DATE", "in three days", "2026-11-25"),
        ("DATE", "right now", "PRESENT_REF"),
        ("DATE", "purple", None),
        ("TIME", "five p.m.", "17:00"),
        ("TIME", "5:30 pm", "17:30"),
        ("TIME", "17:05", "17:05"),
        ("TIME", "half past five", "05:30"),
        ("TIME", "quarter to six in the evening", "17:45"),
        ("TIME", "noon", "12:00"),
        ("TIME", "twelve a.m.", "00:00"),
        ("TIME", "thirteen p.m.", None),
        ("TIME", "evening", "EV"),
        ("DURATION", "ten minutes", "PT10M"),
        ("DURATION", "an hour and a half", "PT1H30M"),
        ("DURATION", "two hours and thirty minutes", "PT2H30M"),
        ("DURATION", "half an hour", "PT30M"),
        ("DURATION", "three days", "P3D"),
        ("DURATION", "ten", None),
        ("SearchQuery", "how tall is the tower", "how tall is the tower"),
        ("FirstName", "anna", "anna"),
    ],
)
def test_a_built_in_slot_has_the_value_that_alexa_sends(type_name: str, spoken: str, expected: str | None) -> None:
    resolution = built_in(f"AMAZON.{type_name}").resolve(f"take {spoken}")
    assert (resolution.intent, value(resolution)) == ("TakeIntent" if expected else "AMAZON.FallbackIntent", expected)


@pytest.mark.parametrize(
    ("type_name", "spoken", "expected"),
    [
        ("NUMBER", "fünfundzwanzig", "25"),
        ("NUMBER", "zweihundertdreißig", "230"),
        ("DATE", "übermorgen", "2026-11-24"),
        ("DATE", "nächsten Montag", "2026-11-23"),
        ("DATE", "am 25. November", "2026-11-25"),
        ("DATE", "am dritten März", "2027-03-03"),
        ("DATE", "nächste Woche", "2026-W48"),
        ("TIME", "siebzehn Uhr dreißig", "17:30"),
        ("TIME", "halb sechs", "05:30"),
        ("TIME", "Viertel vor sechs", "05:45"),
        ("TIME", "acht Uhr abends", "20:00"),
        ("DURATION", "eine halbe Stunde", "PT30M"),
        ("DURATION", "zweieinhalb Stunden", "PT2H30M"),
        ("DURATION", "anderthalb Stunden", "PT1H30M"),
        ("DURATION", "eine Stunde und zehn Minuten", "PT1H10M"),
    ],
)
def test_a_built_in_slot_is_read_in_german_when_the_model_is_german(type_name: str, spoken: str, expected: str) -> None:
    assert value(built_in(f"AMAZON.{type_name}", "nimm {it}", "de-DE").resolve(f"nimm {spoken}")) == expected


@pytest.mark.parametrize(
    ("spoken", "expected", "value_id", "is_looked_up"),
    [("emerald city", "emerald city", "seattle", True), ("timbuktu", "timbuktu", None, True)],
)
def test_a_list_type_is_resolved_only_where_the_model_extends_it(
    spoken: str, expected: str, value_id: str | None, is_looked_up: bool
) -> None:
    values = [{"id": "seattle", "name": {"value": "Seattle", "synonyms": ["Emerald City"]}}]
    slot = built_in("AMAZON.City", AMAZON_City=values).resolve(f"take {spoken}").slots["it"]
    assert slot is not None
    assert (slot.value, slot.value_id, slot.is_looked_up) == (expected, value_id, is_looked_up)


def test_nothing_is_looked_up_for_a_list_type_without_values_in_the_model() -> None:
    slot = built_in("AMAZON.City").resolve("take timbuktu").slots["it"]
    assert slot is not None
    assert (slot.value, slot.value_id, slot.is_looked_up) == ("timbuktu", None, False)


@pytest.mark.parametrize(
    ("type_name", "intent"),
    [("AMAZON.SearchQuery", "AMAZON.FallbackIntent"), ("Own", "AMAZON.FallbackIntent"), ("AMAZON.City", "TakeIntent")],
)
def test_a_slot_alone_takes_free_words_only_when_it_is_a_built_in_list(type_name: str, intent: str) -> None:
    assert built_in(type_name, "{it}", Own=[]).resolve("purple monkey").intent == intent


@pytest.mark.parametrize("sample", ["what is {it}'s email", "what is {it}\u2019s email", "what is {it}'S email"])
@pytest.mark.parametrize(
    ("utterance", "expected"),
    [
        ("what is Anna's email", "anna"),
        ("what is Anna\u2019s email", "anna"),
        ("what is James's email", "james"),
        ("what is Mary Ann's email", "mary ann"),
        ("what is my email", None),
        ("what is s email", None),
    ],
)
def test_a_slot_is_read_without_the_s_when_the_sample_has_it_in_the_possessive(sample: str, utterance: str, expected: str | None) -> None:
    resolution = built_in("AMAZON.FirstName", sample).resolve(utterance)
    assert (resolution.intent, value(resolution)) == ("TakeIntent" if expected else "AMAZON.FallbackIntent", expected)


def test_a_type_has_no_values_of_its_own_when_a_catalog_supplies_them() -> None:
    supplied = {"name": "Own", "valueSupplier": {"type": "CatalogValueSupplier", "valueCatalog": {"catalogId": "c", "version": "1"}}}
    intents = [{"name": "TakeIntent", "slots": [{"name": "it", "type": "Own"}], "samples": ["take {it}"]}]
    language = {"invocationName": "a b", "intents": intents, "types": [supplied]}
    slot = InteractionModel({"interactionModel": {"languageModel": language}}).resolve("take timbuktu").slots["it"]
    assert slot is not None
    assert (slot.value, slot.value_id) == ("timbuktu", None)


@pytest.mark.parametrize("utterance", ["take " + "9" * 10_000, "open link demo " * 1_000])
def test_only_its_beginning_is_listened_to_when_a_customer_speaks_for_ever(utterance: str) -> None:
    numbers = built_in("AMAZON.NUMBER")
    assert numbers.resolve(utterance) == numbers.resolve(utterance[:500])
    assert numbers.after_invocation(utterance) == numbers.after_invocation(utterance[:500])


def test_two_slots_share_the_words_so_that_each_can_be_read() -> None:
    slots = [{"name": "day", "type": "AMAZON.DATE"}, {"name": "time", "type": "AMAZON.TIME"}]
    intents = [{"name": "BookIntent", "slots": slots, "samples": ["book {day} {time}"]}]
    both = InteractionModel({"interactionModel": {"languageModel": {"invocationName": "a b", "intents": intents}}}, now=lambda: SUNDAY)
    found = both.resolve("book the day after tomorrow half past five p.m.").slots
    assert {name: slot.value for name, slot in found.items() if slot} == {"day": "2026-11-24", "time": "17:30"}


@pytest.mark.parametrize("locale", LOCALES)
def test_the_example_phrases_are_understood_by_the_model_they_were_made_from(locale: str) -> None:
    phrases = examples(model(locale))
    assert phrases[0] == "open link demo"
    assert {"what is my name", "what is my email address", "hello", "ask link demo for my name", "help", "stop"} <= set(phrases)
    assert 8 <= len(phrases) <= 12
    understood = [model(locale).resolve(model(locale).after_invocation(phrase) or phrase).intent for phrase in phrases[1:]]
    assert "AMAZON.FallbackIntent" not in understood


def test_an_example_is_made_up_when_the_slot_is_of_a_built_in_type() -> None:
    assert "take tomorrow" in examples(built_in("AMAZON.DATE"))
