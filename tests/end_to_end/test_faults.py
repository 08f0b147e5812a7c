"""Outages in the middle of things: what the customer hears, and what the table holds afterwards."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.end_to_end.conftest import Customer
from tools.local_aws import LocalAws
from tools.local_stack import CODE, LocalStack
from tools.loopback_proxy import LoopbackProxy
from tools.mapping_table import StoredLink
from tools.runtime_emulator import RuntimeEmulator
from tools.simulator.alexa import Alexa
from tools.simulator.skill import Skill

RowsOf = Callable[[str], list[StoredLink]]
TROUBLE = json.loads((CODE / "linked_profile" / "prompts" / "en.json").read_text("utf-8"))["sentences"]["TROUBLE"]


@dataclass(frozen=True)
class Breakable:
    """A household whose skill reaches its table and its identity provider through ways that can be cut."""

    alexa: Alexa
    table: LoopbackProxy
    provider: LoopbackProxy


@pytest.fixture
def breakable(aws: LocalAws, stack: LocalStack, new_alexa: Callable[[Skill], Alexa]) -> Iterator[Breakable]:
    with LoopbackProxy(aws.url) as table, LoopbackProxy(aws.url) as provider:
        moved = {"AWS_ENDPOINT_URL_DYNAMODB": table.url, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": provider.url}
        with RuntimeEmulator(stack, moved) as function:
            yield Breakable(new_alexa(function), table, provider)


@pytest.mark.parametrize("operation", ["PutItem", "Query", "UpdateItem"])
def test_a_redelivered_link_completes_when_the_table_was_unreachable_in_the_middle_of_it(
    operation: str, breakable: Breakable, new_customer: Callable[[], Customer], rows_of: RowsOf
) -> None:
    alexa, (former, present) = breakable.alexa, (new_customer(), new_customer())
    user_id = alexa.enable()
    alexa.link(former.browser)
    alexa.clock.move_on(timedelta(minutes=5))
    breakable.table.cut(f"DynamoDB_20120810.{operation}".encode())
    alexa.link(present.browser)
    assert [each.because.partition(":")[0] for each in alexa.undelivered] == ["TableUnavailableError"]
    breakable.table.heal()
    assert alexa.redeliver() == 0
    first, second = rows_of(user_id)
    assert (first["AccountID"], first["EndDatetime"]) == (former.account_id, second["StartDatetime"])
    assert (second["AccountID"], second["Status"], "EndDatetime" in second) == (present.account_id, "RESOLVED", False)


@pytest.mark.parametrize("operation", ["PutItem", "Query", "UpdateItem"])
def test_a_redelivered_disabling_completes_when_the_table_was_unreachable_in_the_middle_of_it(
    operation: str, breakable: Breakable, customer: Customer, rows_of: RowsOf
) -> None:
    alexa = breakable.alexa
    user_id = alexa.enable()
    alexa.link(customer.browser)
    alexa.clock.move_on(timedelta(minutes=5))
    breakable.table.cut(f"DynamoDB_20120810.{operation}".encode())
    alexa.disable()
    assert len(alexa.undelivered) == 1
    breakable.table.heal()
    alexa.clock.move_on(timedelta(minutes=50))
    assert alexa.redeliver() == 0
    (row,) = rows_of(user_id)
    assert row["EndDatetime"] == alexa.events[-1]["request"]["eventCreationTime"]


def test_a_row_without_account_stands_and_redelivery_fills_it_when_the_provider_was_down(
    breakable: Breakable, customer: Customer, rows_of: RowsOf
) -> None:
    alexa = breakable.alexa
    user_id = alexa.enable()
    breakable.provider.cut()
    alexa.link(customer.browser)
    assert [each.because.partition(":")[0] for each in alexa.undelivered] == ["ProviderUnavailableError"]
    (pending,) = rows_of(user_id)
    assert (pending["Status"], "AccountID" in pending, "EndDatetime" in pending) == ("PENDING", False, False)
    breakable.provider.heal()
    assert alexa.redeliver() == 0
    (resolved,) = rows_of(user_id)
    assert resolved == pending | {"Status": "RESOLVED", "AccountID": customer.account_id}


def test_the_next_request_opens_an_observed_row_when_the_link_event_was_lost(
    breakable: Breakable, customer: Customer, rows_of: RowsOf
) -> None:
    alexa = breakable.alexa
    user_id = alexa.enable()
    breakable.table.cut()
    alexa.link(customer.browser)
    lose_events_of_the_last_hour(alexa)
    breakable.table.heal()
    assert rows_of(user_id) == []
    assert customer.account.given_name in alexa.launch().speech
    (row,) = rows_of(user_id)
    assert (row["AccountID"], row["Source"], row["Status"], "EndDatetime" in row) == (customer.account_id, "OBSERVED", "RESOLVED", False)


def test_an_observed_row_follows_the_pending_one_when_the_provider_outlasted_the_redeliveries(
    breakable: Breakable, customer: Customer, rows_of: RowsOf
) -> None:
    alexa = breakable.alexa
    user_id = alexa.enable()
    breakable.provider.cut()
    alexa.link(customer.browser)
    lose_events_of_the_last_hour(alexa)
    breakable.provider.heal()
    alexa.launch()
    pending, observed = rows_of(user_id)
    assert (pending["Status"], "AccountID" in pending, pending["EndDatetime"]) == ("PENDING", False, observed["StartDatetime"])
    assert (observed["Source"], observed["AccountID"], "EndDatetime" in observed) == ("OBSERVED", customer.account_id, False)


def test_a_request_is_answered_when_the_table_is_unreachable(breakable: Breakable, customer: Customer) -> None:
    alexa = breakable.alexa
    alexa.enable()
    breakable.table.cut()
    alexa.link(customer.browser)
    assert customer.account.given_name in alexa.launch().speech


def test_trouble_is_said_in_time_and_without_a_card_when_the_provider_is_slow(
    alexa: Alexa, breakable: Breakable, customer: Customer
) -> None:
    alexa.enable()
    alexa.link(customer.browser)
    breakable.provider.hold(10)
    alexa.skill = breakable.alexa.skill  # not used yet, so that its cold start counts, too
    answer = alexa.launch()
    assert (answer.speech, answer.card, answer.ends_session) == (TROUBLE, None, False)
    assert answer.took_s < 7.5


def lose_events_of_the_last_hour(alexa: Alexa) -> None:
    """Alexa stops bringing an event after an hour."""
    assert alexa.undelivered
    alexa.clock.move_on(timedelta(hours=1, minutes=1))
    alexa.undelivered.clear()
