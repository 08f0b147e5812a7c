"""The parts of the end-to-end tests: ministack with IAM enforced, the real template, the function in Lambda's runtime, customers."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tools.cognito_accounts import CustomerAccount, sign_up
from tools.local_aws import LocalAws
from tools.local_stack import LocalStack, deploy, linking_configuration
from tools.mapping_table import StoredLink, stored_links
from tools.runtime_emulator import RuntimeEmulator
from tools.setup import ROOT
from tools.simulator.account_linking import AccountLinking
from tools.simulator.alexa import Alexa
from tools.simulator.interaction_model import InteractionModel
from tools.simulator.login_page import CustomersBrowser
from tools.simulator.skill import Skill

PARAMETERS = {
    "SkillId": "amzn1.ask.skill.0c6ea0fb-77a5-4d12-9a2e-35f1d86e4b09",
    "VendorId": "M2E2E0VENDOR",
    "CognitoDomainPrefix": "linked-profile-e2e",
    "LogLevel": "DEBUG",  # the level at which a secret would be most likely to slip out
}


@dataclass(frozen=True)
class Customer:
    """Someone with an account, and the browser to sign in with."""

    account: CustomerAccount
    account_id: str

    @property
    def browser(self) -> CustomersBrowser:
        return CustomersBrowser(self.account.email, self.account.password)


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with LocalAws(enforce_iam=True) as running:
        yield running


@pytest.fixture(scope="session")
def stack(aws: LocalAws) -> LocalStack:
    return deploy(aws, PARAMETERS)


@pytest.fixture(scope="session")
def new_customer(aws: LocalAws, stack: LocalStack) -> Callable[[], Customer]:
    """Signs up another customer, whose every attribute is unlike any other text."""

    def build() -> Customer:
        mark = secrets.token_hex(6)
        account = CustomerAccount(
            given_name=f"Given{mark} & Co",
            family_name=f"O'Family{mark}",
            email=f"mail{mark}@example.com",
            phone_number=f"+1206{secrets.randbelow(10**7):07d}",
            address=f"{mark} <Main> Street, Seattle",
            password=f"Aa1!{mark}",
        )
        return Customer(account, sign_up(aws, stack.outputs["UserPoolId"], account))

    return build


@pytest.fixture
def customer(new_customer: Callable[[], Customer]) -> Customer:
    return new_customer()


@pytest.fixture(scope="session")
def linking(aws: LocalAws, stack: LocalStack) -> AccountLinking:
    return AccountLinking(linking_configuration(aws, stack))


@pytest.fixture(scope="session")
def new_alexa(stack: LocalStack, linking: AccountLinking) -> Callable[[Skill], Alexa]:
    """Another household's Alexa, in front of this skill."""
    model = InteractionModel.load(ROOT / "interaction_models" / "en-US.json")
    return lambda skill: Alexa(skill, stack.skill_id, model, linking)


@pytest.fixture
def function(stack: LocalStack) -> Iterator[RuntimeEmulator]:
    """One Lambda environment, cold."""
    with RuntimeEmulator(stack) as running:
        yield running


@pytest.fixture
def alexa(function: RuntimeEmulator, new_alexa: Callable[[Skill], Alexa]) -> Alexa:
    return new_alexa(function)


@pytest.fixture(scope="session")
def rows_of(aws: LocalAws, stack: LocalStack) -> Callable[[str], list[StoredLink]]:
    """The rows of an Amazon user id as they are stored."""
    return lambda amazon_user_id: stored_links(aws, stack.table, amazon_user_id)
