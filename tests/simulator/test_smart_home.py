"""Alexa's side of smart home: what it asks of a skill, what it makes of the answers, and the event gateway's stand-in."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tools.simulator.account_linking import AccountLinkingError
from tools.simulator.amazon import Amazon
from tools.simulator.clock import SimulatedClock
from tools.simulator.event_gateway import PATH
from tools.simulator.providers import VENDOR_ID
from tools.simulator.smart_home import UNLINKS, Device, DirectiveError, SmartHome
from tools.simulator.wire import Message

LAMP = Device("lamp-1", "Virtual lamp", "A lamp to try the skill with")


class LampSkill:
    """Answers as a skill with one lamp does; `changes` go over each answer's event."""

    def __init__(self, **changes: Any) -> None:
        self.directives: list[dict[str, Any]] = []
        self._changes = changes

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        directive = event["directive"]
        self.directives.append(directive)
        asked = directive["header"]
        name = {"AcceptGrant": "AcceptGrant.Response", "Discover": "Discover.Response", "ReportState": "StateReport"}.get(
            asked["name"], "Response"
        )
        header = {"namespace": "Alexa", "name": name, "payloadVersion": "3", "messageId": "m-1"}
        header |= {key: asked[key] for key in ("correlationToken",) if key in asked}
        lamp = {"endpointId": LAMP.endpoint_id, "friendlyName": LAMP.name, "description": LAMP.description}
        value = "OFF" if asked["name"] in {"ReportState", "TurnOff"} else "ON"
        answer = {"header": header, "payload": {"endpoints": [lamp]} if asked["name"] == "Discover" else {}} | self._changes
        return {"event": answer, "context": {"properties": [{"name": "powerState", "value": value}]}}


def smart_home(skill: LampSkill, told: list[Message] | None = None) -> SmartHome:
    return SmartHome(skill, lambda: "ANcode0123456789abcdef", (told if told is not None else []).append)


def error_response(kind: str) -> dict[str, Any]:
    header = {"namespace": "Alexa", "name": "ErrorResponse", "payloadVersion": "3", "messageId": "m-1"}
    return {"header": header, "payload": {"type": kind, "message": "No."}}


def test_a_lamp_is_discovered_and_switched() -> None:
    skill = LampSkill()
    home = smart_home(skill)
    assert [device.power for device in home.discover("Atza|t")] == ["OFF"]
    assert home.switch(LAMP.endpoint_id, "Atza|t", on=True).power == "ON"
    assert home.devices[0].power == "ON"
    assert [directive["header"]["name"] for directive in skill.directives] == ["Discover", "ReportState", "TurnOn"]
    assert skill.directives[2]["endpoint"]["scope"] == {"type": "BearerToken", "token": "Atza|t"}


@pytest.mark.parametrize(
    ("said", "on"),
    [("Alexa, turn on the virtual lamp", True), ("turn virtual lamp off", False), ("switch off my Virtual Lamp!", False)],
)
def test_words_for_a_device_are_understood_without_the_skills_name(said: str, on: bool) -> None:
    home = smart_home(LampSkill())
    home.discover("Atza|t")
    meant = home.device_meant(said)
    assert meant
    assert (meant[0].endpoint_id, meant[1]) == (LAMP.endpoint_id, on)


@pytest.mark.parametrize("said", ["turn on the kettle", "what is my email", "turn on"])
def test_other_words_are_the_skills(said: str) -> None:
    home = smart_home(LampSkill())
    home.discover("Atza|t")
    assert home.device_meant(said) is None


def test_linking_fails_when_the_grant_is_not_accepted() -> None:
    home = smart_home(LampSkill(**error_response("ACCEPT_GRANT_FAILED")))
    with pytest.raises(AccountLinkingError) as failure:
        home.accept_grant("Atza|t")
    assert failure.value.step == "AcceptGrant"
    assert "Permissions" in failure.value.mend


def test_the_wire_warns_of_the_unlinking_when_a_credential_error_is_answered() -> None:
    told: list[Message] = []
    with pytest.raises(DirectiveError, match="EXPIRED_AUTHORIZATION_CREDENTIAL"):
        smart_home(LampSkill(**error_response("EXPIRED_AUTHORIZATION_CREDENTIAL")), told).discover("Atza|t")
    assert (told[-1].verdict, told[-1].mend) == ("failed", UNLINKS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"header": {"name": "Response"}}, "correlationToken"),
        ({"header": "none"}, "no event with header"),
        ({"header": {"name": "StateReport"}}, "Response was expected"),
    ],
)
def test_an_answer_is_refused_when_alexa_would_not_take_it(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DirectiveError, match=words):
        smart_home(LampSkill(**changes)).switch(LAMP.endpoint_id, "Atza|t", on=True)


@pytest.fixture
def amazon() -> Iterator[Amazon]:
    arrived: list[tuple[str, int, str]] = []
    note = lambda event, status, code: arrived.append((event.get("event", {}).get("header", {}).get("name", ""), status, code))  # noqa: E731
    with Amazon(VENDOR_ID, SimulatedClock(), note) as running:
        running.arrived = arrived  # type: ignore[attr-defined]
        yield running


def grant_token(amazon: Amazon) -> str:
    form = {"grant_type": "authorization_code", "code": amazon.login.issue_grant_code(amazon.customers["anna"]), **amazon.messaging_secret}
    return str(requests.post(f"{amazon.login.url}/auth/o2/token", data=form, timeout=5).json()["access_token"])


def send(amazon: Amazon, token: str) -> tuple[int, str]:
    event = {
        "event": {
            "header": {"namespace": "Alexa", "name": "ChangeReport", "payloadVersion": "3", "messageId": "m-1"},
            "endpoint": {"endpointId": LAMP.endpoint_id, "scope": {"type": "BearerToken", "token": token}},
            "payload": {},
        }
    }
    answer = requests.post(f"{amazon.gateway_url}{PATH}", json=event, timeout=5)
    return answer.status_code, answer.json()["payload"]["code"] if answer.content else ""


def test_the_gateway_takes_an_event_when_its_token_is_a_grants(amazon: Amazon) -> None:
    assert send(amazon, grant_token(amazon)) == (202, "")
    assert amazon.arrived == [("ChangeReport", 202, "")]  # type: ignore[attr-defined]


def test_the_gateway_refuses_an_event_when_its_token_is_a_customers_or_none(amazon: Amazon) -> None:
    linked = amazon.login.token_of_another_client(amazon.customers["anna"].user_id)
    assert [send(amazon, token) for token in (linked, "Atza|nonsense")] == [(401, "INVALID_ACCESS_TOKEN_EXCEPTION")] * 2


def test_the_gateway_refuses_what_is_no_event(amazon: Amazon) -> None:
    assert requests.post(f"{amazon.gateway_url}{PATH}", data=b"[", timeout=5).status_code == 400
