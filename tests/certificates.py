"""A certificate authority for tests: chains as Amazon's look, and every way in which one can be wrong."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)
URL = "https://s3.amazonaws.com/echo.api/echo-api-cert-15.pem"
SIGNER = "echo-api.amazon.com"
USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")


@cache
def key(name: str) -> Any:
    """One key of each name for the whole run; `RSA 1024 x` is short, `EC x` is no RSA key."""
    if name.startswith("EC"):
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 1024 if "1024" in name else 2048)


@dataclass(frozen=True)
class Certificate:
    """What a certificate says, and who signs it."""

    name: str
    issuer: str
    key: str = ""  # its name is the subject's where none is given
    issuer_key: str = ""
    begins: datetime = NOW - timedelta(100)
    ends: datetime = NOW + timedelta(100)
    is_authority: bool | None = True
    path_length: int | None = None
    alternative_names: Sequence[x509.GeneralName] = ()
    usages: Sequence[str] | None = ("key_cert_sign", "crl_sign", "digital_signature")
    purposes: Sequence[x509.ObjectIdentifier] = ()
    signed_with: Any = field(default_factory=hashes.SHA256)
    more: Sequence[tuple[x509.ExtensionType, bool]] = ()

    def make(self) -> x509.Certificate:
        own, issuers = key(self.key or self.name), key(self.issuer_key or self.issuer)
        subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (self.name, self.issuer))
        number = x509.random_serial_number()
        builder = x509.CertificateBuilder(issuer, subject, own.public_key(), number, self.begins, self.ends)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuers.public_key()), critical=False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        for extension, critical in self.extensions():
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuers, self.signed_with)

    def extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
        found: list[tuple[x509.ExtensionType, bool]] = list(self.more)
        if self.is_authority is not None:
            found.append((x509.BasicConstraints(self.is_authority, self.path_length), True))
        if self.alternative_names:
            found.append((x509.SubjectAlternativeName(self.alternative_names), False))
        if self.usages is not None:
            named = {usage: usage in self.usages for usage in USAGES}
            found.append((x509.KeyUsage(**named, encipher_only=False, decipher_only=False), True))
        if self.purposes:
            found.append((x509.ExtendedKeyUsage(self.purposes), False))
        return found


ROOT = Certificate("Test Root", "Test Root")
BETWEEN = Certificate("Test RSA 2048 M01", "Test Root", path_length=0)
LEAF = Certificate(
    SIGNER,
    BETWEEN.name,
    is_authority=False,
    alternative_names=(x509.DNSName(SIGNER),),
    usages=("digital_signature", "key_encipherment"),
    purposes=(ExtendedKeyUsageOID.SERVER_AUTH,),
    more=(
        (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("2.23.140.1.2.1"), None)]), False),
        (
            x509.CRLDistributionPoints(
                [x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl.example.com/a.crl")], None, None, None)]
            ),
            False,
        ),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), b"\x04\x02\x00\x00"), False),  # its log entries
    ),
)


def pem(*certificates: Certificate) -> bytes:
    return b"".join(certificate.make().public_bytes(Encoding.PEM) for certificate in certificates)


def private_pem(name: str) -> bytes:
    return key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def roots() -> bytes:
    return pem(ROOT)


@cache
def chain() -> bytes:
    """What stands at URL: leaf first, then the one that signed it."""
    return pem(LEAF, BETWEEN)


def signed(body: bytes, name: str = SIGNER, **changes: str) -> dict[str, str]:
    """The headers of a request with this body."""
    signature = base64.b64encode(key(name).sign(body, PKCS1v15(), hashes.SHA256())).decode()
    return {"SignatureCertChainUrl": URL, "Signature-256": signature, **changes}


def but(certificate: Certificate, **changes: Any) -> Certificate:
    return replace(certificate, **changes)
