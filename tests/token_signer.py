"""Signs tokens as an identity provider does: a key pair, its published half, and everything that may be wrong with a token."""

import base64
import functools
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.loopback_provider import CLIENT_ID, ISSUER, POOL_ID

SUB = "7f2c9d1e-4b60-4d3a-9c58-2e0a1b6d8f47"
NOW = 1_773_480_000  # 14 March 2026, as the recorded messages
FAR = 4_000_000_000
KEYS_PATH = f"/{POOL_ID}/.well-known/jwks.json"


class Signer:
    """One key pair under its key id."""

    def __init__(self, key_id: str, bits: int = 2048) -> None:
        self.key_id = key_id
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    @property
    def public_pem(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, form)

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """The public half, as a provider publishes it; None as a change takes a part away."""
        numbers = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        published = {"kty": "RSA", "n": numbers["n"], "e": numbers["e"], "kid": self.key_id, "use": "sig", "alg": "RS256"}
        return {name: value for name, value in {**published, **changes}.items() if value is not None}

    def sign(self, claims: dict[str, Any], header: dict[str, Any] | None = None, algorithm: str = "RS256") -> str:
        """A token of these claims; None as a claim or a part of the header takes it away."""
        kept = {name: value for name, value in claims.items() if value is not None}
        parts = {name: value for name, value in {"kid": self.key_id, **(header or {})}.items() if value is not None}
        return jwt.encode(kept, self.private, algorithm, parts)

    def access_token(self, sub: str = SUB, /, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """An access token of our pool and client, as Cognito makes it."""
        claims = {"sub": sub, "iss": ISSUER, "client_id": CLIENT_ID, "token_use": "access", "exp": FAR, "iat": NOW, "scope": "openid"}
        return self.sign({**claims, "jti": "9d3a", "username": "4d7e", **changes}, header)


@functools.cache
def signer(key_id: str = "pool-key-1") -> Signer:
    """Generating a key takes a tenth of a second, so the tests share them."""
    return Signer(key_id)


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A token whose parts are what they are told to be."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(segment(part) for part in parts)


def segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
