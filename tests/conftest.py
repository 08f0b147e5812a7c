"""Everything goes through the public door: recorded Alexa JSON in, Alexa's answer and the table's rows out."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from linked_profile.bootstrap import Handler, build_handler
from linked_profile.settings import Settings
from tests.in_memory_table import InMemoryTable
from tests.loopback_provider import CLIENT_ID, LWA_CLIENT_ID, POOL_ID, LoopbackProvider, cognito_token

MESSAGES = Path(__file__).parent / "messages"
SKILL_ID = "amzn1.ask.skill.5a7c2f0e-3b1d-4c8e-9f6a-0d2b4e6f8a1c"
ANNA = {
    "sub": "7f2c9d1e-4b60-4d3a-9c58-2e0a1b6d8f47",
    "given_name": "Anna",
    "family_name": "Kovács",
    "email": "anna.kovacs@example.com",
    "phone_number": "+12065550147",
    "address": "12 Larch Lane, Seattle, WA 98101",
}
ENVIRON = {
    "SKILL_ID": SKILL_ID,
    "ACCOUNT_MAPPINGS_TABLE": "account-mappings",
    "COGNITO_USER_POOL_ID": POOL_ID,
    "COGNITO_CLIENT_ID": CLIENT_ID,
    "LWA_CLIENT_ID": LWA_CLIENT_ID,
    "OIDC_CLIENT_ID": "",
}


def message(name: str, *, token: str | None = None, user_id: str | None = None, time: Any = None) -> dict[str, Any]:
    """A recorded message with the token (None takes it away), the user id and the time that a test needs."""
    recorded: dict[str, Any] = json.loads((MESSAGES / f"{name}.json").read_text())
    users = [recorded["context"]["System"]["user"], *([recorded["session"]["user"]] if "session" in recorded else [])]
    for holder in [*users, recorded["request"].get("body", {})]:
        if "accessToken" in holder:
            holder["accessToken"] = token
            if token is None:
                del holder["accessToken"]
    for user in users:
        user["userId"] = user_id or user["userId"]
    if time is not None:
        stamped = ("timestamp", "eventCreationTime")
        recorded["request"].update({field: time for field in stamped if field in recorded["request"]})
    return recorded


def request_info(info_type: str, token: str | None, **changes: Any) -> dict[str, Any]:
    """The question about one part of the profile, by the slot's id."""
    recorded = message("request_info", token=token, **changes)
    slot = recorded["request"]["intent"]["slots"]["infoTypeRequested"]
    slot["resolutions"]["resolutionsPerAuthority"][0]["values"][0]["value"]["id"] = info_type
    return recorded


@dataclass
class Skill:
    """The handler under test with what it talks to."""

    handler: Handler
    table: InMemoryTable
    provider: LoopbackProvider

    def __call__(self, event: Any, context: object = None) -> dict[str, Any]:
        before = copy.deepcopy(event)
        answer = self.handler(event, context)
        assert event == before, "the handler changed the event that it was given"
        return answer

    def speech(self, event: Any) -> str:
        ssml: str = self(event)["response"]["outputSpeech"]["ssml"]
        return ssml

    def links(self) -> list[dict[str, Any]]:
        """The stored rows, plain, in order."""
        items = [item for item in self.table.rows() if item["SK"]["S"].startswith("L#")]
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in items]

    def periods(self) -> list[tuple[str | None, str, str | None]]:
        """Account, start and end of each stored row."""
        return [(link.get("AccountID"), link["StartDatetime"], link.get("EndDatetime")) for link in self.links()]


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    server = LoopbackProvider()
    yield server
    server.close()


@pytest.fixture
def build_skill(provider: LoopbackProvider) -> Any:
    """Builds a skill with other settings than the usual: `build_skill(ACCOUNT_LINKING="none")`."""

    def build(table: InMemoryTable | None = None, **environ: str) -> Skill:
        table = table or InMemoryTable()
        urls = {
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": provider.url,
            "LWA_API_URL": provider.url,
            "OIDC_USERINFO_URL": f"{provider.url}/userinfo",
        }
        settings = Settings.from_environ({**ENVIRON, **urls, **environ})
        return Skill(build_handler(settings, dynamodb=lambda attempts: table), table, provider)

    return build


@pytest.fixture
def skill(build_skill: Any) -> Skill:
    built: Skill = build_skill()
    return built


@pytest.fixture
def anna(provider: LoopbackProvider) -> str:
    """Anna's access token; the provider knows it."""
    token = cognito_token(ANNA["sub"])
    provider.profiles[token] = dict(ANNA)
    return token
