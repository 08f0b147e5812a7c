"""The provider's keys: fetched once, again for a new name but not for every name, and kept through any outage."""

import threading
import time
from typing import Any

import pytest
from jwt.algorithms import RSAAlgorithm

from linked_profile.errors import ProviderUnavailableError
from linked_profile.outbound import Deadline
from linked_profile.signing_keys import SigningKeys
from tests.directive_skill import DirectiveSkill, directive
from tests.loopback_provider import LoopbackProvider, hang_up, send, send_json
from tests.test_access_tokens import INTERNAL, INVALID, OIDC, OIDC_CLAIMS, OIDC_ISSUER
from tests.token_signer import KEYS_PATH, SUB, Signer, signer

ANSWERED = "INVALID_DIRECTIVE"  # what a proven token gets here: the skill has no handler for this directive
OLD, NEW = signer(), signer("pool-key-2")
DAY_S = 86_400
PRIVATE_PARTS = {part: RSAAlgorithm.to_jwk(OLD.private, as_dict=True)[part] for part in ("d", "p", "q", "dp", "dq", "qi")}


def send_token(skill: DirectiveSkill, signed_by: Signer, **header: Any) -> str:
    return skill.error(directive("set_brightness", signed_by.access_token(header=header)))


@pytest.fixture
def skill(provider: LoopbackProvider) -> DirectiveSkill:
    return DirectiveSkill(provider)


def fetches(skill: DirectiveSkill) -> int:
    return skill.provider.requests.count(KEYS_PATH)


def test_the_keys_are_fetched_once_and_no_directive_after_that_makes_a_call(skill: DirectiveSkill) -> None:
    for _ in range(50):
        assert send_token(skill, OLD) == ANSWERED
    assert skill.provider.requests == [KEYS_PATH]


def test_a_rotated_key_is_fetched_when_the_first_token_names_it(skill: DirectiveSkill) -> None:
    assert send_token(skill, OLD) == ANSWERED
    skill.provider.keys.append(NEW.jwk())
    skill.now += 10
    assert [send_token(skill, NEW), send_token(skill, OLD), send_token(skill, NEW)] == [ANSWERED] * 3
    assert fetches(skill) == 2


def test_key_ids_that_nobody_published_cost_one_fetch_in_ten_seconds(skill: DirectiveSkill) -> None:
    assert send_token(skill, OLD) == ANSWERED
    skill.now += 10
    for number in range(30):
        assert send_token(skill, NEW, kid=f"kid-{number}") == INVALID
        assert send_token(skill, OLD) == ANSWERED, "the keys that are here go on"
    assert fetches(skill) == 2
    skill.now += 10
    assert send_token(skill, NEW, kid="kid-30") == INVALID
    assert fetches(skill) == 3


def test_an_unknown_key_is_no_proof_against_the_token_when_the_pool_cannot_be_asked(skill: DirectiveSkill) -> None:
    assert send_token(skill, OLD) == ANSWERED
    skill.provider.misbehave = hang_up
    assert send_token(skill, NEW) == INTERNAL, "within the ten seconds"
    skill.now += 10
    assert send_token(skill, NEW) == INTERNAL, "after a fetch that failed"


def test_the_pools_own_word_counts_when_its_published_keys_lag_behind(skill: DirectiveSkill) -> None:
    token = NEW.access_token()
    assert skill.error(directive("set_brightness", token)) == INVALID
    skill.provider.profiles[token] = {"sub": SUB}
    assert skill.error(directive("set_brightness", token)) == ANSWERED


@pytest.mark.parametrize("seconds", [0, 10, 3600, DAY_S, 10 * DAY_S])
def test_a_key_that_is_here_stays_good_while_the_provider_is_down(skill: DirectiveSkill, seconds: int) -> None:
    assert send_token(skill, OLD) == ANSWERED
    skill.provider.misbehave = hang_up
    skill.now += seconds
    assert [send_token(skill, OLD) for _ in range(5)] == [ANSWERED] * 5
    assert fetches(skill) == (1 if seconds < DAY_S else 2), "one look in ten seconds whether it is still published"


def test_a_withdrawn_key_is_believed_for_a_day_at_most(skill: DirectiveSkill) -> None:
    assert send_token(skill, OLD) == ANSWERED
    skill.provider.keys[:] = [NEW.jwk()]
    skill.now += DAY_S - 1
    assert send_token(skill, OLD) == ANSWERED
    skill.now += 1
    assert send_token(skill, OLD) == INVALID


def test_nothing_is_known_of_a_token_when_the_keys_were_never_here(skill: DirectiveSkill) -> None:
    skill.provider.misbehave = hang_up
    assert send_token(skill, OLD) == INTERNAL
    skill.provider.misbehave = None
    assert send_token(skill, OLD) == ANSWERED, "the next directive asks at once"


def test_one_fetch_serves_everyone_who_waits_for_it(skill: DirectiveSkill) -> None:
    def slowly(request: Any) -> None:
        time.sleep(0.2)
        send_json(request, *skill.provider.answer_for(request))

    skill.provider.misbehave = slowly
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(send_token(skill, OLD))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers, skill.provider.requests) == ([ANSWERED] * 8, [KEYS_PATH])


def test_one_failure_serves_everyone_who_waits_for_it() -> None:
    everyone_waits, fetched = threading.Barrier(4), []

    class Waiting(Deadline):
        def remaining(self) -> float:
            everyone_waits.wait(timeout=10)  # asked just before the lock is taken, so the fetch begins when all four are there
            return 10.0

    def fetch(*_: Any, **__: Any) -> Any:
        fetched.append(1)
        raise ProviderUnavailableError("HTTP_503")

    line: Any = type("Line", (), {"fetch": staticmethod(fetch)})
    keys, raised = SigningKeys(lambda deadline: "https://pool.example/keys", line, lambda: 0.0), []

    def find() -> None:
        with pytest.raises(ProviderUnavailableError) as caught:
            keys.find("pool-key-1", Waiting(10))
        raised.append(caught.value.reason)

    threads = [threading.Thread(target=find) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(fetched), sorted(raised)) == (1, ["HTTP_503"] + ["NO_KEYS"] * 3)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b'"foo"', b"{}", b'{"keys": 123}', b'{"keys": []}', b'{"keys": [null, 1, "a", {}]}', b'{"keys": [[]]}', b"<html>"),
        b'{"keys": [{"kty": "oct", "kid": "pool-key-1", "k": "c2VjcmV0"}]}',
        b'{"keys": [{"kty": "RSA", "kid": "pool-key-1"}]}',
        b'{"keys": [{"kty": "RSA", "kid": "pool-key-1", "n": 5, "e": null}]}',
        b'{"keys": [{"kty": "RSA", "kid": "pool-key-1", "n": "!", "e": "AQAB"}]}',
        b'{"keys": [{"kty": "RSA", "kid": ["pool-key-1"], "n": "AQAB", "e": "AQAB"}]}',
        b'{"keys": [{"kty": "EC", "kid": "pool-key-1", "crv": "P-256", "x": "AQ", "y": "AQ"}]}',
    ],
)
def test_a_key_set_without_a_usable_key_proves_nothing(skill: DirectiveSkill, body: bytes) -> None:
    skill.provider.misbehave = lambda request: send(request, 200, body)
    assert send_token(skill, OLD) == INTERNAL


@pytest.mark.parametrize("changes", [{"use": "enc"}, {"alg": "RS384"}, {"kid": None}, {"kty": "oct"}, PRIVATE_PARTS])
def test_a_key_for_something_else_is_no_key(skill: DirectiveSkill, changes: dict[str, Any]) -> None:
    skill.provider.keys[:] = [OLD.jwk(**changes), NEW.jwk()]
    assert [send_token(skill, OLD), send_token(skill, NEW)] == [INVALID, ANSWERED]


def test_a_key_that_could_be_broken_is_no_key(skill: DirectiveSkill) -> None:
    skill.provider.keys[:] = [Signer("weak", bits=1024).jwk(kid=OLD.key_id), NEW.jwk()]
    assert [send_token(skill, OLD), send_token(skill, NEW)] == [INVALID, ANSWERED]


class TestDiscovery:
    """An OpenID provider's keys are where its discovery document says."""

    @pytest.fixture
    def issuer(self, provider: LoopbackProvider) -> str:
        provider.issuer = provider.url
        return provider.url

    def ask(self, provider: LoopbackProvider, issuer: str) -> str:
        token = signer().sign({**OIDC_CLAIMS, "iss": issuer})
        return DirectiveSkill(provider, **{**OIDC, "OIDC_ISSUER": issuer}).error(directive("set_brightness", token))

    def test_the_keys_come_from_the_address_in_the_document(self, provider: LoopbackProvider, issuer: str) -> None:
        assert self.ask(provider, issuer) == ANSWERED
        assert provider.requests == ["/.well-known/openid-configuration", "/.well-known/jwks.json"]

    @pytest.mark.parametrize(
        "document",
        [
            {},
            {"issuer": OIDC_ISSUER, "jwks_uri": "https://login.example.com/keys"},
            {"issuer": "self"},
            {"issuer": "self", "jwks_uri": "http://login.example.com/keys"},
            {"issuer": "self", "jwks_uri": "file:///etc/passwd"},
            {"issuer": "self", "jwks_uri": ["https://login.example.com/keys"]},
        ],
    )
    def test_a_document_that_cannot_be_relied_on_proves_nothing(self, provider: LoopbackProvider, issuer: str, document: Any) -> None:
        said = {**document, "issuer": issuer} if document.get("issuer") == "self" else document
        provider.misbehave = lambda request: send_json(request, 200, said)
        assert self.ask(provider, issuer) == INTERNAL
        assert provider.requests == ["/.well-known/openid-configuration"]

    def test_another_issuers_document_is_not_believed(self, provider: LoopbackProvider, issuer: str) -> None:
        provider.issuer = OIDC_ISSUER
        assert self.ask(provider, issuer) == INTERNAL
        assert provider.requests == ["/.well-known/openid-configuration"]

    @pytest.mark.parametrize("status", [404, 500])
    def test_a_document_that_is_not_there_proves_nothing(self, provider: LoopbackProvider, issuer: str, status: int) -> None:
        provider.misbehave = lambda request: send_json(request, status, {})
        assert self.ask(provider, issuer) == INTERNAL
