"""A linked customer's request stands in for a link event that was lost."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from linked_profile.errors import ProviderUnavailableError
from tests.conftest import ANNA, Skill, message, request_info
from tests.in_memory_table import InMemoryTable
from tests.loopback_provider import cognito_token, hang_up

SUB = ANNA["sub"]


def launch(token: str, time: str) -> dict[str, Any]:
    return message("launch", token=token, time=time)


def linked(token: str, time: str) -> dict[str, Any]:
    return message("skill_account_linked", token=token, time=time)


def disabled(time: str) -> dict[str, Any]:
    return message("skill_disabled", time=time)


def test_opens_a_row_at_the_requests_time_when_the_link_event_was_lost(skill: Skill, anna: str) -> None:
    skill(launch(anna, "2026-03-14T09:00:00Z"))
    (row,) = skill.links()
    assert (row["AccountID"], row["StartDatetime"], row["Status"], row["Source"]) == (SUB, "2026-03-14T09:00:00Z", "RESOLVED", "OBSERVED")


def test_writes_nothing_when_the_record_says_it_already(skill: Skill, anna: str) -> None:
    skill(linked(anna, "2026-03-14T09:00:00Z"))
    skill(launch(anna, "2026-03-14T10:00:00Z"))
    assert skill.periods() == [(SUB, "2026-03-14T09:00:00Z", None)]


def test_follows_a_row_whose_account_is_not_known(skill: Skill, anna: str) -> None:
    skill.provider.misbehave = hang_up
    with pytest.raises(ProviderUnavailableError):
        skill(linked(anna, "2026-03-14T09:00:00Z"))
    skill.provider.misbehave = None
    skill(launch(anna, "2026-03-14T10:00:00Z"))
    assert skill.periods() == [(None, "2026-03-14T09:00:00Z", "2026-03-14T10:00:00Z"), (SUB, "2026-03-14T10:00:00Z", None)]


@pytest.mark.parametrize(("second", "rows"), [("10", 1), ("30", 1), ("31", 2)])
def test_a_late_request_reopens_nothing_in_the_30_seconds_after_a_disable(skill: Skill, anna: str, second: str, rows: int) -> None:
    skill(linked(anna, "2026-03-14T09:00:00Z"))
    skill(disabled("2026-03-14T10:00:00Z"))
    skill(launch(anna, f"2026-03-14T10:00:{second}Z"))
    assert len(skill.links()) == rows
    assert skill.periods()[0] == (SUB, "2026-03-14T09:00:00Z", "2026-03-14T10:00:00Z")


def test_an_observed_row_counts_for_nothing_when_a_disable_just_before_it_comes_late(skill: Skill, anna: str) -> None:
    skill(launch(anna, "2026-03-14T10:00:20Z"))
    skill(disabled("2026-03-14T10:00:00Z"))
    assert skill.periods() == [(SUB, "2026-03-14T10:00:20Z", "2026-03-14T10:00:20Z")], "stored without length: no open row is shown"


def test_closes_the_row_of_another_account_when_the_relink_event_was_lost(skill: Skill, anna: str) -> None:
    ben = cognito_token("ben-sub")
    skill.provider.profiles[ben] = {**ANNA, "sub": "ben-sub"}
    skill(linked(anna, "2026-03-14T09:00:00Z"))
    skill(launch(ben, "2026-03-14T10:00:00Z"))
    assert skill.periods() == [(SUB, "2026-03-14T09:00:00Z", "2026-03-14T10:00:00Z"), ("ben-sub", "2026-03-14T10:00:00Z", None)]


def test_reads_the_table_once_when_the_container_has_seen_the_user_id(skill: Skill, anna: str) -> None:
    for minute in range(3):
        skill(launch(anna, f"2026-03-14T09:0{minute}:00Z"))
    assert skill.table.calls.count("query") == 2, "before and after the one insert"


def test_leaves_the_table_alone_when_the_session_is_not_new_or_observing_is_off(build_skill: Any, anna: str) -> None:
    skill = build_skill()
    skill(request_info("fullName", anna))
    off = build_skill(OBSERVE_REQUESTS="false")
    off(launch(anna, "2026-03-14T09:00:00Z"))
    assert skill.table.calls == off.table.calls == []


def test_the_answer_is_the_same_when_the_table_is_unreachable_and_the_next_session_is_observed(build_skill: Any, anna: str) -> None:
    table = InMemoryTable()
    skill = build_skill(table)

    def unreachable(operation: str) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb.eu-west-1.amazonaws.com")

    table.before = unreachable
    assert "Hello Anna" in skill.speech(launch(anna, "2026-03-14T09:00:00Z"))
    table.before = lambda operation: None
    skill(launch(anna, "2026-03-14T09:05:00Z"))
    assert skill.periods() == [(SUB, "2026-03-14T09:05:00Z", None)]


def test_a_later_request_is_observed_when_an_earlier_one_could_only_lag(skill: Skill, anna: str) -> None:
    skill.provider.misbehave = hang_up
    with pytest.raises(ProviderUnavailableError):
        skill(linked(anna, "2026-03-14T09:00:00Z"))
    skill.provider.misbehave = None
    skill(launch(anna, "2026-03-14T09:00:10Z"))
    assert skill.periods() == [(None, "2026-03-14T09:00:00Z", None)]
    skill(launch(anna, "2026-03-14T10:07:00Z"))
    assert skill.periods()[1] == (SUB, "2026-03-14T10:07:00Z", None)


@pytest.mark.parametrize("odd", [{}, {"Status": {"S": "RESOLVED"}, "Source": {"S": "EVENT"}, "EndMs": {"N": "soon"}}])
def test_the_answer_is_the_same_when_somebody_typed_an_odd_item_into_the_table(skill: Skill, anna: str, odd: Any) -> None:
    user_id = launch(anna, "2026-03-14T09:00:00Z")["context"]["System"]["user"]["userId"]
    skill.table.items[user_id, "L#0000000000000#typed"] = {"AmazonUserID": {"S": user_id}, "SK": {"S": "L#0000000000000#typed"}, **odd}
    assert "Hello Anna" in skill.speech(launch(anna, "2026-03-14T09:00:00Z"))


def test_items_of_a_later_version_are_left_alone(skill: Skill, anna: str) -> None:
    user_id = launch(anna, "2026-03-14T09:00:00Z")["context"]["System"]["user"]["userId"]
    skill.table.items[user_id, "N#of-a-later-version"] = {"AmazonUserID": {"S": user_id}, "SK": {"S": "N#of-a-later-version"}}
    skill(linked(anna, "2026-03-14T09:00:00Z"))
    assert skill.periods() == [(SUB, "2026-03-14T09:00:00Z", None)]


def test_the_account_holder_is_observed_when_alexa_knows_the_voice(skill: Skill, anna: str) -> None:
    event = launch(anna, "2026-03-14T09:00:00Z")
    event["context"]["System"]["person"] = {"personId": "amzn1.ask.person.A3K", "accessToken": anna}
    skill(event)
    assert skill.periods() == [(SUB, "2026-03-14T09:00:00Z", None)]


@pytest.mark.parametrize("name", ["amazon_help", "request_info", "amazon_stop"])
def test_any_request_opens_a_row_when_the_skill_has_no_linking(build_skill: Any, name: str) -> None:
    skill = build_skill(ACCOUNT_LINKING="none")
    event = message(name, time="2026-03-14T09:00:00Z")
    event["session"]["new"] = True
    skill(event)
    assert skill.periods() == [(None, "2026-03-14T09:00:00Z", None)]


def test_writes_nothing_when_the_account_is_not_proven(skill: Skill) -> None:
    skill(launch(cognito_token("never-issued"), "2026-03-14T09:00:00Z"))
    assert skill.links() == []


def test_a_request_opens_a_row_when_the_skill_has_no_linking_and_the_event_was_lost(build_skill: Any) -> None:
    skill = build_skill(ACCOUNT_LINKING="none")
    skill(message("launch", time="2026-03-14T09:00:00Z"))
    skill(message("launch", time="2026-03-14T09:05:00Z"))
    assert skill.periods() == [(None, "2026-03-14T09:00:00Z", None)]
