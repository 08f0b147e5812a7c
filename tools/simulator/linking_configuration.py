"""What a developer types into the Alexa console to let customers link an account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from tools.simulator.linking_errors import CONFIGURATION, AccountLinkingError

AccessTokenScheme = Literal["HTTP_BASIC", "REQUEST_BODY_CREDENTIALS"]
REDIRECT_HOSTS: Mapping[str, str] = {
    "NA": "https://pitangui.amazon.com",
    "EU": "https://layla.amazon.com",
    "FE": "https://alexa.amazon.co.jp",
}
NEEDED = ("authorizationUrl", "accessTokenUrl", "clientId", "clientSecret")


@dataclass(frozen=True)
class LinkingConfiguration:
    """The settings of account linking, and the redirect URL of each region; Alexa takes that of the customer's region."""

    authorization_url: str
    access_token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]
    redirect_urls: Mapping[str, str]  # by region: NA, EU, FE
    access_token_scheme: AccessTokenScheme = "HTTP_BASIC"  # noqa: S105  (no secret)
    default_life_s: int | None = None  # where the token endpoint does not say expires_in

    @classmethod
    def from_json(cls, document: Mapping[str, Any], vendor_id: str, client_secret: str | None = None) -> Self:
        """From the JSON of SMAPI's account-linking calls, in which Amazon never gives the secret back. Raises AccountLinkingError."""
        settings = document.get("accountLinkingRequest", document)
        if not isinstance(settings, Mapping):
            raise wrong_setting("accountLinkingRequest", "is no object")
        if client_secret:
            settings = {**settings, "clientSecret": client_secret}
        for name in NEEDED:
            if not isinstance(settings.get(name), str) or not settings[name]:
                raise wrong_setting(name, "is missing")
        if settings.get("type", "AUTH_CODE") != "AUTH_CODE":
            raise wrong_setting("type", "is not AUTH_CODE, which skill events with an account, refreshing and smart home need")
        return cls(
            settings["authorizationUrl"],
            settings["accessTokenUrl"],
            settings["clientId"],
            settings["clientSecret"],
            read_scopes(settings.get("scopes") or []),
            redirect_urls(vendor_id),
            read_scheme(settings.get("accessTokenScheme", "HTTP_BASIC")),
            read_default_life(settings.get("defaultTokenExpirationInSeconds")),
        )


def redirect_urls(vendor_id: str) -> dict[str, str]:
    """The three URLs that the authorization server has to know."""
    return {region: f"{host}/api/skill/link/{vendor_id}" for region, host in REDIRECT_HOSTS.items()}


def read_scopes(scopes: object) -> tuple[str, ...]:
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise wrong_setting("scopes", "is no list of texts")
    return tuple(scopes)


def read_scheme(scheme: object) -> AccessTokenScheme:
    for known in get_args(AccessTokenScheme):
        if scheme == known:
            return known  # type: ignore[no-any-return]  # it is one of the literals
    raise wrong_setting("accessTokenScheme", f"is not one of {', '.join(get_args(AccessTokenScheme))}")


def read_default_life(seconds: object) -> int | None:
    """None and 0 both mean that there is no default."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 0:
        raise wrong_setting("defaultTokenExpirationInSeconds", "is no number of seconds")
    return seconds or None


def wrong_setting(name: str, fault: str) -> AccountLinkingError:
    return AccountLinkingError(f"{name} {fault}", step=CONFIGURATION, mend=f"Set {name} in the account-linking JSON.")
