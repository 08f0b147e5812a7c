"""examples/send_events.py, as a person runs it: AWS is moto in this process, Amazon is on loopback."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

import alexa_events
from linked_profile import aws_calls
from linked_profile.grants import build_grants
from linked_profile.outbound import Deadline, Outbound
from linked_profile.settings import Settings
from tests.conftest import ENVIRON
from tests.events_skill import ANNA, GRANTS
from tests.loopback_amazon import LoopbackAmazon, gateway_error
from tests.test_grants import MotoAws

EXAMPLE = Path(__file__).parent.parent / "examples" / "send_events.py"


@pytest.fixture
def amazon() -> Iterator[LoopbackAmazon]:
    server = LoopbackAmazon()
    yield server
    server.close()


@pytest.fixture
def environ(amazon: LoopbackAmazon, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The function's environment, with a customer who granted events."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        made = MotoAws()
        named = {"GRANTS_KEY_ID": made.key_id, "SKILL_MESSAGING_SECRET_ARN": made.secret_arn, "AWS_DEFAULT_REGION": "eu-west-1"}
        variables = {**ENVIRON, **GRANTS, **named, "LWA_API_URL": amazon.url, "ALEXA_EVENT_GATEWAY_URL": amazon.url}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        aws_calls.aws_client.cache_clear()
        alexa_events.build_gateway.cache_clear()
        grants = build_grants(Settings.from_environ(variables), Outbound())
        assert grants is not None
        grants.accept(ANNA, "CanaryCode1", Deadline(30))
        yield variables
    aws_calls.aws_client.cache_clear()
    alexa_events.build_gateway.cache_clear()


def run(*arguments: str) -> int:
    spec = importlib.util.spec_from_file_location("send_events", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    code: int = module.main(arguments)
    return code


def test_alexa_hears_that_the_lamp_was_switched_when_somebody_presses_it(environ: Any, amazon: LoopbackAmazon, capsys: Any) -> None:
    assert run("change-report", ANNA, "--endpoint-id", "lamp-1", "--power", "OFF") == 0
    (event,) = amazon.events
    (changed,) = event["event"]["payload"]["change"]["properties"]
    assert (changed["value"], event["event"]["endpoint"]["endpointId"], event["context"]) == ("OFF", "lamp-1", {"properties": []})
    said = capsys.readouterr().out
    assert (said.split()[1], "Canary" in said) == ("sent", False)


def test_alexa_hears_of_a_new_lamp_when_it_is_added(environ: Any, amazon: LoopbackAmazon) -> None:
    assert run("add-or-update-report", ANNA, "--endpoint-id", "lamp-2", "--name", "Desk lamp") == 0
    (event,) = amazon.events
    (lamp,) = event["event"]["payload"]["endpoints"]
    assert (lamp["friendlyName"], event["event"]["payload"]["scope"]["type"]) == ("Desk lamp", "BearerToken")


def test_exit_code_is_1_when_alexa_does_not_take_it_or_nobody_granted_it(environ: Any, amazon: LoopbackAmazon, capsys: Any) -> None:
    amazon.gateway_faults = [gateway_error(403, "INSUFFICIENT_PERMISSION_EXCEPTION")]
    assert run("change-report", ANNA, "--endpoint-id", "lamp-1") == 1
    assert capsys.readouterr().out.split()[1:] == ["failed", "INSUFFICIENT_PERMISSION_EXCEPTION"]
    assert run("change-report", "nobody", "--endpoint-id", "lamp-1") == 1


def test_it_says_what_is_missing_in_one_line_when_events_are_not_configured(
    environ: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for name in GRANTS:
        monkeypatch.delenv(name)
    assert run("change-report", ANNA, "--endpoint-id", "lamp-1") == 2
    assert capsys.readouterr().err.startswith("Error: GRANTS_TABLE, GRANTS_KEY_ID and SKILL_MESSAGING_SECRET_ARN are missing")
