"""What ends a command early, each with one line on stderr and exit code 2; never a traceback."""

import click
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

EXIT_WRONG_USE = 2
BY_CODE = {
    "ResourceNotFoundException": "the table (or its index by-account) does not exist there: check --table, --region and --profile",
    "AccessDeniedException": "access denied: the policies that each command needs are in template.yaml",
    "AccessDenied": "access denied: the policies that each command needs are in template.yaml",
    "UnrecognizedClientException": "AWS does not know these credentials: check --profile, or sign in again",
    "InvalidClientTokenId": "AWS does not know these credentials: check --profile, or sign in again",
    "ExpiredTokenException": "the credentials have expired: sign in again",
    "ExpiredToken": "the credentials have expired: sign in again",
    "InvalidSignatureException": "AWS refuses the signature: check the secret key, and this machine's clock",
    "ValidationError": "there is no such CloudFormation stack: check --stack, --region and --profile",
    "SignatureDoesNotMatch": "AWS refuses the signature: check the secret key, and this machine's clock",
}


class WrongUseError(click.ClickException):
    """The operator can mend it; the message says how."""

    exit_code = EXIT_WRONG_USE


def explain(error: Exception) -> str:
    """One line for an error of AWS, of its client or of the file system. AWS's own words are left out: they quote keys and values."""
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        return f"{error.operation_name}: {BY_CODE.get(code, f'AWS answered {code}')}"
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "no AWS credentials: use --profile, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if isinstance(error, NoRegionError):
        return "no AWS region: use --region or AWS_REGION"
    if isinstance(error, ProfileNotFound | EndpointConnectionError | OSError):
        return " ".join(str(error).split())
    if isinstance(error, BotoCoreError):
        return f"AWS cannot be asked ({type(error).__name__}): check the credentials and the network"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
