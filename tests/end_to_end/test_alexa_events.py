"""Directives and events on real parts: the template with all of it switched on, its role enforced, the function in Lambda's runtime."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.end_to_end.conftest import PARAMETERS, Customer
from tests.events_skill import secret
from tests.loopback_amazon import SECRET, LoopbackAmazon, gateway_error
from tools.cognito_accounts import CustomerAccount, sign_up
from tools.local_aws import LocalAws
from tools.local_stack import LocalStack, deploy, linking_configuration
from tools.runtime_emulator import RuntimeEmulator
from tools.simulator.account_linking import AccountLinking

SWITCHED_ON = {"SmartHome": "true", "VirtualLamp": "true", "SendAlexaEvents": "true", "AlexaRegion": "EU"}
NAME = "alexa-events"
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.fixture(scope="module")
def events_stack(aws: LocalAws) -> LocalStack:
    made = deploy(aws, {**PARAMETERS, **SWITCHED_ON, "CognitoDomainPrefix": f"linked-profile-{NAME}"}, name=NAME)
    aws.client("secretsmanager").put_secret_value(SecretId=made.outputs["SkillMessagingSecretArn"], SecretString=secret(SECRET))
    return made


@pytest.fixture(scope="module")
def amazon() -> Iterator[LoopbackAmazon]:
    server = LoopbackAmazon()
    yield server
    server.close()


@pytest.fixture
def function(events_stack: LocalStack, amazon: LoopbackAmazon) -> Iterator[RuntimeEmulator]:
    with RuntimeEmulator(events_stack, {"LWA_API_URL": amazon.url, "ALEXA_EVENT_GATEWAY_URL": amazon.url}) as running:
        yield running


@pytest.fixture(scope="module")
def anna(aws: LocalAws, events_stack: LocalStack) -> Customer:
    account = CustomerAccount("Anna", "Kovács", "anna@example.com", "+12065550147", "12 Larch Lane, Seattle", "Aa1!aaaaaa")
    return Customer(account, sign_up(aws, events_stack.outputs["UserPoolId"], account))


@pytest.fixture(scope="module")
def token(aws: LocalAws, events_stack: LocalStack, anna: Customer) -> str:
    """Anna's access token, as Alexa gets it."""
    return str(AccountLinking(linking_configuration(aws, events_stack)).link(anna.browser).access_token)


def directive(namespace: str, name: str, payload: dict[str, Any], **parts: Any) -> dict[str, Any]:
    header = {"namespace": namespace, "name": name, "payloadVersion": "3", "messageId": "1bd5d003-31b9-476f-ad03-71d471922820"}
    return {"directive": {"header": header, "payload": payload, **parts}}


def accept_grant(token: str, code: str) -> dict[str, Any]:
    grant = {"type": "OAuth2.AuthorizationCode", "code": code}
    return directive("Alexa.Authorization", "AcceptGrant", {"grant": grant, "grantee": {"type": "BearerToken", "token": token}})


@pytest.fixture
def grants_of(aws: LocalAws, events_stack: LocalStack) -> Callable[[str], list[dict[str, Any]]]:
    """The stored grants of an account."""
    values = {":a": {"S": ""}}
    query = {"TableName": events_stack.outputs["AlexaGrantsTable"], "KeyConditionExpression": "AccountID = :a"}
    client = aws.client("dynamodb")
    return lambda account_id: client.query(**query, ExpressionAttributeValues={**values, ":a": {"S": account_id}})["Items"]


def test_grant_is_kept_and_the_lamps_change_reaches_alexa_when_everything_is_switched_on(
    function: RuntimeEmulator, amazon: LoopbackAmazon, anna: Customer, token: str, grants_of: Callable[[str], list[dict[str, Any]]]
) -> None:
    for _ in range(2):
        answer = function.invoke(accept_grant(token, "CanaryCode1"))
        assert answer["event"]["header"]["name"] == "AcceptGrant.Response", answer
    (grant,) = grants_of(anna.account_id)
    assert (grant["Status"]["S"], grant["GrantID"]["S"][:3], len(amazon.forms)) == ("LIVE", "EU#", 1)
    found = function.invoke(directive("Alexa.Discovery", "Discover", {"scope": {"type": "BearerToken", "token": token}}))
    (lamp,) = found["event"]["payload"]["endpoints"]
    endpoint = {"endpointId": lamp["endpointId"], "scope": {"type": "BearerToken", "token": token}, "cookie": {}}
    switched = function.invoke(directive("Alexa.PowerController", "TurnOn", {}, endpoint=endpoint))
    assert switched["event"]["header"]["name"] == "Response", switched
    (event,) = amazon.events
    assert event["event"]["header"]["name"] == "ChangeReport"
    assert event["event"]["endpoint"]["scope"]["token"] in amazon.access_tokens
    assert "Canary" not in function.log_text() + repr(grant)


def test_grant_dies_alone_when_alexa_says_that_the_skill_is_disabled(
    function: RuntimeEmulator, amazon: LoopbackAmazon, anna: Customer, token: str, grants_of: Callable[[str], list[dict[str, Any]]]
) -> None:
    function.invoke(accept_grant(token, "CanaryCode2"))
    function.invoke(accept_grant(token, "CanaryCode3"))
    found = function.invoke(directive("Alexa.Discovery", "Discover", {"scope": {"type": "BearerToken", "token": token}}))
    endpoint_id = found["event"]["payload"]["endpoints"][0]["endpointId"]
    endpoint = {"endpointId": endpoint_id, "scope": {"type": "BearerToken", "token": token}, "cookie": {}}
    before = statuses(grants_of(anna.account_id))
    amazon.gateway_faults = [gateway_error(403, "SKILL_DISABLED_EXCEPTION")]
    for name in ("TurnOff", "TurnOn", "TurnOff"):
        function.invoke(directive("Alexa.PowerController", name, {}, endpoint=endpoint))
    assert (amazon.gateway_faults, statuses(grants_of(anna.account_id))) == ([], sorted([*before, "DEAD"])[:-1])


def statuses(grants: list[dict[str, Any]]) -> list[str]:
    return sorted(grant["Status"]["S"] for grant in grants)


def test_grant_is_refused_and_linking_fails_when_the_secret_is_wrong(
    function: RuntimeEmulator, amazon: LoopbackAmazon, token: str, grants_of: Callable[[str], list[dict[str, Any]]], anna: Customer
) -> None:
    before = grants_of(anna.account_id)
    amazon.secrets, known = {"another"}, amazon.secrets
    answer = function.invoke(accept_grant(token, "CanaryCode4"))
    amazon.secrets = known
    assert answer["event"]["payload"]["type"] == "ACCEPT_GRANT_FAILED"
    assert grants_of(anna.account_id) == before
    assert "INVALID_CLIENT" in function.log_text()


FORBIDDEN: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "delete_item", {"TableName": "AlexaGrantsTable", "Key": {"AccountID": {"S": "a"}, "GrantID": {"S": "b"}}}),
    ("dynamodb", "scan", {"TableName": "AlexaGrantsTable"}),
    ("dynamodb", "scan", {"TableName": "VirtualLampsTable"}),
    ("dynamodb", "update_item", {"TableName": "VirtualLampsTable", "Key": {"AccountID": {"S": "a"}}}),
    ("secretsmanager", "put_secret_value", {"SecretId": "SkillMessagingSecretArn", "SecretString": "x"}),
    ("secretsmanager", "delete_secret", {"SecretId": "SkillMessagingSecretArn"}),
    ("kms", "list_keys", {}),
]


@pytest.mark.parametrize(("service", "operation", "arguments"), FORBIDDEN, ids=lambda value: value if isinstance(value, str) else "")
def test_role_is_refused_what_the_function_does_not_need(
    aws: LocalAws, events_stack: LocalStack, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    client = aws.client(service, {name: events_stack.environment[name] for name in CREDENTIALS})
    named = {name: events_stack.outputs.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()}
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        getattr(client, operation)(**named)


def test_both_of_alexas_principals_may_call_the_alias_when_deployed(aws: LocalAws, events_stack: LocalStack) -> None:
    policy = aws.client("lambda").get_policy(FunctionName=events_stack.outputs["SkillEndpoint"])["Policy"]
    assert all(principal in policy for principal in ("alexa-appkit.amazon.com", "alexa-connectedhome.amazon.com"))
    assert len(json.loads(policy)["Statement"]) == 2
