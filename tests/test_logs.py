"""No token, no personal value and no user id in any log line, at any level, nor in the table."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from linked_profile.logs import THIRD_PARTIES, OutcomeLog
from tests.conftest import SKILL_ID, message, request_info
from tests.in_memory_table import InMemoryTable
from tests.loopback_provider import LoopbackProvider, cognito_token, hang_up, send_json
from tests.test_envelopes import NAMES

PERSONAL = {
    "given_name": "Canarygiven",
    "family_name": "Canaryfamily",
    "name": "Canarygiven Canaryfamily",
    "email": "canary@mail.example",
    "phone_number": "+15550199999",
    "address": "99 Canary Wharf",
    "postal_code": "CANARY9",
}
SCOPE_ERROR = {"__type": "NotAuthorizedException", "message": "Access Token does not have required scopes: canary@mail.example"}
BAD_DAYS: list[Any] = [
    None,
    hang_up,
    lambda request: send_json(request, 400, SCOPE_ERROR),
    lambda request: send_json(request, 500, PERSONAL),
]


@pytest.fixture
def canaries(provider: LoopbackProvider) -> list[str]:
    tokens = [cognito_token("canary-sub"), "Atza|" + "CanaryToken" * 40]
    provider.profiles[tokens[0]] = {"sub": "canary-sub", **PERSONAL}
    provider.profiles[tokens[1]] = {"user_id": "amzn1.account.CANARY", **PERSONAL}
    return [*tokens, *PERSONAL.values()]


@pytest.mark.parametrize("identity_provider", ["cognito", "lwa"])
@pytest.mark.parametrize("bad_day", BAD_DAYS, ids=["good", "hang-up", "scope", "500"])
def test_no_secret_and_nothing_personal_is_logged_or_stored(
    build_skill: Any, canaries: list[str], caplog: Any, identity_provider: str, bad_day: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    token = canaries[1] if identity_provider == "lwa" else canaries[0]
    table = InMemoryTable()
    skill = build_skill(table, IDENTITY_PROVIDER=identity_provider, LOG_LEVEL="DEBUG")
    skill.provider.misbehave = bad_day
    events = [message(name, token=token) for name in NAMES] + [request_info("fullProfile", token)]
    told = []
    for event in events:
        try:
            skill(event)
        except Exception as error:  # noqa: BLE001  (what an exception says is what is under test)
            told.append(repr(error) + repr(error.__cause__) + repr(error.__context__))
    lines = told + [json.dumps(record.__dict__, default=str) for record in caplog.records] + [json.dumps(table.rows())]
    assert caplog.records
    user_id = events[0]["context"]["System"]["user"]["userId"]
    assert [canary for canary in canaries if any(canary in line for line in lines)] == []
    assert not any(user_id in line for line in lines[:-1]), "the table alone holds the user id"


def test_a_line_says_what_became_of_it_and_a_digest_of_the_user_id(caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    OutcomeLog(SKILL_ID).record("SkillDisabled", "end_recorded", amazon_user_id="amzn1.ask.account.A", duration_ms=12)
    (record,) = caplog.records
    assert (record.kind, record.outcome, record.duration_ms) == ("SkillDisabled", "end_recorded", 12)
    assert len(record.user) == 16
    assert OutcomeLog(SKILL_ID).digest("amzn1.ask.account.A") == record.user != OutcomeLog("another").digest("amzn1.ask.account.A")


@pytest.mark.parametrize("kind", ["a\nforged: line", "\x1b[31m", "x" * 81, "", "é"])
def test_a_kind_from_outside_cannot_write_a_line_of_its_own(caplog: Any, kind: str) -> None:
    caplog.set_level(logging.INFO)
    OutcomeLog(SKILL_ID).record(kind, "event_acknowledged")
    assert caplog.records[0].kind == "other"


def test_the_libraries_stay_silent_when_everything_logs(build_skill: Any) -> None:
    build_skill(LOG_LEVEL="DEBUG")
    assert not any(logging.getLogger(name).isEnabledFor(logging.ERROR) for name in THIRD_PARTIES)


def test_importing_and_building_load_neither_boto3_nor_the_environment() -> None:
    """The cold start of a voice request: boto3 alone would cost more than all the rest."""
    code = """
import sys
sys.path.insert(0, "lambda")
from linked_profile.bootstrap import build_handler
from linked_profile.settings import Settings
environ = {"SKILL_ID": "s", "ACCOUNT_MAPPINGS_TABLE": "t", "COGNITO_USER_POOL_ID": "eu-west-1_a", "COGNITO_CLIENT_ID": "c"}
build_handler(Settings.from_environ(environ))
print("boto3" in sys.modules or "botocore" in sys.modules)
"""
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root, env={})
    assert done.stdout.strip() == "False"
