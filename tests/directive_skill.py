"""A skill that takes directives, through its public door: recorded directives in, Alexa's answer out, each checked for its shape."""

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from linked_profile.bootstrap import build_handler
from linked_profile.errors import ProviderUnavailableError
from linked_profile.outbound import parse_answer
from linked_profile.settings import Settings
from tests import loopback_amazon
from tests.aws_fakes import FakeAws
from tests.conftest import ENVIRON
from tests.directive_schemas import check_answer
from tests.in_memory_table import InMemoryTable
from tests.loopback_amazon import LoopbackAmazon
from tests.loopback_provider import LoopbackProvider
from tests.token_signer import NOW, signer

DIRECTIVES = Path(__file__).parent / "messages" / "directives"
SMART_HOME = ["discover", "report_state", "turn_on", "turn_off", "set_brightness", "search_and_play"]
MUSIC = ["get_playable_content", "initiate_playback", "get_next_item"]
CREDENTIAL_ERRORS = {"EXPIRED_AUTHORIZATION_CREDENTIAL", "INVALID_AUTHORIZATION_CREDENTIAL"}
LAMPS = {"VIRTUAL_LAMPS_TABLE": "virtual-lamps"}
EVENTS = {
    "GRANTS_TABLE": "grants",
    "GRANTS_KEY_ID": "key",
    "SKILL_MESSAGING_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:messaging",
}


def directive(name: str, token: Any = ..., endpoint_id: str | None = None, user_id: str | None = None) -> dict[str, Any]:
    """A recorded directive with the token (None takes it away), endpoint and user id that a test needs."""
    recorded: dict[str, Any] = json.loads((DIRECTIVES / f"{name}.json").read_text())
    for holder, key in token_places(recorded):
        if token is not ...:
            holder[key] = token
        if token is None:
            del holder[key]
    if endpoint_id is not None:
        recorded["directive"]["endpoint"]["endpointId"] = endpoint_id
    if user_id is not None:
        recorded["payload"]["requestContext"]["user"]["id"] = user_id
    return recorded


def token_places(recorded: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The one place where this message has its token."""
    if "request" in recorded:
        return [(recorded["context"]["System"]["user"], "accessToken")]
    if "directive" not in recorded:
        return [(recorded["payload"]["requestContext"]["user"], "accessToken")]
    message = recorded["directive"]
    holders = [message.get("endpoint", {}).get("scope"), message["payload"].get("scope"), message["payload"].get("grantee")]
    return [(holder, "token") for holder in holders if holder and "token" in holder]


class Tables:
    """DynamoDB's tables by their names."""

    def __init__(self) -> None:
        self.mappings, self.lamps = InMemoryTable(), InMemoryTable(key=("AccountID",))
        self.grants = InMemoryTable(key=("AccountID", "GrantID"))
        self.named = {
            ENVIRON["ACCOUNT_MAPPINGS_TABLE"]: self.mappings,
            LAMPS["VIRTUAL_LAMPS_TABLE"]: self.lamps,
            EVENTS["GRANTS_TABLE"]: self.grants,
        }

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **call: getattr(self.named[call["TableName"]], operation)(**call)


class DirectiveSkill:
    """The handler under test with what it talks to, on a clock that stands still."""

    def __init__(self, provider: LoopbackProvider, *, aws: Any = None, handlers: Any = None, outbound: Any = None, **environ: str) -> None:
        self.provider, self.tables, self.now = provider, Tables(), float(NOW)
        provider.keys = provider.keys or [signer().jwk()]
        urls = {
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": provider.url,
            "LWA_API_URL": provider.url,
            "OIDC_USERINFO_URL": f"{provider.url}/userinfo",
        }
        self.settings = Settings.from_environ({**ENVIRON, **urls, **environ})
        self.handler = build_handler(
            self.settings,
            dynamodb=None if aws else lambda attempts: self.tables,  # type: ignore[arg-type,return-value]
            aws=aws,
            outbound=outbound,
            clock=lambda: self.now,
            handlers=handlers,
        )

    def __call__(self, message: dict[str, Any], context: object = None) -> dict[str, Any]:
        before = copy.deepcopy(message)
        answer = self.handler(message, context)
        assert message == before, "the handler changed the directive that it was given"
        check_answer(message, json.loads(json.dumps(answer, allow_nan=False)))
        return answer

    def error(self, message: dict[str, Any]) -> str:
        """The error's type, empty where the answer is none."""
        answer = self(message)
        kind: str = answer.get("event", answer)["payload"].get("type", "")
        return kind

    def lamp(self, token: str | None = None) -> str:
        """The endpoint id of the token's lamp."""
        found: str = self(directive("discover", token or signer().access_token()))["event"]["payload"]["endpoints"][0]["endpointId"]
        return found


class EventSkill(DirectiveSkill):
    """One that also takes grants and sends events; `aws` is what it keeps them with."""

    def __init__(self, provider: LoopbackProvider, amazon: LoopbackAmazon) -> None:
        self.aws, self.amazon = FakeAws(), amazon
        secret = {"client_id": loopback_amazon.CLIENT_ID, "client_secret": loopback_amazon.SECRET}
        self.aws.secrets.versions["AWSCURRENT"] = json.dumps(secret)
        urls = {"LWA_API_URL": amazon.url, "ALEXA_EVENT_GATEWAY_URL": amazon.url}
        super().__init__(provider, aws=self.aws, **LAMPS, **EVENTS, **urls)
        self.aws.table = self.tables

    def grants(self) -> list[str]:
        """The accounts that have one."""
        return [row["AccountID"]["S"] for row in self.tables.grants.rows()]


def with_code(name: str, token: str | None, code: Any) -> dict[str, Any]:
    """AcceptGrant or its twin for custom skills, with this code."""
    recorded = directive(name, token)
    holder = recorded["request"]["body"] if "request" in recorded else recorded["directive"]["payload"]
    holder["grant"] = {"type": "OAuth2.AuthorizationCode", "code": code}
    return recorded


class CutLine:
    """Stands where Outbound does: straight to the provider, or, cut, to one of the ways in which a provider can be down."""

    def __init__(self, provider: LoopbackProvider) -> None:
        self.is_cut, self._provider, self._chance = True, provider, random.Random(4)

    def fetch(self, method: str, url: str, *, read: Any, body: bytes = b"", headers: Any, deadline: Any) -> Any:
        if self.is_cut:
            self._chance.choice([self._refuse, lambda: parse_answer(503, b""), lambda: parse_answer(200, b"<html>"), self._time_out])()
        path = url.removeprefix(self._provider.url)
        self._provider.requests.append(path)
        asked = type("Request", (), {"path": path, "content": body, "headers": headers})
        status, answer = self._provider.answer_for(asked)
        return read(parse_answer(status, json.dumps(answer).encode()))

    def _refuse(self) -> None:
        raise ProviderUnavailableError("ConnectionError")

    def _time_out(self) -> None:
        raise ProviderUnavailableError("NO_ANSWER_IN_TIME")
