"""Whose token it is, and what of a provider's bad day proves anything about it."""

import time
from typing import Any

import pytest

from linked_profile.bootstrap import build_identity_provider
from linked_profile.errors import ProviderMisconfiguredError, ProviderUnavailableError, TokenRejectedError
from linked_profile.identity_providers import ProfileCache
from linked_profile.outbound import LARGEST_BODY, Deadline, Outbound
from linked_profile.settings import Settings
from tests.conftest import ANNA, ENVIRON
from tests.loopback_provider import (
    LWA_CLIENT_ID,
    LoopbackProvider,
    cognito_token,
    drip,
    hang_up,
    jwt,
    reset,
    send,
    send_json,
    sleep_then_close,
)

LWA_TOKEN = "Atza|IwEB+/=%" + "IJ5f" * 80
LWA_PROFILE = {"user_id": "amzn1.account.AF3XEXAMPLE", "name": "Ben Ito", "email": "ben@example.com"}
ISSUER = "https://login.example.com"
OIDC_CLAIMS = {"iss": ISSUER, "sub": "248289761001", "aud": ["api", "skill-client"], "exp": 4_000_000_000}


def fetch(provider: LoopbackProvider, token: str, seconds: float = 6.5, **environ: str) -> Any:
    urls = {"AWS_ENDPOINT_URL": provider.url, "LWA_API_URL": provider.url, "OIDC_USERINFO_URL": f"{provider.url}/userinfo"}
    settings = Settings.from_environ({**ENVIRON, **urls, **environ})
    return build_identity_provider(settings, Outbound()).fetch_profile(token, Deadline(seconds))


class TestTransientFaults:
    """None of these says that the token is bad, so none may unlink anybody."""

    @pytest.mark.parametrize("environ", [{}, {"IDENTITY_PROVIDER": "lwa"}, {"IDENTITY_PROVIDER": "oidc"}], ids=["cognito", "lwa", "oidc"])
    @pytest.mark.parametrize(
        "misbehave",
        [
            hang_up,
            reset,
            lambda request: send_json(request, 500, {"error": "invalid_token"}),
            lambda request: send_json(request, 503, {}),
            lambda request: send_json(request, 429, {"error": "invalid_token"}),
            lambda request: send(request, 200, b"<html>we will be back</html>"),
            lambda request: send(request, 401, b"<html>sign in to the proxy</html>"),
            lambda request: send(request, 200, b""),
            lambda request: send(request, 200, b'{"sub": "7f2c'),
            lambda request: send(request, 200, b"\xff\xfe{\x00}\x00"),
            lambda request: send(request, 200, b"[1, 2]"),
            lambda request: send(request, 200, b"[" * 100_000),
            lambda request: send(request, 200, b'{"a": "' + b"a" * LARGEST_BODY + b'"}'),
            lambda request: send(request, 307, b"", Location="http://127.0.0.1:9/steal"),
        ],
    )
    def test_are_tried_once_more_and_reported_as_unavailable(
        self, provider: LoopbackProvider, anna: str, misbehave: Any, environ: Any
    ) -> None:
        provider.misbehave = misbehave
        with pytest.raises(ProviderUnavailableError):
            fetch(provider, anna, **environ)
        assert len(provider.requests) == 2

    def test_the_second_try_answers_when_the_fault_has_passed(self, provider: LoopbackProvider, anna: str) -> None:
        def once(request: Any) -> None:
            provider.misbehave = None
            send_json(request, 503, {})

        provider.misbehave = once
        assert fetch(provider, anna).account_id == ANNA["sub"]

    @pytest.mark.parametrize("misbehave", [sleep_then_close(9), drip], ids=["silent", "dripping"])
    def test_a_slow_provider_is_cut_at_the_deadline(self, provider: LoopbackProvider, anna: str, misbehave: Any) -> None:
        provider.misbehave = misbehave
        started = time.monotonic()
        with pytest.raises(ProviderUnavailableError):
            fetch(provider, anna, seconds=2.0)
        assert time.monotonic() - started < 3.0

    def test_nothing_is_asked_when_no_time_is_left(self, provider: LoopbackProvider, anna: str) -> None:
        with pytest.raises(ProviderUnavailableError):
            fetch(provider, anna, seconds=0)
        assert provider.requests == []

    def test_a_refused_connection_is_one(self, provider: LoopbackProvider, anna: str) -> None:
        with pytest.raises(ProviderUnavailableError):
            fetch(provider, anna, AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="http://127.0.0.1:9")


class TestCognito:
    def test_reads_the_profile(self, provider: LoopbackProvider, anna: str) -> None:
        profile = fetch(provider, anna)
        assert (profile.account_id, profile.given_name, profile.phone_number) == (ANNA["sub"], "Anna", "+12065550147")

    @pytest.mark.parametrize(
        "error", ["UserNotFoundException", "com.amazonaws.cognito#UserNotConfirmedException", "PasswordResetRequiredException"]
    )
    def test_rejects_the_token_of_a_user_who_is_gone(self, provider: LoopbackProvider, anna: str, error: str) -> None:
        provider.misbehave = lambda request: send_json(request, 400, {"__type": error, "message": "no"})
        with pytest.raises(TokenRejectedError):
            fetch(provider, anna)

    @pytest.mark.parametrize(
        "body",
        [{}, {"Username": "4d7e"}, {"UserAttributes": []}, {"Username": "4d7e", "UserAttributes": [{"Name": "sub", "Value": "other"}]}],
    )
    def test_rejects_a_profile_that_is_not_of_the_tokens_subject(self, provider: LoopbackProvider, anna: str, body: Any) -> None:
        provider.misbehave = lambda request: send_json(request, 200, body)
        with pytest.raises(TokenRejectedError):
            fetch(provider, anna)

    def test_the_claims_subject_is_the_account_when_the_client_may_not_read_sub(self, provider: LoopbackProvider, anna: str) -> None:
        provider.profiles[anna] = {"given_name": "Anna"}
        assert fetch(provider, anna).account_id == ANNA["sub"]

    @pytest.mark.parametrize("token", ["a.b.c", "a.b", "....", "eyJ.W10.x", jwt({"iss": ISSUER}), "Atza|x"])
    def test_refuses_without_a_call_what_is_not_our_token(self, provider: LoopbackProvider, token: str) -> None:
        with pytest.raises(TokenRejectedError):
            fetch(provider, token)
        assert provider.requests == []

    @pytest.mark.parametrize("now", [999.0, 1029.0, 1030.0, 1031.0])
    def test_a_token_is_good_until_its_expiry_by_two_clocks_and_no_longer(self, provider: LoopbackProvider, now: float) -> None:
        token = cognito_token(ANNA["sub"], exp=1000)
        provider.profiles[token] = dict(ANNA)
        settings = Settings.from_environ({**ENVIRON, "AWS_ENDPOINT_URL": provider.url})
        identity_provider = build_identity_provider(settings, Outbound(), clock=lambda: now)
        if now < 1030:
            assert identity_provider.fetch_profile(token, Deadline(5)).account_id == ANNA["sub"]
        else:
            with pytest.raises(TokenRejectedError, match="EXPIRED"):
                identity_provider.fetch_profile(token, Deadline(5))


class TestLoginWithAmazon:
    def test_reads_the_profile_with_the_token_url_encoded(self, provider: LoopbackProvider) -> None:
        provider.profiles[LWA_TOKEN] = LWA_PROFILE
        profile = fetch(provider, LWA_TOKEN, IDENTITY_PROVIDER="lwa")
        assert (profile.account_id, profile.name, profile.phone_number) == ("amzn1.account.AF3XEXAMPLE", "Ben Ito", None)
        assert provider.requests == ["/auth/o2/tokeninfo", "/user/profile"]

    @pytest.mark.parametrize("info", [{"aud": "amzn1.application-oa2-client.other"}, {}, {"aud": LWA_CLIENT_ID, "exp": 0}])
    def test_rejects_a_token_of_another_site_before_the_profile_is_read(self, provider: LoopbackProvider, info: Any) -> None:
        provider.misbehave = lambda request: send_json(request, 200, info)
        with pytest.raises(TokenRejectedError):
            fetch(provider, LWA_TOKEN, IDENTITY_PROVIDER="lwa")
        assert provider.requests == ["/auth/o2/tokeninfo"]

    @pytest.mark.parametrize("user_id", [None, "", "x" * 10_000, 7])
    def test_rejects_a_profile_without_a_user_id(self, provider: LoopbackProvider, user_id: Any) -> None:
        provider.profiles[LWA_TOKEN] = {**LWA_PROFILE, "user_id": user_id}
        with pytest.raises(TokenRejectedError):
            fetch(provider, LWA_TOKEN, IDENTITY_PROVIDER="lwa")

    @pytest.mark.parametrize(
        ("status", "error", "raised"),
        [
            (400, "invalid_token", TokenRejectedError),
            (401, "invalid_token", TokenRejectedError),
            (401, "insufficient_scope", ProviderMisconfiguredError),
            (400, "invalid_request", ProviderMisconfiguredError),
            (400, "ServerError", ProviderUnavailableError),
            (400, None, ProviderUnavailableError),
        ],
    )
    def test_decides_by_the_errors_name(self, provider: LoopbackProvider, status: int, error: Any, raised: Any) -> None:
        provider.misbehave = lambda request: send_json(request, status, {"error": error, "request_id": "7c1f"})
        with pytest.raises(raised):
            fetch(provider, LWA_TOKEN, IDENTITY_PROVIDER="lwa")


class TestOpenID:
    def ask(self, provider: LoopbackProvider, claims: Any, client_id: str = "skill-client", info: Any = None) -> Any:
        token = jwt(claims) if isinstance(claims, dict) else claims
        provider.profiles[token] = info or {"sub": OIDC_CLAIMS["sub"], "name": "Chi", "address": {"formatted": "1 Rue Lepic\n75018 Paris"}}
        return fetch(provider, token, IDENTITY_PROVIDER="oidc", OIDC_ISSUER=ISSUER, OIDC_CLIENT_ID=client_id)

    @pytest.mark.parametrize(
        "changes", [{}, {"aud": "skill-client"}, {"aud": "api", "azp": "skill-client"}, {"aud": None, "client_id": "skill-client"}]
    )
    def test_reads_the_profile_when_the_token_names_our_client(self, provider: LoopbackProvider, changes: Any) -> None:
        profile = self.ask(provider, {**OIDC_CLAIMS, **changes})
        assert (profile.account_id, profile.street_address) == ("248289761001", "1 Rue Lepic, 75018 Paris")

    @pytest.mark.parametrize(
        "changes", [{"aud": "other"}, {"aud": None}, {"iss": "https://evil.example"}, {"exp": 1}, {"exp": "soon"}, {"sub": "not-userinfos"}]
    )
    def test_rejects_a_token_that_is_not_ours(self, provider: LoopbackProvider, changes: Any) -> None:
        with pytest.raises(TokenRejectedError):
            self.ask(provider, {**OIDC_CLAIMS, **changes})

    def test_an_opaque_token_is_refused_as_ours_to_mend_unless_no_client_is_named_on_purpose(self, provider: LoopbackProvider) -> None:
        with pytest.raises(ProviderMisconfiguredError):
            self.ask(provider, "opaque-token-1")
        assert provider.requests == []
        assert self.ask(provider, "opaque-token-1", client_id="").account_id == "248289761001"

    @pytest.mark.parametrize(
        ("status", "challenge", "raised"),
        [
            (401, 'Bearer error="invalid_token"', TokenRejectedError),
            (401, "Bearer", TokenRejectedError),
            (403, 'Bearer error="insufficient_scope"', ProviderMisconfiguredError),
            (401, 'Bearer error="insufficient_scope"', ProviderMisconfiguredError),
            (400, 'Bearer error="invalid_request"', ProviderMisconfiguredError),
            (404, "", ProviderMisconfiguredError),
            (408, "", ProviderUnavailableError),
            (425, "", ProviderUnavailableError),
        ],
    )
    def test_reads_the_challenge_when_userinfo_refuses(self, provider: LoopbackProvider, status: int, challenge: str, raised: Any) -> None:
        provider.misbehave = lambda request: send(request, status, b"", **{"WWW-Authenticate": challenge})
        with pytest.raises(raised):
            self.ask(provider, OIDC_CLAIMS)

    def test_the_challenge_is_enough_when_the_body_is_a_page(self, provider: LoopbackProvider) -> None:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        provider.misbehave = lambda request: send(request, 401, b"<html>Unauthorized</html>", **challenge)
        with pytest.raises(TokenRejectedError):
            self.ask(provider, OIDC_CLAIMS)

    def test_rejects_a_userinfo_without_a_subject(self, provider: LoopbackProvider) -> None:
        with pytest.raises(TokenRejectedError, match="NO_SUBJECT"):
            self.ask(provider, OIDC_CLAIMS, info={"email": "chi@example.com"})


def test_a_profile_is_kept_for_a_minute_and_no_longer(provider: LoopbackProvider, anna: str) -> None:
    now = [0.0]
    settings = Settings.from_environ({**ENVIRON, "AWS_ENDPOINT_URL": provider.url})
    cache = ProfileCache(build_identity_provider(settings, Outbound()), clock=lambda: now[0])
    for instant, calls in [(0.0, 1), (59.9, 1), (60.0, 2), (61.0, 2)]:
        now[0] = instant
        cache.fetch_profile(anna, Deadline(5))
        assert len(provider.requests) == calls
