"""skill-package/skill.json: Alexa's manifest, its endpoints in three regions, and texts that keep what they promise."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools.simulator.interaction_model import InteractionModel

ROOT = Path(__file__).resolve().parent.parent
LOCALES = {path.stem for path in (ROOT / "interaction_models").glob("*.json")}
REGIONS = {"NA": "us-east-1", "EU": "eu-west-1", "FE": "us-west-2"}

# What the manifest's own model knows: a key that is none of these is dropped by Alexa without a word.
KNOWN = {
    (): {"manifestVersion", "apis", "events", "permissions", "publishingInformation", "privacyAndCompliance"},
    ("apis", "custom"): {"endpoint", "regions", "interfaces", "locales"},
    ("events",): {"endpoint", "regions", "subscriptions", "publications"},
    ("publishingInformation",): {
        *("name", "description", "locales", "isAvailableWorldwide", "distributionMode", "gadgetSupport", "testingInstructions", "pricing"),
        *("category", "distributionCountries", "manufacturer"),
    },
    ("privacyAndCompliance",): {
        *("locales", "allowsPurchases", "usesPersonalInfo", "isChildDirected", "isExportCompliant", "containsAds", "usesHealthInfo"),
    },
}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return json.loads((ROOT / "skill-package" / "skill.json").read_text())["manifest"]


def uri(region: str) -> dict[str, Any]:
    """A placeholder: Amazon's documentation account, the published alias."""
    return {"endpoint": {"uri": f"arn:aws:lambda:{region}:123456789012:function:linked-profile:live"}}


@pytest.mark.parametrize("path", list(KNOWN))
def test_every_key_is_alexa_s_when_the_manifest_is_read(manifest, path):
    node = manifest
    for name in path:
        node = node[name]
    assert set(node) <= KNOWN[path]


@pytest.mark.parametrize("block", [("apis", "custom"), ("events",)])
def test_each_region_has_its_own_function_when_alexa_calls(manifest, block):
    node = manifest
    for name in block:
        node = node[name]
    assert node["regions"] == {name: uri(region) for name, region in REGIONS.items()}
    assert {"endpoint": node["endpoint"]} == uri("us-east-1")


def test_skill_is_a_custom_one_alone_when_published(manifest):
    assert list(manifest["apis"]) == ["custom"]
    assert manifest["apis"]["custom"]["interfaces"] == []
    assert manifest["manifestVersion"] == "1.0"


def test_subscriptions_are_objects_and_need_no_publication_when_submitted(manifest):
    wanted = ("SKILL_ENABLED", "SKILL_DISABLED", "SKILL_ACCOUNT_LINKED", "SKILL_PERMISSION_ACCEPTED", "SKILL_PERMISSION_CHANGED")
    assert manifest["events"]["subscriptions"] == [{"eventName": name} for name in wanted]
    assert "publications" not in manifest["events"]


def test_every_locale_has_its_texts_when_published(manifest):
    assert set(manifest["publishingInformation"]["locales"]) == LOCALES
    assert set(manifest["privacyAndCompliance"]["locales"]) == LOCALES
    for texts in manifest["publishingInformation"]["locales"].values():
        assert set(texts) == {"name", "summary", "description", "examplePhrases", "keywords"}
        assert texts["name"] == "Linked Profile"
        assert 0 < len(texts["summary"]) <= 160
        assert 0 < len(texts["description"]) <= 4000


def test_privacy_pages_are_named_when_a_customer_wants_to_read_them(manifest):
    for pages in manifest["privacyAndCompliance"]["locales"].values():
        assert set(pages) == {"privacyPolicyUrl", "termsOfUseUrl"}
        assert all(url.startswith("https://example.com/") for url in pages.values())
    flags = {name: value for name, value in manifest["privacyAndCompliance"].items() if name != "locales"}
    assert [name for name, value in flags.items() if value] == ["usesPersonalInfo", "isExportCompliant"]


def test_certifiers_are_told_how_to_link_when_they_test(manifest):
    publishing = manifest["publishingInformation"]
    assert publishing["category"] == "EDUCATION_AND_REFERENCE"
    instructions = publishing["testingInstructions"]
    assert all(word in instructions for word in ("password", "sign in", "Disable the skill", "open link demo"))
    assert "REPLACE-BEFORE-SUBMITTING" in instructions


def spoken(phrase: str, invocation_name: str) -> str | None:
    """What is left for the model of an example phrase; None when it only opens the skill."""
    if phrase == f"Alexa, open {invocation_name}":
        return None
    match = re.fullmatch(rf"Alexa, ask {invocation_name} (?:to )?(.+)", phrase)
    assert match, f"{phrase!r} neither opens nor asks {invocation_name!r}"
    return match[1]


def understood(model: InteractionModel, said: str) -> bool:
    """Whether a question names a part of the profile that the model knows."""
    slot = model.resolve(said).slots.get("infoTypeRequested")
    return slot is not None and slot.value_id is not None


@pytest.mark.parametrize("locale", sorted(LOCALES))
def test_example_phrases_resolve_when_a_customer_reads_them_aloud(manifest, locale):
    texts = manifest["publishingInformation"]["locales"][locale]
    path = ROOT / "interaction_models" / f"{locale}.json"
    invocation_name = json.loads(path.read_text())["interactionModel"]["languageModel"]["invocationName"]
    phrases = texts["examplePhrases"]
    promised = re.findall(r'"(Alexa, [^"]+)"', texts["description"])
    assert (len(phrases), phrases[0]) == (3, f"Alexa, open {invocation_name}")
    left = [said for phrase in phrases + promised if (said := spoken(phrase, invocation_name))]
    model = InteractionModel.load(path)
    assert [said for said in left if not understood(model, said)] == []


@pytest.mark.parametrize("locale", sorted(LOCALES))
def test_certifiers_sentences_resolve_when_spoken_in_the_session(manifest, locale):
    steps = manifest["publishingInformation"]["testingInstructions"].split("In that session say: ")[1].splitlines()[0]
    model = InteractionModel.load(ROOT / "interaction_models" / f"{locale}.json")
    *questions, help_, stop = re.findall(r'"([^"]+)"', steps)
    assert [said for said in questions if not understood(model, said)] == []
    assert [model.resolve(said).intent for said in (help_, stop)] == ["AMAZON.HelpIntent", "AMAZON.StopIntent"]
