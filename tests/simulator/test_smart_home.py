"""Alexa's side of smart home: what it asks of a skill, what it makes of the answers, and the event gateway's stand-in."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from tools.simulator.account_linking import AccountLinkingError
from tools.simulator.amazon import Amazon
from tools.simulator.clock import SimulatedClock
from tools.simulator.event_gateway import PATH
from tools.simulator.providers import VENDOR_ID
from tools.simulator.skill import SkillFailedError
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


@pytest.mark.parametrize("content", [None, "x", 0, [], {"event": None}, {"event": {"header": {}, "payload": {}}, "context": None}])
def test_an_answer_of_any_other_type_is_refused(content: Any) -> None:
    skill, told = LampSkill(), list[Message]()
    skill.invoke = lambda event: content  # type: ignore[method-assign]
    with pytest.raises(DirectiveError, match="MALFORMED_ANSWER"):
        smart_home(skill, told).discover("Atza|t")
    assert [message.verdict for message in told] == ["", "failed"]


@pytest.mark.parametrize("endpoints", [None, "x", {}, [None], [{}], [{"endpointId": 5}], [{"endpointId": "a", "friendlyName": 5}]])
def test_endpoints_are_refused_when_they_are_none(endpoints: Any) -> None:
    told = list[Message]()
    with pytest.raises(DirectiveError, match="MALFORMED_ANSWER"):
        smart_home(LampSkill(payload={"endpoints": endpoints}), told).discover("Atza|t")
    assert told[-1].verdict == "failed"


@pytest.mark.parametrize(
    "context", [None, "x", {"properties": "x"}, {"properties": [5]}, {"properties": [{"name": "powerState", "value": ["ON"]}]}]
)
def test_a_state_is_refused_when_it_is_none(context: Any) -> None:
    skill = LampSkill()
    told, answers = list[Message](), skill.invoke
    skill.invoke = lambda event: answers(event) | {"context": context}  # type: ignore[method-assign]
    with pytest.raises(DirectiveError, match="MALFORMED_ANSWER"):
        smart_home(skill, told).report_state(LAMP.endpoint_id, "Atza|t")
    assert told[-1].verdict == "failed"


def test_no_token_is_told_when_the_skill_repeats_its_directive() -> None:
    def repeat(event: dict[str, Any]) -> Any:
        raise SkillFailedError("KeyError", str(event))

    skill, told, token = LampSkill(), list[Message](), "opaque-token-of-somebody-0123456789"
    skill.invoke = repeat  # type: ignore[method-assign]
    with pytest.raises(AccountLinkingError) as refusal:
        smart_home(skill, told).accept_grant(token)
    assert all(secret not in f"{told}{refusal.value}" for secret in (token, "ANcode0123456789abcdef"))


@pytest.fixture
def amazon() -> Iterator[Amazon]:
    arrived: list[tuple[str, int, str]] = []
    note = lambda event, status, code: arrived.append((event.get("event", {}).get("header", {}).get("name", ""), status, code))  # noqa: E731
    clock = SimulatedClock()
    with Amazon(VENDOR_ID, clock, note) as running:
        running.arrived, running.clock = arrived, clock  # type: ignore[attr-defined]
        yield running


def grant(amazon: Amazon, customer: str = "anna") -> dict[str, str]:
    code = amazon.login.issue_grant_code(amazon.customers[customer])
    return dict(ask_for_tokens(amazon, grant_type="authorization_code", code=code).json())


def ask_for_tokens(amazon: Amazon, **form: str) -> requests.Response:
    return requests.post(f"{amazon.login.url}/auth/o2/token", data={**form, **amazon.messaging_secret}, timeout=5)


def grant_token(amazon: Amazon) -> str:
    return grant(amazon)["access_token"]


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


@pytest.mark.parametrize("event", [{"event": {"header": {"name": 5}, "payload": {"scope": {}}}}, {"event": {"header": {}}}, [], "x"])
def test_the_gateway_refuses_an_event_when_it_has_no_name(event: Any, amazon: Amazon) -> None:
    answer = requests.post(f"{amazon.gateway_url}{PATH}", json=event, timeout=5)
    assert (answer.status_code, answer.json()["payload"]["code"]) == (400, "INVALID_REQUEST_EXCEPTION")


@pytest.mark.parametrize("length", ["ten", "-5", "1e3", "\u00b2", "9" * 5_000])
def test_the_gateway_refuses_an_event_when_its_length_is_no_number(length: str, amazon: Amazon) -> None:
    answer = requests.post(f"{amazon.gateway_url}{PATH}", data=b"", headers={"Content-Length": length.encode("latin-1")}, timeout=5)
    assert answer.status_code == 400


def test_the_grant_ends_when_the_customer_disables_the_skill(amazon: Amazon) -> None:
    annas, carlos = grant(amazon), grant(amazon, "carlos")
    amazon.end_grants("anna")
    assert send(amazon, annas["access_token"]) == (403, "SKILL_DISABLED_EXCEPTION")
    refused = ask_for_tokens(amazon, grant_type="refresh_token", refresh_token=annas["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert [send(amazon, token)[0] for token in (carlos["access_token"], grant_token(amazon))] == [202, 202]


def test_a_token_that_has_only_expired_is_no_disabled_skill(amazon: Amazon) -> None:
    token = grant_token(amazon)
    amazon.clock.move_on(timedelta(hours=2))  # type: ignore[attr-defined]
    assert send(amazon, token) == (401, "INVALID_ACCESS_TOKEN_EXCEPTION")
