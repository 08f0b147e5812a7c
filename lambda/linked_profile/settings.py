"""The function's settings: read once from the environment, checked together, frozen."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

AccountLinking = Literal["required", "optional", "none"]
IdentityProviderName = Literal["cognito", "lwa", "oidc"]
DirectiveTokens = Literal["local", "provider"]
AlexaRegion = Literal["NA", "EU", "FE"]
# India is with Europe, Australia with the Far East; a customer's tokens are worth something at one of them only.
EVENT_GATEWAYS = {"NA": "https://api.amazonalexa.com", "EU": "https://api.eu.amazonalexa.com", "FE": "https://api.fe.amazonalexa.com"}
MOST_DAYS = 36_500
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class SettingsError(Exception):
    """The environment is incomplete or contradicts itself; the message lists everything that is wrong at once."""


@dataclass(frozen=True)
class Settings:
    """Everything that differs between two deployments; template.yaml sets each from a parameter or a resource."""

    skill_id: str
    account_mappings_table: str
    account_linking: AccountLinking = "required"
    identity_provider: IdentityProviderName = "cognito"
    cognito_region: str = ""
    cognito_user_pool_id: str = ""
    cognito_client_id: str = ""
    cognito_url: str = ""
    lwa_client_id: str = ""
    lwa_api_url: str = "https://api.amazon.com"
    oidc_userinfo_url: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""  # empty = any audience is accepted, on purpose
    oidc_jwks_url: str = ""  # empty = the issuer's discovery document names it
    directive_tokens: DirectiveTokens = "local"
    required_scopes: frozenset[str] = frozenset()
    virtual_lamps_table: str = ""  # empty = no lamp
    observe_requests: bool = True
    retention_days: int = 0  # 0 = rows are kept for ever
    log_level: str = "INFO"
    grants_table: str = ""  # empty, with the two after it = no events are sent to Alexa
    grants_key_id: str = ""
    skill_messaging_secret_arn: str = ""
    alexa_region: AlexaRegion = "NA"
    alexa_event_gateway_url: str = EVENT_GATEWAYS["NA"]
    alexa_trusted_roots: str = ""  # a PEM file instead of the public roots, for the simulator's Alexa
    alexa_certificate_host_url: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Reads the variables that README lists; raises SettingsError naming every missing or wrong one at once."""
        reading = _Reading(environ)
        linking = reading.choice("ACCOUNT_LINKING", get_args(AccountLinking), "required")
        provider = reading.choice("IDENTITY_PROVIDER", get_args(IdentityProviderName), "cognito")
        asked = "" if linking == "none" else provider
        pool_id = reading.text("COGNITO_USER_POOL_ID", required=asked == "cognito")
        region = reading.text("COGNITO_REGION") or pool_id.partition("_")[0]  # a pool's id begins with its region
        alexa_region = reading.choice("ALEXA_REGION", get_args(AlexaRegion), "NA")
        settings = cls(
            skill_id=reading.text("SKILL_ID", required=True),
            account_mappings_table=reading.text("ACCOUNT_MAPPINGS_TABLE", required=True),
            account_linking=linking,  # type: ignore[arg-type]  # choice() has checked it
            identity_provider=provider,  # type: ignore[arg-type]
            cognito_region=region,
            cognito_user_pool_id=pool_id,
            cognito_client_id=reading.text("COGNITO_CLIENT_ID", required=asked == "cognito"),
            cognito_url=reading.url("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")
            or reading.url("AWS_ENDPOINT_URL")
            or f"https://cognito-idp.{region}.amazonaws.com",
            lwa_client_id=reading.text("LWA_CLIENT_ID", required=asked == "lwa"),
            lwa_api_url=reading.url("LWA_API_URL") or cls.lwa_api_url,
            oidc_userinfo_url=reading.url("OIDC_USERINFO_URL", required=asked == "oidc"),
            oidc_issuer=reading.url("OIDC_ISSUER"),
            oidc_client_id=reading.present("OIDC_CLIENT_ID", required=asked == "oidc"),
            oidc_jwks_url=reading.url("OIDC_JWKS_URL"),
            directive_tokens=reading.choice("DIRECTIVE_TOKENS", get_args(DirectiveTokens), "local"),  # type: ignore[arg-type]
            required_scopes=frozenset(reading.text("REQUIRED_SCOPES").split()),
            virtual_lamps_table=reading.text("VIRTUAL_LAMPS_TABLE"),
            observe_requests=reading.choice("OBSERVE_REQUESTS", ("true", "false"), "true") == "true",
            retention_days=reading.days("RETENTION_DAYS"),
            log_level=reading.choice("LOG_LEVEL", LOG_LEVELS, "INFO"),
            grants_table=reading.text("GRANTS_TABLE"),
            grants_key_id=reading.text("GRANTS_KEY_ID"),
            skill_messaging_secret_arn=reading.text("SKILL_MESSAGING_SECRET_ARN"),
            alexa_region=alexa_region,  # type: ignore[arg-type]
            alexa_event_gateway_url=reading.url("ALEXA_EVENT_GATEWAY_URL") or EVENT_GATEWAYS.get(alexa_region, ""),
            alexa_trusted_roots=reading.text("ALEXA_TRUSTED_ROOTS"),
            alexa_certificate_host_url=reading.loopback_url("ALEXA_CERTIFICATE_HOST_URL"),
        )
        reading.together("GRANTS_TABLE", "GRANTS_KEY_ID", "SKILL_MESSAGING_SECRET_ARN")
        reading.together("ALEXA_TRUSTED_ROOTS", "ALEXA_CERTIFICATE_HOST_URL")
        reading.complain()
        return settings


class _Reading:
    """Collects what is wrong while it reads, so that one deployment shows every mistake, not the first."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._wrong: list[str] = []

    def text(self, name: str, *, required: bool = False) -> str:
        value = self._environ.get(name, "").strip()
        if required and not value:
            self._wrong.append(f"{name} is missing")
        return value

    def present(self, name: str, *, required: bool = False) -> str:
        if required and name not in self._environ:
            self._wrong.append(f"{name} is missing (set it to nothing to accept tokens of any client, on purpose)")
        return self.text(name)

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name) or default
        if value not in allowed:
            self._wrong.append(f"{name} is {value!r}, not one of {', '.join(allowed)}")
        return value

    def days(self, name: str) -> int:
        value = self.text(name) or "0"
        if not value.isascii() or not value.isdigit() or int(value) > MOST_DAYS:
            self._wrong.append(f"{name} is {value!r}, not a whole number of days up to {MOST_DAYS} (0 = for ever)")
            return 0
        return int(value)

    def url(self, name: str, *, required: bool = False) -> str:
        value = self.text(name, required=required).rstrip("/")
        parts = urlsplit(value)
        if value and parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}):
            self._wrong.append(f"{name} must begin with https:// (http:// only on loopback)")
        return value

    def loopback_url(self, name: str) -> str:
        """Whoever answers for it sits on this machine: no setting makes us believe a certificate from anywhere else."""
        value = self.text(name).rstrip("/")
        if value and not re.fullmatch(r"http://127\.0\.0\.1:[0-9]{1,5}", value):
            self._wrong.append(f"{name} must be http://127.0.0.1 and a port")
        return value

    def together(self, *names: str) -> None:
        absent = [name for name in names if not self.text(name)]
        if absent and len(absent) < len(names):
            self._wrong.append(f"{', '.join(names)} are set together or not at all ({', '.join(absent)} missing)")

    def complain(self) -> None:
        if self._wrong:
            raise SettingsError("; ".join(self._wrong))
