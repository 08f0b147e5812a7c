"""Signs HTTPS requests as Alexa does, with a certificate authority of the simulator's own, which nothing else trusts."""

import base64
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CERTIFICATE_URL = "https://s3.amazonaws.com/echo.api/echo-api-cert-simulator.pem"
SIGNER = "echo-api.amazon.com"
VALID_FOR = timedelta(days=7)
USAGES = (
    "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
    "key_cert_sign crl_sign encipher_only decipher_only"
)
NO_USAGE = dict.fromkeys(USAGES.split(), False)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class SigningAuthority:
    """A root, a certificate between, and a signer by the name of Alexa's; new keys for each, which never leave the memory."""

    def __init__(self, now: datetime | None = None) -> None:
        """`now` is the middle of the certificates' validity of two weeks."""
        self._now = now or datetime.now(UTC)
        root_key, between_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        root = self._authority("Simulated Root", root_key, "Simulated Root", root_key)
        between = self._authority("Simulated Issuer", between_key, "Simulated Root", root_key)
        self.roots = pem(root)
        self.certificates = pem(self._signer(between_key), between)  # what is at CERTIFICATE_URL: the signer's first

    def headers(self, body: bytes) -> dict[str, str]:
        """What a request with exactly this body carries."""
        signature = self._key.sign(body, PKCS1v15(), SHA256())
        return {
            "Content-Type": "application/json; charset=utf-8",
            "SignatureCertChainUrl": CERTIFICATE_URL,
            "Signature-256": base64.b64encode(signature).decode(),
        }

    def _authority(self, subject: str, key: PrivateKey, issuer: str, issuer_key: PrivateKey) -> x509.Certificate:
        usage = x509.KeyUsage(**{**NO_USAGE, "key_cert_sign": True, "crl_sign": True})
        builder = self._certificate(subject, key, issuer, issuer_key).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)  # noqa: FBT003
        return builder.add_extension(usage, critical=True).sign(issuer_key, SHA256())

    def _signer(self, issuer_key: PrivateKey) -> x509.Certificate:
        usage = x509.KeyUsage(**{**NO_USAGE, "digital_signature": True, "key_encipherment": True})
        for_tls = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = self._certificate(SIGNER, self._key, "Simulated Issuer", issuer_key)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(SIGNER)]), critical=False)
        return builder.add_extension(usage, critical=True).add_extension(for_tls, critical=False).sign(issuer_key, SHA256())

    def _certificate(self, subject: str, key: PrivateKey, issuer: str, issuer_key: PrivateKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(
            issuer_name=name(issuer),
            subject_name=name(subject),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=self._now - VALID_FOR,
            not_valid_after=self._now + VALID_FOR,
        )
        issuers_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        own_key = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        return builder.add_extension(issuers_key, critical=False).add_extension(own_key, critical=False)


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
