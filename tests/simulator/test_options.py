"""What a simulation is not started with: addresses that lead elsewhere, switches that would do nothing, files that are no models."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tools.simulator.linking_configuration import LinkingConfiguration, redirect_urls
from tools.simulator.simulation import Options, Simulation, SimulationError

SKILL = "http://127.0.0.1:1/"
LINKING = LinkingConfiguration("http://127.0.0.1/ap/oa", "http://localhost/token", "client", "secret", ("profile",), redirect_urls("M1"))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1/ap/oa", ()),
        ("http://localhost:8080/ap/oa?brand=a", ()),
        ("HTTP://[::1]:8080/ap/oa", ()),
        ("https://Login.Example.com/authorize", ("login.example.COM",)),
    ],
)
def test_an_identity_provider_is_taken_when_it_is_here_or_allowed_by_name(url: str, allowed: tuple[str, ...]) -> None:
    Options(linking=replace(LINKING, authorization_url=url, access_token_url=url), skill_url=SKILL, allowed_hosts=allowed)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (r"http://evil.example\@127.0.0.1/ap/oa", "is no http or https address"),
        ("http://evil.example@127.0.0.1/ap/oa", "is no http or https address"),
        ("http://evil.example\t@127.0.0.1/ap/oa", "is no http or https address"),
        (" http://127.0.0.1/ap/oa", "is no http or https address"),
        ("http://127.0.0.1/ap/o a", "is no http or https address"),
        ("http://127.0.0.1:99999/ap/oa", "is no http or https address"),
        ("http://127.0.0.1:0/ap/oa", "is no http or https address"),
        ("http://[127.0.0.1/ap/oa", "is no http or https address"),
        ("http:///ap/oa", "is no http or https address"),
        ("file://127.0.0.1/etc/passwd", "is no http or https address"),
        ("//127.0.0.1/ap/oa", "is no http or https address"),
        ("https://127.0.0.1.evil.example/ap/oa", "127.0.0.1.evil.example is not on this machine"),
        ("https://evil.example/ap/oa", "--allow-provider evil.example"),
        ("http://login.example.com/ap/oa", "passwords and tokens need https there"),
    ],
)
@pytest.mark.parametrize(("name", "setting"), [("authorization_url", "authorizationUrl"), ("access_token_url", "accessTokenUrl")])
def test_an_identity_provider_is_refused_when_its_address_may_lead_elsewhere(name: str, setting: str, url: str, why: str) -> None:
    with pytest.raises(SimulationError) as refused:
        Options(linking=replace(LINKING, **{name: url}), skill_url=SKILL, allowed_hosts=("login.example.com",))
    told = str(refused.value)
    assert why in told
    assert setting in told or "is not on this machine" in told


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "https://me:S3cret@skill.example/", "skill.example", "https://"])
def test_a_skill_is_refused_in_words_without_its_address_when_that_is_none(url: str) -> None:
    with pytest.raises(SimulationError, match="no http or https address") as refused:
        Options(skill_url=url)
    assert "S3cret" not in str(refused.value)


@pytest.mark.parametrize("elsewhere", [{"https": True}, {"skill_url": SKILL, "provider": "lwa"}])
def test_send_alexa_events_is_refused_when_the_grant_would_never_come(elsewhere: dict[str, Any]) -> None:
    with pytest.raises(SimulationError, match="AcceptGrant"):
        Options(send_alexa_events=True, **elsewhere)


def test_alexas_clock_is_not_started_at_another_time_when_an_endpoint_checks_it() -> None:
    Options(https=True)
    with pytest.raises(SimulationError, match="no --https"):
        Options(https=True, starts=timedelta(minutes=-20))


@pytest.mark.parametrize("days", [-4000, 4000, 900_000])
def test_alexas_clock_is_not_started_far_from_the_real_one(days: int) -> None:
    with pytest.raises(SimulationError, match="3650 days"):
        Options(starts=timedelta(days=days))


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (b"{", "it is no JSON"),
        (b"\xff\xfe", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", "it has no object interactionModel"),
        (b"{}", "it has no object interactionModel"),
        (b'{"interactionModel": {}}', "it has no object languageModel"),
        ({"intents": [{"name": "I"}]}, "invocationName is missing"),
        ({"invocationName": "a b"}, "it has no intents"),
        ({"invocationName": "a b", "intents": [{"samples": []}]}, "name is missing"),
        ({"invocationName": "a b", "intents": {"name": "I"}}, "intents is no list of objects"),
        ({"invocationName": "a b", "intents": [{"name": "I", "samples": "hello"}]}, "samples is no list of texts"),
        ({"invocationName": "a b", "intents": [{"name": "I", "slots": [{"name": "s"}]}]}, "type is missing"),
        ({"invocationName": "a b", "intents": [{"name": "I"}], "types": [{"name": "T", "values": [{}]}]}, "it has no object name"),
    ],
)
def test_the_file_is_named_when_it_is_no_interaction_model(model: bytes | dict[str, Any], why: str, tmp_path: Path) -> None:
    written = model if isinstance(model, bytes) else json.dumps({"interactionModel": {"languageModel": model}}).encode()
    (tmp_path / "en-US.json").write_bytes(written)
    with pytest.raises(SimulationError) as refused, Simulation(Options(models=tmp_path, skill_url=SKILL, provider="lwa")):
        pass
    assert str(refused.value).startswith(f"en-US.json is no interaction model: {why}")
