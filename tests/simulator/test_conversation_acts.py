"""Acts on the desk with somebody's skill: a message that is replayed, and a device whose skill calls the customer's token worthless."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator.test_skill_answers import Stranger
from tests.simulator.test_smart_home import LAMP, LampSkill, error_response
from tools.simulator.simulation import Options, Simulation, SimulationError
from tools.simulator.smart_home import SmartHome

TOKEN = "opaque-token-of-somebody-0123456789"
MESSAGE = {"request": {"type": "LaunchRequest"}, "context": {"System": {"user": {"accessToken": TOKEN}}}}


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    with Stranger() as running:
        yield running


@pytest.fixture
def desk(stranger: Stranger) -> Iterator[Simulation]:
    with Simulation(Options(provider="lwa", skill_url=stranger.url)) as running:
        yield running


def nested(depth: int) -> dict[str, Any]:
    message: dict[str, Any] = {}
    for _ in range(depth):
        message = {"a": message}
    return message


@pytest.mark.parametrize("message", [nested(5_000), {"a": float("nan")}, {"a": "\ud800"}])
def test_a_message_is_not_replayed_when_it_is_no_json(message: dict[str, Any], desk: Simulation) -> None:
    with pytest.raises(SimulationError, match="the message is no JSON"):
        desk.replay(message)
    assert desk.wire.entries() == []


@pytest.mark.parametrize("content", [b"null", b"[]", b'"x"'])
def test_a_replayed_message_fails_when_the_answer_is_no_object(content: bytes, desk: Simulation, stranger: Stranger) -> None:
    stranger.content = content
    with pytest.raises(SimulationError, match="the answer is no JSON object"):
        desk.replay(MESSAGE)
    assert desk.wire.entries()[-1].message.verdict == "failed"


def test_no_token_is_shown_when_the_answer_to_a_replayed_message_repeats_it(desk: Simulation, stranger: Stranger) -> None:
    stranger.content = f'{{"version": "1.0", "response": {{"a": "It was {TOKEN}."}}}}'.encode()
    assert TOKEN not in f"{desk.replay(MESSAGE)}{desk.wire.entries()}"
    stranger.status, stranger.content = 502, f'{{"errorType": "KeyError", "errorMessage": "{TOKEN}"}}'.encode()
    with pytest.raises(SimulationError) as failed:
        desk.replay(MESSAGE)
    assert TOKEN not in f"{failed.value}{desk.wire.entries()}"


@pytest.mark.parametrize(
    ("kind", "linked"), [("INVALID_AUTHORIZATION_CREDENTIAL", False), ("EXPIRED_AUTHORIZATION_CREDENTIAL", False), ("INTERNAL_ERROR", True)]
)
def test_the_account_is_unlinked_only_when_a_device_answers_with_a_credential_error(kind: str, *, linked: bool, desk: Simulation) -> None:
    desk.enable()
    desk.link()
    desk.household.smart_home = SmartHome(LampSkill(**error_response(kind)), str, lambda message: desk.hear("anna", message))
    with pytest.raises(SimulationError, match=kind):
        desk.switch_device(LAMP.endpoint_id, True)
    notices = [entry for entry in desk.wire.entries() if entry.message.text == "drops the tokens and notifies the customer"]
    assert (desk.alexa.token_expires is not None, len(notices)) == (linked, 0 if linked else 1)
