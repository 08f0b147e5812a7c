"""How the stand-in behaves: as Login with Amazon does, or as an authorization server that a developer has set up wrongly."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Behavior:
    """All of it as it should be; each field is one thing that can be otherwise."""

    registers_redirect_url: bool = True
    knows_client_secret: bool = True  # False: the one that Alexa was given is another client's
    access_token_life_s: int = 3600
    says_expires_in: bool = True
    gives_refresh_token: bool = True
    on_refresh: Literal["same refresh token", "new refresh token", "no refresh token"] = "same refresh token"
    token_endpoint_takes_s: float = 0.0
    pkce: Literal["checked", "refused by the page", "refused by the token endpoint"] = "checked"
    returns_state: bool = True


@dataclass(frozen=True)
class Misconfiguration:
    """A mistake that a developer may make with an authorization server, by the name that a command line takes."""

    name: str
    label: str
    behavior: Behavior


WORKING = Behavior()
MISCONFIGURATIONS = (
    Misconfiguration("redirect-url", "The redirect URL is not registered", Behavior(registers_redirect_url=False)),
    Misconfiguration("secret", "The client secret is wrong", Behavior(knows_client_secret=False)),
    Misconfiguration("five-minute-tokens", "Access tokens live five minutes", Behavior(access_token_life_s=300)),
    Misconfiguration("no-refresh-token", "There is no refresh token", Behavior(gives_refresh_token=False)),
    Misconfiguration("slow-token-endpoint", "The token endpoint takes six seconds", Behavior(token_endpoint_takes_s=6.0)),
    Misconfiguration("pkce", "PKCE is refused", Behavior(pkce="refused by the token endpoint")),
    Misconfiguration("state", "The state is not returned", Behavior(returns_state=False)),
    Misconfiguration("expires-in", "The answer does not say expires_in", Behavior(says_expires_in=False)),
)
