"""The public keys that an identity provider signs its tokens with: fetched once, kept, and fetched again for a name not seen before.

A key that is here stays good while the provider cannot be reached: its outage proves nothing about a customer's token.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from linked_profile.errors import ProviderError, ProviderMisconfiguredError, ProviderUnavailableError
from linked_profile.outbound import Answer, Deadline, Outbound

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

COOL_DOWN_S = 10.0  # between two fetches once there are keys: unknown names, however many, cost the provider one call in that time
LIFETIME_S = 86_400.0  # a key that the provider withdrew is believed for a day at most, where a container lives so long
PATIENCE_S = 1.0  # for looking whether a key that is here is still published
SMALLEST_KEY = 2048  # bits, NIST SP 800-131A
FindUrl = Callable[[Deadline], str]


class SigningKeys:
    """One provider's keys by their ids. Several threads may ask at once: one fetches, the others wait for what it brings."""

    def __init__(self, find_url: FindUrl, outbound: Outbound, clock: Callable[[], float]) -> None:
        """`find_url` says where the key set (RFC 7517) is, `clock` gives seconds."""
        self._find_url, self._outbound, self._clock = find_url, outbound, clock
        self._keys: dict[str, RSAPublicKey] = {}
        self._fetched, self._tried = 0.0, 0.0
        self._fetches = 0
        self._lock = threading.Lock()

    def find(self, key_id: str, deadline: Deadline) -> "RSAPublicKey | None":
        """The key of this name; None where the provider publishes none, as far as is known. Raises ProviderError with no key at hand."""
        key = self._keys.get(key_id)
        if key is not None and self._clock() - self._fetched < LIFETIME_S:
            return key
        try:
            self._fetch_again(deadline if key is None else Deadline(min(PATIENCE_S, deadline.remaining())))
        except ProviderError:
            if key is None:
                raise
            return key
        return self._keys.get(key_id)

    def _fetch_again(self, deadline: Deadline) -> None:
        """Returns with keys: fetched now, or by another thread meanwhile, or not long ago."""
        fetches = self._fetches
        if not self._lock.acquire(timeout=max(0.0, deadline.remaining())):
            raise ProviderUnavailableError("NO_TIME_LEFT")
        try:
            is_due = fetches == self._fetches and not (self._keys and self._clock() - self._tried < COOL_DOWN_S)
            if is_due:
                self._tried = self._clock()
                self._keys = self._outbound.fetch("GET", self._find_url(deadline), headers={}, read=read_key_set, deadline=deadline)
                self._fetched = self._clock()
        finally:
            self._fetches += 1
            self._lock.release()
        if not self._keys:
            raise ProviderUnavailableError("NO_KEYS")


def discover_key_set(issuer: str, outbound: Outbound) -> FindUrl:
    """Where an OpenID provider's discovery document says that its keys are."""

    def find_url(deadline: Deadline) -> str:
        document_url = f"{issuer}/.well-known/openid-configuration"
        return outbound.fetch("GET", document_url, headers={}, read=lambda answer: read_discovery(answer, issuer), deadline=deadline)

    return find_url


def read_discovery(answer: Answer, issuer: str) -> str:
    """The `jwks_uri`. Raises ProviderMisconfiguredError where the document is another issuer's, or its keys could be forged on the way."""
    document = _found(answer, "DISCOVERY")
    if str(document.get("issuer", "")).rstrip("/") != issuer:
        raise ProviderMisconfiguredError("DISCOVERY_NAMES_ANOTHER_ISSUER")
    url = str(document.get("jwks_uri", ""))
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}):
        raise ProviderMisconfiguredError("DISCOVERY_WITHOUT_HTTPS_KEYS")
    return url


def read_key_set(answer: Answer) -> "dict[str, RSAPublicKey]":
    """The keys that RS256 tokens may be signed with; others are passed over. Raises ProviderUnavailableError where there is none."""
    listed = _found(answer, "KEYS").get("keys")
    keys: dict[str, RSAPublicKey] = {}
    for entry in listed if isinstance(listed, list) else []:
        key = read_key(entry)
        if key is not None:
            keys.setdefault(entry["kid"], key)
    if not keys:
        raise ProviderUnavailableError("NO_KEYS")
    return keys


def read_key(entry: Any) -> "RSAPublicKey | None":
    """An RSA public key for signatures that RS256 may use, else None."""
    from jwt.algorithms import RSAAlgorithm  # noqa: PLC0415  (loaded for directives only)
    from jwt.exceptions import PyJWTError  # noqa: PLC0415

    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or "d" in entry:
        return None
    if not isinstance(entry.get("kid"), str) or entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    try:
        key: Any = RSAAlgorithm.from_jwk(entry)
    except (PyJWTError, ValueError, TypeError, AttributeError, KeyError):
        return None
    return key if key.key_size >= SMALLEST_KEY else None


def _found(answer: Answer, what: str) -> dict[str, Any]:
    if answer.status != 200:
        raise ProviderMisconfiguredError(f"{what}_HTTP_{answer.status}")
    return dict(answer.body)
