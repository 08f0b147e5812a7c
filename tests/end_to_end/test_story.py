"""The demo's story, on ministack with IAM enforced, the function in Lambda's own runtime."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.conftest import Customer
from tools.local_aws import LocalAws
from tools.local_stack import LocalStack
from tools.mapping_table import StoredLink, everything_stored
from tools.runtime_emulator import RuntimeEmulator
from tools.simulator import envelopes
from tools.simulator.account_linking import AccountLinking
from tools.simulator.alexa import Alexa
from tools.simulator.answers import Answer
from tools.simulator.skill import Skill

RowsOf = Callable[[str], list[StoredLink]]
ROUNDS = 10  # of two environments at once; each is another chance for the race


@dataclass(frozen=True)
class Story:
    """What was heard, and what stood in the table, act by act."""

    user_id: str
    customer: Customer
    access_token: str
    alexa: Alexa
    function: RuntimeEmulator
    answers: dict[str, Answer]
    rows: dict[str, list[StoredLink]]


@pytest.fixture(scope="module")
def story(stack: LocalStack, new_customer: Callable[[], Customer], new_alexa: Callable[[Skill], Alexa], rows_of: RowsOf) -> Iterator[Story]:
    """Enable, open unlinked, link, open, four questions, all of it, stop, disable: played once for all tests here."""
    customer, answers, rows = new_customer(), {}, {}
    with RuntimeEmulator(stack) as function:
        alexa = new_alexa(function)
        user_id = alexa.enable()
        rows["enabled"] = rows_of(user_id)
        answers["unlinked"] = alexa.launch()
        token = alexa.link(customer.browser)
        rows["linked"] = rows_of(user_id)
        answers["launch"] = alexa.launch()
        for question in ("what is my name", "what is my number", "what's my address", "what is my email", "all my details", "stop"):
            answers[question] = alexa.say(question)
        rows["talked"] = rows_of(user_id)
        alexa.clock.move_on(timedelta(hours=1))
        alexa.disable()
        rows["disabled"] = rows_of(user_id)
        yield Story(user_id, customer, token, alexa, function, answers, rows)


def test_every_event_is_acknowledged_and_every_answer_well_formed(story: Story) -> None:
    assert story.alexa.undelivered == []
    assert {name: answer.problem for name, answer in story.answers.items() if answer.problem} == {}


def test_the_card_offers_the_link_and_the_session_ends_when_no_account_is_linked(story: Story) -> None:
    unlinked = story.answers["unlinked"]
    assert (unlinked.card, unlinked.ends_session) == ({"type": "LinkAccount"}, True)
    assert "Linked Profile" in unlinked.speech


def test_the_customer_is_greeted_by_given_name_when_linked(story: Story) -> None:
    launch = story.answers["launch"]
    assert story.customer.account.given_name in launch.speech
    assert (launch.card, launch.ends_session) == (None, False)


def test_each_question_is_answered_with_its_attribute_and_no_other(story: Story) -> None:
    account = story.customer.account
    attributes = {
        "what is my name": f"{account.given_name} {account.family_name}",
        "what is my number": account.phone_number,
        "what's my address": account.address,
        "what is my email": account.email,
    }
    for question, asked in attributes.items():
        assert [value for value in attributes.values() if value in story.answers[question].speech] == [asked]


def test_the_full_profile_holds_all_four_attributes_in_their_order(story: Story) -> None:
    account, speech = story.customer.account, story.answers["all my details"].speech
    places = [speech.index(value) for value in (account.family_name, account.phone_number, account.email, account.address)]
    assert places == sorted(places)


def test_stop_ends_the_session_with_a_goodbye(story: Story) -> None:
    assert story.answers["stop"].ends_session
    assert story.answers["stop"].speech.startswith("Goodbye")


def test_a_row_opens_with_the_link_and_closes_with_the_disabling(story: Story) -> None:
    assert story.rows["enabled"] == []
    (opened,) = story.rows["linked"]
    assert (opened["AccountID"], opened["Status"], opened["Source"]) == (story.customer.account_id, "RESOLVED", "EVENT")
    assert "EndDatetime" not in opened
    assert story.rows["talked"] == [opened]
    (closed,) = story.rows["disabled"]
    assert {name: value for name, value in closed.items() if not name.startswith("End")} == opened
    linked, disabled = story.alexa.events[1]["request"], story.alexa.events[2]["request"]
    assert (closed["StartDatetime"], closed["EndDatetime"]) == (linked["eventCreationTime"], disabled["eventCreationTime"])


def test_nothing_changes_when_every_event_is_delivered_twice(story: Story, rows_of: RowsOf) -> None:
    for event in story.alexa.events:
        assert story.alexa.deliver(envelopes.redelivered(event, story.alexa.clock.now()))
    assert rows_of(story.user_id) == story.rows["disabled"]


def test_no_secret_and_nothing_personal_is_logged_or_stored(story: Story, aws: LocalAws, stack: LocalStack) -> None:
    account, log = story.customer.account, story.function.log_text()
    assert '"link_resolved"' in log  # the function's lines are in it
    words = [word for text in (account.given_name, account.family_name, account.address) for word in text.split() if len(word) > 4]
    secret = [story.access_token, *story.access_token.split("."), account.email, account.phone_number.removeprefix("+"), *words]
    kept = log + everything_stored(aws, stack.table)
    assert [value for value in secret if value in kept] == []


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("scan", {}),
        ("delete_item", {"Key": {"AmazonUserID": {"S": "u"}, "SK": {"S": "s"}}}),
        ("delete_table", {}),
        ("batch_write_item", None),
    ],
)
def test_the_functions_role_may_not_do_what_it_does_not_need(
    operation: str, arguments: dict[str, object] | None, aws: LocalAws, stack: LocalStack
) -> None:
    table = aws.client("dynamodb", aws.role_credentials(stack.role_arn))
    delete = [{"DeleteRequest": {"Key": {"AmazonUserID": {"S": "u"}, "SK": {"S": "s"}}}}]
    asked = {"RequestItems": {stack.table: delete}} if arguments is None else {"TableName": stack.table, **arguments}
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(table, operation)(**asked)


def test_one_row_is_open_when_two_environments_get_two_links_of_one_user_at_once(
    stack: LocalStack, linking: AccountLinking, new_customer: Callable[[], Customer], new_alexa: Callable[[Skill], Alexa], rows_of: RowsOf
) -> None:
    tokens = [linking.link(new_customer().browser).access_token for _ in range(2)]
    with RuntimeEmulator(stack) as one, RuntimeEmulator(stack) as other, ThreadPoolExecutor(2) as at_once:
        for _ in range(ROUNDS):
            alexa = new_alexa(one)
            user_id = alexa.enable()
            assert alexa.enablement
            times = [alexa.clock.now() + timedelta(minutes=minute) for minute in (0, 1)]
            links = [
                envelopes.skill_event(alexa.enablement, "SkillAccountLinked", at, {"accessToken": token})
                for at, token in zip(times, tokens, strict=True)
            ]
            list(at_once.map(lambda pair: pair[0].invoke(pair[1]), zip((one, other), links, strict=True)))
            first, second = rows_of(user_id)
            assert (first["EndDatetime"], "EndDatetime" in second) == (second["StartDatetime"], False)


def test_one_row_stands_when_two_environments_get_the_same_link_at_once(
    stack: LocalStack, linking: AccountLinking, customer: Customer, new_alexa: Callable[[Skill], Alexa], rows_of: RowsOf
) -> None:
    token = linking.link(customer.browser).access_token
    with RuntimeEmulator(stack) as one, RuntimeEmulator(stack) as other, ThreadPoolExecutor(2) as at_once:
        for _ in range(ROUNDS):
            alexa = new_alexa(one)
            user_id = alexa.enable()
            assert alexa.enablement
            link = envelopes.skill_event(alexa.enablement, "SkillAccountLinked", alexa.clock.now(), {"accessToken": token})
            list(at_once.map(lambda environment, event=link: environment.invoke(event), (one, other)))
            (row,) = rows_of(user_id)
            assert (row["AccountID"], "EndDatetime" in row) == (customer.account_id, False)
