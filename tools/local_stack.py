"""The real template.yaml, deployed into the AWS on this machine, and what came of it."""

import io
import re
import secrets
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tools.local_aws import REGION, LocalAws
from tools.setup import ROOT
from tools.simulator.linking_configuration import LinkingConfiguration

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.literals import CapabilityType
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

TEMPLATE = ROOT / "template.yaml"
CODE = ROOT / "lambda"
CODE_URI = re.compile(r"(?<=CodeUri: )lambda/")
# The AWS of this machine knows no encryption context in a policy, so it would refuse every use of the key.
UNKNOWN_HERE = re.compile(r'^ *"Null": \{"kms:EncryptionContext:AccountID".*\n', re.MULTILINE)
CREATED_WITHIN_S = 60.0
STACK = "linked-profile"


class DeploymentError(Exception):
    """CloudFormation did not take the template; the message says which resource, and why."""


@dataclass(frozen=True)
class LocalStack:
    """What the template made: its outputs, and its function as Lambda would run it."""

    outputs: Mapping[str, str]
    environment: Mapping[str, str]  # what the template gives the function, and what Lambda adds to it
    role_arn: str
    timeout_s: int
    memory_mb: int

    @property
    def skill_id(self) -> str:
        return self.environment["SKILL_ID"]

    @property
    def table(self) -> str:
        return self.outputs["AccountMappingsTable"]


def deploy(aws: LocalAws, parameters: Mapping[str, str], template: Path = TEMPLATE, *, name: str = STACK) -> LocalStack:
    """Creates the stack through CloudFormation's API and reads the function back. Raises DeploymentError."""
    outputs = create_stack(aws, name, package(aws, name, template.read_text("utf-8")), parameters)
    function = aws.client("lambda").get_function_configuration(FunctionName=outputs["SkillEndpoint"])
    logging = function["LoggingConfig"]
    lambda_adds = {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,  # the one that boto3 reads
        "AWS_LAMBDA_FUNCTION_NAME": function["FunctionName"],
        "AWS_LAMBDA_LOG_FORMAT": logging["LogFormat"],
        "AWS_LAMBDA_LOG_LEVEL": logging["ApplicationLogLevel"],
        **aws.role_credentials(function["Role"]),
    }
    # Elsewhere than at Amazon: boto3's own two names, of which Cognito's moves GetUser.
    moved = {"AWS_ENDPOINT_URL": aws.url, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": aws.url}
    environment = {**function["Environment"]["Variables"], **lambda_adds, **moved}
    return LocalStack(outputs, environment, function["Role"], function["Timeout"], function["MemorySize"])


def package(aws: LocalAws, name: str, template: str) -> str:
    """The template as `sam package` leaves it: the code in a bucket, and its address instead of the folder."""
    key = f"{secrets.token_hex(8)}.zip"
    storage, bucket = aws.client("s3"), f"{name}-code"
    storage.create_bucket(Bucket=bucket)
    storage.put_object(Bucket=bucket, Key=key, Body=zip_folder(CODE))
    packaged, places = CODE_URI.subn(f"s3://{bucket}/{key}", template)
    if not places:
        raise DeploymentError("the template has no line 'CodeUri: lambda/'")
    return UNKNOWN_HERE.sub("", packaged)


def zip_folder(folder: Path) -> bytes:
    """Our own code only: the function runs from the folder, with the libraries of this environment."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                file.write(path, path.relative_to(folder))
    return archive.getvalue()


def create_stack(aws: LocalAws, name: str, template: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """The outputs. Raises DeploymentError."""
    client: CloudFormationClient = aws.client("cloudformation")
    listed: list[ParameterTypeDef] = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    capabilities: list[CapabilityType] = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    try:
        client.create_stack(StackName=name, TemplateBody=template, Capabilities=capabilities, Parameters=listed)
    except ClientError as error:
        raise DeploymentError(error.response["Error"]["Message"]) from error
    give_up = time.monotonic() + CREATED_WITHIN_S
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    while stack["StackStatus"] == "CREATE_IN_PROGRESS" and time.monotonic() < give_up:
        time.sleep(0.02)
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise DeploymentError(f"{stack['StackStatus']}: {failures(client, name) or stack.get('StackStatusReason', 'no reason given')}")
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def failures(client: "CloudFormationClient", name: str) -> str:
    """What CloudFormation says went wrong, resource by resource."""
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event.get("ResourceStatus", "").endswith("FAILED")]
    return "; ".join(f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason')}" for event in failed)


def linking_configuration(aws: LocalAws, stack: LocalStack) -> LinkingConfiguration:
    """What a developer copies from the outputs into the Alexa console, and the client secret, which is in none of them."""
    client: CognitoIdentityProviderClient = aws.client("cognito-idp")
    described = client.describe_user_pool_client(UserPoolId=stack.outputs["UserPoolId"], ClientId=stack.outputs["ClientId"])
    redirects = {"NA": "RedirectUrlNorthAmerica", "EU": "RedirectUrlEurope", "FE": "RedirectUrlFarEast"}
    return LinkingConfiguration(
        authorization_url=aws.here(stack.outputs["AuthorizationUrl"]),
        access_token_url=aws.here(stack.outputs["AccessTokenUrl"]),
        client_id=stack.outputs["ClientId"],
        client_secret=described["UserPoolClient"]["ClientSecret"],
        scopes=tuple(stack.outputs["Scopes"].split()),
        redirect_urls={region: stack.outputs[output] for region, output in redirects.items()},
    )
