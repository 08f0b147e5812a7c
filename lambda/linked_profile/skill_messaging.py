"""Login with Amazon's token endpoint, for the client that Alexa gave the skill for its messages: not the client of account linking.

The client's secret is read from Secrets Manager and kept for five minutes. While it is rotated, Amazon and Secrets Manager need not
agree which version is the current one, so a version that Amazon refuses is followed by the others.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from linked_profile.aws_calls import AwsCalls, AwsRefusedError
from linked_profile.errors import GrantRefusedError, ProviderMisconfiguredError, ProviderUnavailableError
from linked_profile.outbound import Answer, Deadline, Outbound

KEPT_S = 300.0
CURRENT, OTHER_VERSIONS = "AWSCURRENT", ("AWSPREVIOUS", "AWSPENDING")
DEFAULT_LIFETIME_S = 3600
FORM = {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint gave; without a refresh token, the one before stays good."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    lives_s: int


@dataclass(frozen=True)
class ClientCredentials:
    """The skill's own client id and secret, of the console's page on permissions."""

    client_id: str
    client_secret: str = field(repr=False)


class _ClientRefusedError(Exception):
    """Amazon does not know this client, or not by this secret."""


class SkillMessaging:
    """Codes and refresh tokens in, access tokens for Alexa's event gateway out.

    Both methods raise GrantRefusedError, ProviderUnavailableError, ProviderMisconfiguredError or TableUnavailableError.
    """

    def __init__(self, url: str, secret_arn: str, aws: AwsCalls, outbound: Outbound, clock: Callable[[], float]) -> None:
        self._url, self._secret_arn, self._aws, self._outbound, self._clock = url, secret_arn, aws, outbound, clock
        self._kept: tuple[float, ClientCredentials] | None = None

    def exchange(self, code: str, deadline: Deadline) -> Tokens:
        """The tokens for a grant's code, which is good once."""
        tokens = self._ask({"grant_type": "authorization_code", "code": code}, deadline)
        if tokens.refresh_token is None:
            raise ProviderUnavailableError("NO_REFRESH_TOKEN")
        return tokens

    def refresh(self, refresh_token: str, deadline: Deadline) -> Tokens:
        """A new access token."""
        return self._ask({"grant_type": "refresh_token", "refresh_token": refresh_token}, deadline)

    def _ask(self, grant: Mapping[str, str], deadline: Deadline) -> Tokens:
        for credentials in self._credentials(deadline):
            form = {**grant, "client_id": credentials.client_id, "client_secret": credentials.client_secret}
            try:
                tokens = self._outbound.fetch(
                    "POST", f"{self._url}/auth/o2/token", headers=FORM, body=urlencode(form).encode(), read=read_tokens, deadline=deadline
                )
            except _ClientRefusedError:
                continue
            self._keep(credentials)
            return tokens
        raise ProviderMisconfiguredError("INVALID_CLIENT")

    def _credentials(self, deadline: Deadline) -> Iterator[ClientCredentials]:
        """Those that worked last, then each version of the secret once: the caller goes on only when Amazon refused one."""
        tried = []
        if self._kept and self._clock() - self._kept[0] < KEPT_S:
            tried.append(self._kept[1])
            yield self._kept[1]
        for version in (CURRENT, *OTHER_VERSIONS):
            credentials = self._read_secret(version, deadline)
            if credentials is not None and credentials not in tried:
                tried.append(credentials)
                yield credentials

    def _read_secret(self, version: str, deadline: Deadline) -> ClientCredentials | None:
        """None where there is no such version beside the current one, or nothing usable in it."""
        arguments = {"SecretId": self._secret_arn, "VersionStage": version}
        try:
            answer = self._aws.call("secretsmanager", "get_secret_value", deadline, **arguments)
        except AwsRefusedError as error:
            if error.code == "ResourceNotFoundException" and version != CURRENT:
                return None
            if error.code in {"ResourceNotFoundException", "AccessDeniedException"}:
                raise ProviderMisconfiguredError(f"NO_SKILL_MESSAGING_SECRET:{error.code}") from error
            raise
        credentials = parse_credentials(answer.get("SecretString"))
        if credentials is None and version == CURRENT:
            raise ProviderMisconfiguredError("SKILL_MESSAGING_SECRET_MALFORMED")
        return credentials

    def _keep(self, credentials: ClientCredentials) -> None:
        """Five minutes from when they were read, not from when they last worked: a new version must not wait for a quiet hour."""
        if self._kept is None or self._kept[1] != credentials or self._clock() - self._kept[0] >= KEPT_S:
            self._kept = (self._clock(), credentials)


def parse_credentials(secret: object) -> ClientCredentials | None:
    """From the secret's text, `{"client_id": …, "client_secret": …}`; None where it is something else."""
    try:
        content = json.loads(secret) if isinstance(secret, str) else None
    except (ValueError, RecursionError):
        content = None
    values = [content.get(name) for name in ("client_id", "client_secret")] if isinstance(content, dict) else []
    texts = [value.strip() for value in values if isinstance(value, str) and value.strip()]
    return ClientCredentials(*texts) if len(texts) == 2 else None


def read_tokens(answer: Answer) -> Tokens:
    """The tokens, or the error of RFC 6749 section 5.2; only `invalid_grant` says that a grant is over."""
    if answer.status == 200:
        return parse_tokens(answer)
    error = answer.body.get("error")
    if error == "invalid_grant":
        raise GrantRefusedError("INVALID_GRANT")
    if error == "invalid_client":
        raise _ClientRefusedError
    if error in {"unauthorized_client", "invalid_request", "unsupported_grant_type", "invalid_scope"}:
        raise ProviderMisconfiguredError(str(error).upper())
    raise ProviderUnavailableError(f"HTTP_{answer.status}")


def parse_tokens(answer: Answer) -> Tokens:
    """Raises ProviderUnavailableError for a 200 without a usable token in it."""
    access_token, refresh_token = answer.body.get("access_token"), answer.body.get("refresh_token")
    lives_s = answer.body.get("expires_in", DEFAULT_LIFETIME_S)
    if not isinstance(access_token, str) or not access_token.isascii() or not access_token.isprintable() or not access_token:
        raise ProviderUnavailableError("NO_ACCESS_TOKEN")
    if isinstance(lives_s, bool) or not isinstance(lives_s, int | float | str) or not re.fullmatch("[0-9]{1,7}", str(lives_s)):
        lives_s = DEFAULT_LIFETIME_S
    is_usable = isinstance(refresh_token, str) and refresh_token and refresh_token.isascii() and refresh_token.isprintable()
    return Tokens(access_token, refresh_token if is_usable else None, int(lives_s))
