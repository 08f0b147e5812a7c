"""What an access token says of itself, whether that names us, and whether its signature holds. Pure: no call, no clock, keys as arguments.

Claims prove nothing for a token, but everything against it: a token that says it is another client's, or over, is that or it is
forged, and bad either way. So they are looked at first, without a key or a call. What then proves a token genuine is its signature
here, or the provider's own endpoint. These checks keep a token of another client of the provider from opening an account (RFC 9700, 2.3).
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from linked_profile.errors import (
    ProviderMisconfiguredError,
    ProviderUnavailableError,
    TokenExpiredError,
    TokenRejectedError,
    TokenUnprovenError,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

LONGEST_ACCOUNT_ID = 255  # characters, as OpenID Connect Core limits `sub`
SKEW_S = 30.0  # two clocks may differ by so much: the provider's that wrote the token, and ours
ALGORITHM = "RS256"  # fixed here and never taken from the token, which may ask for `none`, or for HS256 with the public key as secret

Claims = Mapping[str, Any]


def digest(token: str) -> str:
    """What stands for a token where the token itself must not be: a cache's key, an event's content id."""
    return hashlib.sha256(token.encode()).hexdigest()


def unverified_claims(token: str) -> Claims:
    """The claims as they stand, signature unchecked. Raises TokenRejectedError."""
    return _segment(token, 1)


def unverified_header(token: str) -> Claims:
    """How the token says that it was signed, and with which key. Raises TokenRejectedError."""
    return _segment(token, 0)


def _segment(token: str, index: int) -> Claims:
    try:
        segment = token.split(".", 3)[:3][index] if token.count(".") == 2 else ""
        content = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode("utf-8"))
    except (ValueError, binascii.Error, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise TokenRejectedError("MALFORMED_TOKEN")
    return content


def signing_key_id(unverified_header: Claims) -> str:
    """The name of the key that the token says it was signed with. Raises TokenRejectedError for any algorithm but RS256."""
    if unverified_header.get("alg") != ALGORITHM:
        raise TokenRejectedError("FORBIDDEN_ALGORITHM")
    key_id = unverified_header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise TokenRejectedError("NO_KEY_ID")
    return key_id


def check_signature(token: str, key: "RSAPublicKey") -> None:
    """Raises TokenRejectedError unless this key signed this token."""
    # Here and not above: the libraries take longer to load than a voice answer, which never needs them.
    import jwt  # noqa: PLC0415

    try:
        jwt.api_jws.decode(token, key, algorithms=[ALGORITHM])
    except jwt.InvalidTokenError:
        is_genuine = False
    else:
        is_genuine = True
    if not is_genuine:
        raise TokenRejectedError("BAD_SIGNATURE")  # out here, so that nothing of the library's own error hangs on to it


def check_cognito_claims(unverified_claims: Claims, *, issuers: Collection[str], client_id: str, now: float) -> str:
    """The account id (`sub`) if this is a live access token of our pool and client. `now` in epoch seconds. Raises TokenRejectedError."""
    if unverified_claims.get("iss") not in list(issuers):  # a list, because a set raises on what has no hash
        raise TokenRejectedError("FOREIGN_ISSUER")
    if unverified_claims.get("token_use") != "access":  # an ID token names us too, but it is for the client, not for an API
        raise TokenRejectedError("NOT_AN_ACCESS_TOKEN")
    if unverified_claims.get("client_id") != client_id:  # access tokens of Cognito have no aud
        raise TokenRejectedError("FOREIGN_CLIENT")
    check_times(unverified_claims, now)
    return parse_account_id(unverified_claims.get("sub"))


def check_times(unverified_claims: Claims, now: float) -> None:
    """Raises TokenExpiredError unless `exp` (epoch seconds) lies ahead, TokenRejectedError where a time is none.

    A token that is not good yet will be: that is a clock's fault, so it is ProviderUnavailableError and unlinks nobody.
    """
    times = {name: unverified_claims[name] for name in ("exp", "nbf") if name in unverified_claims}
    if "exp" not in times or any(isinstance(time, bool) or not isinstance(time, int | float) for time in times.values()):
        raise TokenRejectedError("MALFORMED_TOKEN")
    if not times["exp"] > now - SKEW_S:  # compared as they are: an int of hundreds of digits is too large to be added to
        raise TokenExpiredError("EXPIRED")
    if times.get("nbf", now) > now + SKEW_S:
        raise ProviderUnavailableError("NOT_YET_VALID")


def check_scopes(claims: Claims, required: Collection[str]) -> None:
    """Raises ProviderMisconfiguredError: which scopes Alexa asks for at linking is set by us, so a missing one is never the customer's."""
    granted = claims.get("scope", claims.get("scp"))
    granted = granted.split() if isinstance(granted, str) else granted if isinstance(granted, list) else []
    missing = sorted(scope for scope in required if scope not in granted)
    if missing:
        raise ProviderMisconfiguredError(f"MISSING_SCOPE:{missing[0]}")


def is_access_token(unverified_header: Claims, unverified_claims: Claims) -> bool:
    """Whether an OpenID provider's JWT shows that it is for an API; False where it may be either. Raises TokenRejectedError: an ID token.

    An ID token names our client in `aud` as well, but it tells the client who signed in and opens nothing. OpenID Connect gives it no mark
    of its own that an access token could not lack, so only what one kind alone carries decides, and the rest is the provider's to say.
    """
    kind = str(unverified_claims.get("token_use") or unverified_claims.get("typ") or "").lower()
    if kind == "id" or "at_hash" in unverified_claims or "c_hash" in unverified_claims:
        raise TokenRejectedError("NOT_AN_ACCESS_TOKEN")
    header_type = str(unverified_header.get("typ", "")).lower().removeprefix("application/")  # RFC 9068, 2.1
    return header_type == "at+jwt" or kind in {"access", "bearer"} or "scope" in unverified_claims or "scp" in unverified_claims


def names_client(unverified_claims: Claims, client_id: str) -> bool:
    """Whether aud, azp or client_id names this client: providers differ in which of them they fill."""
    audience = unverified_claims.get("aud")
    named = [*(audience if isinstance(audience, list) else [audience]), unverified_claims.get("azp"), unverified_claims.get("client_id")]
    return client_id in named


def parse_account_id(value: object) -> str:
    """A provider's immutable subject. Raises TokenUnprovenError: a profile without one opens no account, whatever e-mail it shows.

    But it says nothing against the token: a provider that stops to name subjects, after an upgrade, does so to every customer at once.
    """
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_ACCOUNT_ID or not value.isprintable():
        raise TokenUnprovenError("NO_SUBJECT")
    return value
