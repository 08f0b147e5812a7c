"""The keys that Alexa signs its HTTPS requests with: certificates proven up to a trusted root, and kept for a while."""

import re
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from linked_profile.certificate_download import CertificateDownload
from linked_profile.errors import CertificatesUnavailableError, SignatureRefusedError

SIGNER = "echo-api.amazon.com"
MOST_CHAINS, MOST_CERTIFICATES = 8, 10  # Alexa uses one chain of four at a time
PROVEN_FOR_S = 3600
MOST_WAITING = 4  # threads; a stranger who makes up URLs must not hold all of a server's
SHORTEST_KEY = 2048  # bits
PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Chain:
    """Certificates that led to a trusted root when they were looked at last."""

    certificates: Sequence[x509.Certificate]  # the signer's first
    key: RSAPublicKey
    begins: float  # epoch seconds; when every certificate on the path is valid
    ends: float
    proven_at: float

    def is_valid(self, now: float) -> bool:
        return self.begins <= now <= self.ends


class SigningCertificates:
    """The signer's keys by certificate URL: one download each, eight kept, proven anew every hour; a failure is never kept."""

    def __init__(self, download: Callable[[str], bytes] | None, roots: bytes | None, clock: Callable[[], float]) -> None:
        """`download` gives the content at a checked URL (else it is fetched), `roots` are PEM (else certifi's), `clock` epoch seconds."""
        self._download, self._clock = download or CertificateDownload(), clock
        self._store = Store(read_roots(roots or Path(certifi.where()).read_bytes()))
        self._chains: OrderedDict[str, Chain] = OrderedDict()
        self._downloads: dict[str, Future[Chain]] = {}
        self._waiting = 0
        self._lock = threading.Lock()  # never held during a download or a proof

    def key_at(self, url: str) -> RSAPublicKey:
        """The signer's key. Raises SignatureRefusedError, CertificatesUnavailableError."""
        chain = self._kept(url, self._clock()) or self._downloaded(url)
        return chain.key

    def _kept(self, url: str, now: float) -> Chain | None:
        """None when there is none that is good now: a new one may stand at its place."""
        with self._lock:
            chain = self._chains.get(url)
            if chain is None:
                return None
            if not chain.is_valid(now):
                del self._chains[url]
                return None
            self._chains.move_to_end(url)
        if not 0 <= now - chain.proven_at < PROVEN_FOR_S:
            chain = prove(chain.certificates, self._store, now)
            self._keep(url, chain)
        return chain

    def _downloaded(self, url: str) -> Chain:
        """Asks once for everybody who is waiting for this URL; while others' certificates are kept, few may wait."""
        with self._lock:
            chain, running = self._chains.get(url), self._downloads.get(url)
            if chain is not None:  # it came a moment ago
                return chain
            if self._chains and self._waiting >= MOST_WAITING:
                raise CertificatesUnavailableError("TOO_MANY_DOWNLOADS")
            self._waiting += 1
            download = running or self._downloads.setdefault(url, Future())
        try:
            return self._outcome(url, download, is_ours=running is None)
        finally:
            with self._lock:
                self._waiting -= 1

    def _outcome(self, url: str, download: Future[Chain], *, is_ours: bool) -> Chain:
        """What the download gives; the first one to ask makes it."""
        if is_ours:
            try:
                chain = prove(read_certificates(self._download(url)), self._store, self._clock())
                self._keep(url, chain)
                download.set_result(chain)
            except BaseException as error:  # noqa: BLE001  (the others who wait get it too, and the next request asks anew)
                download.set_exception(error)
            with self._lock:
                del self._downloads[url]
        return download.result()

    def _keep(self, url: str, chain: Chain) -> None:
        with self._lock:
            self._chains[url] = chain
            while len(self._chains) > MOST_CHAINS:
                self._chains.popitem(last=False)


def prove(certificates: Sequence[x509.Certificate], roots: Store, now: float) -> Chain:
    """RFC 5280 with the Web PKI's demands: a path to a root, the signer's name, no short key, no SHA-1. Raises SignatureRefusedError."""
    leaf, *others = certificates
    if not leaf.not_valid_before_utc.timestamp() <= now <= leaf.not_valid_after_utc.timestamp():
        raise SignatureRefusedError("CERTIFICATE_NOT_VALID_NOW")  # a word of its own: it is what a wrong clock of ours looks like
    policy = PolicyBuilder().store(roots).time(datetime.fromtimestamp(now, UTC))
    policy = policy.extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=signers_policy())
    try:
        path = policy.build_server_verifier(x509.DNSName(SIGNER)).verify(leaf, others)
        key = leaf.public_key()
    except (VerificationError, UnsupportedAlgorithm, ValueError) as error:
        raise SignatureRefusedError("UNTRUSTED_CERTIFICATES") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < SHORTEST_KEY:  # the library measures the issuers' keys, not this one
        raise SignatureRefusedError("UNTRUSTED_CERTIFICATES")
    begins = max(certificate.not_valid_before_utc.timestamp() for certificate in path)
    ends = min(certificate.not_valid_after_utc.timestamp() for certificate in path)
    return Chain(certificates, key, begins, ends, now)


def signers_policy() -> ExtensionPolicy:
    """The Web PKI's for a server; and the signer is named in full, and the key is for signatures, where it says what it is for."""
    policy = ExtensionPolicy.webpki_defaults_ee().may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, check_key_usage)
    return policy.require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, check_names)


def check_names(_policy: Policy, _certificate: x509.Certificate, names: x509.SubjectAlternativeName) -> None:
    """Raises ValueError, which the verifier takes as a refusal: to it, *.amazon.com would do."""
    if SIGNER not in {name.lower() for name in names.get_values_for_type(x509.DNSName)}:
        raise ValueError("another name")


def check_key_usage(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    """Raises ValueError, which the verifier takes as a refusal."""
    if usage is not None and (not usage.digital_signature or usage.key_cert_sign):
        raise ValueError("not for signatures")


def read_certificates(content: bytes) -> Sequence[x509.Certificate]:
    """Raises SignatureRefusedError."""
    try:
        certificates = x509.load_pem_x509_certificates(content)
    except (ValueError, x509.InvalidVersion) as error:
        raise SignatureRefusedError("NO_CERTIFICATES") from error
    if len(certificates) > MOST_CERTIFICATES:
        raise SignatureRefusedError("TOO_MANY_CERTIFICATES")
    return certificates


def read_roots(pem: bytes) -> list[x509.Certificate]:
    """One by one: a root with a serial number that RFC 5280 forbids is left out, instead of all of them."""
    roots = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in PEM.findall(pem):
            try:
                roots.append(x509.load_pem_x509_certificate(block))
            except (ValueError, Warning, x509.InvalidVersion):
                continue
    return roots
