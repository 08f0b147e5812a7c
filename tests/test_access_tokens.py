"""Which access tokens open an account, each asked through a directive, with the keys of the pool at hand.

The bar is awslabs/aws-jwt-verify, tests/unit. Of its cases these apply, under its names:

- jwt-rsa: happy flow; wrong algorithm; missing signature algorithm; invalid signature; invalid audience; multiple audience values; missing
  issuer; empty JWT; non-string JWT; less than 3 parts; more than 3 parts; header that is not JSON parseable, or not an object; payload that
  is not JSON parseable, or not an object; alg, iss, aud, scope that are not strings; expired; nonsense exp; empty exp; just enough and just
  too little graceSeconds, for exp and for nbf; not before; invalid nbf; scope (each of the six); kid is not a string; kid not in jwks;
  wrong JWK algorithm; wrong JWK use
- cognito-verifier: happy flow; id token check; access token check; missing token use; other client; global issuer format
- jwk: kid empty; kid not found; cached JWK; one attempt at a time; wait time; no jwks, no keys, keys not an array, not an object
  (tests/test_signing_keys.py)

Different on purpose: a token without exp is refused; a missing scope and a token that is not good yet are not held against the customer.
Its cases of its own interface (parameters undefined, custom caches and checks, groups, raw tokens in errors) have no counterpart.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from linked_profile.directive_envelopes import Reply
from tests.directive_skill import CutLine, DirectiveSkill, directive
from tests.loopback_provider import CLIENT_ID, ISSUER, POOL_ID, LoopbackProvider
from tests.token_signer import FAR, KEYS_PATH, NOW, SUB, Signer, segment, signer, unsigned

INVALID, EXPIRED, INTERNAL = "INVALID_AUTHORIZATION_CREDENTIAL", "EXPIRED_AUTHORIZATION_CREDENTIAL", "INTERNAL_ERROR"
Probe = Callable[..., tuple[str, list[str]]]
GOOD = {"iss": ISSUER, "sub": SUB, "client_id": CLIENT_ID, "token_use": "access", "exp": FAR}
OIDC_ISSUER = "https://login.example.com"
OIDC = {"IDENTITY_PROVIDER": "oidc", "OIDC_ISSUER": OIDC_ISSUER, "OIDC_CLIENT_ID": "skill-client"}
OIDC_CLAIMS = {"iss": OIDC_ISSUER, "sub": "248289761001", "aud": ["api", "skill-client"], "exp": FAR, "scope": "openid profile"}


@pytest.fixture
def probe(provider: LoopbackProvider) -> Probe:
    """Sends a directive with the token: the error's type (empty = none) and the accounts that were opened."""

    def send(token: Any, **environ: str) -> tuple[str, list[str]]:
        accounts: list[str] = []

        def handle(account_id: str, directive: Any, deadline: Any) -> Reply:
            accounts.append(account_id)
            return Reply()

        skill = DirectiveSkill(provider, handlers={("Alexa.BrightnessController", "SetBrightness"): handle}, **environ)
        return skill.error(directive("set_brightness", token)), accounts

    return send


def signed(**changes: Any) -> str:
    return signer().access_token(**changes)


def hs256(key: bytes) -> str:
    """The classic: the public key, which everyone has, as the secret of HS256."""
    signing_input = unsigned({"alg": "HS256", "kid": signer().key_id, "typ": "JWT"}, GOOD).rpartition(".")[0]
    return f"{signing_input}.{segment(hmac.new(key, signing_input.encode(), hashlib.sha256).digest())}"


def altered(token: str, index: int, content: bytes) -> str:
    parts = token.split(".")
    parts[index] = segment(content)
    return ".".join(parts)


def signed_payload(payload: bytes) -> str:
    """Any bytes at all as the payload, properly signed."""
    import jwt  # noqa: PLC0415

    return jwt.api_jws.encode(payload, signer().private, "RS256", {"kid": signer().key_id})


ACCEPTED = {
    "happy flow": signed,
    "global issuer format": lambda: signed(iss=f"https://issuer.cognito-idp.eu-west-1.amazonaws.com/{POOL_ID}"),
    "expired 29 s ago, just enough skew": lambda: signed(exp=NOW - 29),
    "not before, 30 s ahead, just enough skew": lambda: signed(nbf=NOW + 30),
    "expires in a time of 400 digits": lambda: signed(exp=10**400),
    "a float as exp": lambda: signed(exp=NOW + 0.5),
    "an audience besides": lambda: signed(aud=["anything"]),
}
REFUSED = {
    # the signature
    "wrong algorithm": lambda: signer().sign(GOOD, algorithm="RS512"),
    "missing signature algorithm": lambda: unsigned({"kid": signer().key_id}, GOOD, b"s" * 256),
    "alg that is not a string": lambda: unsigned({"alg": 12345, "kid": signer().key_id}, GOOD, b"s" * 256),
    "alg none": lambda: unsigned({"alg": "none", "kid": signer().key_id}, GOOD),
    "alg none with a signature": lambda: altered(signed(), 0, b'{"alg":"none","kid":"pool-key-1"}'),
    "alg nOnE": lambda: unsigned({"alg": "nOnE", "kid": signer().key_id}, GOOD),
    "HS256 with the public key": lambda: hs256(signer().public_pem),
    "HS256 with the modulus": lambda: hs256(signer().jwk()["n"].encode()),
    "invalid signature": lambda: altered(signed(), 2, b"\x01" * 256),
    "empty signature": lambda: signed().rpartition(".")[0] + ".",
    "short signature": lambda: altered(signed(), 2, b"\x01"),
    "signature of another key under a known kid": lambda: signer("pool-key-9").access_token(header={"kid": signer().key_id}),
    "payload changed after signing": lambda: altered(signed(), 1, json.dumps({**GOOD, "sub": "someone-else"}).encode()),
    "key in the header": lambda: signer("evil").access_token(header={"kid": signer().key_id, "jwk": signer("evil").jwk()}),
    "unknown critical header": lambda: signed(header={"crit": ["exp"], "exp": FAR}),
    # the claims
    "invalid audience: other client": lambda: signed(client_id="4o5c6vsl2gu5gm4nh6f73e0bep"),
    "no client": lambda: signed(client_id=None),
    "client in aud alone": lambda: signed(client_id=None, aud=CLIENT_ID),
    "client in a list": lambda: signed(client_id=[CLIENT_ID]),
    "missing issuer": lambda: signed(iss=None),
    "iss that is not a string": lambda: unsigned({"alg": "RS256", "kid": signer().key_id}, {**GOOD, "iss": 12345}, b"s" * 256),
    "iss that has no hash": lambda: unsigned({"alg": "RS256", "kid": signer().key_id}, {**GOOD, "iss": [ISSUER]}, b"s" * 256),
    "other pool": lambda: signed(iss="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Another00"),
    "other region": lambda: signed(iss=ISSUER.replace("eu-west-1", "us-east-1")),
    "issuer and more": lambda: signed(iss=f"{ISSUER}/"),
    "id token": lambda: signed(token_use="id", client_id=None, aud=CLIENT_ID),
    "id token with our client": lambda: signed(token_use="id"),
    "missing token use": lambda: signed(token_use=None),
    "nonsense exp": lambda: signed_payload(json.dumps({**GOOD, "exp": "Garbage"}).encode()),
    "empty exp": lambda: signed(exp=None),
    "true as exp": lambda: signed_payload(json.dumps({**GOOD, "exp": True}).encode()),
    "invalid nbf": lambda: signed_payload(json.dumps({**GOOD, "nbf": "foobar"}).encode()),
    # the form
    "opaque": lambda: "Atza|" + "IwEB" * 80,
    "less than 3 parts": lambda: "header.payload",
    "more than 3 parts": lambda: signed() + ".other.garbage",
    "a JWE's five parts": lambda: "a.b.c.d.e",
    "header that is not JSON parseable": lambda: altered(signed(), 0, b"abc"),
    "header that is not an object": lambda: altered(signed(), 0, b"123"),
    "payload that is not JSON parseable": lambda: signed_payload(b"abc"),
    "payload that is not an object": lambda: signed_payload(b"123"),
    "payload in another encoding": lambda: signed_payload(json.dumps(GOOD).encode("utf-16")),
    "payload that is nested without end": lambda: signed_payload(b'{"a":' * 2_000 + b"1" + b"}" * 2_000),
    "not base64": lambda: "ö.ö.ö",
    "spaces": lambda: " . . ",
    "a line of its own": lambda: "a.b.c\nforged: line",
    "giant": lambda: altered(signed(), 2, b"s" * 1_000_000),
    "kid is not a string": lambda: unsigned({"alg": "RS256", "kid": {"foo": "bar"}}, GOOD, b"s" * 256),
    "kid empty": lambda: unsigned({"alg": "RS256", "kid": ""}, GOOD, b"s" * 256),
    "no kid": lambda: unsigned({"alg": "RS256"}, GOOD, b"s" * 256),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_token_of_our_pool_opens_its_account_by_its_signature_alone(provider: LoopbackProvider, probe: Probe, name: str) -> None:
    assert probe(ACCEPTED[name]()) == ("", [SUB])
    assert provider.requests == [KEYS_PATH]


@pytest.mark.parametrize("name", REFUSED)
def test_a_token_that_is_not_ours_opens_nothing(provider: LoopbackProvider, probe: Probe, name: str) -> None:
    token = REFUSED[name]()
    provider.profiles[token] = {"sub": SUB}  # a pool that takes anything: what refuses is the proof here, not the provider
    assert probe(token) == (INVALID, [])
    assert set(provider.requests) <= {KEYS_PATH}


@pytest.mark.parametrize("subject", [None, "", "x" * 256])
def test_a_token_that_names_no_account_opens_none_and_unlinks_nobody(probe: Probe, subject: str | None) -> None:
    assert probe(signed(sub=subject)) == (INTERNAL, []), "the pool is not as it was: that is everybody's token"


def test_two_clocks_may_differ_where_the_provider_is_asked_too(provider: LoopbackProvider, probe: Probe) -> None:
    token = signed(exp=NOW - 29)
    provider.profiles[token] = {"sub": SUB}
    assert probe(token, DIRECTIVE_TOKENS="provider") == ("", [SUB])


@pytest.mark.parametrize("seconds", [30, 31, 86_400])
def test_an_expired_token_is_said_to_be_expired(provider: LoopbackProvider, probe: Probe, seconds: int) -> None:
    assert probe(signed(exp=NOW - seconds)) == (EXPIRED, [])
    assert provider.requests == [], "expired or forged: bad either way, so nobody has to be asked"


def test_a_token_that_is_not_good_yet_is_not_held_against_the_customer(probe: Probe) -> None:
    assert probe(signed(nbf=NOW + 31)) == (INTERNAL, []), "it will be good: a clock is wrong, ours or theirs"


@pytest.mark.parametrize("value", [12345, {"foo": "bar"}, ["a"], True, 0])
def test_a_token_that_is_no_text_is_a_malformed_directive(probe: Probe, value: Any) -> None:
    assert probe(value) == ("INVALID_DIRECTIVE", [])


@pytest.mark.parametrize(
    ("required", "claims", "answer"),
    [
        ("blah", {"scope": "blah blah2"}, ""),
        ("blah blah2", {"scope": "blah2 blah"}, ""),
        ("", {"scope": "blah"}, ""),
        ("", {"scope": None}, ""),
        ("blah3", {"scope": "blah blah2"}, INTERNAL),
        ("blah blah3", {"scope": "blah blah2"}, INTERNAL),
        ("blah3", {"scope": None}, INTERNAL),
        ("blah", {"scope": 12345}, INTERNAL),
        ("bla", {"scope": "blah"}, INTERNAL),
        ("blah", {"scope": None, "scp": ["blah"]}, ""),
    ],
)
@pytest.mark.parametrize("tokens", ["local", "provider"])
def test_a_missing_scope_is_ours_to_mend(
    provider: LoopbackProvider, probe: Probe, tokens: str, required: str, claims: Any, answer: str
) -> None:
    token = signed(**claims)
    provider.profiles[token] = {"sub": SUB}
    error, accounts = probe(token, REQUIRED_SCOPES=required, DIRECTIVE_TOKENS=tokens)
    assert (error, accounts) == (answer, [] if answer else [SUB])


def test_the_provider_is_asked_each_time_where_a_revoked_token_must_not_pass(provider: LoopbackProvider, probe: Probe) -> None:
    token = signed()
    assert probe(token, DIRECTIVE_TOKENS="local") == ("", [SUB]), "a signature cannot say that the token was revoked"
    assert probe(token, DIRECTIVE_TOKENS="provider") == (INVALID, []), "GetUser says that it was"
    provider.profiles[token] = {"sub": SUB}
    assert probe(token, DIRECTIVE_TOKENS="provider") == ("", [SUB])


class TestOtherProviders:
    """Login with Amazon's tokens are opaque; OpenID providers' may be."""

    def test_login_with_amazon_says_whose_token_it_is(self, provider: LoopbackProvider, probe: Probe) -> None:
        provider.profiles["Atza|IwEB"] = {"user_id": "amzn1.account.AF3XEXAMPLE"}
        assert probe("Atza|IwEB", IDENTITY_PROVIDER="lwa") == ("", ["amzn1.account.AF3XEXAMPLE"])
        assert provider.requests == ["/auth/o2/tokeninfo"], "one call: the profile is not needed"
        assert probe("Atza|other", IDENTITY_PROVIDER="lwa") == (INVALID, [])

    @pytest.mark.parametrize(
        ("changes", "header"),
        [({}, {}), ({"aud": "skill-client"}, {}), ({"scope": None}, {"typ": "at+jwt"}), ({"scope": None, "typ": "Bearer"}, {})],
    )
    def test_an_openid_access_token_is_proven_by_its_signature(
        self, provider: LoopbackProvider, probe: Probe, changes: Any, header: Any
    ) -> None:
        provider.issuer = f"{OIDC_ISSUER}/"
        environ = {**OIDC, "OIDC_JWKS_URL": f"{provider.url}/.well-known/jwks.json"}
        assert probe(signer().sign({**OIDC_CLAIMS, **changes}, header), **environ) == ("", ["248289761001"])
        assert provider.requests == ["/.well-known/jwks.json"]

    @pytest.mark.parametrize(
        "changes",
        [{"iss": "https://evil.example"}, {"iss": None}, {"aud": "other"}, {"aud": 12345}, {"at_hash": "x"}, {"typ": "ID"}],
    )
    def test_an_openid_token_that_is_not_ours_opens_nothing(self, provider: LoopbackProvider, probe: Probe, changes: Any) -> None:
        environ = {**OIDC, "OIDC_JWKS_URL": f"{provider.url}/.well-known/jwks.json"}
        token = signed_payload(json.dumps({**OIDC_CLAIMS, **changes}).encode())
        provider.profiles[token] = {"sub": "248289761001"}
        assert probe(token, **environ) == (INVALID, [])

    def test_an_openid_token_without_a_subject_unlinks_nobody(self, provider: LoopbackProvider, probe: Probe) -> None:
        """Keycloak's upgrade to version 25 took `sub` out of every access token of some clients."""
        environ = {**OIDC, "OIDC_JWKS_URL": f"{provider.url}/.well-known/jwks.json"}
        assert probe(signer().sign({**OIDC_CLAIMS, "sub": None}), **environ) == (INTERNAL, [])

    @pytest.mark.parametrize("doubt", ["opaque", "id or access", "other algorithm", "no expiry", "no kid", "unknown kid"])
    def test_userinfo_decides_where_a_signature_leaves_a_doubt(self, provider: LoopbackProvider, probe: Probe, doubt: str) -> None:
        token = {
            "opaque": lambda: "opaque-token-1",
            "id or access": lambda: signer().sign({**OIDC_CLAIMS, "scope": None}),
            "other algorithm": lambda: signer().sign(OIDC_CLAIMS, algorithm="PS256"),
            "no expiry": lambda: signer().sign({**OIDC_CLAIMS, "exp": None}),
            "no kid": lambda: signer().sign(OIDC_CLAIMS, {"kid": None}),
            "unknown kid": lambda: signer("evil").sign(OIDC_CLAIMS),
        }[doubt]()
        environ = {**OIDC, "OIDC_JWKS_URL": f"{provider.url}/.well-known/jwks.json"}
        environ |= {"OIDC_CLIENT_ID": ""} if doubt == "opaque" else {}
        assert probe(token, **environ) == (INVALID, [])
        assert "/userinfo" in provider.requests
        provider.profiles[token] = {"sub": "248289761001"}
        assert probe(token, **environ) == ("", ["248289761001"])

    def test_without_an_issuer_to_compare_no_signature_is_believed(self, provider: LoopbackProvider, probe: Probe) -> None:
        environ = {**OIDC, "OIDC_ISSUER": "", "OIDC_JWKS_URL": f"{provider.url}/.well-known/jwks.json"}
        assert probe(signer().sign(OIDC_CLAIMS), **environ) == (INVALID, [])
        assert provider.requests == ["/userinfo"]


def test_a_thousand_tokens_of_other_clients_pools_and_keys_open_not_one_account(provider: LoopbackProvider) -> None:
    accounts: list[str] = []
    line = CutLine(provider)
    line.is_cut = False
    skill = DirectiveSkill(
        provider,
        outbound=line,
        handlers={("Alexa.BrightnessController", "SetBrightness"): lambda account, *_: accounts.append(account) or Reply()},
    )
    foreign = [signer(f"foreign-{number}") for number in range(3)]
    assert skill.error(directive("set_brightness", signed())) == ""
    for number in range(250):
        tokens = [
            signed(client_id=f"client{number}"),
            signed(iss=f"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool{number:05}"),
            foreign[number % 3].access_token(f"sub-{number}", header={"kid": signer().key_id}),
            foreign[number % 3].access_token(f"sub-{number}", header={"kid": f"kid-{number}"}),
        ]
        assert [skill.error(directive("set_brightness", token)) for token in tokens] == [INVALID] * 4
    assert accounts == [SUB]
    assert provider.requests.count(KEYS_PATH) == 1, "250 unknown key ids in ten seconds cost the pool's key server nothing"


def test_the_keys_of_this_test_are_as_long_as_they_should_be() -> None:
    assert Signer("x").private.key_size == 2048
