"""Whose directive it is, what every failure is answered with, and that no failure but a bad token ever unlinks a customer."""

import copy
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from linked_profile.directive_envelopes import parse_directive
from linked_profile.errors import (
    MalformedRequestError,
    ProviderUnavailableError,
    RefusedRequestError,
    TableUnavailableError,
    UnknownShapeError,
    WrongSkillError,
)
from tests.conftest import SKILL_ID, message
from tests.directive_skill import (
    CREDENTIAL_ERRORS,
    LAMPS,
    MUSIC,
    SMART_HOME,
    CutLine,
    DirectiveSkill,
    EventSkill,
    directive,
    token_places,
    with_code,
)
from tests.loopback_amazon import LoopbackAmazon, html
from tests.loopback_provider import LWA_CLIENT_ID, LoopbackProvider, drip, hang_up, send, send_json, sleep_then_close
from tests.test_envelopes import mutants
from tests.token_signer import KEYS_PATH, NOW, SUB, signer

EVERY = [*SMART_HOME, *MUSIC, "accept_grant"]
PROVIDERS: dict[str, dict[str, str]] = {
    "cognito": {},
    "cognito, asked each time": {"DIRECTIVE_TOKENS": "provider"},
    "lwa": {"IDENTITY_PROVIDER": "lwa"},
    "oidc": {"IDENTITY_PROVIDER": "oidc"},
}
HOUR_S = 3600


@pytest.fixture
def skill(provider: LoopbackProvider) -> DirectiveSkill:
    return DirectiveSkill(provider, **LAMPS)


@pytest.fixture
def anna() -> str:
    return signer().access_token()


class TestShapes:
    """The raw event's shape decides, before the ASK SDK, which takes a directive for an empty request."""

    @pytest.mark.parametrize("name", EVERY)
    def test_the_token_is_found_wherever_this_kind_of_directive_has_it(self, skill: DirectiveSkill, anna: str, name: str) -> None:
        assert skill.error(directive(name, anna)) not in CREDENTIAL_ERRORS
        assert skill.provider.requests == [KEYS_PATH], "the signature was checked, so the token was found"

    @pytest.mark.parametrize("name", EVERY)
    def test_no_token_is_no_proof_against_one(self, skill: DirectiveSkill, name: str) -> None:
        expected = "ACCEPT_GRANT_FAILED" if name == "accept_grant" else "INVALID_DIRECTIVE"
        empty = directive(name, "")
        without = copy.deepcopy(empty)
        for holder in [without.get("directive", without)["payload"], without.get("directive", {}).get("endpoint", {})]:
            for key in ("scope", "grantee", "requestContext"):
                holder.pop(key, None)
        assert [skill.error(asked) for asked in (directive(name, None), empty, without)] == [expected] * 3
        assert skill.provider.requests == []

    @pytest.mark.parametrize("name", ["directed_user_search", "smart_properties_turn_on"])
    def test_a_scope_of_another_type_is_refused_cleanly(self, skill: DirectiveSkill, anna: str, name: str) -> None:
        assert skill.error(directive(name, anna)) == "INVALID_DIRECTIVE"

    @pytest.mark.parametrize("name", EVERY)
    def test_every_mutated_node_gets_an_answer_or_a_named_refusal(self, skill: DirectiveSkill, anna: str, name: str) -> None:
        for mutant in mutants(directive(name, anna)):
            try:
                assert skill.handler(mutant, None), mutant
            except RefusedRequestError:
                continue
        assert skill.tables.lamps.rows() == []

    @pytest.mark.parametrize("name", EVERY)
    def test_a_part_of_the_wrong_type_is_a_malformed_directive(self, skill: DirectiveSkill, anna: str, name: str) -> None:
        bare = directive(name, anna)
        for part in ("payload", "endpoint"):
            for value in ("x", 5, ["a"], True):
                changed = {**bare, part: value} if "header" in bare else {"directive": {**bare["directive"], part: value}}
                assert skill.error(changed) in {"INVALID_DIRECTIVE", "ACCEPT_GRANT_FAILED"}

    @pytest.mark.parametrize(
        "header", [None, {}, {"namespace": "Alexa"}, {"namespace": 5, "name": "x"}, {"namespace": "Alexa", "name": ""}]
    )
    def test_what_has_no_header_to_answer_to_is_refused(self, skill: DirectiveSkill, header: Any) -> None:
        for event in ({"directive": {"header": header, "payload": {}}}, {"header": header, "payload": {}}):
            with pytest.raises(UnknownShapeError):
                skill.handler(event, None)

    @pytest.mark.parametrize("name", ["turn_on", "get_playable_content"])
    def test_a_request_stays_one_with_a_directive_beside_it(self, skill: DirectiveSkill, anna: str, name: str) -> None:
        event = {**message("launch"), **directive(name, anna)}
        assert skill.handler(event, None)["response"]
        event["session"]["application"]["applicationId"] = "amzn1.ask.skill.another"
        with pytest.raises(WrongSkillError):
            skill.handler(event, None)

    def test_json_nested_over_64_levels_is_refused(self, skill: DirectiveSkill, anna: str) -> None:
        event = directive("turn_on", anna)
        nested: Any = 1
        for _ in range(65):
            nested = [nested]
        event["directive"]["payload"]["extra"] = nested
        with pytest.raises(MalformedRequestError):
            skill.handler(event, None)

    @pytest.mark.parametrize("name", EVERY)
    def test_an_answer_has_bytes_whatever_was_to_be_echoed(self, skill: DirectiveSkill, anna: str, name: str) -> None:
        asked = directive(name, anna)
        message = asked.get("directive", asked)
        for key in ("correlationToken", "payloadVersion", "messageId"):
            message["header"][key] = "\ud800"
        message["header"]["name"] += "\ud800" if name == "set_brightness" else ""
        message.setdefault("endpoint", {"scope": {"type": "BearerToken", "token": anna}})["endpointId"] = "lamp\udfff"
        assert json.dumps(skill.handler(asked, None), ensure_ascii=False).encode(), "as Lambda's Python sends it"

    def test_each_answer_has_a_message_id_of_its_own(self, skill: DirectiveSkill, anna: str) -> None:
        ids = {skill(directive("turn_on", anna))["event"]["header"]["messageId"] for _ in range(20)}
        assert len(ids) == 20

    def test_a_correlation_token_and_an_endpoint_are_echoed_when_and_only_when_they_were_there(
        self, skill: DirectiveSkill, anna: str
    ) -> None:
        for name in ("turn_on", "discover"):  # the second has neither
            asked = directive(name, anna)
            skill(asked)
            asked["directive"]["header"].pop("correlationToken", None)
            skill(asked)
            asked["directive"].pop("endpoint", None)
            asked["directive"]["payload"]["scope"] = {"type": "BearerToken", "token": anna}
            skill(asked)  # each is compared with its directive by check_answer


class TestNeverUnlinkByMistake:
    """INVALID_ and EXPIRED_AUTHORIZATION_CREDENTIAL make Alexa drop the link for good."""

    @pytest.mark.parametrize("environ", PROVIDERS.values(), ids=PROVIDERS)
    @pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
    def test_a_provider_that_is_down_for_an_hour_costs_no_customer_the_link(
        self, provider: LoopbackProvider, environ: dict[str, str], warm: bool
    ) -> None:
        cut = CutLine(provider)
        skill = DirectiveSkill(provider, outbound=cut, **LAMPS, **environ)
        tokens = [signer().access_token(f"sub-{number}", exp=NOW + HOUR_S + 60) for number in range(20)]
        if warm:
            provider.profiles[tokens[0]] = {"sub": "sub-0", "user_id": "sub-0"}
            cut.is_cut = False
            skill(directive("discover", tokens[0]))
            cut.is_cut = True
        names = [name for name in EVERY if name != "accept_grant"]
        errors = set()
        for number in range(1_000):
            errors.add(skill.error(directive(names[number % len(names)], tokens[number % len(tokens)])))
            skill.now += HOUR_S / 1_000
        assert errors & CREDENTIAL_ERRORS == set()
        assert errors <= {"", "INTERNAL_ERROR", "INVALID_DIRECTIVE", "NO_SUCH_ENDPOINT"}
        assert ("INTERNAL_ERROR" in errors) is not (warm and not environ), "keys that are here need no provider"

    @pytest.mark.parametrize("environ", [*PROVIDERS.values(), {"IDENTITY_PROVIDER": "oidc", "OIDC_ISSUER": "here"}])
    @pytest.mark.parametrize(
        "misbehave",
        [
            hang_up,
            lambda request: send_json(request, 503, {}),
            lambda request: send_json(request, 429, {"error": "invalid_token"}),
            lambda request: send_json(request, 500, {"__type": "NotAuthorizedException"}),
            lambda request: send_json(request, 400, {"__type": "TooManyRequestsException", "message": "Rate exceeded"}),
            lambda request: send_json(request, 400, {"__type": "NotAuthorizedException", "message": "no required scopes"}),
            lambda request: send_json(request, 403, {"error": "insufficient_scope"}),
            lambda request: send_json(request, 404, {"message": "no such pool"}),
            lambda request: send(request, 401, b"<html>sign in to the proxy</html>"),
            lambda request: send(request, 200, b"<html>we will be back</html>"),
            lambda request: send_json(request, 200, {}),
            lambda request: send_json(request, 200, {"Username": "4d7e", "UserAttributes": "none", "aud": LWA_CLIENT_ID, "email": "a@b"}),
            lambda request: send(request, 200, b'{"keys": [{"kty"'),
            lambda request: send(request, 302, b"", Location="http://127.0.0.1:9/"),
        ],
    )
    def test_nor_does_anything_else_that_says_nothing_about_the_token(
        self, provider: LoopbackProvider, anna: str, environ: dict[str, str], misbehave: Any
    ) -> None:
        here = {"OIDC_ISSUER": provider.url} if environ.get("OIDC_ISSUER") else {}
        token = signer().sign({"iss": provider.url, "sub": SUB, "aud": "c", "exp": NOW + 60, "scope": "openid"}) if here else anna
        provider.misbehave = misbehave
        skill = DirectiveSkill(provider, **LAMPS, **{**environ, **here})
        for name in ("discover", "get_playable_content"):
            assert skill.error(directive(name, token)) == "INTERNAL_ERROR"
        skill.handler(directive("accept_grant", token), None)

    @pytest.mark.parametrize("misbehave", [sleep_then_close(9), drip], ids=["silent", "dripping"])
    @pytest.mark.parametrize("environ", [{}, {"DIRECTIVE_TOKENS": "provider"}], ids=["local", "provider"])
    def test_a_slow_provider_is_answered_for_in_time(self, provider: LoopbackProvider, anna: str, misbehave: Any, environ: Any) -> None:
        provider.misbehave = misbehave
        started = time.monotonic()
        assert DirectiveSkill(provider, **LAMPS, **environ).error(directive("discover", anna)) == "INTERNAL_ERROR"
        assert time.monotonic() - started < 7.5

    def test_nothing_is_begun_when_lambda_has_no_time_left(self, skill: DirectiveSkill, anna: str) -> None:
        class Late:
            def get_remaining_time_in_millis(self) -> int:
                return 400

        answer = skill(directive("discover", anna), Late())
        assert answer["event"]["payload"]["type"] == "INTERNAL_ERROR"

    def test_a_skill_that_links_no_accounts_says_nothing_about_tokens(self, provider: LoopbackProvider, anna: str) -> None:
        skill = DirectiveSkill(provider, ACCOUNT_LINKING="none")
        assert {skill.error(directive(name, anna)) for name in (*SMART_HOME, *MUSIC)} == {"INTERNAL_ERROR"}
        assert {skill.error(directive(name, "no token")) for name in (*SMART_HOME, *MUSIC)} == {"INVALID_DIRECTIVE"}

    def test_a_directive_of_a_kind_that_is_not_handled_is_said_to_be_one(self, skill: DirectiveSkill, anna: str) -> None:
        for name in ("set_brightness", "search_and_play", *MUSIC):
            assert skill.error(directive(name, anna)) == "INVALID_DIRECTIVE"
        asked = directive("accept_grant", anna)
        asked["directive"]["header"]["name"] = "RevokeGrant"
        asked["directive"]["payload"] = {"scope": {"type": "BearerToken", "token": anna}}
        assert skill.error(asked) == "INVALID_DIRECTIVE"


def fail(*_: Any) -> None:
    raise EndpointConnectionError(endpoint_url="table")


def refuse_client(events: EventSkill) -> None:
    events.amazon.secrets.clear()


def lose_table(events: EventSkill) -> None:
    events.tables.grants.before = fail


def lose_login_with_amazon(events: EventSkill) -> None:
    events.amazon.token_faults = [html(503)] * 9


def lose_kms(events: EventSkill) -> None:
    events.aws.kms.fault = EndpointConnectionError(endpoint_url="kms")


def break_kms(events: EventSkill) -> None:
    events.aws.kms.fault = KeyError("canary")


@pytest.fixture
def amazon() -> Iterator[LoopbackAmazon]:
    server = LoopbackAmazon()
    yield server
    server.close()


@pytest.fixture
def events(provider: LoopbackProvider, amazon: LoopbackAmazon) -> EventSkill:
    return EventSkill(provider, amazon)


class TestAcceptGrant:
    """Without its success linking itself fails; with a credential error it would be no answer at all."""

    def test_keeps_the_grant_for_the_account_of_the_grantee(self, events: EventSkill, anna: str) -> None:
        assert events(with_code("accept_grant", anna, "CanaryCode1"))["event"]["header"]["name"] == "AcceptGrant.Response"
        assert events.grants() == [SUB]
        assert events.amazon.forms[0]["code"] == "CanaryCode1"

    @pytest.mark.parametrize("bad_day", [refuse_client, lose_table, lose_login_with_amazon, lose_kms, break_kms])
    def test_every_failure_is_one_error_that_says_nothing(self, events: EventSkill, anna: str, bad_day: Any) -> None:
        bad_day(events)
        answer = events(with_code("accept_grant", anna, "CanaryCode1"))
        assert answer["event"]["payload"] == {"type": "ACCEPT_GRANT_FAILED", "message": "The grant could not be accepted."}
        assert answer["event"]["header"]["namespace"] == "Alexa.Authorization"

    @pytest.mark.parametrize("changes", [{"client_id": "another"}, {"exp": NOW - 60}, {"token_use": "id"}])
    def test_keeps_nothing_for_a_token_that_is_not_ours(self, events: EventSkill, changes: dict[str, Any]) -> None:
        asked = with_code("accept_grant", signer().access_token(**changes), "CanaryCode1")
        assert (events.error(asked), events.grants(), events.amazon.forms) == ("ACCEPT_GRANT_FAILED", [], [])

    @pytest.mark.parametrize("code", [None, "", 5, "a b\n", "used-long-ago", "x" * 5000])
    def test_keeps_nothing_without_a_code_that_is_good(self, events: EventSkill, anna: str, code: Any) -> None:
        assert (events.error(with_code("accept_grant", anna, code)), events.grants()) == ("ACCEPT_GRANT_FAILED", [])

    @pytest.mark.parametrize("grant", [None, "x", {}, {"type": "Other", "code": "CanaryCode1"}])
    def test_keeps_nothing_without_a_grant_of_the_kind_it_knows(self, events: EventSkill, anna: str, grant: Any) -> None:
        asked = directive("accept_grant", anna)
        asked["directive"]["payload"]["grant"] = grant
        assert (events.error(asked), events.amazon.forms) == ("ACCEPT_GRANT_FAILED", [])

    def test_says_in_the_log_that_grants_are_not_set_up(self, skill: DirectiveSkill, anna: str, caplog: Any) -> None:
        assert skill.error(directive("accept_grant", anna)) == "ACCEPT_GRANT_FAILED"
        (line,) = caplog.records
        assert (line.kind, line.outcome, line.reason) == ("Alexa.Authorization.AcceptGrant", "grant_failed", "GRANTS_NOT_CONFIGURED")


class TestGrantRequest:
    """Alexa.Authorization.Grant, which custom skills get in AcceptGrant's place."""

    def send(self, events: EventSkill, token: str | None, code: str | None = "CanaryCode1") -> list[str]:
        answer = events.handler(with_code("authorization_grant", token, code), None)
        assert answer == {"version": "1.0", "response": {}}
        return events.grants()

    def test_keeps_the_grant_for_the_account_of_its_token(self, events: EventSkill, anna: str) -> None:
        assert self.send(events, anna) == [SUB]

    @pytest.mark.parametrize(
        ("bad_day", "raised"),
        [(lose_table, TableUnavailableError), (lose_login_with_amazon, ProviderUnavailableError), (break_kms, KeyError)],
    )
    def test_fails_where_a_retry_may_help_so_that_it_does_not_count_as_accepted(
        self, events: EventSkill, anna: str, bad_day: Any, raised: Any
    ) -> None:
        bad_day(events)
        with pytest.raises(raised):
            self.send(events, anna)

    def test_is_acknowledged_and_noted_where_no_retry_can_help(self, events: EventSkill, anna: str, caplog: Any) -> None:
        assert [self.send(events, token, code) for token, code in ((None, "c"), (anna, None), (anna, "used-long-ago"))] == [[]] * 3
        assert self.send(events, signer().access_token(client_id="another")) == []
        refuse_client(events)
        assert self.send(events, anna) == []
        refusals = [line.reason for line in caplog.records if line.outcome == "grant_refused"]
        assert refusals[:2] + refusals[3:4] == ["NO_TOKEN", "NO_CODE", "FOREIGN_CLIENT"]
        assert len(refusals) == 5

    def test_of_another_skill_is_refused(self, events: EventSkill, anna: str) -> None:
        asked = directive("authorization_grant", anna)
        asked["context"]["System"]["application"]["applicationId"] = "amzn1.ask.skill.another"
        with pytest.raises(WrongSkillError):
            events.handler(asked, None)


class TestTheRecord:
    """Smart home and video say no user id, so they write no row; music says it."""

    @pytest.mark.parametrize("name", [*SMART_HOME, "accept_grant"])
    def test_a_directive_without_a_user_id_touches_no_mapping(self, skill: DirectiveSkill, anna: str, name: str) -> None:
        skill(directive(name, anna))
        assert skill.tables.mappings.calls == []

    @pytest.mark.parametrize("name", MUSIC)
    def test_music_stands_in_for_a_link_event_that_was_lost(self, skill: DirectiveSkill, anna: str, name: str) -> None:
        skill(directive(name, anna, user_id="amzn1.ask.account.MUSIC"))
        (row,) = skill.tables.mappings.rows()
        assert {key: row[key]["S"] for key in ("AmazonUserID", "AccountID", "Source", "StartDatetime")} == {
            "AmazonUserID": "amzn1.ask.account.MUSIC",
            "AccountID": SUB,
            "Source": "OBSERVED",
            "StartDatetime": "2026-03-14T09:20:00Z",
        }

    def test_music_writes_nothing_that_the_record_says_already(self, skill: DirectiveSkill, anna: str) -> None:
        linked = message("skill_account_linked", token=anna, user_id="amzn1.ask.account.MUSIC", time="2026-03-14T08:00:00Z")
        skill.provider.profiles[anna] = {"sub": SUB}
        skill.handler(linked, None)
        for _ in range(3):
            skill(directive("get_playable_content", anna, user_id="amzn1.ask.account.MUSIC"))
        assert [row["Source"]["S"] for row in skill.tables.mappings.rows()] == ["EVENT"]

    def test_music_without_a_proven_token_writes_nothing(self, skill: DirectiveSkill) -> None:
        for token in (None, "a.b.c", signer().access_token(client_id="another")):
            skill(directive("get_playable_content", token))
        assert skill.tables.mappings.rows() == []

    def test_a_record_that_is_down_costs_music_nothing(self, skill: DirectiveSkill, anna: str) -> None:
        skill.tables.mappings.before = fail
        assert skill.error(directive("get_playable_content", anna)) == "INVALID_DIRECTIVE"

    def test_observing_can_be_switched_off(self, provider: LoopbackProvider, anna: str) -> None:
        skill = DirectiveSkill(provider, OBSERVE_REQUESTS="false")
        skill(directive("get_playable_content", anna))
        assert skill.tables.mappings.calls == []

    def test_where_no_accounts_are_linked_music_opens_a_row_without_one(self, provider: LoopbackProvider) -> None:
        skill = DirectiveSkill(provider, ACCOUNT_LINKING="none")
        skill(directive("get_playable_content", None))
        (row,) = skill.tables.mappings.rows()
        assert "AccountID" not in row


class TestLogs:
    """One line per directive, and no secret in it at any level."""

    @pytest.mark.parametrize(
        ("name", "changes", "outcome", "reason"),
        [
            ("discover", {}, "answered", None),
            ("turn_on", {}, "directive_refused", "NO_SUCH_ENDPOINT"),
            ("set_brightness", {}, "directive_refused", "INVALID_DIRECTIVE"),
            ("discover", {"exp": NOW - 60}, "token_rejected", "EXPIRED"),
            ("get_next_item", {"client_id": "another"}, "token_rejected", "FOREIGN_CLIENT"),
        ],
    )
    def test_a_line_says_what_became_of_it(
        self, skill: DirectiveSkill, caplog: Any, name: str, changes: dict[str, Any], outcome: str, reason: str | None
    ) -> None:
        caplog.set_level(logging.INFO)
        asked = directive(name, signer().access_token(**changes))
        header = asked.get("directive", asked)["header"]
        skill(asked)
        (line,) = (record for record in caplog.records if record.kind != "ObservedLink")
        assert (line.kind, line.outcome) == (f"{header['namespace']}.{header['name']}", outcome)
        assert getattr(line, "reason", None) == reason

    def test_a_header_cannot_write_a_line_of_its_own(self, skill: DirectiveSkill, anna: str, caplog: Any) -> None:
        asked = directive("turn_on", anna)
        asked["directive"]["header"]["name"] = "TurnOn\nforged: line"
        skill.handler(asked, None)
        assert [record.kind for record in caplog.records] == ["other"]

    @pytest.mark.parametrize("bad_day", [None, hang_up, lambda request: send_json(request, 500, {"error": "canary"})])
    def test_no_token_and_no_code_is_in_any_line_answer_or_table(self, provider: LoopbackProvider, caplog: Any, bad_day: Any) -> None:
        caplog.set_level(logging.DEBUG)
        skill = DirectiveSkill(provider, LOG_LEVEL="DEBUG", **LAMPS)
        provider.misbehave = bad_day
        canaries = ["VGhpcyBpcyBhbiBhdXRob3JpemF0aW9u", "dFMb0z"]
        said = []
        for name in [*EVERY, "authorization_grant", "directed_user_search", "smart_properties_turn_on"]:
            for token in (signer().access_token(), signer("evil").access_token(), "Atza|CanaryToken", "Canary token"):
                canaries += [token, token.rpartition(".")[2]]
                asked = directive(name, token)
                try:
                    answer = skill.handler(asked, None)
                except Exception as error:  # noqa: BLE001  (what an exception says is what is under test)
                    answer = {"raised": repr(error) + repr(error.__cause__) + repr(error.__context__)}
                answer.get("event", {}).get("header", {}).pop("correlationToken", None)
                said.append(json.dumps(answer))
        said += [json.dumps(record.__dict__, default=str) for record in caplog.records]
        said += [json.dumps(table.rows()) for table in (skill.tables.mappings, skill.tables.lamps)]
        assert caplog.records
        assert [canary for canary in canaries if any(canary in line for line in said)] == []


def test_neither_voice_nor_building_loads_what_proves_a_signature() -> None:
    """jwt and cryptography take as long to load as all of a voice answer."""
    code = f"""
import sys
sys.path[:0] = ["lambda", "."]
from linked_profile.bootstrap import build_handler
from linked_profile.settings import Settings
environ = {{"SKILL_ID": {SKILL_ID!r}, "ACCOUNT_MAPPINGS_TABLE": "t", "COGNITO_USER_POOL_ID": "eu-west-1_a", "COGNITO_CLIENT_ID": "c",
           "OBSERVE_REQUESTS": "false", "VIRTUAL_LAMPS_TABLE": "l",
           "GRANTS_TABLE": "g", "GRANTS_KEY_ID": "k", "SKILL_MESSAGING_SECRET_ARN": "s"}}
handler = build_handler(Settings.from_environ(environ))
import json
launch = json.load(open("tests/messages/launch.json"))
assert handler(launch, None)["response"]
print(sorted({{"jwt", "cryptography", "boto3", "botocore"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent, env={}
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [*EVERY, "directed_user_search"])
def test_a_directive_tells_no_secret_when_device_code_prints_it(name: str) -> None:
    told = repr(parse_directive(directive(name, "CanaryToken", user_id="CanaryUser" if name in MUSIC else None)))
    assert [
        secret for secret in ("CanaryToken", "CanaryUser", "VGhpcyBpcyBhbiBhdXRo", "dFMb0z", "some-Amazon-user-id") if secret in told
    ] == []


def test_each_recorded_directive_has_its_token_in_one_place() -> None:
    assert {len(token_places(directive(name))) for name in (*EVERY, "authorization_grant", "smart_properties_turn_on")} == {1}
