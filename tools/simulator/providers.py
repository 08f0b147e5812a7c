"""The identity providers of this desk, each with the real template deployed for it, and a front that can be made to fail."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit, urlunsplit

from tools.cognito_accounts import CustomerAccount, sign_up
from tools.local_aws import LocalAws
from tools.local_stack import LocalStack, deploy, linking_configuration
from tools.simulator.amazon import Amazon
from tools.simulator.customers import CUSTOMERS, Customer
from tools.simulator.linking_configuration import LinkingConfiguration, redirect_urls
from tools.simulator.login_with_amazon import behavior
from tools.simulator.login_with_amazon.ledger import Client
from tools.simulator.provider_front import ProviderFront

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

ProviderName = Literal["cognito", "lwa"]
PROVIDERS: Mapping[ProviderName, str] = {"cognito": "Amazon Cognito", "lwa": "Login with Amazon"}
SKILL_ID = "amzn1.ask.skill.2f7b6c1e-9d04-4c35-8a1b-6e5d40c3a972"
VENDOR_ID = "M2DESK0VENDOR"
PARAMETERS = {"SkillId": SKILL_ID, "VendorId": VENDOR_ID, "SmartHome": "true", "VirtualLamp": "true", "SendAlexaEvents": "true"}
CORRECT = "correct"


@dataclass(frozen=True)
class Provider:
    """An identity provider, and what was set up with it; `account_ids` are the customers' by their keys."""

    name: ProviderName
    front: ProviderFront
    linking: LinkingConfiguration
    account_ids: Mapping[str, str]
    token_of_another_client: Callable[[Customer], str]
    stack: LocalStack | None = None  # None where the skill is somebody else's
    environment: Mapping[str, str] = field(default_factory=dict)  # of the function, so that it goes through the front


@contextmanager
def cognito(aws: LocalAws, amazon: Amazon, attempt: int = 1) -> Iterator[Provider]:
    """The user pool that the template makes, and its hosted login page; what an earlier attempt left in AWS is not touched."""
    parameters = PARAMETERS | {"CognitoDomainPrefix": numbered("linked-profile-desk", attempt)}
    stack = deploy(aws, parameters, name=numbered("linked-profile-cognito", attempt))
    put_messaging_secret(aws, stack, amazon)
    pool_id = stack.outputs["UserPoolId"]
    account_ids = {key: sign_up(aws, pool_id, cognito_account(customer)) for key, customer in CUSTOMERS.items()}
    with ProviderFront(aws.url) as front:
        yield Provider(
            "cognito",
            front,
            moved(linking_configuration(aws, stack), front.url),
            account_ids,
            lambda customer: token_of_another_pool_client(aws, pool_id, customer),
            stack,
            amazon.environment | {"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": front.url},
        )


def cognito_account(customer: Customer) -> CustomerAccount:
    """As the customer signed up with it."""
    names = (customer.given_name, customer.family_name)
    return CustomerAccount(*names, customer.email, customer.phone_number, customer.address, customer.password)


def token_of_another_pool_client(aws: LocalAws, pool_id: str, customer: Customer) -> str:
    """A good access token of this customer that another client of the same pool was given."""
    pool: CognitoIdentityProviderClient = aws.client("cognito-idp")
    other = pool.create_user_pool_client(UserPoolId=pool_id, ClientName="another-app", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"])
    signed_in = pool.admin_initiate_auth(
        UserPoolId=pool_id,
        ClientId=other["UserPoolClient"]["ClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": customer.email, "PASSWORD": customer.password},
    )
    return signed_in["AuthenticationResult"]["AccessToken"]


@contextmanager
def login_with_amazon(aws: LocalAws | None, amazon: Amazon, attempt: int = 1) -> Iterator[Provider]:
    """The stand-in; without `aws` there is no function of ours, because the skill is somebody else's."""
    client, stack = amazon.linking_client, None
    if aws:
        parameters = PARAMETERS | {"IdentityProvider": "lwa", "LwaClientId": client.client_id}
        stack = deploy(aws, parameters, name=numbered("linked-profile-lwa", attempt))
        put_messaging_secret(aws, stack, amazon)
    with ProviderFront(amazon.login.url) as front:
        yield Provider(
            "lwa",
            front,
            lwa_linking(front.url, client),
            {key: each.user_id for key, each in amazon.customers.items()},
            lambda customer: amazon.login.token_of_another_client(amazon.customers[customer.key].user_id),
            stack,
            amazon.environment | {"LWA_API_URL": front.url},
        )


def numbered(name: str, attempt: int) -> str:
    """The name of a stack or of what in it has to be unlike all others."""
    return name if attempt == 1 else f"{name}-{attempt}"


def put_messaging_secret(aws: LocalAws, stack: LocalStack, amazon: Amazon) -> None:
    """As the developer does by hand, from the Permissions page of the Alexa console."""
    secrets: SecretsManagerClient = aws.client("secretsmanager")
    secrets.put_secret_value(SecretId=stack.outputs["SkillMessagingSecretArn"], SecretString=json.dumps(amazon.messaging_secret))


def lwa_linking(url: str, client: Client) -> LinkingConfiguration:
    """As README says to fill in the console's form, with the stand-in's address."""
    return LinkingConfiguration(
        f"{url}/ap/oa",
        f"{url}/auth/o2/token",
        client.client_id,
        client.client_secret,
        ("profile", "postal_code"),
        redirect_urls(VENDOR_ID),
    )


def linking_setups() -> list[dict[str, str]]:
    """The ways in which Login with Amazon can be set up on this desk: rightly, or with one mistake."""
    mistakes = [{"name": each.name, "label": each.label} for each in behavior.MISCONFIGURATIONS]
    return [{"name": CORRECT, "label": "Everything is right"}, *mistakes]


def moved(linking: LinkingConfiguration, url: str) -> LinkingConfiguration:
    """The same configuration, with both of its addresses behind the front."""
    front = urlsplit(url)[:2]
    authorization_url = urlunsplit(front + urlsplit(linking.authorization_url)[2:])
    return replace(
        linking, authorization_url=authorization_url, access_token_url=urlunsplit(front + urlsplit(linking.access_token_url)[2:])
    )
