"""A wrong environment is told at once and completely, before the first customer speaks."""

import pytest

from linked_profile.settings import Settings, SettingsError

LEAST = {
    "SKILL_ID": "amzn1.ask.skill.a",
    "ACCOUNT_MAPPINGS_TABLE": "mappings",
    "COGNITO_USER_POOL_ID": "eu-west-1_Q7rT2mXa9",
    "COGNITO_CLIENT_ID": "c",
}


def test_names_everything_that_is_missing_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"ACCOUNT_LINKING": "sometimes", "LOG_LEVEL": "LOUD"})
    for name in ("SKILL_ID", "ACCOUNT_MAPPINGS_TABLE", "COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID", "ACCOUNT_LINKING", "LOG_LEVEL"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"IDENTITY_PROVIDER": "lwa"}, "LWA_CLIENT_ID"),
        ({"IDENTITY_PROVIDER": "oidc", "OIDC_CLIENT_ID": "c"}, "OIDC_USERINFO_URL"),
        ({"IDENTITY_PROVIDER": "oidc", "OIDC_USERINFO_URL": "https://login.example.com/userinfo"}, "OIDC_CLIENT_ID"),
        ({"COGNITO_CLIENT_ID": " "}, "COGNITO_CLIENT_ID"),
        ({"LWA_API_URL": "http://api.amazon.com"}, "LWA_API_URL"),
        ({"LWA_API_URL": "http://localhost.evil.example"}, "LWA_API_URL"),
        ({"LWA_API_URL": "http://127.0.0.1.evil.example:80"}, "LWA_API_URL"),
        ({"LWA_API_URL": "api.amazon.com"}, "LWA_API_URL"),
        ({"RETENTION_DAYS": "-1"}, "RETENTION_DAYS"),
        ({"OBSERVE_REQUESTS": "yes"}, "OBSERVE_REQUESTS"),
        ({"IDENTITY_PROVIDER": "facebook"}, "IDENTITY_PROVIDER"),
    ],
)
def test_says_what_the_chosen_provider_needs(environ: dict[str, str], missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        Settings.from_environ({**LEAST, **environ})


def test_an_empty_oidc_client_is_a_choice_and_an_absent_one_a_mistake() -> None:
    oidc = {**LEAST, "IDENTITY_PROVIDER": "oidc", "OIDC_USERINFO_URL": "https://login.example.com/userinfo"}
    assert Settings.from_environ({**oidc, "OIDC_CLIENT_ID": ""}).oidc_client_id == ""


def test_a_skill_without_linking_needs_no_provider() -> None:
    assert Settings.from_environ({"SKILL_ID": "s", "ACCOUNT_MAPPINGS_TABLE": "t", "ACCOUNT_LINKING": "none"}).account_linking == "none"


def test_the_rest_has_defaults() -> None:
    settings = Settings.from_environ(LEAST)
    assert settings.cognito_region == "eu-west-1", "a pool's id begins with its region"
    assert settings.cognito_url == "https://cognito-idp.eu-west-1.amazonaws.com"
    assert (settings.observe_requests, settings.account_linking, settings.identity_provider) == (True, "required", "cognito")


def test_cognitos_own_endpoint_variable_goes_before_the_general_one() -> None:
    urls = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "http://127.0.0.1:9229/"}
    assert Settings.from_environ({**LEAST, **urls}).cognito_url == "http://127.0.0.1:9229"
