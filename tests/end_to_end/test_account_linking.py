"""Alexa's refusals of an authorization server that does not do as it should, in words that name the cause."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.end_to_end.conftest import Customer
from tools.local_aws import LocalAws
from tools.local_stack import LocalStack, linking_configuration
from tools.simulator.account_linking import AccountLinking, AccountLinkingError, LinkingConfiguration
from tools.simulator.login_page import CustomersBrowser


@pytest.fixture(scope="module")
def configuration(aws: LocalAws, stack: LocalStack) -> LinkingConfiguration:
    return linking_configuration(aws, stack)


@pytest.mark.parametrize("region", ["NA", "EU", "FE"])
def test_an_account_is_linked_with_the_redirect_url_of_each_region(
    region: str, aws: LocalAws, stack: LocalStack, customer: Customer
) -> None:
    tokens = AccountLinking(linking_configuration(aws, stack)).link(customer.browser, region)
    assert (tokens.life_s, tokens.access_token.count(".")) == (3600, 2)


def test_the_login_pages_own_words_are_given_when_the_password_is_wrong(configuration: LinkingConfiguration, customer: Customer) -> None:
    with pytest.raises(AccountLinkingError, match="Incorrect username or password"):
        AccountLinking(configuration).link(CustomersBrowser(customer.account.email, "wrong"))


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ({"redirect_urls": {"EU": "https://layla.amazon.com/api/skill/link/M0OTHER"}}, "redirect_uri is not allowed"),
        ({"client_id": "unknown"}, "unknown not found"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"scopes": ("openid", "admin")}, "invalid_scope"),
        ({"access_token_url": "http://127.0.0.1:9/oauth2/token"}, "could not be reached"),
    ],
)
def test_the_cause_is_named_when_the_linking_configuration_is_wrong(
    mistake: dict[str, object], words: str, configuration: LinkingConfiguration, customer: Customer
) -> None:
    with pytest.raises(AccountLinkingError, match=words) as failure:
        AccountLinking(replace(configuration, **mistake)).link(customer.browser)  # type: ignore[arg-type]
    assert configuration.client_secret not in str(failure.value)


def test_tokens_are_refused_when_they_live_under_six_minutes(
    aws: LocalAws, stack: LocalStack, configuration: LinkingConfiguration, customer: Customer
) -> None:
    client = aws.client("cognito-idp").create_user_pool_client(
        UserPoolId=stack.outputs["UserPoolId"],
        ClientName="five-minutes",
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=list(configuration.scopes),
        CallbackURLs=[configuration.redirect_urls["EU"]],
        AccessTokenValidity=5,
        TokenValidityUnits={"AccessToken": "minutes"},
    )["UserPoolClient"]
    five_minutes = replace(configuration, client_id=client["ClientId"], client_secret=client["ClientSecret"])
    with pytest.raises(AccountLinkingError, match="lives 300 seconds; Alexa needs at least 360"):
        AccountLinking(five_minutes).link(customer.browser)


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (lambda url: url.replace("state=", "state=x"), "state"),
        (lambda url: url.replace("code=", "cod="), "no authorization code"),
        (lambda url: url.replace("code=", "code=x"), "refused the code: HTTP 400, invalid_grant"),
        (lambda url: url.replace("layla", "layla2"), "sent the customer to"),
    ],
)
def test_the_redirect_is_refused_when_it_is_not_what_alexa_asked_for(
    tamper: Callable[[str], str], words: str, configuration: LinkingConfiguration, customer: Customer
) -> None:
    with pytest.raises(AccountLinkingError, match=words):
        AccountLinking(configuration).link(lambda url: tamper(customer.browser(url)))
