"""Who the customer is on our side: one fetch with the access token, from Cognito, Login with Amazon or any OpenID provider.

Every provider has three ways to fail, and the difference decides whether a customer is told to link again:
TokenRejectedError (proven bad), ProviderUnavailableError (try again), ProviderMisconfiguredError (ours to mend).
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from linked_profile import access_tokens
from linked_profile.errors import (
    ProviderMisconfiguredError,
    ProviderUnavailableError,
    TokenExpiredError,
    TokenRejectedError,
    TokenUnprovenError,
)
from linked_profile.outbound import Answer, Deadline, Outbound
from linked_profile.settings import Settings
from linked_profile.speech import clean

ATTRIBUTES = ("given_name", "family_name", "name", "email", "phone_number", "street_address", "postal_code")


@dataclass(frozen=True)
class Profile:
    """A customer's account at our side; an attribute that is absent was not shared."""

    account_id: str  # the provider's immutable subject, never an e-mail address
    given_name: str | None = None
    family_name: str | None = None
    name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    street_address: str | None = None
    postal_code: str | None = None


class IdentityProvider(Protocol):
    """What an access token of a customer opens."""

    never_shares: frozenset[str]  # attributes that this kind of provider does not have at all

    def fetch_profile(self, access_token: str, deadline: Deadline) -> Profile:
        """Raises TokenRejectedError, ProviderUnavailableError or ProviderMisconfiguredError."""

    def fetch_account_id(self, access_token: str, deadline: Deadline) -> str:
        """The account id alone, on the provider's own word. Raises the same three."""


def build_identity_provider(settings: Settings, outbound: Outbound, clock: Callable[[], float] = time.time) -> IdentityProvider:
    """The provider that IDENTITY_PROVIDER names. `clock` gives epoch seconds."""
    if settings.identity_provider == "lwa":
        return LoginWithAmazon(settings.lwa_api_url, settings.lwa_client_id, outbound)
    if settings.identity_provider == "oidc":
        return OpenIDProvider(settings.oidc_userinfo_url, settings.oidc_issuer, settings.oidc_client_id, outbound, clock)
    return CognitoUserPool(settings.cognito_url, cognito_issuers(settings), settings.cognito_client_id, outbound, clock)


def cognito_issuers(settings: Settings) -> frozenset[str]:
    """The names under which the one pool signs: the old form, and the one that Cognito gives pools with a host for their keys alone."""
    place = f"cognito-idp.{settings.cognito_region}.amazonaws.com/{settings.cognito_user_pool_id}"
    return frozenset({f"https://{place}", f"https://issuer.{place}"})


class CognitoUserPool:
    """GetUser, as an unsigned POST: the token is the authorization, so there is neither a boto3 client nor an IAM permission."""

    never_shares: frozenset[str] = frozenset()

    def __init__(self, url: str, issuers: frozenset[str], client_id: str, outbound: Outbound, clock: Callable[[], float]) -> None:
        self._url, self._issuers, self._client_id, self._outbound, self._clock = url, issuers, client_id, outbound, clock

    def fetch_account_id(self, access_token: str, deadline: Deadline) -> str:
        return self.fetch_profile(access_token, deadline).account_id

    def fetch_profile(self, access_token: str, deadline: Deadline) -> Profile:
        """GetUser takes any pool's token and says not whose, so the claims are checked first; its success then proves the signature."""
        claims = access_tokens.unverified_claims(access_token)
        account_id = access_tokens.check_cognito_claims(claims, issuers=self._issuers, client_id=self._client_id, now=self._clock())
        attributes = self._outbound.fetch(
            "POST",
            f"{self._url}/",
            headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSCognitoIdentityProviderService.GetUser"},
            body=json.dumps({"AccessToken": access_token}).encode(),
            read=read_get_user,
            deadline=deadline,
        )
        if attributes.get("sub", account_id) != account_id:  # absent where the client may not read it; the claims have it
            raise TokenUnprovenError("NO_SUBJECT")
        return build_profile(account_id, {**attributes, "street_address": attributes.get("address")})


def read_get_user(answer: Answer) -> dict[str, Any]:
    """The attributes by name, or the error that GetUser's answer stands for."""
    if answer.status == 200:
        listed = answer.body.get("UserAttributes")
        if not answer.body.get("Username") or not isinstance(listed, list):
            raise TokenUnprovenError("NO_SUBJECT")
        return {item["Name"]: item.get("Value") for item in listed if isinstance(item, dict) and isinstance(item.get("Name"), str)}
    error = str(answer.body.get("__type", "")).rpartition("#")[2]
    message = str(answer.body.get("message") or answer.body.get("Message") or "")
    if error == "NotAuthorizedException" and "required scopes" in message:
        raise ProviderMisconfiguredError("MISSING_SCOPE:aws.cognito.signin.user.admin")
    if error in {"NotAuthorizedException", "UserNotFoundException", "UserNotConfirmedException", "PasswordResetRequiredException"}:
        raise TokenRejectedError(error)
    if error in {"ForbiddenException", "InvalidParameterException", "OperationNotEnabledException", "ResourceNotFoundException"}:
        raise ProviderMisconfiguredError(error)
    raise ProviderUnavailableError(f"HTTP_{answer.status}")  # TooManyRequestsException and InternalErrorException come as 400, too


class LoginWithAmazon:
    """tokeninfo proves that the token is ours, the profile says whose it is."""

    never_shares = frozenset({"phone_number", "street_address"})

    def __init__(self, url: str, client_id: str, outbound: Outbound) -> None:
        self._url, self._client_id, self._outbound = url, client_id, outbound

    def fetch_account_id(self, access_token: str, deadline: Deadline) -> str:
        return access_tokens.parse_account_id(self._fetch_token_info(access_token, deadline).get("user_id"))

    def _fetch_token_info(self, access_token: str, deadline: Deadline) -> dict[str, Any]:
        """Without the look at aud, a token given to any other site that uses Login with Amazon would open the account here."""
        # The one place where a token is in a URL: tokeninfo takes it nowhere else. It holds `|`, hence the quoting.
        info_url = f"{self._url}/auth/o2/tokeninfo?access_token={quote(access_token, safe='')}"
        info = self._outbound.fetch("GET", info_url, headers={}, read=read_lwa, deadline=deadline)
        if not info.get("aud"):
            raise TokenUnprovenError("NO_AUDIENCE")
        if info.get("aud") != self._client_id:
            raise TokenRejectedError("FOREIGN_CLIENT")
        if isinstance(info.get("exp"), int | float) and info["exp"] <= 0:  # seconds that remain, not an instant
            raise TokenExpiredError("EXPIRED")
        return info

    def fetch_profile(self, access_token: str, deadline: Deadline) -> Profile:
        info = self._fetch_token_info(access_token, deadline)
        headers = {"Authorization": f"Bearer {access_token}"}
        profile = self._outbound.fetch("GET", f"{self._url}/user/profile", headers=headers, read=read_lwa, deadline=deadline)
        lwa_user_id = access_tokens.parse_account_id(profile.get("user_id"))
        if info.get("user_id", lwa_user_id) != lwa_user_id:
            raise TokenUnprovenError("NO_SUBJECT")
        return build_profile(lwa_user_id, {key: profile.get(key) for key in ("name", "email", "postal_code")})


def read_lwa(answer: Answer) -> dict[str, Any]:
    """The body, or the error it stands for; LWA's statuses are not documented reliably, so the error's name decides first."""
    if answer.status == 200:
        return dict(answer.body)
    error = answer.body.get("error")
    if error in {"invalid_token", "expired_token", "invalid_grant"}:
        raise TokenRejectedError("INVALID_TOKEN")
    if error in {"insufficient_scope", "invalid_request", "invalid_client", "unauthorized_client", "access_denied"}:
        raise ProviderMisconfiguredError(str(error))
    raise ProviderUnavailableError(f"HTTP_{answer.status}")


class OpenIDProvider:
    """Any provider with a userinfo endpoint (OpenID Connect Core 5.3); `sub` is the account."""

    never_shares: frozenset[str] = frozenset()

    def __init__(self, userinfo_url: str, issuer: str, client_id: str, outbound: Outbound, clock: Callable[[], float]) -> None:
        self._url, self._issuer, self._client_id, self._outbound, self._clock = userinfo_url, issuer, client_id, outbound, clock

    def fetch_account_id(self, access_token: str, deadline: Deadline) -> str:
        return self.fetch_profile(access_token, deadline).account_id

    def fetch_profile(self, access_token: str, deadline: Deadline) -> Profile:
        """Userinfo proves the token genuine, and the token's own claims say that it was issued to us."""
        claims = self._claims_that_name_us(access_token)
        headers = {"Authorization": f"Bearer {access_token}"}
        info = self._outbound.fetch("GET", self._url, headers=headers, read=read_userinfo, deadline=deadline)
        account_id = access_tokens.parse_account_id(info.get("sub"))
        if claims.get("sub", account_id) != account_id:
            raise TokenUnprovenError("NO_SUBJECT")
        return build_profile(account_id, {**info, "street_address": info.get("address")})

    def _claims_that_name_us(self, access_token: str) -> access_tokens.Claims:
        try:
            claims = access_tokens.unverified_claims(access_token)
        except TokenRejectedError as error:  # opaque, so nothing in it names anybody
            if self._client_id:
                raise ProviderMisconfiguredError("OPAQUE_TOKENS:see_OIDC_CLIENT_ID") from error
            return {}
        if self._issuer and str(claims.get("iss", "")).rstrip("/") != self._issuer:
            raise TokenRejectedError("FOREIGN_ISSUER")
        if self._client_id and not access_tokens.names_client(claims, self._client_id):
            raise TokenRejectedError("FOREIGN_CLIENT")
        if "exp" in claims:
            access_tokens.check_times(claims, self._clock())
        return claims


def read_userinfo(answer: Answer) -> dict[str, Any]:
    """The claims, or the error that RFC 6750 section 3.1 gives the answer."""
    if answer.status == 200:
        return dict(answer.body)
    said = f"{answer.challenge} {answer.body.get('error', '')}"
    if "insufficient_scope" in said or answer.status == 403:
        raise ProviderMisconfiguredError("INSUFFICIENT_SCOPE")
    if "invalid_token" in said or answer.status == 401:
        raise TokenRejectedError("INVALID_TOKEN")
    if "invalid_request" in said or answer.status in {404, 405, 410}:
        raise ProviderMisconfiguredError(f"HTTP_{answer.status}")
    raise ProviderUnavailableError(f"HTTP_{answer.status}")


def build_profile(account_id: str, attributes: dict[str, Any]) -> Profile:
    """A profile of what was really shared: text that is not blank; a phone number or a postal code may come as a number."""
    values = {name: attributes.get(name) for name in ATTRIBUTES}
    values["street_address"] = address_line(values["street_address"])
    texts = {name: clean(str(value)) for name, value in values.items() if isinstance(value, str | int) and not isinstance(value, bool)}
    return Profile(account_id, **{name: text for name, text in texts.items() if text})


def address_line(address: object) -> str | None:
    """One line to speak, out of free text, OpenID's JSON object, or the text of one (a Cognito attribute is a plain string)."""
    if isinstance(address, str) and address.lstrip().startswith("{"):
        try:
            address = json.loads(address)
        except (ValueError, RecursionError):
            return address if isinstance(address, str) else None
    if not isinstance(address, dict):
        return address if isinstance(address, str) else None
    parts = [address.get("formatted")]
    if not isinstance(parts[0], str) or not parts[0].strip():
        parts = [address.get(key) for key in ("street_address", "locality", "region", "postal_code", "country")]
    lines = [line.strip(" ,") for part in parts if isinstance(part, str) for line in part.splitlines()]
    return ", ".join(line for line in lines if line) or None


class ProfileCache:
    """Keeps a container's profiles for a minute, so that a conversation asks the provider once; keyed by a digest of the token."""

    LIFETIME_S = 60.0
    LARGEST = 200

    def __init__(self, provider: IdentityProvider, clock: Callable[[], float] = time.monotonic) -> None:
        self._provider, self._clock = provider, clock
        self._kept: dict[str, tuple[float, Profile]] = {}

    def fetch_profile(self, access_token: str, deadline: Deadline) -> Profile:
        """As the provider's, at most a minute old."""
        profile = self.peek(access_token)
        if profile is None:
            profile = self._provider.fetch_profile(access_token, deadline)
            if len(self._kept) >= self.LARGEST:
                self._kept.clear()
            self._kept[access_tokens.digest(access_token)] = (self._clock(), profile)
        return profile

    def peek(self, access_token: str) -> Profile | None:
        """The profile if it is here already."""
        fetched, profile = self._kept.get(access_tokens.digest(access_token), (0.0, None))
        return profile if profile is not None and self._clock() - fetched < self.LIFETIME_S else None
