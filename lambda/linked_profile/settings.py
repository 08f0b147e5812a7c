"""The function's settings: read once from the environment, checked together, frozen."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

AccountLinking = Literal["required", "optional", "none"]
IdentityProviderName = Literal["cognito", "lwa", "oidc"]
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
    observe_requests: bool = True
    retention_days: int = 0  # 0 = rows are kept for ever
    log_level: str = "INFO"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Reads the variables that README lists; raises SettingsError naming every missing or wrong one at once."""
        reading = _Reading(environ)
        linking = reading.choice("ACCOUNT_LINKING", get_args(AccountLinking), "required")
        provider = reading.choice("IDENTITY_PROVIDER", get_args(IdentityProviderName), "cognito")
        asked = "" if linking == "none" else provider
        pool_id = reading.text("COGNITO_USER_POOL_ID", required=asked == "cognito")
        region = reading.text("COGNITO_REGION") or pool_id.partition("_")[0]  # a pool's id begins with its region
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
            oidc_issuer=reading.text("OIDC_ISSUER").rstrip("/"),
            oidc_client_id=reading.present("OIDC_CLIENT_ID", required=asked == "oidc"),
            observe_requests=reading.choice("OBSERVE_REQUESTS", ("true", "false"), "true") == "true",
            retention_days=reading.days("RETENTION_DAYS"),
            log_level=reading.choice("LOG_LEVEL", LOG_LEVELS, "INFO"),
        )
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

    def complain(self) -> None:
        if self._wrong:
            raise SettingsError("; ".join(self._wrong))
