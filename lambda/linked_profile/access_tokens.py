"""What an access token says of itself, and whether that names us. Pure: no call, no clock, no key.

Nothing here proves a token genuine: a provider's own endpoint does, afterwards. These checks refuse, without a call, what was
never meant for us, and they are what keeps a token of another client of the same provider from opening an account here (RFC 9700, 2.3).
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from linked_profile.errors import TokenRejectedError

LONGEST_ACCOUNT_ID = 255  # characters, as OpenID Connect Core limits `sub`

Claims = Mapping[str, Any]


def digest(token: str) -> str:
    """What stands for a token where the token itself must not be: a cache's key, an event's content id."""
    return hashlib.sha256(token.encode()).hexdigest()


def unverified_claims(token: str) -> Claims:
    """The claims as they stand, signature unchecked. Raises TokenRejectedError."""
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise TokenRejectedError("MALFORMED_TOKEN")
    return claims


def check_cognito_claims(unverified_claims: Claims, *, issuer: str, client_id: str, now: float) -> str:
    """The account id (`sub`) if this is a live access token of our pool and client. `now` in epoch seconds. Raises TokenRejectedError."""
    if unverified_claims.get("iss") != issuer:
        raise TokenRejectedError("FOREIGN_ISSUER")
    if unverified_claims.get("token_use") != "access":  # an ID token names us too, but it is for the client, not for an API
        raise TokenRejectedError("NOT_AN_ACCESS_TOKEN")
    if unverified_claims.get("client_id") != client_id:  # access tokens of Cognito have no aud
        raise TokenRejectedError("FOREIGN_CLIENT")
    check_expiry(unverified_claims, now)
    return parse_account_id(unverified_claims.get("sub"))


def check_expiry(unverified_claims: Claims, now: float) -> None:
    """Raises TokenRejectedError unless `exp` (epoch seconds) lies ahead."""
    expiry = unverified_claims.get("exp")
    if isinstance(expiry, bool) or not isinstance(expiry, int | float):
        raise TokenRejectedError("MALFORMED_TOKEN")
    if not expiry > now:
        raise TokenRejectedError("EXPIRED")


def names_client(unverified_claims: Claims, client_id: str) -> bool:
    """Whether aud, azp or client_id names this client: providers differ in which of them they fill."""
    audience = unverified_claims.get("aud")
    named = [*(audience if isinstance(audience, list) else [audience]), unverified_claims.get("azp"), unverified_claims.get("client_id")]
    return client_id in named


def parse_account_id(value: object) -> str:
    """A provider's immutable subject. Raises TokenRejectedError: a profile without one opens no account, whatever e-mail it shows."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_ACCOUNT_ID or not value.isprintable():
        raise TokenRejectedError("NO_SUBJECT")
    return value
