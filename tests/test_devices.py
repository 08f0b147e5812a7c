"""Device code gets a proven account and a directive; what it answers, raises or breaks becomes one of Alexa's answers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from linked_profile.devices import VirtualLamp
from linked_profile.directive_envelopes import Directive, Property, Reply
from linked_profile.errors import DeviceError, ProviderUnavailableError, TableUnavailableError, TokenExpiredError, TokenRejectedError
from linked_profile.logs import OutcomeLog
from linked_profile.outbound import Deadline
from linked_profile.virtual_lamps import VirtualLamps
from tests import loopback_amazon
from tests.conftest import SKILL_ID
from tests.directive_skill import LAMPS, MUSIC, DirectiveSkill, EventSkill, directive, with_code
from tests.loopback_amazon import LoopbackAmazon
from tests.loopback_provider import LoopbackProvider
from tests.token_signer import NOW, SUB, signer

BEN = "ben-sub"
SET_BRIGHTNESS = ("Alexa.BrightnessController", "SetBrightness")


@pytest.fixture
def skill(provider: LoopbackProvider) -> DirectiveSkill:
    return DirectiveSkill(provider, **LAMPS)


@pytest.fixture
def anna() -> str:
    return signer().access_token()


def power_states(answer: dict[str, Any]) -> list[str]:
    assert all(state["namespace"] == "Alexa.PowerController" for state in answer["context"]["properties"])
    return [state["value"] for state in answer["context"]["properties"]]


class TestVirtualLamp:
    """The example."""

    def test_each_account_has_a_lamp_of_its_own(self, skill: DirectiveSkill, anna: str) -> None:
        ben = signer().access_token(BEN)
        assert skill.lamp(anna) == skill.lamp(anna) != skill.lamp(ben)
        skill(directive("turn_on", anna, skill.lamp(anna)))
        assert power_states(skill(directive("report_state", anna, skill.lamp(anna)))) == ["ON"]
        assert power_states(skill(directive("report_state", ben, skill.lamp(ben)))) == ["OFF"]

    def test_is_off_until_it_is_switched_and_then_as_it_was_switched_last(self, skill: DirectiveSkill, anna: str) -> None:
        lamp = skill.lamp(anna)
        seen = []
        for name in ["report_state", "turn_on", "report_state", "turn_on", "turn_off", "report_state"]:
            seen += power_states(skill(directive(name, anna, lamp)))
        assert seen == ["OFF", "ON", "ON", "ON", "OFF", "OFF"]

    def test_says_when_the_state_was_so(self, skill: DirectiveSkill, anna: str) -> None:
        (state,) = skill(directive("turn_on", anna, skill.lamp(anna)))["context"]["properties"]
        assert datetime.fromisoformat(state["timeOfSample"]) == datetime.fromtimestamp(NOW, UTC)

    @pytest.mark.parametrize("name", ["report_state", "turn_on", "turn_off"])
    def test_the_lamp_of_another_account_does_not_exist(self, skill: DirectiveSkill, anna: str, name: str) -> None:
        bens = skill.lamp(signer().access_token(BEN))
        for endpoint_id in [bens, "virtual-lamp-", "endpoint-001"]:
            assert skill.error(directive(name, anna, endpoint_id)) == "NO_SUCH_ENDPOINT"
        assert skill.tables.lamps.calls == []

    @pytest.mark.parametrize("name", ["report_state", "turn_on", "turn_off"])
    def test_a_table_that_is_down_unlinks_nobody(self, skill: DirectiveSkill, anna: str, name: str) -> None:
        def fail(operation: str) -> None:
            raise EndpointConnectionError(endpoint_url="table")

        lamp = skill.lamp(anna)
        skill.tables.lamps.before = fail
        assert skill.error(directive(name, anna, lamp)) == "INTERNAL_ERROR"

    @pytest.mark.parametrize("name", ["discover", "report_state", "turn_on"])
    def test_is_not_there_unless_it_has_a_table(self, provider: LoopbackProvider, anna: str, name: str) -> None:
        assert DirectiveSkill(provider).error(directive(name, anna)) == "INVALID_DIRECTIVE"

    def test_its_table_holds_the_account_and_the_state_and_nothing_else(self, skill: DirectiveSkill, anna: str) -> None:
        skill(directive("turn_on", anna, skill.lamp(anna)))
        assert skill.tables.lamps.rows() == [{"AccountID": {"S": SUB}, "IsOn": {"BOOL": True}}]


class TestChangesOfTheLamp:
    """Alexa is told, once per change and never at the cost of the answer."""

    def lamp(self, skill: DirectiveSkill, send_event: Any) -> VirtualLamp:
        from linked_profile.aws_calls import AwsCalls  # noqa: PLC0415

        lamps = VirtualLamps(LAMPS["VIRTUAL_LAMPS_TABLE"], AwsCalls(lambda service, attempts: skill.tables))
        return VirtualLamp(lamps, SKILL_ID, send_event, OutcomeLog(SKILL_ID), lambda: NOW * 1000)

    def test_a_change_is_reported_with_its_cause_and_no_change_is_not(self, skill: DirectiveSkill) -> None:
        sent: list[Any] = []
        lamp = self.lamp(skill, lambda *call: sent.append(call))
        for on, cause in [(True, "APP_INTERACTION"), (True, "APP_INTERACTION"), (False, "PHYSICAL_INTERACTION"), (False, "RULE_TRIGGER")]:
            lamp.switch_lamp(SUB, on=on, cause=cause, deadline=Deadline(5))
        changes = [event["payload"]["change"] for _, event, _ in sent]
        assert [(change["cause"]["type"], change["properties"][0]["value"]) for change in changes] == [
            ("APP_INTERACTION", "ON"),
            ("PHYSICAL_INTERACTION", "OFF"),
        ]
        assert {(account, event["endpoint"]["endpointId"]) for account, event, _ in sent} == {(SUB, lamp.endpoint_id(SUB))}
        assert all(deadline.remaining() <= 2 for _, _, deadline in sent), "the customer is waiting"

    @pytest.mark.parametrize("error", [ProviderUnavailableError("HTTP_503"), TableUnavailableError("query"), KeyError("bug")])
    def test_the_lamp_is_switched_also_when_alexa_cannot_be_told(self, skill: DirectiveSkill, caplog: Any, error: Exception) -> None:
        def fail(*call: Any) -> None:
            raise error

        lamp = self.lamp(skill, fail)
        assert lamp.switch_lamp(SUB, on=True, cause="VOICE_INTERACTION", deadline=Deadline(5)).value == "ON"
        assert skill.tables.lamps.rows()[0]["IsOn"] == {"BOOL": True}
        assert [record.outcome for record in caplog.records] == ["event_not_sent"]


class TestWithEvents:
    """The whole way: AcceptGrant, TurnOn, and Alexa's event gateway."""

    @pytest.fixture
    def amazon(self) -> Iterator[LoopbackAmazon]:
        server = LoopbackAmazon()
        yield server
        server.close()

    @pytest.fixture
    def skill(self, provider: LoopbackProvider, amazon: LoopbackAmazon) -> EventSkill:
        return EventSkill(provider, amazon)

    def test_a_grant_lets_the_lamp_tell_alexa_what_voice_did(self, skill: EventSkill, amazon: LoopbackAmazon, anna: str) -> None:
        assert skill(with_code("accept_grant", anna, "CanaryCode1"))["event"]["header"]["name"] == "AcceptGrant.Response"
        assert skill.error(directive("turn_on", anna, skill.lamp(anna))) == ""
        (event,) = (event["event"] for event in amazon.events)
        assert (event["header"]["name"], event["endpoint"]["endpointId"]) == ("ChangeReport", skill.lamp(anna))
        assert event["payload"]["change"]["cause"] == {"type": "VOICE_INTERACTION"}
        assert event["endpoint"]["scope"]["token"] in amazon.access_tokens

    def test_discovery_says_that_changes_will_be_reported(self, skill: EventSkill, anna: str) -> None:
        (lamp,) = skill(directive("discover", anna))["event"]["payload"]["endpoints"]
        assert lamp["capabilities"][1]["properties"]["proactivelyReported"] is True

    def test_the_same_grant_may_come_twice_and_another_code_not(self, skill: EventSkill, anna: str) -> None:
        answers = [skill(with_code("accept_grant", anna, code)) for code in ["CanaryCode1", "CanaryCode1", "used-long-ago"]]
        assert [answer["event"]["header"]["name"] for answer in answers] == ["AcceptGrant.Response"] * 2 + ["ErrorResponse"]

    def test_a_gateway_that_is_down_does_not_keep_the_lamp_dark(self, skill: EventSkill, amazon: LoopbackAmazon, anna: str) -> None:
        skill(with_code("accept_grant", anna, "CanaryCode1"))
        amazon.gateway_faults = [loopback_amazon.gateway_error(503, "SERVICE_UNAVAILABLE_EXCEPTION")] * 5
        assert power_states(skill(directive("turn_on", anna, skill.lamp(anna)))) == ["ON"]


class TestHandlersOfADevelopers:
    """What stands in the place of the lamp."""

    def skill(self, provider: LoopbackProvider, handler: Any, *kinds: tuple[str, str]) -> DirectiveSkill:
        return DirectiveSkill(provider, handlers=dict.fromkeys(kinds or [SET_BRIGHTNESS], handler))

    def test_gets_the_proven_account_and_the_directive(self, provider: LoopbackProvider, anna: str) -> None:
        got: list[Any] = []
        skill = self.skill(provider, lambda *call: got.append(call) or Reply())
        assert skill.error(directive("set_brightness", anna)) == ""
        ((account_id, told, deadline),) = got
        assert (account_id, told.kind, told.payload, told.endpoint_id) == (
            SUB,
            "Alexa.BrightnessController.SetBrightness",
            {"brightness": 42},
            "endpoint-001",
        )
        assert 0 < deadline.remaining() < 7.5
        assert anna not in repr(told)

    def test_its_properties_are_the_answers_context(self, provider: LoopbackProvider, anna: str) -> None:
        state = Property("Alexa.BrightnessController", "brightness", 42, NOW * 1000, uncertainty_ms=500)
        answer = self.skill(provider, lambda *_: Reply(properties=(state,)))(directive("set_brightness", anna))
        assert [(state["value"], state["uncertaintyInMilliseconds"]) for state in answer["context"]["properties"]] == [(42, 500)]

    @pytest.mark.parametrize(
        "error_type", ["ENDPOINT_UNREACHABLE", "RATE_LIMIT_EXCEEDED", "INVALID_VALUE", "NO_SUCH_ENDPOINT", "PARTNER_OUTAGE"]
    )
    def test_refuses_in_alexas_words(self, provider: LoopbackProvider, anna: str, error_type: str) -> None:
        def refuse(account_id: str, told: Directive, deadline: Deadline) -> Reply:
            raise DeviceError(error_type, "The hub does not answer.")

        answer = self.skill(provider, refuse)(directive("set_brightness", anna))
        assert answer["event"]["payload"] == {"type": error_type, "message": "The hub does not answer."}

    def test_may_add_what_an_error_type_needs(self, provider: LoopbackProvider, anna: str) -> None:
        def refuse(*_: Any) -> Reply:
            raise DeviceError("VALUE_OUT_OF_RANGE", "Too bright.", details={"validRange": {"minimumValue": 0, "maximumValue": 40}})

        answer = self.skill(provider, refuse).handler(directive("set_brightness", anna), None)
        assert answer["event"]["payload"]["validRange"] == {"minimumValue": 0, "maximumValue": 40}

    @pytest.mark.parametrize("error_type", ["INVALID_AUTHORIZATION_CREDENTIAL", "EXPIRED_AUTHORIZATION_CREDENTIAL"])
    def test_cannot_unlink_the_customer(self, provider: LoopbackProvider, anna: str, error_type: str) -> None:
        def refuse(*_: Any) -> Reply:
            raise DeviceError(error_type)

        assert self.skill(provider, refuse).error(directive("set_brightness", anna)) == "INTERNAL_ERROR"

    @pytest.mark.parametrize(
        "answer", [None, {}, Reply({"x": Decimal(1)}), Reply({"x": float("nan")}), Reply({"x": {1, 2}}), Reply({"x": "\ud800"})]
    )
    def test_an_answer_that_is_none_unlinks_nobody(self, provider: LoopbackProvider, anna: str, answer: Any) -> None:
        assert self.skill(provider, lambda *_: answer).error(directive("set_brightness", anna)) == "INTERNAL_ERROR"

    @pytest.mark.parametrize("details", [{"x": Decimal(1)}, {"x": float("nan")}, {"x": {1, 2}}, {"x": "\ud800"}])
    def test_a_refusal_that_cannot_be_said_is_a_bug(self, provider: LoopbackProvider, anna: str, details: Any) -> None:
        def refuse(*_: Any) -> Reply:
            raise DeviceError("VALUE_OUT_OF_RANGE", "Too bright.", details=details)

        assert self.skill(provider, refuse).error(directive("set_brightness", anna)) == "INTERNAL_ERROR"

    @pytest.mark.parametrize("error", [TokenRejectedError("INVALID_TOKEN"), TokenExpiredError("EXPIRED")])
    def test_a_device_clouds_own_token_says_nothing_of_the_customers(self, provider: LoopbackProvider, anna: str, error: Exception) -> None:
        def fail(*_: Any) -> Reply:
            raise error

        assert self.skill(provider, fail).error(directive("set_brightness", anna)) == "INTERNAL_ERROR"

    @pytest.mark.parametrize("error", [RecursionError(), KeyError("x"), TimeoutError(), MemoryError(), AssertionError()])
    def test_a_bug_unlinks_nobody(self, provider: LoopbackProvider, anna: str, error: Exception) -> None:
        def fail(*_: Any) -> Reply:
            raise error

        assert self.skill(provider, fail).error(directive("set_brightness", anna)) == "INTERNAL_ERROR"

    @pytest.mark.parametrize("name", MUSIC)
    def test_answers_music_without_a_wrapper(self, provider: LoopbackProvider, anna: str, name: str) -> None:
        message = directive(name, anna)
        kind = (message["header"]["namespace"], message["header"]["name"])
        answer = self.skill(provider, lambda account_id, *_: Reply({"account": account_id}), kind)(message)
        assert answer["payload"] == {"account": SUB}
        assert (answer["header"]["namespace"], answer["header"]["name"]) == (kind[0], f"{kind[1]}.Response")

    def test_refuses_music_in_the_words_of_media(self, provider: LoopbackProvider, anna: str) -> None:
        def refuse(*_: Any) -> Reply:
            raise DeviceError("ITEM_NOT_FOUND", "No such song.", namespace="Alexa.Media")

        answer = self.skill(provider, refuse, ("Alexa.Media.Search", "GetPlayableContent"))(directive("get_playable_content", anna))
        assert (answer["header"]["namespace"], answer["payload"]["type"]) == ("Alexa.Media", "ITEM_NOT_FOUND")

    def test_answers_video_as_smart_home(self, provider: LoopbackProvider, anna: str) -> None:
        skill = self.skill(provider, lambda *_: Reply(), ("Alexa.RemoteVideoPlayer", "SearchAndPlay"))
        assert skill(directive("search_and_play", anna))["event"]["header"]["name"] == "Response"

    def test_may_name_an_answer_that_is_not_the_usual_one(self, provider: LoopbackProvider, anna: str) -> None:
        reply = Reply({"cause": {"type": "VOICE_INTERACTION"}}, namespace="Alexa.SceneController", name="ActivationStarted")
        answer = self.skill(provider, lambda *_: reply).handler(directive("set_brightness", anna), None)
        assert (answer["event"]["header"]["namespace"], answer["event"]["header"]["name"]) == ("Alexa.SceneController", "ActivationStarted")
