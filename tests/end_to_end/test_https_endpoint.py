"""The skill under gunicorn, as a container runs it, on the real local stack: signed requests in, rows of the table out; many at once."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.end_to_end.conftest import Customer
from tools.local_stack import LocalStack
from tools.mapping_table import StoredLink
from tools.simulator.alexa import Alexa
from tools.simulator.https_skill import HttpsSkill
from tools.simulator.request_signing import SigningAuthority
from tools.simulator.skill import Skill, SkillFailedError

WORKERS, AT_ONCE, HOUSEHOLDS = 4, 16, 60


@pytest.fixture(scope="module")
def https(stack: LocalStack) -> Iterator[HttpsSkill]:
    with HttpsSkill(stack, workers=WORKERS, threads=4) as running:
        yield running


def event_of(kind: str, stack: LocalStack, user_id: str, body: dict[str, Any]) -> dict[str, Any]:
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    request = {"type": f"AlexaSkillEvent.{kind}", "requestId": "r", "timestamp": at, "eventCreationTime": at, "body": body}
    system = {"application": {"applicationId": stack.skill_id}, "user": {"userId": user_id}, "apiEndpoint": "https://api.amazonalexa.com"}
    return {"version": "1.0", "context": {"System": system}, "request": request}


def outcomes(https: HttpsSkill) -> list[str]:
    """Outcome and reason of each of the skill's log lines."""
    lines = [json.loads(line) for line in https.log_text().splitlines() if line.startswith("{")]
    return [f"{line['outcome']} {line.get('reason', '')}".strip() for line in lines]


def test_a_customer_links_talks_and_leaves_when_alexa_comes_over_https(
    https: HttpsSkill, new_alexa: Callable[[Skill], Alexa], customer: Customer, rows_of: Callable[[str], list[StoredLink]]
) -> None:
    alexa = new_alexa(https)
    user_id = alexa.enable()
    assert alexa.launch().card_type == "LinkAccount"
    alexa.link(customer.browser)
    assert customer.account.given_name.split()[0] in alexa.launch().speech
    alexa.disable()
    assert alexa.undelivered == []
    (row,) = rows_of(user_id)
    assert (row["AccountID"], "EndDatetime" in row) == (customer.account_id, True)


def test_one_row_stands_for_each_household_when_all_link_at_once_and_each_event_comes_three_times(
    https: HttpsSkill,
    stack: LocalStack,
    new_alexa: Callable[[Skill], Alexa],
    customer: Customer,
    rows_of: Callable[[str], list[StoredLink]],
) -> None:
    alexa = new_alexa(https)
    alexa.enable()
    token = alexa.link(customer.browser)
    households = [f"amzn1.ask.account.LOAD{number:04d}" for number in range(HOUSEHOLDS)]
    events = [event_of("SkillAccountLinked", stack, user_id, {"accessToken": token}) for user_id in households]
    with ThreadPoolExecutor(AT_ONCE) as senders:
        list(senders.map(https.invoke, [event for event in events for _ in range(3)]))
    rows = [rows_of(user_id) for user_id in households]
    assert [len(each) for each in rows] == [1] * HOUSEHOLDS
    assert {each[0]["AccountID"] for each in rows} == {customer.account_id}
    assert 1 <= https.certificate_host.downloads <= WORKERS, (
        "each worker fetches the certificates once, however many requests wait for them"
    )


def test_the_forged_among_many_are_refused_when_all_come_at_once(
    https: HttpsSkill, new_alexa: Callable[[Skill], Alexa], stack: LocalStack
) -> None:
    """Every third has another authority's signature, every third another body than was signed."""
    forger = SigningAuthority()
    body = json.dumps(event_of("SkillEnabled", stack, "amzn1.ask.account.FORGED", {})).encode()
    kinds = [(body, https.authority.headers(body)), (body, forger.headers(body)), (body + b" ", https.authority.headers(body))]
    with ThreadPoolExecutor(AT_ONCE) as senders:
        statuses = [status for status, _ in senders.map(lambda kind: https.post(*kind), kinds * 60)]
    assert statuses == [200, 400, 400] * 60
    assert outcomes(https).count("signature_refused WRONG_SIGNATURE") == 120


def test_the_skill_says_why_when_it_refuses_and_nothing_of_a_person_when_it_logs(
    https: HttpsSkill, stack: LocalStack, customer: Customer, new_alexa: Callable[[Skill], Alexa]
) -> None:
    alexa = new_alexa(https)
    user_id = alexa.enable()
    token = alexa.link(customer.browser)
    alexa.launch()
    old = event_of("SkillDisabled", stack, user_id, {})
    old["request"]["timestamp"] = "2020-01-01T00:00:00Z"
    with pytest.raises(SkillFailedError, match="HTTP 400"):
        https.invoke(old)
    assert outcomes(https)[-1] == "signature_refused TIMESTAMP_OUT_OF_WINDOW"
    log = https.log_text()
    secrets = [token, user_id, customer.account_id, customer.account.email, customer.account.given_name]
    assert [secret for secret in secrets if secret in log] == []
    assert "Traceback" not in log
    assert re.search(r"Using worker: gthread", log)
