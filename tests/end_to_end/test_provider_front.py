"""The hosted login page behind the front: customers link through it and land on this machine; it refuses as Cognito refuses."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from linked_profile.errors import ProviderUnavailableError, TokenRejectedError
from linked_profile.identity_providers import build_identity_provider
from linked_profile.outbound import Deadline, Outbound
from linked_profile.settings import Settings
from tests.end_to_end.conftest import Customer
from tools.local_aws import LocalAws
from tools.local_stack import LocalStack, linking_configuration
from tools.simulator import faults
from tools.simulator.account_linking import AccountLinking, Tokens
from tools.simulator.faults import Fault
from tools.simulator.provider_front import ProviderFront, amazons_url

LANDING = "http://127.0.0.1:1"  # nobody goes there


@pytest.fixture
def front(aws: LocalAws) -> Iterator[ProviderFront]:
    with ProviderFront(aws.url, landing_url=LANDING) as running:
        yield running


@pytest.fixture
def linking(aws: LocalAws, stack: LocalStack, front: ProviderFront) -> AccountLinking:
    direct = linking_configuration(aws, stack)
    through = [url.replace(aws.url, front.url) for url in (direct.authorization_url, direct.access_token_url)]
    assert all(url.startswith(front.url) for url in through)
    return AccountLinking(replace(direct, authorization_url=through[0], access_token_url=through[1]))


def landed_at(url: str, customer: Customer) -> str:
    landed = customer.browser(url)
    assert landed.startswith(f"{LANDING}/landed/")
    return amazons_url(landed)


def link(linking: AccountLinking, customer: Customer, region: str = "EU") -> Tokens:
    return linking.link(lambda url: landed_at(url, customer), region)


@pytest.mark.parametrize("region", ["NA", "EU", "FE"])
def test_a_customer_links_through_it_and_lands_on_this_machine(region: str, linking: AccountLinking, customer: Customer) -> None:
    tokens = link(linking, customer, region)
    assert linking.refresh(tokens).access_token


def test_its_refusals_of_a_token_are_the_providers_own(
    aws: LocalAws, stack: LocalStack, linking: AccountLinking, customer: Customer, front: ProviderFront
) -> None:
    answers = []
    front.inject(faults.EXPIRED)
    headers = {"X-Amz-Target": "AWSCognitoIdentityProviderService.GetUser", "Content-Type": "application/x-amz-json-1.1"}
    for url in (aws.url, front.url):
        answer = requests.post(url, json={"AccessToken": "no.such.token"}, headers=headers, timeout=10)
        answers.append((answer.status_code, set(answer.json()) & {"__type", "message"}, answer.json()["__type"].rpartition("#")[2]))
    assert answers == [(400, {"__type", "message"}, "NotAuthorizedException")] * 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.NONE, None),
        (faults.DOWN, ProviderUnavailableError),
        (faults.THROTTLED, ProviderUnavailableError),
        (faults.HTML, ProviderUnavailableError),
        (faults.EXPIRED, TokenRejectedError),
        (faults.REVOKED, TokenRejectedError),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_the_function_reads_each_fault_of_get_user_as_what_it_is(
    fault: Fault, error: type[Exception] | None, stack: LocalStack, linking: AccountLinking, customer: Customer, front: ProviderFront
) -> None:
    token = link(linking, customer).access_token
    settings = Settings.from_environ({**stack.environment, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": front.url})
    provider = build_identity_provider(settings, Outbound())
    front.inject(fault)
    if error is None:
        assert provider.fetch_profile(token, Deadline(6.5)).account_id == customer.account_id
    else:
        with pytest.raises(error):
            provider.fetch_profile(token, Deadline(6.5))
