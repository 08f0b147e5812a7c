"""Customers of the skill's own service: accounts in the stack's Cognito user pool."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.local_aws import LocalAws

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_cognito_idp.type_defs import AttributeTypeTypeDef


@dataclass(frozen=True)
class CustomerAccount:
    """What a customer gave when signing up: the five attributes that the pool requires, and a password."""

    given_name: str
    family_name: str
    email: str
    phone_number: str  # E.164
    address: str
    password: str


def sign_up(aws: LocalAws, user_pool_id: str, account: CustomerAccount) -> str:
    """The account's id, Cognito's `sub`; the customer can sign in at once, with nothing to confirm."""
    pool: CognitoIdentityProviderClient = aws.client("cognito-idp")
    attributes = {
        "given_name": account.given_name,
        "family_name": account.family_name,
        "email": account.email,
        "email_verified": "true",
        "phone_number": account.phone_number,
        "address": account.address,
    }
    listed: list[AttributeTypeTypeDef] = [{"Name": name, "Value": value} for name, value in attributes.items()]
    created = pool.admin_create_user(UserPoolId=user_pool_id, Username=account.email, UserAttributes=listed, MessageAction="SUPPRESS")
    pool.admin_set_user_password(UserPoolId=user_pool_id, Username=account.email, Password=account.password, Permanent=True)
    return next(attribute["Value"] for attribute in created["User"]["Attributes"] if attribute["Name"] == "sub")
