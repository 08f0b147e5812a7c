"""skill-package/skill.json: Alexa's manifest, its endpoints in three regions, and texts that keep what they promise."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools import skill_manifest
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


# ---- every kind of skill out of one source: python -m tools.skill_manifest


ARN, EUROPE = (f"arn:aws:lambda:{region}:210987654321:function:skill:live" for region in ("us-east-1", "eu-west-1"))
URL = "https://skill.example.com/alexa"
CHOICES = [
    (["custom"], ["custom"]),
    (["smart-home"], ["smartHome"]),
    (["video"], ["video"]),
    (["music"], ["music"]),
    (["custom", "smart-home"], ["custom", "smartHome"]),
    (["smart-home", "custom"], ["custom", "smartHome"]),
    (["custom", "smart-home", "video", "music"], ["custom", "smartHome", "video", "music"]),
]


@pytest.fixture
def make(tmp_path, capsys):
    """Runs the tool; its exit code, the manifest that it wrote, and what it said."""

    def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
        path = tmp_path / "build" / "skill.json"
        path.unlink(missing_ok=True)
        code = skill_manifest.main([*arguments, "-o", str(path)])
        said = capsys.readouterr()
        assert said.out == ""
        return code, json.loads(path.read_text("utf-8"))["manifest"] if path.exists() else {}, said.err

    return run


def test_checked_in_manifest_is_the_custom_one_when_nothing_is_asked_for(make):
    _, made, _ = make()
    assert {"manifest": made} == json.loads((ROOT / "skill-package" / "skill.json").read_text("utf-8"))


@pytest.mark.parametrize(("models", "apis"), CHOICES, ids="+".join)
@pytest.mark.parametrize("events", [(), ("--send-alexa-events",)], ids=["", "events"])
def test_each_model_is_valid_and_leads_to_the_function_when_asked_for(make, models, apis, events):
    code, made, _ = make("--model", ",".join(models), "--endpoint", ARN, "--endpoint-eu", EUROPE, *events)
    assert (code, list(made["apis"])) == (0, apis)
    there = {region: {"endpoint": {"uri": EUROPE if region == "EU" else ARN}} for region in ("NA", "EU", "FE")}
    for part in [*made["apis"].values(), made["events"]]:
        assert (part["endpoint"], part["regions"]) == ({"uri": ARN}, there)
    assert made.get("permissions", []) == ([{"name": "alexa::async_event:write"}] if events else [])
    assert len(made["events"]["subscriptions"]) == 5


@pytest.mark.parametrize("certificate", ["Trusted", "Wildcard", "SelfSigned"])
def test_custom_and_events_lead_to_a_server_with_its_certificate_when_they_are_https(make, certificate):
    _, made, _ = make("--endpoint", URL, "--certificate", certificate)
    for part in (made["apis"]["custom"], made["events"]):
        assert part["endpoint"] == {"uri": URL, "sslCertificateType": certificate}
        assert {region: block["endpoint"] for region, block in part["regions"].items()} == dict.fromkeys(REGIONS, part["endpoint"])


@pytest.mark.parametrize(
    ("url", "certificate"),
    [
        ("https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/", "Wildcard"),
        ("https://A1B2C3D4E5.execute-api.us-east-1.amazonaws.com:443/prod/alexa", "Wildcard"),
        ("https://abcdefghij.lambda-url.us-west-2.on.aws/", "Wildcard"),
        ("https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com.example.com/", "Trusted"),
        ("https://example.com/a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/", "Trusted"),
        ("https://s3.amazonaws.com/", "Trusted"),
        (URL, "Trusted"),
    ],
)
def test_the_certificate_fits_the_host_when_none_is_asked_for(make, url, certificate):
    _, made, _ = make("--endpoint", url)
    for part in (made["apis"]["custom"], made["events"]):
        assert [block["endpoint"]["sslCertificateType"] for block in (part, *part["regions"].values())] == [certificate] * 4


def test_each_host_has_its_own_certificate_when_regions_lead_to_different_ones(make):
    gateway = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/"
    _, made, _ = make("--endpoint", URL, "--endpoint-eu", gateway)
    regions = made["apis"]["custom"]["regions"]
    assert {region: block["endpoint"]["sslCertificateType"] for region, block in regions.items()} == {
        "NA": "Trusted",
        "EU": "Wildcard",
        "FE": "Trusted",
    }


@pytest.mark.parametrize(
    ("arguments", "custom", "events"),
    [
        (["--custom-endpoint", URL], {"uri": URL, "sslCertificateType": "Trusted"}, {"uri": ARN}),
        (["--events-endpoint", URL], {"uri": ARN}, {"uri": URL, "sslCertificateType": "Trusted"}),
    ],
)
def test_smart_home_stays_with_the_function_when_another_part_is_https(make, arguments, custom, events):
    code, made, _ = make("--model", "custom,smart-home", "--endpoint", ARN, *arguments)
    assert (code, made["apis"]["smartHome"]["endpoint"]) == (0, {"uri": ARN})
    assert (made["apis"]["custom"]["endpoint"], made["events"]["endpoint"]) == (custom, events)


def test_events_follow_the_custom_part_when_there_is_no_other(make):
    _, made, _ = make("--endpoint", ARN, "--custom-endpoint", URL)
    assert made["events"]["endpoint"] == {"uri": URL, "sslCertificateType": "Trusted"}


@pytest.mark.parametrize("model", ["smart-home", "video", "music", "custom,music"])
@pytest.mark.parametrize("where", [["--endpoint", URL], ["--endpoint", ARN, "--endpoint-eu", URL]])
def test_https_is_refused_with_one_line_when_alexa_takes_functions_only(make, model, where):
    code, made, said = make("--model", model, *where)
    assert (code, made, said.count("\n")) == (2, {}, 1)
    assert "takes the ARN of a Lambda function only" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["--model", "tv"],
        ["--model", ""],
        ["--endpoint", "http://skill.example.com/"],
        ["--endpoint", "arn:aws:s3:::bucket"],
        ["--certificate", "None"],
    ],
)
def test_it_stops_when_the_command_line_is_wrong(make, arguments):
    with pytest.raises(SystemExit) as stopped:
        make(*arguments)
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda manifest: manifest.update(unknown=1), "manifest"),
        (lambda manifest: manifest["events"].update(subscriptions=["SKILL_ENABLED"]), "manifest.events.subscriptions.0"),
        (lambda manifest: manifest["publishingInformation"]["locales"]["en-US"].update(summary="x" * 161), "en-US.summary"),
        (lambda manifest: manifest["privacyAndCompliance"].pop("usesHealthInfo"), "manifest.privacyAndCompliance"),
        (lambda manifest: manifest.update(permissions=[{"name": "alexa-async_event:write"}]), "manifest.permissions.0.name"),
    ],
)
def test_a_source_that_alexa_would_not_take_is_refused_with_its_place_when_built(make, tmp_path, change, place):
    document = json.loads((ROOT / "skill-package" / "skill.json").read_text("utf-8"))
    change(document["manifest"])
    source = tmp_path / "source.json"
    source.write_text(json.dumps(document))
    code, made, said = make("--source", str(source))
    assert (code, made, said.count("\n")) == (2, {}, 1)
    assert place in said


def test_a_region_without_alexa_is_refused_when_it_is_in_the_arn(make):
    code, _, said = make("--endpoint", "arn:aws:lambda:eu-north-1:123456789012:function:skill:live")
    assert (code, "eu-north-1" in said) == (2, True)


def test_permissions_of_the_source_are_kept_when_events_are_asked_for(make, tmp_path):
    document = json.loads((ROOT / "skill-package" / "skill.json").read_text("utf-8"))
    document["manifest"]["permissions"] = [{"name": "alexa::profile:name:read"}, {"name": "alexa::async_event:write"}]
    source = tmp_path / "source.json"
    source.write_text(json.dumps(document))
    assert make("--source", str(source))[1]["permissions"] == [{"name": "alexa::profile:name:read"}]
    both = make("--source", str(source), "--send-alexa-events")[1]["permissions"]
    assert both == document["manifest"]["permissions"]


def test_somebody_is_told_that_the_texts_are_not_his_when_it_is_no_custom_skill(make):
    assert make("--model", "custom", "--endpoint", ARN)[2] == ""
    assert "make them your own" in make("--model", "smart-home", "--endpoint", ARN)[2]
