"""Proves that an HTTPS request is Alexa's and of now: certificate URL, certificates, signature over the raw bytes, timestamp.

Behind Alexa's own trigger, Lambda needs none of this; whatever else listens on the internet does. Nothing is parsed as JSON before its
signature is proven. For any Python skill: no framework in here, and one call that reaches the network, which comes in as an argument.
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from linked_profile.errors import CertificatesUnavailableError, SignatureRefusedError
from linked_profile.signing_certificates import SigningCertificates

__all__ = ["CertificatesUnavailableError", "RequestVerifier", "SignatureRefusedError"]

SIGNATURE, CERTIFICATE_URL = "signature-256", "signaturecertchainurl"  # `Signature` without 256 is SHA-1 and proves nothing any more
# Everything that makes two readers of one URL disagree (userinfo, query, fragment, percent signs, backslashes, control characters,
# letters that fold into ASCII) has no place in it. Scheme and host may be in capitals, says Amazon; the path may not.
URL = re.compile(r"(?i:https)://(?i:s3\.amazonaws\.com)(?::443)?(/[A-Za-z0-9._~/-]{1,500})", re.ASCII)
TOLERANCE_MS, EVENT_TOLERANCE_MS = 150_000, 3_600_000  # an event is brought again for an hour, and its timestamp stays as it was
REDELIVERED = frozenset(
    f"AlexaSkillEvent.{name}"
    for name in ("SkillEnabled", "SkillDisabled", "SkillPermissionChanged", "SkillPermissionAccepted", "SkillAccountLinked")
)
ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)", re.ASCII)


class Headers(Protocol):
    """Any framework's request headers, in any case; a header may have a list of values."""

    def items(self) -> Iterable[tuple[str, str | Sequence[str]]]: ...


class RequestVerifier:
    """Verifies requests from any number of threads; build one per process, because it keeps the certificates."""

    def __init__(
        self, download: Callable[[str], bytes] | None = None, roots: bytes | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """`download` gives the content at a checked URL, `roots` are PEM (else certifi's), `clock` gives epoch seconds."""
        self._certificates = SigningCertificates(download, roots, clock)
        self._clock = clock

    def verify(self, headers: Headers, body: bytes) -> dict[str, Any]:
        """The request as Alexa meant it. Raises SignatureRefusedError, or CertificatesUnavailableError when it could not be checked."""
        self.check_signature(headers, body)
        request = parse_body(body)
        check_timestamp(request, int(self._clock() * 1000))
        return request

    def check_signature(self, headers: Headers, body: bytes) -> None:
        """Whether these very bytes are Alexa's, of whatever time. Raises as `verify`."""
        named = {SIGNATURE: "SIGNATURE", CERTIFICATE_URL: "CERTIFICATE_URL"}
        found: dict[str, list[str]] = {name: [] for name in named}
        for name, value in headers.items():
            if (lower := name.lower()) in found:
                found[lower] += [value] if isinstance(value, str) else value
        for name, values in found.items():
            if len(values) != 1:
                raise SignatureRefusedError(f"{'AMBIGUOUS' if values else 'NO'}_{named[name]}")
        url, signature = parse_certificate_url(found[CERTIFICATE_URL][0]), parse_signature(found[SIGNATURE][0])
        try:
            self._certificates.key_at(url).verify(signature, body, PKCS1v15(), SHA256())
        except InvalidSignature as error:
            raise SignatureRefusedError("WRONG_SIGNATURE") from error


def parse_certificate_url(unverified_url: str) -> str:
    """The one form of a URL below https://s3.amazonaws.com/echo.api/. Raises SignatureRefusedError for every other."""
    match = URL.fullmatch(unverified_url)
    if not match:
        raise SignatureRefusedError("FOREIGN_CERTIFICATE_URL")
    path: list[str] = []
    for segment in match[1].split("/")[1:]:
        if segment == "..":
            del path[-1:]
        elif segment != ".":
            path.append(segment)
    if len(path) < 2 or path[0] != "echo.api" or "" in path or match[1].endswith(("/.", "/..")):
        raise SignatureRefusedError("FOREIGN_CERTIFICATE_URL")
    return "https://s3.amazonaws.com/" + "/".join(path)


def parse_signature(text: str) -> bytes:
    """Raises SignatureRefusedError unless this is the one way to write these bytes: base64 leaves bits over that a reader drops."""
    try:
        signature = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise SignatureRefusedError("MALFORMED_SIGNATURE") from error
    if base64.b64encode(signature).decode() != text:
        raise SignatureRefusedError("MALFORMED_SIGNATURE")
    return signature


def parse_body(body: bytes) -> dict[str, Any]:
    """Raises SignatureRefusedError for what is no JSON object, or is nested too deep to be read."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SignatureRefusedError("MALFORMED_BODY") from error
    if not isinstance(request, dict):
        raise SignatureRefusedError("MALFORMED_BODY")
    return request


def check_timestamp(request: dict[str, Any], now_ms: int) -> None:
    """Raises SignatureRefusedError for a request of another time, ahead or behind, and for one that does not say of when it is."""
    inner = request.get("request")
    if not isinstance(inner, dict):
        raise SignatureRefusedError("NO_TIMESTAMP")
    kind = str(inner.get("type"))
    stamp = inner.get("timestamp")
    if stamp is None and kind.startswith("AlexaSkillEvent."):  # Amazon means to take it out of events, for these two
        stamp = inner.get("eventPublishingTime") or inner.get("eventCreationTime")
    time_ms = parse_timestamp_ms(stamp)
    if time_ms is None:
        raise SignatureRefusedError("NO_TIMESTAMP")
    if abs(now_ms - time_ms) > (EVENT_TOLERANCE_MS if kind in REDELIVERED else TOLERANCE_MS):
        raise SignatureRefusedError("TIMESTAMP_OUT_OF_WINDOW")


def parse_timestamp_ms(value: object) -> int | None:
    """Epoch milliseconds of ISO 8601 with its zone, or of a number of thirteen digits, which events have been seen with."""
    if isinstance(value, int):
        return value if 10**12 <= value < 10**13 else None
    if not isinstance(value, str) or not ISO_8601.fullmatch(value):
        return None
    try:
        return round(datetime.fromisoformat(value).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
