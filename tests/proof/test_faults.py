"""Every outside call fails three times in ten, and the provider is down for a day: nothing is lost, and no account is answered wrongly."""

import os
from collections import defaultdict
from typing import Any

import pytest

from linked_profile.access_tokens import unverified_claims
from linked_profile.envelopes import parse_time_ms
from linked_profile.fold import row_at
from tests.proof.model import Fact, rows
from tests.proof.simulation import FOREVER, HOUR_S, START_S, Simulation, launch, skill_event, spread

EVENTS = int(os.environ.get("PROOF_EVENTS", "1000"))


def fact_of(sort_key: str, account: str | None) -> Fact:
    kind, time_ms, eid = sort_key.split("#")
    return Fact(int(time_ms), int(kind == "E"), eid, account)


def place(event: dict[str, Any]) -> tuple[str, str, str]:
    """User id, kind and time of an event, as a stored item shows them too."""
    kind = "E" if "Disabled" in event["request"]["type"] else "L"
    return event["context"]["System"]["user"]["userId"], kind, event["request"]["timestamp"]


@pytest.fixture(scope="module")
def aftermath() -> Any:
    """The table after a day on which every call could fail, with what was sent and what was acknowledged."""
    simulation = Simulation(seed=7, table_faults=0.3, provider_faults=0.3)
    sent = list(spread(simulation.chance, EVENTS, users=EVENTS // 4, accounts=50))
    acknowledged = simulation.deliver_for_an_hour(sent)
    return simulation, [event for _, event in sent], acknowledged


def stored_facts(simulation: Simulation) -> dict[str, set[Fact]]:
    """Each user id's facts, their accounts as stored."""
    facts = defaultdict(set)
    for item in simulation.table.rows():
        facts[item["AmazonUserID"]["S"]].add(fact_of(item["SK"]["S"], item.get("AccountID", {}).get("S")))
    return facts


def test_what_was_acknowledged_is_stored_when_every_call_could_fail(aftermath: Any) -> None:
    simulation, _, acknowledged = aftermath
    stored = {(item["AmazonUserID"]["S"], item["SK"]["S"][:15]) for item in simulation.table.rows()}
    for event in acknowledged:
        user_id, kind, timestamp = place(event)
        assert (user_id, f"{kind}#{parse_time_ms(timestamp):013d}") in stored


def test_most_events_get_through_in_their_hour_and_some_do_not(aftermath: Any) -> None:
    _, sent, acknowledged = aftermath
    assert 0.5 < len(acknowledged) / len(sent) < 1.0, "if none failed, the test tested nothing"


def test_every_account_is_the_tokens_own_and_the_rest_is_pending(aftermath: Any) -> None:
    simulation, sent, _ = aftermath
    accounts = defaultdict(set)
    for event in sent:
        if "body" in event["request"]:
            accounts[place(event)[0], parse_time_ms(place(event)[2])].add(event["request"]["body"]["accessToken"])
    for item in simulation.table.rows():
        if "AccountID" in item:
            tokens = accounts[item["AmazonUserID"]["S"], int(item["StartMs"]["N"])]
            assert any(unverified_claims(token)["sub"] == item["AccountID"]["S"] for token in tokens)
        elif item["SK"]["S"].startswith("L#"):
            assert item["Status"]["S"] == "PENDING"


def test_the_answers_are_those_of_the_model_over_what_is_stored(aftermath: Any) -> None:
    simulation, _, _ = aftermath
    for user_id, facts in stored_facts(simulation).items():
        history = simulation.mappings.history(user_id, FOREVER)
        assert [(row.account_id, row.start_ms, row.end_ms) for row in history] == rows(facts)


def test_the_next_request_follows_a_pending_row_with_an_observed_one(aftermath: Any) -> None:
    simulation, _, _ = aftermath
    simulation.client = simulation.table  # the fault has passed
    simulation.provider._fault_rate = 0.0
    now_s = START_S + 48 * HOUR_S
    open_rows = {user_id: row_at(simulation.mappings.history(user_id, FOREVER), now_s * 1000) for user_id in stored_facts(simulation)}
    pending = [user_id for user_id, row in open_rows.items() if row is not None and row.account_id is None]
    assert pending, "if nobody is pending, the test tested nothing"
    handler = simulation.container()
    for user_id in pending:
        handler(launch(user_id, now_s, "account-now"), None)
        before, after = simulation.mappings.history(user_id, FOREVER)[-2:]
        assert (before.account_id, before.end_ms) == (None, now_s * 1000)
        assert (after.account_id, after.source, after.end_ms) == ("account-now", "OBSERVED", None)


def test_no_record_is_lost_and_no_stale_account_answered_when_the_provider_is_down_for_a_day() -> None:
    simulation = Simulation(seed=11)
    users = [f"amzn1.ask.account.U{number:05d}" for number in range(50)]
    simulation.deliver_for_an_hour([(START_S, skill_event("SkillAccountLinked", user_id, START_S, "account-before")) for user_id in users])
    simulation.provider.down = True
    relinks = [(START_S + HOUR_S * (1 + number % 23), user_id) for number, user_id in enumerate(users)]
    events = [(time_s, skill_event("SkillAccountLinked", user_id, time_s, "account-after")) for time_s, user_id in relinks]
    assert simulation.deliver_for_an_hour(events) == []
    for time_s, user_id in relinks:
        before, after = simulation.mappings.history(user_id, FOREVER)
        assert (before.account_id, before.end_ms) == ("account-before", time_s * 1000)
        assert (after.account_id, after.status, after.end_ms) == (None, "PENDING", None)
    simulation.provider.down = False
    for _, user_id in relinks:
        simulation.handler(launch(user_id, START_S + 30 * HOUR_S, "account-after"), None)
        assert simulation.mappings.history(user_id, FOREVER)[-1].account_id == "account-after"
