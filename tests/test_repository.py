"""The parts that are written down twice agree: template and settings, models and handlers, manifest and events, README and files."""

import json
import re
import string
from pathlib import Path
from typing import Any

import pytest

from linked_profile import intents
from linked_profile.skill_events import SkillAccountLinkedHandler, SkillDisabledHandler, SkillEnabledHandler
from tests.conftest import ENVIRON, message
from tests.test_template import load_template

ROOT = Path(__file__).parent.parent
LOCALES = ["en-AU", "en-CA", "en-GB", "en-IN", "en-US"]
MODELS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "interaction_models").glob("*.json")}
PROMPTS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "lambda/linked_profile/prompts").glob("*.json")}
README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "lambda/linked_profile/settings.py").read_text()


def known_variables() -> set[str]:
    return set(re.findall(r'reading\.\w+\("([A-Z_]+)"', SETTINGS))


def test_the_template_sets_no_variable_that_settings_does_not_read() -> None:
    function = load_template()["Resources"]["SkillFunction"]["Properties"]
    assert set(function["Environment"]["Variables"]) <= known_variables()


def test_readme_names_every_variable_that_settings_reads() -> None:
    assert {name for name in known_variables() if f"`{name}`" not in README} == set()


def test_the_locales_are_the_same_everywhere() -> None:
    manifest = json.loads((ROOT / "skill-package/skill.json").read_text())["manifest"]
    assert sorted(MODELS) == LOCALES
    assert sorted(manifest["publishingInformation"]["locales"]) == LOCALES
    assert sorted(manifest["privacyAndCompliance"]["locales"]) == LOCALES


@pytest.mark.parametrize("locale", LOCALES)
def test_every_intent_of_the_model_has_a_handler_of_its_name(locale: str) -> None:
    names = [intent["name"] for intent in MODELS[locale]["interactionModel"]["languageModel"]["intents"]]
    assert [name for name in names if not hasattr(intents, f"{name.removeprefix('AMAZON.')}Handler")] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_every_slot_id_of_the_model_is_answered(locale: str) -> None:
    (slot_type,) = MODELS[locale]["interactionModel"]["languageModel"]["types"]
    assert {value["id"] for value in slot_type["values"]} == {*intents.INFO_TYPES, intents.FULL_PROFILE}


def test_every_subscription_has_a_handler_and_every_handled_event_a_subscription() -> None:
    manifest = json.loads((ROOT / "skill-package/skill.json").read_text())["manifest"]
    subscribed = {entry["eventName"] for entry in manifest["events"]["subscriptions"]}
    handled = SkillEnabledHandler.kinds | SkillDisabledHandler.kinds | SkillAccountLinkedHandler.kinds
    names = {re.sub(r"(?<!^)(?=[A-Z])", "_", kind).upper() for kind in handled}
    assert names - {"SKILL_ACCOUNT_UNLINKED"} <= subscribed, "Amazon documents no message for SKILL_ACCOUNT_UNLINKED"
    assert subscribed - names == {"SKILL_PERMISSION_ACCEPTED", "SKILL_PERMISSION_CHANGED"}, "acknowledged by OtherSkillEventHandler"


@pytest.mark.parametrize("language", sorted(PROMPTS))
def test_every_language_has_every_sentence_with_the_same_blanks(language: str) -> None:
    def blanks(sentence: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}

    def check(sentences: Any) -> None:
        assert all(blanks(text) == blanks(PROMPTS["en"]["sentences"][key]) for key, text in sentences.items())

    assert PROMPTS[language]["sentences"].keys() == PROMPTS["en"]["sentences"].keys()
    for overrides in [PROMPTS[language]["sentences"], *PROMPTS[language]["regions"].values()]:
        check(overrides)


def test_every_sentence_that_the_code_asks_for_is_there() -> None:
    source = (ROOT / "lambda/linked_profile/intents.py").read_text()
    asked = set(re.findall(r"""say\(['"]([A-Z_]+)""", source)) | {sentence for sentence, _ in intents.INFO_TYPES.values()}
    asked |= {f"ATTRIBUTE_{sentence}" for sentence, _ in intents.INFO_TYPES.values()} | {
        "PROVIDER_COGNITO",
        "PROVIDER_LWA",
        "PROVIDER_OIDC",
    }
    assert asked == PROMPTS["en"]["sentences"].keys()


def test_the_files_that_the_documents_name_are_there() -> None:
    text = "".join(path.read_text() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
    named = set(re.findall(r"`([\w./-]+\.(?:py|json|yaml|toml|txt|md))`", text)) | set(re.findall(r"\]\(([\w./-]+)\)", text))
    places = [
        ROOT,
        *(
            ROOT / name
            for name in ("lambda", "lambda/linked_profile", "tools", "tools/customers", "tools/simulator", "tests", "interaction_models")
        ),
    ]
    assert {name for name in named if not any((place / name).exists() for place in places)} == set()


def test_the_make_targets_that_the_documents_name_are_there() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    text = "".join(path.read_text() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
    assert set(re.findall(r"`make ([a-z0-9-]+)", text)) <= targets


def test_the_requirements_are_exact_hashed_and_name_no_index() -> None:
    for path in [*ROOT.glob("requirements*.txt"), *(ROOT / "tools/requirements").glob("*.txt")]:
        text = path.read_text()
        entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert entries, path
        assert all("==" in entry and entry.endswith("\\") for entry in entries), path
        assert "http" not in text, path
        assert "index" not in text, path


def test_the_recorded_messages_carry_the_skill_id_of_the_tests() -> None:
    assert message("launch")["session"]["application"]["applicationId"] == ENVIRON["SKILL_ID"]
