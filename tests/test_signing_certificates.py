"""Whose key is believed: chains of an authority of the tests' own, one fault at a time; how long, and how often they are fetched."""

import base64
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Store

from linked_profile.errors import CertificatesUnavailableError, SignatureRefusedError
from linked_profile.request_signature import RequestVerifier
from linked_profile.signing_certificates import MOST_WAITING, prove, read_certificates, read_roots
from tests.certificates import BETWEEN, LEAF, NOW, ROOT, SIGNER, URL, Certificate, but, chain, key, pem, roots, signed

BODY = b'{"version": "1.0"}'
OTHER_ROOT = Certificate("Other Root", "Other Root")
DAY = timedelta(1)


class Host:
    """Stands for Amazon's; `content` is bytes, or a function that gives them or raises."""

    def __init__(self, content: bytes | Callable[[str], bytes]) -> None:
        self.content, self.asked = content, []
        self.now = NOW.timestamp()
        self.verifier = RequestVerifier(self.fetch, roots(), lambda: self.now)

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        return self.content if isinstance(self.content, bytes) else self.content(url)

    def check(self, url: str = URL, name: str = SIGNER) -> None:
        self.verifier.check_signature(signed(BODY, name, SignatureCertChainUrl=url), BODY)

    def reason(self, name: str = SIGNER) -> str:
        with pytest.raises(SignatureRefusedError) as refusal:
            self.check(name=name)
        return refusal.value.reason


def url(number: int) -> str:
    return f"https://s3.amazonaws.com/echo.api/echo-api-cert-{number}.pem"


ANOTHER_BETWEEN = but(BETWEEN, name="Test RSA 2048 M02", path_length=None)
GOOD = {
    "a leaf and the one that signed it": [LEAF, BETWEEN],
    "the root with it": [LEAF, BETWEEN, ROOT],
    "certificates that have nothing to do with it": [LEAF, OTHER_ROOT, BETWEEN, but(LEAF, name="b.example.com", key="b")],
    "those after the leaf in another order": [but(LEAF, issuer=ANOTHER_BETWEEN.name), ROOT, BETWEEN, ANOTHER_BETWEEN],
    "a leaf that the root itself signed": [but(LEAF, issuer=ROOT.name)],
    "the name in capitals": [but(LEAF, alternative_names=[x509.DNSName(SIGNER.upper())]), BETWEEN],
    "several names": [but(LEAF, alternative_names=[x509.DNSName("x.amazon.com"), x509.DNSName(SIGNER)]), BETWEEN],
    "no key usage, which forbids nothing": [but(LEAF, usages=None), BETWEEN],
    "the purposes of 2023": [but(LEAF, purposes=[ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), BETWEEN],
    "a leaf on its first second": [but(LEAF, begins=NOW), BETWEEN],
    "a leaf on its last second": [but(LEAF, ends=NOW), BETWEEN],
}


@pytest.mark.parametrize("certificates", GOOD.values(), ids=GOOD)
def test_a_chain_is_believed_when_it_leads_to_the_root(certificates: list[Certificate]) -> None:
    Host(pem(*certificates)).check()


UNTRUSTED, NOT_NOW = "UNTRUSTED_CERTIFICATES", "CERTIFICATE_NOT_VALID_NOW"
BAD = {
    "a leaf that has expired": ([but(LEAF, ends=NOW - timedelta(seconds=1)), BETWEEN], NOT_NOW),
    "a leaf that is not valid yet": ([but(LEAF, begins=NOW + timedelta(seconds=1)), BETWEEN], NOT_NOW),
    "an issuer that has expired": ([LEAF, but(BETWEEN, ends=NOW - DAY)], UNTRUSTED),
    "an issuer that is not valid yet": ([LEAF, but(BETWEEN, begins=NOW + DAY)], UNTRUSTED),
    "another name": ([but(LEAF, alternative_names=[x509.DNSName("echo-api.amazon.com.example.com")]), BETWEEN], UNTRUSTED),
    "a name for every host": ([but(LEAF, alternative_names=[x509.DNSName("*.amazon.com")]), BETWEEN], UNTRUSTED),
    "a name above": ([but(LEAF, alternative_names=[x509.DNSName("amazon.com")]), BETWEEN], UNTRUSTED),
    "the name in the subject alone": ([but(LEAF, alternative_names=()), BETWEEN], UNTRUSTED),
    "the name in the subject, another beside it": ([but(LEAF, alternative_names=[x509.DNSName("a.amazon.com")]), BETWEEN], UNTRUSTED),
    "the name as an e-mail address": ([but(LEAF, alternative_names=[x509.RFC822Name(f"a@{SIGNER}")]), BETWEEN], UNTRUSTED),
    "a root that nobody trusts": ([but(LEAF, issuer="Other Root"), OTHER_ROOT], UNTRUSTED),
    "a root of our root's name": (
        [but(LEAF, issuer=ROOT.name, issuer_key="Other Root"), but(OTHER_ROOT, name=ROOT.name, key="Other Root")],
        UNTRUSTED,
    ),
    "an issuer of the issuer's name": ([but(LEAF, issuer_key="impostor"), BETWEEN], UNTRUSTED),
    "nothing between": ([LEAF], UNTRUSTED),
    "the root between, and not the issuer": ([LEAF, ROOT], UNTRUSTED),
    "the leaf in the second place": ([BETWEEN, LEAF], UNTRUSTED),
    "an issuer that is no authority": ([LEAF, but(BETWEEN, is_authority=False, path_length=None)], UNTRUSTED),
    "an issuer without constraints": ([LEAF, but(BETWEEN, is_authority=None, path_length=None)], UNTRUSTED),
    "an issuer that may not sign": ([LEAF, but(BETWEEN, usages=["digital_signature"])], UNTRUSTED),
    "a longer path than the issuer allows": (
        [but(LEAF, issuer=ANOTHER_BETWEEN.name), but(ANOTHER_BETWEEN, issuer=BETWEEN.name), BETWEEN],
        UNTRUSTED,
    ),
    "a leaf's leaf": ([but(LEAF, issuer="b.example.com", issuer_key="b"), but(LEAF, name="b.example.com", key="b"), BETWEEN], UNTRUSTED),
    "a key for encryption alone": ([but(LEAF, usages=["key_encipherment"]), BETWEEN], UNTRUSTED),
    "a key that signs certificates": ([but(LEAF, usages=["digital_signature", "key_cert_sign"]), BETWEEN], UNTRUSTED),
    "a certificate for e-mail": ([but(LEAF, purposes=[ExtendedKeyUsageOID.EMAIL_PROTECTION]), BETWEEN], UNTRUSTED),
    "an authority by the signer's name": ([but(LEAF, is_authority=True), BETWEEN], UNTRUSTED),
    "the signer's own signature": ([but(LEAF, issuer=SIGNER)], UNTRUSTED),
    "a critical extension that nobody knows": (
        [but(LEAF, more=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]), BETWEEN],
        UNTRUSTED,
    ),
}


@pytest.mark.parametrize(("certificates", "reason"), BAD.values(), ids=BAD)
def test_a_chain_is_refused_when_one_thing_is_wrong(certificates: list[Certificate], reason: str) -> None:
    assert Host(pem(*certificates)).reason() == reason


@pytest.mark.parametrize("short", ["RSA 1024 leaf", "RSA 1024 issuer"])
def test_a_chain_is_refused_when_a_key_is_short(short: str) -> None:
    of_leaf = short.endswith("leaf")
    certificates = [but(LEAF, key=short), BETWEEN] if of_leaf else [but(LEAF, issuer_key=short), but(BETWEEN, key=short)]
    assert Host(pem(*certificates)).reason(short if of_leaf else SIGNER) == UNTRUSTED


def test_a_chain_is_refused_when_the_signers_key_is_no_rsa_key() -> None:
    assert Host(pem(but(LEAF, key="EC leaf"), BETWEEN)).reason() == UNTRUSTED


@pytest.mark.parametrize("place", [0, 1])
def test_a_chain_is_refused_when_a_signature_in_it_is_of_sha_1(place: int) -> None:
    """No library signs with SHA-1 any more, so the algorithm is rewritten in the certificate, in both its places."""
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    certificates = [certificate.make() for certificate in (LEAF, BETWEEN)]
    der = certificates[place].public_bytes(Encoding.DER)
    assert der.count(sha256) == 2
    certificates[place] = x509.load_der_x509_certificate(der.replace(sha256, sha1))
    assert isinstance(certificates[place].signature_hash_algorithm, hashes.SHA1)
    content = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
    assert Host(content).reason() == UNTRUSTED


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "NO_CERTIFICATES"),
        (b"<html><body>Sign in to the hotel's network</body></html>", "NO_CERTIFICATES"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "NO_CERTIFICATES"),
        (chain()[: len(chain()) // 3], "NO_CERTIFICATES"),
        (chain() * 6, "TOO_MANY_CERTIFICATES"),
    ],
    ids=["nothing", "a web page", "no certificate", "a part", "twelve"],
)
def test_content_is_refused_when_it_is_no_chain(content: bytes, reason: str) -> None:
    assert Host(content).reason() == reason


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_chain_is_refused_when_any_byte_of_its_leaf_is_another() -> None:
    """And with no other error than a refusal, wherever the byte is: a library for certificates has many."""
    der, issuer = LEAF.make().public_bytes(Encoding.DER), pem(BETWEEN)
    for place in range(len(der)):
        spoiled = der[:place] + bytes([der[place] ^ 0x80]) + der[place + 1 :]
        content = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(spoiled) + b"-----END CERTIFICATE-----\n" + issuer
        with pytest.raises(SignatureRefusedError):
            prove(read_certificates(content), Store(read_roots(roots())), NOW.timestamp())


def test_a_body_is_refused_when_another_believed_key_signed_it() -> None:
    host = Host(chain())
    assert host.reason("another key") == "WRONG_SIGNATURE"


# ---- the cache


def test_one_download_is_enough_when_requests_follow_each_other() -> None:
    host = Host(chain())
    for _ in range(20):
        host.check()
        host.now += 3 * 3600
    assert host.asked == [URL]


@pytest.mark.parametrize("certificate", [0, 1, 2], ids=["leaf", "issuer", "root"])
def test_a_kept_chain_is_not_used_when_one_of_it_expires(certificate: int) -> None:
    ends = [{}, {}, {}]
    ends[certificate] = {"ends": NOW + timedelta(minutes=5)}
    host = Host(pem(but(LEAF, **ends[0]), but(BETWEEN, **ends[1])))
    host.verifier = RequestVerifier(host.fetch, pem(but(ROOT, **ends[2])), lambda: host.now)
    host.check()
    host.now += 300
    host.check()
    host.now += 1
    with pytest.raises(SignatureRefusedError):
        host.check()
    assert len(host.asked) == 2


def test_a_new_chain_is_taken_when_the_kept_one_has_expired() -> None:
    host = Host(pem(but(LEAF, ends=NOW + timedelta(minutes=5)), BETWEEN))
    host.check()
    host.now, host.content = host.now + 301, chain()
    host.check()
    host.check()
    assert len(host.asked) == 2


def test_a_kept_chain_is_not_used_when_our_clock_goes_back_before_it() -> None:
    host = Host(pem(but(LEAF, begins=NOW - timedelta(minutes=5)), BETWEEN))
    host.check()
    host.now -= 301
    assert host.reason() == NOT_NOW


def test_the_path_is_proven_anew_when_an_hour_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    from linked_profile import signing_certificates  # noqa: PLC0415

    proven, prove = [], signing_certificates.prove
    monkeypatch.setattr(signing_certificates, "prove", lambda *arguments: proven.append(arguments[2]) or prove(*arguments))
    host = Host(chain())
    for later in (0, 1, 3598, 1, 1, 3599, 1):
        host.now += later
        host.check()
    begin = NOW.timestamp()
    assert proven == [begin, begin + 3600, begin + 7200]
    assert len(host.asked) == 1


def test_a_failure_is_forgotten_when_the_next_request_comes() -> None:
    host = Host(b"<html>")
    host.reason()
    host.content = chain()
    host.check()
    assert len(host.asked) == 2


def test_eight_chains_are_kept_when_nine_were_used() -> None:
    host = Host(chain())
    for number in range(8):
        host.check(url(number))
    host.check(url(0))  # so that number 1 is the one that was used longest ago
    host.check(url(8))
    assert len(host.asked) == 9
    host.check(url(0))
    assert len(host.asked) == 9
    host.check(url(1))
    assert len(host.asked) == 10


# ---- many threads


def test_there_is_one_download_when_eight_threads_need_it_at_once() -> None:
    everybody = threading.Barrier(8)
    answer = threading.Event()

    def late(_: str) -> bytes:
        answer.wait(10)
        return chain()

    host = Host(late)

    def request(_: int) -> None:
        everybody.wait(10)
        host.check()

    with ThreadPoolExecutor(8) as threads:
        waiting = threads.map(request, range(8))
        time.sleep(0.1)  # so that all of them wait; if one came late, it would find the chain kept
        answer.set()
        list(waiting)
    assert host.asked == [URL]


def test_everybody_who_waited_is_refused_when_the_one_download_fails() -> None:
    answer, everybody = threading.Event(), threading.Barrier(9)

    def fail(_: str) -> bytes:
        answer.wait(10)
        raise CertificatesUnavailableError("NO_ANSWER_IN_TIME")

    host = Host(fail)

    def request(_: int) -> str:
        everybody.wait(10)
        try:
            host.check()
        except CertificatesUnavailableError as error:
            return error.reason
        return "believed"

    with ThreadPoolExecutor(8) as threads:
        outcomes = threads.map(request, range(8))
        everybody.wait(10)
        answer.set()
        assert set(outcomes) == {"NO_ANSWER_IN_TIME"}
    host.content = chain()
    host.check()


def test_requests_with_kept_certificates_go_on_when_another_download_is_slow() -> None:
    begun, answer = threading.Event(), threading.Event()

    def slow(url_asked: str) -> bytes:
        if url_asked != URL:
            begun.set()
            answer.wait(10)
        return chain()

    host = Host(slow)
    host.check()
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(host.check, url(99))
        assert begun.wait(10)
        for _ in range(50):
            host.check()
        assert not waiting.done()
        answer.set()
        waiting.result(10)


def test_strangers_hold_no_more_than_four_threads_when_they_make_up_urls_of_a_slow_host() -> None:
    """One URL or many; requests with kept certificates go on, and the host is asked again when it has recovered."""
    begun, answer = threading.Semaphore(0), threading.Event()

    def slow(url_asked: str) -> bytes:
        if url_asked != URL and not answer.is_set():
            begun.release()
            answer.wait(10)
        return chain()

    host = Host(slow)
    host.check()
    with ThreadPoolExecutor(MOST_WAITING) as threads:
        waiting = [threads.submit(host.check, url(number)) for number in range(MOST_WAITING)]
        try:
            for _ in waiting:
                assert begun.acquire(timeout=10)
            for made_up in (url(0), url(99)):
                with pytest.raises(CertificatesUnavailableError, match="TOO_MANY_DOWNLOADS"):
                    host.check(made_up)
            host.check()
        finally:
            answer.set()
        for each in waiting:
            each.result(10)
    host.check(url(99))


def test_no_thread_counts_as_waiting_when_its_download_has_failed() -> None:
    def fail(url_asked: str) -> bytes:
        if url_asked != URL:
            raise CertificatesUnavailableError("HTTP_503")
        return chain()

    host = Host(fail)
    host.check()
    for number in range(3 * MOST_WAITING):
        with pytest.raises(CertificatesUnavailableError, match="HTTP_503"):
            host.check(url(number))


def test_the_public_roots_are_the_default_when_none_are_given() -> None:
    verifier = RequestVerifier(lambda _: chain(), clock=NOW.timestamp)
    with pytest.raises(SignatureRefusedError, match="UNTRUSTED_CERTIFICATES"):
        verifier.check_signature(signed(BODY), BODY)


def test_the_others_are_believed_when_one_root_cannot_be_read() -> None:
    unreadable = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    verifier = RequestVerifier(lambda _: chain(), unreadable + roots(), NOW.timestamp)
    verifier.check_signature(signed(BODY), BODY)


def test_the_keys_of_the_tests_are_what_their_names_say() -> None:
    assert (key("RSA 1024 leaf").key_size, key(SIGNER).key_size) == (1024, 2048)
