"""What a skill event does to the record, and whether Alexa is told that it is ours or to bring it again."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from linked_profile.account_mappings import AccountMappings, Table
from linked_profile.errors import ProviderUnavailableError, TableUnavailableError
from linked_profile.outbound import Deadline
from tests.conftest import ANNA, SKILL_ID, Skill, message
from tests.in_memory_table import InMemoryTable
from tests.loopback_provider import cognito_token, hang_up, send_json

SUB = ANNA["sub"]
T0, T1, T2, T3 = (f"2026-03-14T09:{minute:02d}:00Z" for minute in (0, 10, 20, 30))


def linked(token: str | None, time: str = T0, **changes: Any) -> dict[str, Any]:
    return message("skill_account_linked", token=token, time=time, **changes)


def disabled(time: str = T1, **changes: Any) -> dict[str, Any]:
    return message("skill_disabled", time=time, **changes)


def acknowledged(answer: dict[str, Any]) -> bool:
    return answer["response"] == {}


@pytest.fixture
def ben(provider: Any) -> str:
    token = cognito_token("ben-sub")
    provider.profiles[token] = {**ANNA, "sub": "ben-sub"}
    return token


def test_opens_a_row_with_the_account_when_linked(skill: Skill, anna: str) -> None:
    assert acknowledged(skill(linked(anna)))
    (row,) = skill.links()
    assert row["AccountID"] == SUB
    assert (row["StartDatetime"], row["Status"], row["Source"]) == (T0, "RESOLVED", "EVENT")
    assert row["AmazonUserID"].startswith("amzn1.ask.account.")
    assert len(row["ID"]) == 16
    assert "EndDatetime" not in row


def test_closes_the_row_when_disabled(skill: Skill, anna: str) -> None:
    skill(linked(anna))
    assert acknowledged(skill(disabled()))
    assert skill.periods() == [(SUB, T0, T1)]
    assert skill.provider.requests == ["/"], "a disabled customer has no token to ask with"


def test_gives_the_same_rows_when_the_disable_comes_before_the_link(skill: Skill, anna: str) -> None:
    skill(disabled())
    skill(linked(anna))
    assert skill.periods() == [(SUB, T0, T1)]


def test_the_link_stays_open_when_the_disable_is_of_an_older_period(skill: Skill, anna: str) -> None:
    skill(linked(anna, T2))
    skill(disabled(T1))
    assert skill.periods() == [(SUB, T2, None)]


def test_makes_one_row_when_a_link_is_delivered_twice(skill: Skill, anna: str) -> None:
    again = linked(anna)
    again["request"].update(requestId="another", eventPublishingTime="2026-03-14T10:00:00Z")
    for event in (linked(anna), again, linked(anna)):
        skill(event)
    assert skill.periods() == [(SUB, T0, None)]


def test_the_earlier_row_ends_where_the_next_begins_when_linked_twice(skill: Skill, anna: str) -> None:
    skill(linked(anna, T0))
    skill(linked(anna, T2))
    assert skill.periods() == [(SUB, T0, T2), (SUB, T2, None)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_relinking_to_another_account_closes_the_first_row_in_any_order(skill: Skill, anna: str, ben: str, order: Any) -> None:
    events = [linked(anna, T0), linked(ben, T1), disabled(T2)]
    for index in order:
        skill(events[index])
    assert skill.periods() == [(SUB, T0, T1), ("ben-sub", T1, T2)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_row_has_no_length_when_link_and_disable_share_a_millisecond(skill: Skill, anna: str, order: Any) -> None:
    events = [linked(anna, T0), disabled(T0)]
    for index in order:
        skill(events[index])
    assert skill.periods() == [(SUB, T0, T0)]


def test_two_accounts_in_one_millisecond_give_the_same_rows_in_any_order(build_skill: Any, anna: str, ben: str) -> None:
    outcomes = []
    for events in itertools.permutations([linked(anna, T0), linked(ben, T0), disabled(T1)]):
        skill = build_skill(InMemoryTable())
        for event in events:
            skill(event)
        outcomes.append(sorted(map(str, skill.periods())))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert len(outcomes[0]) == 2


def test_a_second_row_opens_after_a_gap_when_the_same_user_id_comes_back(skill: Skill, anna: str) -> None:
    for event in (linked(anna, T0), disabled(T1), linked(anna, T2)):
        skill(event)
    assert skill.periods() == [(SUB, T0, T1), (SUB, T2, None)]


def test_unlinked_ends_the_row_if_alexa_ever_sends_it(skill: Skill, anna: str) -> None:
    skill(linked(anna))
    assert acknowledged(skill(message("skill_account_unlinked", time=T1)))
    assert skill.periods() == [(SUB, T0, T1)]


@pytest.mark.parametrize(
    "name", ["skill_enabled", "skill_permission_accepted", "skill_permission_changed", "proactive_subscription_changed"]
)
def test_acknowledges_and_writes_nothing_when_the_event_moves_no_row(skill: Skill, name: str) -> None:
    assert acknowledged(skill(message(name)))
    assert skill.table.calls == []


def test_acknowledges_an_event_type_that_does_not_exist_yet(skill: Skill) -> None:
    event = message("skill_enabled")
    event["request"]["type"] = "AlexaSkillEvent.SkillTeleported"
    assert acknowledged(skill(event))
    assert skill.table.calls == []


class TestTheToken:
    @pytest.mark.parametrize("token", [None, ""])
    def test_a_row_without_account_is_acknowledged_when_there_is_none(self, skill: Skill, token: Any) -> None:
        assert acknowledged(skill(linked(token)))
        assert [(link["Status"], link.get("AccountID")) for link in skill.links()] == [("UNRESOLVED:NO_TOKEN", None)]

    @pytest.mark.parametrize("token", [5, ["a"], {"a": 1}, True, "two words", "line\nbreak", "é", "x" * 20_000])
    def test_a_row_without_account_is_acknowledged_when_it_is_none(self, skill: Skill, token: Any) -> None:
        assert acknowledged(skill(linked(token)))
        assert skill.links()[0]["Status"] == "UNRESOLVED:MALFORMED_TOKEN"

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"client_id": "another-client-of-the-pool"}, "FOREIGN_CLIENT"),
            ({"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other0000"}, "FOREIGN_ISSUER"),
            ({"token_use": "id"}, "NOT_AN_ACCESS_TOKEN"),
            ({"exp": 1_600_000_000}, "EXPIRED"),
            ({"exp": None}, "MALFORMED_TOKEN"),
            ({"sub": None}, "NO_SUBJECT"),
            ({"sub": ""}, "NO_SUBJECT"),
        ],
    )
    def test_a_foreign_token_opens_no_account_and_asks_nobody(self, skill: Skill, changes: Any, why: str) -> None:
        token = cognito_token(SUB, **changes)
        skill.provider.profiles[token] = dict(ANNA)
        assert acknowledged(skill(linked(token)))
        assert (skill.links()[0]["Status"], skill.links()[0].get("AccountID")) == (f"UNRESOLVED:{why}", None)
        assert skill.provider.requests == []

    def test_a_revoked_token_is_acknowledged_because_a_retry_cannot_help(self, skill: Skill) -> None:
        assert acknowledged(skill(linked(cognito_token(SUB))))
        assert skill.links()[0]["Status"] == "UNRESOLVED:NotAuthorizedException"

    def test_a_missing_scope_is_acknowledged_as_ours_to_mend(self, skill: Skill, anna: str) -> None:
        error = {"__type": "NotAuthorizedException", "message": "Access Token does not have required scopes"}
        skill.provider.misbehave = lambda request: send_json(request, 400, error)
        assert acknowledged(skill(linked(anna)))
        assert skill.links()[0]["Status"] == "UNRESOLVED:MISCONFIGURED"

    def test_an_account_that_is_known_stays_when_a_later_delivery_finds_none(self, skill: Skill, anna: str) -> None:
        skill(linked(anna))
        del skill.provider.profiles[anna]
        assert acknowledged(skill(linked(anna)))
        assert (skill.links()[0]["Status"], skill.links()[0]["AccountID"]) == ("RESOLVED", SUB)


class TestFaultsThatPass:
    @pytest.mark.parametrize("misbehave", [hang_up, lambda request: send_json(request, 503, {})], ids=["hang-up", "503"])
    def test_the_row_stands_without_account_and_redelivery_fills_it_when_the_provider_is_down(
        self, skill: Skill, anna: str, misbehave: Any
    ) -> None:
        skill.provider.misbehave = misbehave
        with pytest.raises(ProviderUnavailableError):
            skill(linked(anna))
        assert [(link["Status"], link.get("AccountID")) for link in skill.links()] == [("PENDING", None)]
        skill.provider.misbehave = None
        assert acknowledged(skill(linked(anna)))
        assert skill.periods() == [(SUB, T0, None)]

    def test_the_row_before_is_closed_and_not_answered_when_the_provider_is_down(self, skill: Skill, anna: str, ben: str) -> None:
        skill(linked(anna, T0))
        skill.provider.misbehave = hang_up
        with pytest.raises(ProviderUnavailableError):
            skill(linked(ben, T1))
        assert skill.periods() == [(SUB, T0, T1), (None, T1, None)]

    @pytest.mark.parametrize("failing", [1, 2, 3, 4])
    @pytest.mark.parametrize(
        "fault",
        [
            ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}, "any"),
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": "User arn:… is not authorized"}}, "any"),
            EndpointConnectionError(endpoint_url="https://dynamodb.eu-west-1.amazonaws.com"),
        ],
        ids=["throttled", "denied", "unreachable"],
    )
    def test_the_invocation_fails_and_redelivery_completes_when_the_table_fails_at_any_call(
        self, build_skill: Any, anna: str, ben: str, failing: int, fault: Exception
    ) -> None:
        table = InMemoryTable()
        skill = build_skill(table)
        skill(linked(anna, T0))
        table.before = fail_at(failing, fault)
        with pytest.raises(TableUnavailableError) as caught:
            skill(linked(ben, T1))
        assert caught.value.__context__ is None, "the library's error quotes keys and values"
        assert acknowledged(skill(linked(ben, T1)))
        assert skill.periods() == [(SUB, T0, T1), ("ben-sub", T1, None)]

    def test_no_call_begins_when_too_little_time_is_left(self, skill: Skill, anna: str) -> None:
        class Context:
            def get_remaining_time_in_millis(self) -> int:
                return 1900

        with pytest.raises(TableUnavailableError):
            skill(linked(anna), Context())
        assert skill.table.calls == []


def fail_at(call: int, fault: Exception) -> Callable[[str], None]:
    """Raises at the n-th storage call from now, once."""
    counter = itertools.count(1)

    def before(operation: str) -> None:
        if next(counter) == call:
            raise fault

    return before


def test_a_link_that_was_taken_away_is_written_again(build_skill: Any, anna: str) -> None:
    table = InMemoryTable()
    skill = build_skill(table)
    taken = iter([True])

    def before(operation: str) -> None:
        if operation == "update_item" and next(taken, False):
            table.items.clear()

    table.before = before
    assert acknowledged(skill(linked(anna)))
    assert skill.periods() == [(SUB, T0, None)]


def test_the_first_account_stays_when_two_answers_disagree(skill: Skill, anna: str) -> None:
    skill(linked(anna))
    (item,) = skill.table.items.values()
    item["AccountID"] = {"S": "merged-into-another"}
    assert acknowledged(skill(linked(anna)))
    assert skill.links()[0]["AccountID"] == "merged-into-another"


class TestTime:
    @pytest.mark.parametrize(
        ("time", "start"),
        [
            ("2026-03-14T09:26:53Z", "2026-03-14T09:26:53Z"),
            ("2026-03-14T09:26:53.589Z", "2026-03-14T09:26:53.589Z"),
            ("2026-03-14T09:26:53.5Z", "2026-03-14T09:26:53.500Z"),
            ("2026-03-14T09:26:53.123456789Z", "2026-03-14T09:26:53.123Z"),
            ("2026-03-14T11:26:53+02:00", "2026-03-14T09:26:53Z"),
            ("2026-03-14T04:56:53-0430", "2026-03-14T09:26:53Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            (1773480413589, "2026-03-14T09:26:53.589Z"),
            (1773480413000.0, "2026-03-14T09:26:53Z"),
            ("1773480413589", "2026-03-14T09:26:53.589Z"),
            ("2200-01-01T00:00:00Z", "2200-01-01T00:00:00Z"),
        ],
    )
    def test_every_form_gives_the_exact_instant(self, skill: Skill, anna: str, time: Any, start: str) -> None:
        assert acknowledged(skill(linked(anna, time)))
        assert skill.links()[0]["StartDatetime"] == start

    @pytest.mark.parametrize(
        "time",
        [
            *[1773480413, 0, -1, 2**63, 1.5, float("nan"), float("inf"), True, "now", "10", "", " ", "1773480413", [], {}, "2026-03-14"],
            *["2026-03-14T09:26:53", "2026-03-14 09:26:53Z", "20260314T092653Z", "2026-13-14T09:26:53Z", "2026-03-14T25:26:53Z"],
            *["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-03-14T09:26:53Z\n", "²026-03-14T09:26:53Z"],
        ],
    )
    def test_what_is_no_time_is_acknowledged_and_writes_nothing(self, skill: Skill, anna: str, time: Any) -> None:
        event = linked(anna)
        event["request"].update(eventCreationTime=time, timestamp=time, eventPublishingTime=time)
        assert acknowledged(skill(event))
        assert skill.table.calls == []

    def test_the_creation_time_goes_first_and_the_publishing_time_last(self, skill: Skill, anna: str) -> None:
        event = linked(anna)
        event["request"].update(eventCreationTime=T0, timestamp=T1, eventPublishingTime=T2)
        skill(event)
        event["request"]["eventCreationTime"] = "unreadable"
        skill(event)
        del event["request"]["eventCreationTime"], event["request"]["timestamp"]
        skill(event)
        assert [link["StartDatetime"] for link in skill.links()] == [T0, T1, T2]

    def test_a_time_in_the_future_is_used_as_it_is(self, skill: Skill, anna: str) -> None:
        ahead = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        skill(linked(anna, ahead))
        assert skill.links()[0]["StartDatetime"] == ahead


@pytest.mark.parametrize("user_id", [None, 5, ["a"], {}, "", " ", "x" * 2049, "é" * 1025, "\ud800", "a\nb", "X#0123"])
@pytest.mark.parametrize("name", ["skill_account_linked", "skill_disabled"])
def test_an_event_without_a_usable_user_id_is_acknowledged_and_writes_nothing(skill: Skill, anna: str, name: str, user_id: Any) -> None:
    event = message(name, token=anna)
    event["context"]["System"]["user"]["userId"] = user_id
    assert acknowledged(skill(event))
    assert skill.table.calls == []


@pytest.mark.parametrize("body", [[], "x", 5, True])
def test_a_disable_counts_whatever_its_body_is(skill: Skill, anna: str, body: Any) -> None:
    skill(linked(anna))
    event = disabled()
    event["request"]["body"] = body
    assert acknowledged(skill(event))
    assert skill.periods() == [(SUB, T0, T1)]


@pytest.mark.parametrize("body", [[], "x", 5, True])
def test_a_link_with_a_body_of_the_wrong_type_is_a_row_without_account(skill: Skill, anna: str, body: Any) -> None:
    event = linked(anna)
    event["request"]["body"] = body
    assert acknowledged(skill(event))
    assert [(link["Status"].partition(":")[0], link.get("AccountID")) for link in skill.links()] == [("UNRESOLVED", None)]


@pytest.mark.parametrize("user", ["x", [], 5])
def test_a_user_of_the_wrong_type_is_acknowledged_and_writes_nothing(skill: Skill, anna: str, user: Any) -> None:
    event = linked(anna)
    event["context"]["System"]["user"] = user
    assert acknowledged(skill(event))
    assert skill.table.calls == []


def outcomes(caplog: Any) -> list[tuple[str, str | None]]:
    return [(record.outcome, getattr(record, "reason", None)) for record in caplog.records]


def test_an_outage_is_logged_with_its_reason(skill: Skill, anna: str, caplog: Any) -> None:
    caplog.set_level("INFO")
    skill.provider.misbehave = lambda request: send_json(request, 503, {})
    with pytest.raises(ProviderUnavailableError):
        skill(linked(anna))
    assert outcomes(caplog) == [("provider_unavailable", "HTTP_503")]


def test_no_alarm_rings_when_the_row_has_its_account_and_only_the_redelivered_token_is_dead(skill: Skill, anna: str, caplog: Any) -> None:
    skill(linked(anna))
    del skill.provider.profiles[anna]
    caplog.set_level("INFO")
    caplog.clear()
    skill(linked(anna))
    assert [outcome for outcome, _ in outcomes(caplog)] == ["link_recorded", "answered"]


class TestWithoutAccountLinking:
    def test_enabled_opens_a_row_and_disabled_ends_it(self, build_skill: Any) -> None:
        skill = build_skill(ACCOUNT_LINKING="none", COGNITO_USER_POOL_ID="", COGNITO_CLIENT_ID="")
        skill(message("skill_enabled", time=T0))
        assert skill.periods() == [(None, T0, None)]
        skill(disabled())
        assert skill.periods() == [(None, T0, T1)]


class TestLookUp:
    @pytest.mark.parametrize(
        ("when", "account"),
        [("09:00:00", SUB), ("08:59:59", None), ("09:09:59", SUB), ("09:10:00", None), ("09:20:00", "ben-sub"), ("23:00:00", "ben-sub")],
    )
    def test_answers_the_row_with_start_in_and_end_out(self, skill: Skill, anna: str, ben: str, when: str, account: str | None) -> None:
        for event in (linked(anna, T0), disabled(T1), linked(ben, T2)):
            skill(event)
        mappings = AccountMappings(Table("account-mappings", SKILL_ID), lambda: skill.table)  # type: ignore[arg-type,return-value]
        user_id = skill.links()[0]["AmazonUserID"]
        row = mappings.account_at(user_id, datetime.fromisoformat(f"2026-03-14T{when}+00:00"), Deadline(60))
        assert (row.account_id if row else None) == account

    def test_reads_all_pages_before_it_folds(self, build_skill: Any, anna: str) -> None:
        skill = build_skill(InMemoryTable(page_size=1))
        for minute in range(10):
            skill(linked(anna, f"2026-03-14T09:{minute:02d}:00Z"))
        assert [end for _, _, end in skill.periods()] == [f"2026-03-14T09:{minute:02d}:00Z" for minute in range(1, 10)] + [None]
