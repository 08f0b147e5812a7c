"""An event reaches every home that granted it, with a fresh token; each of the gateway's answers has one meaning."""

from collections.abc import Iterator
from typing import Any

import pytest

from linked_profile.errors import ProviderMisconfiguredError, TableUnavailableError
from linked_profile.event_gateway import build_event_gateway
from linked_profile.logs import OutcomeLog
from linked_profile.outbound import Deadline
from linked_profile.settings import Settings
from tests.aws_fakes import refusal
from tests.conftest import ENVIRON, SKILL_ID, message
from tests.events_skill import ANNA, CHANGE, REPORT, EventsSkill
from tests.loopback_amazon import LoopbackAmazon, gateway_error, html, oauth_error
from tests.loopback_provider import hang_up, reset, send, sleep_then_close

MINUTE = 60


@pytest.fixture
def amazon() -> Iterator[LoopbackAmazon]:
    server = LoopbackAmazon()
    yield server
    server.close()


@pytest.fixture
def skill(amazon: LoopbackAmazon) -> EventsSkill:
    """With one grant, an hour old at most."""
    built = EventsSkill(amazon)
    built.accept("CanaryCode1")
    amazon.forms.clear()
    return built


# ---- what is sent


@pytest.mark.parametrize("event", [CHANGE, {"event": {k: v for k, v in CHANGE.items() if k != "context"}, "context": CHANGE["context"]}])
def test_token_is_in_the_endpoints_scope_and_the_header_when_a_change_is_reported(skill: EventsSkill, event: Any) -> None:
    assert skill.outcomes(event) == [("sent", "")]
    (sent,), (headers,) = skill.amazon.events, skill.amazon.headers
    (token,) = skill.amazon.access_tokens
    message_id = sent["event"]["header"].pop("messageId")
    assert sent == {
        "context": {"properties": []},
        "event": {
            "header": CHANGE["header"],
            "endpoint": {"endpointId": "lamp-1", "scope": {"type": "BearerToken", "token": token}},
            "payload": CHANGE["payload"],
        },
    }
    assert (headers["Authorization"], headers["Content-Type"], len(message_id)) == (f"Bearer {token}", "application/json", 36)


def test_token_is_in_the_payloads_scope_when_endpoints_are_added(skill: EventsSkill) -> None:
    assert skill.outcomes(REPORT) == [("sent", "")]
    (sent,) = skill.amazon.events
    (token,) = skill.amazon.access_tokens
    assert sent["event"]["payload"] == {**REPORT["payload"], "scope": {"type": "BearerToken", "token": token}}
    assert ("endpoint" in sent["event"], "context" in sent) == (False, False)


def test_given_event_is_unchanged_when_it_was_sent(skill: EventsSkill) -> None:
    before = repr(CHANGE) + repr(REPORT)
    skill.send(CHANGE)
    skill.send(REPORT)
    assert repr(CHANGE) + repr(REPORT) == before


def test_each_home_gets_its_own_message_when_there_are_two(skill: EventsSkill) -> None:
    skill.accept("CanaryCode2")
    assert skill.outcomes() == [("sent", ""), ("sent", "")]
    ids = {sent["event"]["header"]["messageId"] for sent in skill.amazon.events}
    tokens = {sent["event"]["endpoint"]["scope"]["token"] for sent in skill.amazon.events}
    assert (len(ids), tokens) == (2, skill.amazon.access_tokens)


def test_nothing_is_sent_when_nobody_granted_it(skill: EventsSkill) -> None:
    assert skill.send(account_id="somebody else") == []
    assert skill.amazon.events == []


def test_there_is_no_gateway_when_no_grants_are_configured(skill: EventsSkill) -> None:
    assert build_event_gateway(Settings.from_environ(ENVIRON), skill.outbound, OutcomeLog(SKILL_ID)) is None


def test_gateways_url_is_taken_with_and_without_its_path(amazon: LoopbackAmazon) -> None:
    skill = EventsSkill(amazon, ALEXA_EVENT_GATEWAY_URL=f"{amazon.url}/v3/events")
    skill.accept()
    assert skill.outcomes() == [("sent", "")]


# ---- a token is always fresh


@pytest.mark.parametrize(
    ("age_s", "refreshes"), [(0, 0), (54 * MINUTE, 0), (55 * MINUTE, 1), (59 * MINUTE, 1), (100 * 24 * 60 * MINUTE, 1)]
)
def test_token_is_refreshed_five_minutes_before_its_end_when_an_event_is_sent(skill: EventsSkill, age_s: int, refreshes: int) -> None:
    skill.now += age_s
    assert skill.outcomes() == [("sent", "")]
    assert [form["grant_type"] for form in skill.amazon.forms] == ["refresh_token"] * refreshes
    skill.cold_start()
    assert skill.outcomes() == [("sent", "")]
    assert len(skill.amazon.forms) == refreshes, "what was refreshed is stored"


def test_token_is_refreshed_each_time_when_it_lives_shorter_than_that(amazon: LoopbackAmazon) -> None:
    amazon.lives_s = 60
    skill = EventsSkill(amazon)
    skill.accept()
    for _ in range(2):
        assert skill.outcomes() == [("sent", "")]
    assert [form["grant_type"] for form in amazon.forms] == ["authorization_code", "refresh_token", "refresh_token"]


@pytest.mark.parametrize(
    ("rotates", "repeats", "last"), [(True, True, "CanaryRefresh2"), (False, True, "CanaryRefresh1"), (False, False, "CanaryRefresh1")]
)
def test_refresh_token_that_is_good_is_kept_when_amazon_rotates_repeats_or_omits_it(
    skill: EventsSkill, rotates: bool, repeats: bool, last: str
) -> None:
    skill.amazon.rotates, skill.amazon.repeats_refresh_token = rotates, repeats
    skill.now += 3600
    assert skill.outcomes() == [("sent", "")]
    assert last in skill.refresh_token()
    skill.now += 3600
    assert skill.outcomes() == [("sent", "")]


@pytest.mark.parametrize("fault", [html(503), hang_up, html(200), oauth_error("invalid_client", 401), oauth_error("invalid_scope")])
def test_present_token_is_used_when_it_cannot_be_refreshed_early(skill: EventsSkill, fault: Any) -> None:
    skill.now += 57 * MINUTE
    skill.amazon.token_faults = [fault] * 2
    assert skill.outcomes() == [("sent", "")]
    assert skill.statuses() == ["LIVE"]
    skill.amazon.token_faults = []
    skill.now += MINUTE
    assert skill.outcomes() == [("sent", "")]
    assert skill.amazon.forms[-1]["refresh_token"] in skill.amazon.refresh_tokens


@pytest.mark.parametrize(("fault", "reason"), [(html(503), "HTTP_503"), (hang_up, "ConnectionError"), (html(200), "ANSWER_IS_NOT_JSON")])
def test_grant_lives_and_the_event_fails_when_amazon_cannot_refresh(skill: EventsSkill, fault: Any, reason: str) -> None:
    skill.now += 3600
    skill.amazon.token_faults = [fault] * 8
    assert skill.outcomes() == [("failed", reason)]
    assert (skill.statuses(), skill.amazon.events) == (["LIVE"], [])
    skill.amazon.token_faults = []
    assert skill.outcomes() == [("sent", "")], "no claim is left behind"


def test_grant_dies_and_its_tokens_go_when_amazon_refuses_the_refresh(skill: EventsSkill) -> None:
    skill.accept("CanaryCode2")
    skill.now += 3600
    skill.amazon.token_faults = [oauth_error("invalid_grant")]
    assert sorted(skill.outcomes()) == [("dead", "INVALID_GRANT"), ("sent", "")]
    dead, living = sorted(skill.stored(), key=lambda item: item["Status"])
    assert (dead["Reason"], "RefreshToken" in dead, "AccessToken" in dead) == ("INVALID_GRANT", False, False)
    assert int(dead["ExpiresAt"]) == int(skill.now) + 30 * 86_400
    assert "ExpiresAt" not in living
    assert skill.outcomes() == [("sent", "")]


def test_new_grant_works_when_the_one_before_is_dead(skill: EventsSkill) -> None:
    skill.amazon.gateway_faults = [gateway_error(403, "SKILL_DISABLED_EXCEPTION")]
    skill.send()
    assert skill.send() == []
    skill.accept("CanaryCode2")
    assert skill.outcomes() == [("sent", "")]


# ---- what the gateway's answers mean


@pytest.mark.parametrize("fault", [html(429), html(500), html(503), hang_up, gateway_error(400, "THROTTLING_EXCEPTION")])
@pytest.mark.parametrize("times", [1, 3])
def test_it_is_sent_again_with_the_same_message_id_when_the_gateway_is_busy(skill: EventsSkill, fault: Any, times: int) -> None:
    skill.amazon.gateway_faults = [fault] * times
    assert skill.outcomes() == [("sent", "")]
    assert (len(skill.amazon.events), skill.pauses) == (times + 1, [1.0] * times)
    assert len({event["event"]["header"]["messageId"] for event in skill.amazon.events}) == 1


def test_it_gives_up_after_three_retries_when_the_gateway_stays_busy(skill: EventsSkill) -> None:
    skill.amazon.gateway_faults = [gateway_error(429, "THROTTLING_EXCEPTION")] * 9
    assert skill.outcomes() == [("failed", "HTTP_429")]
    assert (len(skill.amazon.events), skill.pauses, skill.statuses()) == (4, [1.0] * 3, ["LIVE"])


def test_it_gives_up_earlier_when_the_deadline_is_near(skill: EventsSkill) -> None:
    skill.amazon.gateway_faults = [html(503)] * 9
    (delivery,) = skill.send(seconds=1.9)
    assert (delivery.outcome, delivery.reason, len(skill.amazon.events)) == ("failed", "HTTP_503", 1)


def test_it_gives_up_at_the_deadline_when_the_gateway_is_slow(skill: EventsSkill) -> None:
    skill.amazon.gateway_faults = [sleep_then_close(3)]
    (delivery,) = skill.send(seconds=1.3)
    assert (delivery.outcome, skill.statuses()) == ("failed", ["LIVE"])
    assert delivery.reason in {"NO_ANSWER_IN_TIME", "ReadTimeout"}


def test_other_homes_do_not_wait_when_one_has_to_be_tried_again(skill: EventsSkill) -> None:
    skill.accept("CanaryCode2")
    skill.amazon.gateway_faults = [html(503)]
    assert skill.outcomes() == [("sent", ""), ("sent", "")]
    first, second, again = (event["event"]["header"]["messageId"] for event in skill.amazon.events)
    assert (first, first == second) == (again, False)


def test_token_is_renewed_once_when_the_gateway_refuses_it(skill: EventsSkill) -> None:
    skill.amazon.access_tokens.clear()
    assert skill.outcomes() == [("sent", "")]
    assert [form["grant_type"] for form in skill.amazon.forms] == ["refresh_token"]
    assert skill.pauses == []


def test_it_fails_and_the_grant_lives_when_the_renewed_token_is_refused_too(skill: EventsSkill) -> None:
    skill.amazon.gateway_faults = [gateway_error(401, "INVALID_ACCESS_TOKEN_EXCEPTION")] * 9
    assert skill.outcomes() == [("failed", "INVALID_ACCESS_TOKEN_EXCEPTION")]
    assert (len(skill.amazon.events), len(skill.amazon.forms), skill.statuses()) == (2, 1, ["LIVE"])


def test_stored_token_is_used_when_another_function_has_renewed_the_refused_one(skill: EventsSkill) -> None:
    other = EventsSkill(skill.amazon, skill.aws)
    (grant,) = skill.grants.live(ANNA, Deadline(6.5))
    skill.amazon.access_tokens.clear()
    other.send()
    skill.grants.live = lambda *_: [grant]  # type: ignore[method-assign]  # what we had read before
    assert skill.outcomes() == [("sent", "")]
    assert len(skill.amazon.forms) == 1, "theirs"


REFUSALS = [
    (403, "SKILL_DISABLED_EXCEPTION", "dead"),
    (403, "SKILL_NEVER_ENABLED_EXCEPTION", "failed"),
    (403, "INSUFFICIENT_PERMISSION_EXCEPTION", "failed"),
    (404, "ACCOUNT_NOT_FOUND_EXCEPTION", "failed"),
    (404, "SKILL_NOT_FOUND_EXCEPTION", "failed"),
    (403, "ANOTHER_EXCEPTION", "failed"),
    (400, "INVALID_REQUEST_EXCEPTION", "failed"),
    (413, "REQUEST_ENTITY_TOO_LARGE_EXCEPTION", "failed"),
]


@pytest.mark.parametrize(("status", "code", "outcome"), REFUSALS)
def test_only_this_grant_is_touched_and_only_by_its_own_end_when_the_gateway_refuses(
    skill: EventsSkill, status: int, code: str, outcome: str
) -> None:
    skill.accept("CanaryCode2")
    skill.amazon.gateway_faults = [gateway_error(status, code)]
    first, second = skill.outcomes()
    assert first == (outcome, code)
    stops = status in {400, 413}
    assert second == (("failed", code) if stops else ("sent", ""))
    assert (len(skill.amazon.events), sorted(skill.statuses())) == (
        1 if stops else 2,
        ["DEAD", "LIVE"] if outcome == "dead" else ["LIVE"] * 2,
    )


@pytest.mark.parametrize(("status", "reason"), [(400, "HTTP_400"), (403, "HTTP_403"), (404, "HTTP_404"), (413, "HTTP_413")])
def test_status_is_the_reason_when_a_refusal_has_no_code(skill: EventsSkill, status: int, reason: str) -> None:
    skill.amazon.gateway_faults = [lambda request: send(request, status, b"{}", "application/json")]
    assert skill.outcomes() == [("failed", reason)]
    assert skill.statuses() == ["LIVE"]


@pytest.mark.parametrize("body", [b"", b"<html>Accepted</html>", b"{}"])
def test_it_is_sent_when_the_gateway_accepts_whatever_it_adds(skill: EventsSkill, body: bytes) -> None:
    skill.amazon.gateway_faults = [lambda request: send(request, 202, body)]
    assert skill.outcomes() == [("sent", "")]
    assert len(skill.amazon.events) == 1


@pytest.mark.parametrize("status", [200, 201, 302])
def test_it_is_not_called_sent_when_somebody_else_answers_in_the_gateways_place(skill: EventsSkill, status: int) -> None:
    skill.amazon.gateway_faults = [lambda request: send(request, status, b"{}", "application/json", Location="/elsewhere")] * 9
    ((outcome, reason),) = skill.outcomes()
    assert (outcome, reason) == ("failed", f"HTTP_{status}")


def test_it_is_sent_again_when_the_answer_is_cut(skill: EventsSkill) -> None:
    skill.amazon.gateway_faults = [reset]
    assert skill.outcomes() == [("sent", "")]
    assert len(skill.amazon.events) == 2


# ---- our own side


def test_it_raises_when_no_home_could_be_asked_for_a_fault_of_ours(skill: EventsSkill) -> None:
    skill.accept("CanaryCode2")
    skill.cold_start()
    skill.aws.kms.fault = refusal("DisabledException", "Decrypt")
    with pytest.raises(TableUnavailableError, match="DisabledException"):
        skill.send()
    skill.aws.kms.fault = None
    skill.amazon.secrets = set()
    skill.now += 3600
    with pytest.raises(ProviderMisconfiguredError, match="INVALID_CLIENT"):
        skill.send()
    assert skill.amazon.events == []
    assert skill.statuses() == ["LIVE", "LIVE"]


def test_it_raises_when_the_table_cannot_be_read(skill: EventsSkill) -> None:
    def refuse(operation: str) -> None:
        raise refusal("ProvisionedThroughputExceededException", operation)

    skill.aws.table.before = refuse
    with pytest.raises(TableUnavailableError, match="query: ProvisionedThroughputExceededException"):
        skill.send()


def test_all_pages_are_read_when_there_are_many_grants(skill: EventsSkill) -> None:
    skill.accept("CanaryCode2")
    skill.accept("CanaryCode3")
    skill.aws.table.page_size = 1
    assert skill.outcomes() == [("sent", "")] * 3


def test_outcome_of_each_grant_is_logged_when_an_event_was_sent(skill: EventsSkill, caplog: Any) -> None:
    skill.accept("CanaryCode2")
    skill.accept("CanaryCode3")
    skill.amazon.gateway_faults = [gateway_error(403, "SKILL_DISABLED_EXCEPTION"), gateway_error(403, "INSUFFICIENT_PERMISSION_EXCEPTION")]
    skill.send()
    lines = [(record.kind, record.outcome, getattr(record, "reason", "")) for record in caplog.records if hasattr(record, "outcome")]
    assert lines == [
        ("Alexa.ChangeReport", "grant_dead", "SKILL_DISABLED_EXCEPTION"),
        ("Alexa.ChangeReport", "event_not_sent", "INSUFFICIENT_PERMISSION_EXCEPTION"),
        ("Alexa.ChangeReport", "event_sent", ""),
    ]


def test_no_grant_is_touched_when_the_skill_is_disabled_in_one_home(skill: EventsSkill, build_skill: Any) -> None:
    before = skill.stored()
    build_skill()(message("skill_disabled"))
    assert (skill.stored(), skill.outcomes()) == (before, [("sent", "")])
