"""A grant's code becomes tokens that nobody reads but the function; twice the same code is one grant, two homes are two."""

import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from linked_profile.aws_calls import AwsCalls
from linked_profile.errors import GrantRefusedError, ProviderMisconfiguredError, ProviderUnavailableError, TableUnavailableError
from linked_profile.grants_table import GrantsTable
from linked_profile.outbound import Deadline
from linked_profile.settings import Settings, SettingsError
from tests.aws_fakes import refusal
from tests.conftest import ENVIRON
from tests.events_skill import ANNA, BEN, GRANTS, EventsSkill, secret
from tests.in_memory_table import InMemoryTable
from tests.loopback_amazon import CLIENT_ID, SECRET, LoopbackAmazon, gateway_error, html, oauth_error
from tests.loopback_provider import hang_up, reset, send_json, sleep_then_close

OLD_SECRET = "amzn1.oa2-cs.v1.CanaryOldSecret"


@pytest.fixture
def amazon() -> Iterator[LoopbackAmazon]:
    server = LoopbackAmazon()
    yield server
    server.close()


@pytest.fixture
def skill(amazon: LoopbackAmazon) -> EventsSkill:
    return EventsSkill(amazon)


# ---- AcceptGrant


def test_code_is_exchanged_as_amazon_asks_when_a_grant_comes(skill: EventsSkill) -> None:
    skill.accept("CanaryCode1")
    assert skill.amazon.forms == [
        {"grant_type": "authorization_code", "code": "CanaryCode1", "client_id": CLIENT_ID, "client_secret": SECRET}
    ]
    (item,) = skill.stored()
    assert (item["AccountID"], item["Status"], item["ExpiresMs"]) == (ANNA, "LIVE", str(int(skill.now + 3600) * 1000))
    assert item["GrantID"].startswith("NA#")


@pytest.mark.parametrize("lives_s", ["²", "9" * 40, 10**12, -1, 1.5, None, True])
def test_an_hour_is_assumed_when_amazon_says_no_lifetime_that_can_be(skill: EventsSkill, lives_s: Any) -> None:
    skill.amazon.lives_s = lives_s
    skill.accept("CanaryCode1")
    assert [item["ExpiresMs"] for item in skill.stored()] == [str(int(skill.now + 3600) * 1000)]


def test_one_grant_stands_when_it_is_delivered_twice(skill: EventsSkill) -> None:
    skill.accept("CanaryCode1")
    before = skill.stored()
    skill.cold_start()
    skill.accept("CanaryCode1")
    assert (skill.stored(), len(skill.amazon.forms)) == (before, 1)


def test_second_delivery_succeeds_when_the_first_stores_only_after_its_code_was_refused(skill: EventsSkill) -> None:
    """Both are under way at once: Amazon gave the tokens to the other one, which is slower to store them."""
    other = EventsSkill(skill.amazon, skill.aws)
    skill.amazon.codes.clear()
    pauses: list[float] = []

    def store_in_the_second_pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            skill.amazon.codes.add("CanaryCode1")
            other.accept("CanaryCode1")

    skill.grants._pause = store_in_the_second_pause
    skill.accept("CanaryCode1")
    assert (skill.statuses(), len(pauses)) == (["LIVE"], 2)


def test_second_home_has_a_grant_of_its_own_when_it_links_the_same_account(skill: EventsSkill) -> None:
    skill.accept("CanaryCode1")
    skill.accept("CanaryCode2")
    assert skill.statuses() == ["LIVE", "LIVE"]
    assert skill.outcomes() == [("sent", ""), ("sent", "")]


def test_other_accounts_have_none_of_it_when_one_grants(skill: EventsSkill) -> None:
    skill.accept("CanaryCode1", ANNA)
    skill.accept("CanaryCode2", BEN)
    assert [len(skill.stored(account)) for account in (ANNA, BEN)] == [1, 1]
    assert skill.outcomes(account_id=BEN) == [("sent", "")]


def test_grants_of_another_region_are_left_alone_when_an_event_is_sent(skill: EventsSkill) -> None:
    skill.accept("CanaryCode1")
    europe = EventsSkill(skill.amazon, skill.aws, ALEXA_REGION="EU")
    europe.accept("CanaryCode2")
    assert [item["GrantID"][:3] for item in skill.stored()] == ["EU#", "NA#"]
    assert (len(skill.send()), len(europe.send())) == (1, 1)


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        (oauth_error("invalid_grant"), GrantRefusedError, "INVALID_GRANT"),
        (oauth_error("invalid_grant", 401), GrantRefusedError, "INVALID_GRANT"),
        (oauth_error("unauthorized_client"), ProviderMisconfiguredError, "UNAUTHORIZED_CLIENT"),
        (oauth_error("invalid_request"), ProviderMisconfiguredError, "INVALID_REQUEST"),
        (oauth_error("something_new"), ProviderUnavailableError, "HTTP_400"),
        (oauth_error("server_error", 500), ProviderUnavailableError, "HTTP_500"),
        (oauth_error("slow_down", 429), ProviderUnavailableError, "HTTP_429"),
        (html(200), ProviderUnavailableError, "ANSWER_IS_NOT_JSON"),
        (html(403), ProviderUnavailableError, "ANSWER_IS_NOT_JSON"),
        (hang_up, ProviderUnavailableError, "ConnectionError"),
        (reset, ProviderUnavailableError, "ANSWER_IS_NOT_JSON"),
        (lambda request: send_json(request, 200, {}), ProviderUnavailableError, "NO_ACCESS_TOKEN"),
        (lambda request: send_json(request, 200, {"access_token": "a\nb"}), ProviderUnavailableError, "NO_ACCESS_TOKEN"),
        (lambda request: send_json(request, 200, {"access_token": "Atza|a"}), ProviderUnavailableError, "NO_REFRESH_TOKEN"),
        (
            lambda request: send_json(request, 200, {"access_token": "a" * 4097, "refresh_token": "r"}),
            ProviderMisconfiguredError,
            "TOO_LARGE",
        ),
    ],
)
def test_nothing_is_stored_and_the_error_says_why_when_the_exchange_fails(
    skill: EventsSkill, fault: Any, error: type[Exception], reason: str
) -> None:
    skill.amazon.token_faults = [fault, fault]
    with pytest.raises(error, match=reason):
        skill.accept()
    assert skill.stored() == []


def test_it_fails_and_the_time_to_store_is_left_when_amazon_is_slow(skill: EventsSkill) -> None:
    skill.amazon.token_faults = [sleep_then_close(3)]
    with pytest.raises(ProviderUnavailableError, match=r"NO_ANSWER_IN_TIME|ReadTimeout"):
        skill.accept(seconds=4.2)
    assert skill.stored() == []


def test_grant_is_accepted_when_amazon_fails_once(skill: EventsSkill) -> None:
    skill.amazon.token_faults = [html(503)]
    skill.accept()
    assert skill.statuses() == ["LIVE"]


@pytest.mark.parametrize("operation", ["put_item", "get_item"])
def test_it_fails_when_the_table_does(skill: EventsSkill, operation: str) -> None:
    def refuse(asked: str) -> None:
        if asked == operation:
            raise refusal("ThrottlingException", operation)

    skill.aws.table.before = refuse
    with pytest.raises(TableUnavailableError, match="ThrottlingException"):
        skill.accept()
    assert skill.stored() == []


@pytest.mark.parametrize("fault", [refusal("KMSInvalidStateException", "Encrypt"), EndpointConnectionError(endpoint_url="kms")])
def test_no_token_is_stored_in_clear_when_the_key_is_out_of_order(skill: EventsSkill, fault: Exception) -> None:
    skill.aws.kms.fault = fault
    with pytest.raises(TableUnavailableError, match="encrypt"):
        skill.accept()
    assert skill.stored() == []


def test_exchange_leaves_time_to_store_when_little_is_left(skill: EventsSkill) -> None:
    with pytest.raises(TableUnavailableError, match="no time left"):
        skill.accept(seconds=3.5)
    assert (skill.amazon.forms, "CanaryCode1" in skill.amazon.codes) == ([], True), "the code is still good for a later delivery"


def test_own_write_is_recognised_when_its_first_answer_was_lost(skill: EventsSkill) -> None:
    class WritesTwice(InMemoryTable):
        def put_item(self, **call: Any) -> dict[str, Any]:
            super().put_item(**call)
            return super().put_item(**call)

    skill.aws.table = WritesTwice(key=("AccountID", "GrantID"))
    skill.accept()
    assert skill.statuses() == ["LIVE"]


# ---- the secret


def test_secret_is_read_once_in_five_minutes_when_grants_come(skill: EventsSkill) -> None:
    for code, seconds in (("CanaryCode1", 0), ("CanaryCode2", 299), ("CanaryCode3", 2)):
        skill.now += seconds
        skill.accept(code)
    assert skill.aws.secrets.calls == ["AWSCURRENT", "AWSCURRENT"]


@pytest.mark.parametrize(
    ("versions", "asked"),
    [
        ({"AWSCURRENT": SECRET}, ["AWSCURRENT"]),
        ({"AWSCURRENT": OLD_SECRET, "AWSPREVIOUS": SECRET}, ["AWSCURRENT", "AWSPREVIOUS"]),
        ({"AWSCURRENT": OLD_SECRET, "AWSPENDING": SECRET}, ["AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"]),
    ],
)
def test_grant_is_accepted_when_the_secret_is_being_rotated(skill: EventsSkill, versions: dict[str, str], asked: list[str]) -> None:
    skill.aws.secrets.versions = {stage: secret(value) for stage, value in versions.items()}
    skill.accept("CanaryCode1")
    assert skill.aws.secrets.calls == asked
    skill.accept("CanaryCode2")
    assert (skill.aws.secrets.calls, len(skill.stored())) == (asked, 2), "the version that worked is kept"


def test_new_secret_is_found_when_the_kept_one_was_revoked(skill: EventsSkill) -> None:
    skill.accept("CanaryCode1")
    skill.amazon.secrets = {"amzn1.oa2-cs.v1.New"}
    skill.aws.secrets.versions = {"AWSCURRENT": secret("amzn1.oa2-cs.v1.New"), "AWSPREVIOUS": secret(SECRET)}
    skill.accept("CanaryCode2")
    assert skill.statuses() == ["LIVE", "LIVE"]


def test_version_without_credentials_is_passed_over_when_the_current_one_is_refused(skill: EventsSkill) -> None:
    skill.aws.secrets.versions = {"AWSCURRENT": secret(OLD_SECRET), "AWSPREVIOUS": "", "AWSPENDING": secret(SECRET)}
    skill.accept()
    assert skill.statuses() == ["LIVE"]


def test_each_version_is_tried_once_when_amazon_knows_none(skill: EventsSkill) -> None:
    skill.aws.secrets.versions = {stage: secret(f"wrong-{stage}") for stage in ("AWSCURRENT", "AWSPREVIOUS", "AWSPENDING")}
    with pytest.raises(ProviderMisconfiguredError, match="INVALID_CLIENT"):
        skill.accept()
    assert [form["client_secret"] for form in skill.amazon.forms] == ["wrong-AWSCURRENT", "wrong-AWSPREVIOUS", "wrong-AWSPENDING"]


@pytest.mark.parametrize("content", ["", "CanaryClientSecret", "[]", "{}", '{"client_id": "a"}', secret(" "), secret("a", " ")])
def test_it_says_that_the_secret_is_malformed_and_nothing_of_it_when_it_is(skill: EventsSkill, content: str) -> None:
    skill.aws.secrets.versions = {"AWSCURRENT": content}
    with pytest.raises(ProviderMisconfiguredError, match=r"^SKILL_MESSAGING_SECRET_MALFORMED$"):
        skill.accept()


@pytest.mark.parametrize(
    ("versions", "fault", "error", "reason"),
    [
        ({}, None, ProviderMisconfiguredError, "NO_SKILL_MESSAGING_SECRET:ResourceNotFoundException"),
        ({}, refusal("AccessDeniedException", "g"), ProviderMisconfiguredError, "NO_SKILL_MESSAGING_SECRET:AccessDeniedException"),
        ({}, refusal("InternalServiceError", "g"), TableUnavailableError, "get_secret_value: InternalServiceError"),
    ],
)
def test_it_says_which_when_the_secret_cannot_be_read(
    skill: EventsSkill, versions: dict[str, str], fault: Exception | None, error: type[Exception], reason: str
) -> None:
    skill.aws.secrets.versions, skill.aws.secrets.fault = versions, fault
    with pytest.raises(error, match=reason):
        skill.accept()


# ---- what nobody may read


BAD_DAYS: list[Any] = [None, oauth_error("invalid_grant"), oauth_error("invalid_client"), html(500), hang_up, reset]


@pytest.mark.parametrize("bad_day", BAD_DAYS)
def test_no_secret_is_logged_raised_or_stored_when_whatever_happens(skill: EventsSkill, caplog: Any, bad_day: Any) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    for step in (
        lambda: skill.accept("CanaryCode1"),
        lambda: setattr(skill.amazon, "token_faults", [bad_day, bad_day]),
        lambda: skill.accept("CanaryCode2"),
        lambda: skill.amazon.gateway_faults.append(gateway_error(403, "SKILL_DISABLED_EXCEPTION")),
        lambda: told.append(repr(skill.send())),
        lambda: setattr(skill, "now", skill.now + 4000),
        lambda: skill.amazon.token_faults.append(bad_day),
        lambda: told.append(repr(skill.send())),
        lambda: setattr(skill.aws.kms, "fault", refusal("AccessDeniedException", "Decrypt")),
        skill.cold_start,
        lambda: told.append(repr(skill.send())),
    ):
        try:
            step()
        except Exception as error:  # noqa: BLE001  (what an exception says is what is under test)
            told.append("".join(repr(each) for each in (error, error.__cause__, error.__context__)))
    told += [record.getMessage() + repr(record.__dict__) for record in caplog.records]
    told.append(repr(skill.aws.table.items))
    told.append(repr(skill.grants.live(ANNA, Deadline(9))))
    assert told
    assert [text for text in told if "Canary" in text] == []


def test_tokens_open_under_their_own_account_alone_when_items_are_copied(skill: EventsSkill) -> None:
    skill.accept("CanaryCode1", ANNA)
    (key,) = skill.aws.table.items
    stolen = {**skill.aws.table.items[key], "AccountID": {"S": BEN}}
    skill.aws.table.items[BEN, key[1]] = stolen
    skill.cold_start()
    with pytest.raises(TableUnavailableError, match="InvalidCiphertextException"):
        skill.send(account_id=BEN)
    assert skill.amazon.events == []


def test_key_is_asked_once_for_a_token_when_the_container_is_warm(skill: EventsSkill) -> None:
    skill.accept()
    skill.cold_start()
    skill.aws.kms.calls.clear()
    for _ in range(3):
        skill.send()
    assert skill.aws.kms.calls == ["decrypt"]


# ---- settings


@pytest.mark.parametrize("absent", ["GRANTS_TABLE", "GRANTS_KEY_ID", "SKILL_MESSAGING_SECRET_ARN"])
def test_settings_are_refused_with_the_missing_name_when_one_of_three_is_absent(absent: str) -> None:
    environ = {name: value for name, value in {**ENVIRON, **GRANTS}.items() if name != absent}
    with pytest.raises(SettingsError, match=rf"together or not at all \({absent} missing\)"):
        Settings.from_environ({**environ, "OIDC_CLIENT_ID": ""})


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "https://api.amazonalexa.com"),
        ({"ALEXA_REGION": "EU"}, "https://api.eu.amazonalexa.com"),
        ({"ALEXA_REGION": "FE"}, "https://api.fe.amazonalexa.com"),
        ({"ALEXA_EVENT_GATEWAY_URL": "http://127.0.0.1:8080/"}, "http://127.0.0.1:8080"),
    ],
)
def test_gateway_is_the_regions_when_no_other_is_named(environ: dict[str, str], url: str) -> None:
    assert Settings.from_environ({**ENVIRON, **environ}).alexa_event_gateway_url == url


@pytest.mark.parametrize(
    ("environ", "word"), [({"ALEXA_REGION": "US"}, "NA, EU, FE"), ({"ALEXA_EVENT_GATEWAY_URL": "http://api.amazonalexa.com"}, "https")]
)
def test_settings_are_refused_when_the_region_or_the_gateway_is_none(environ: dict[str, str], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        Settings.from_environ({**ENVIRON, **environ})


# ---- AWS's own word for all this


def test_a_grants_whole_life_is_valid_to_aws_when_moto_is_asked(amazon: LoopbackAmazon, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        aws = MotoAws()
        environ = {"GRANTS_KEY_ID": aws.key_id, "SKILL_MESSAGING_SECRET_ARN": aws.secret_arn}
        skill = EventsSkill(amazon, aws, **environ)  # type: ignore[arg-type]
        skill.accept("CanaryCode1")
        skill.accept("CanaryCode1")
        assert skill.outcomes() == [("sent", "")]
        skill.now += 3400
        skill.cold_start()
        assert skill.outcomes() == [("sent", "")], "refreshed"
        amazon.gateway_faults = [gateway_error(403, "SKILL_DISABLED_EXCEPTION")]
        assert skill.outcomes() == [("dead", "SKILL_DISABLED_EXCEPTION")]
        (item,) = aws.client("dynamodb").scan(TableName="grants")["Items"]
        assert {"AccountID", "GrantID", "Status", "Reason", "ExpiresAt", "TokensVersion", "ExpiresMs", "GrantedMs"} == set(item)


class MotoAws:
    """A client of each service, and in them what the template makes."""

    def __init__(self) -> None:
        keys = [{"AttributeName": name, "KeyType": kind} for name, kind in (("AccountID", "HASH"), ("GrantID", "RANGE"))]
        types = [{"AttributeName": key["AttributeName"], "AttributeType": "S"} for key in keys]
        self.client("dynamodb").create_table(TableName="grants", BillingMode="PAY_PER_REQUEST", KeySchema=keys, AttributeDefinitions=types)
        self.key_id = self.client("kms").create_key()["KeyMetadata"]["Arn"]
        self.secret_arn = self.client("secretsmanager").create_secret(Name="messaging", SecretString=secret(SECRET))["ARN"]

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name="eu-west-1")  # type: ignore[call-overload]

    def __call__(self, service: str, attempts: int) -> Any:
        return self.client(service)


def test_aws_is_asked_once_for_a_thing_when_little_time_is_left(skill: EventsSkill) -> None:
    skill.accept()
    assert 2 in skill.aws.attempts
    skill.aws.attempts.clear()
    skill.send(seconds=3.0)
    assert set(skill.aws.attempts) == {1}


def test_nothing_is_asked_when_making_the_client_took_the_time(skill: EventsSkill) -> None:
    """A container's first client brings boto3 along; what is begun after that still has to end in time."""
    now = [0.0]
    calls = InMemoryTable(key=("AccountID", "GrantID"))

    def make_slowly(service: str, attempts: int) -> Any:
        now[0] += 0.8
        return calls

    table = GrantsTable("grants", AwsCalls(make_slowly), lambda: skill.now)
    with pytest.raises(TableUnavailableError, match="no time left"):
        table.query(ANNA, Deadline(1.5, lambda: now[0]))
    assert (calls.calls, now) == ([], [0.8])
