"""Which requests are Alexa's: certificate URLs, every bit of signature and body, headers, timestamps; nothing parsed before the proof."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, request

from linked_profile.errors import RefusedRequestError
from linked_profile.request_signature import RequestVerifier, SignatureRefusedError
from tests.certificates import NOW, URL, chain, roots, signed
from tests.conftest import message

AT_NOW = "2026-05-17T12:00:00Z"
ROOT_URL = "https://s3.amazonaws.com/echo.api/"
CERTIFICATE = f"{ROOT_URL}echo-api-cert-15.pem"


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def verifier(asked: list[str]) -> RequestVerifier:
    def download(url: str) -> bytes:
        asked.append(url)
        return chain()

    return RequestVerifier(download, roots(), NOW.timestamp)


def body_of(kind: str = "IntentRequest", timestamp: Any = AT_NOW, **more: Any) -> bytes:
    return json.dumps({"version": "1.0", "request": {"type": kind, "timestamp": timestamp, **more}}).encode()


def reason(verifier: RequestVerifier, body: bytes, headers: Any = None) -> str:
    """Why the request is refused; empty when it is not."""
    try:
        verifier.verify(signed(body) if headers is None else headers, body)
    except SignatureRefusedError as error:
        return error.reason
    return ""


# ---- the certificate URL

GOOD_URLS = {
    CERTIFICATE: "as Amazon writes it",
    "https://s3.amazonaws.com:443/echo.api/echo-api-cert-15.pem": "https's own port",
    "HTTPS://s3.amazonaws.com/echo.api/echo-api-cert-15.pem": "a scheme has no case",
    "https://S3.AmazonAWS.com/echo.api/echo-api-cert-15.pem": "a host name has no case",
    "https://s3.amazonaws.com/echo.api/../echo.api/echo-api-cert-15.pem": "Amazon's own example of a path to normalise",
    "https://s3.amazonaws.com/other/../echo.api/echo-api-cert-15.pem": "it ends in the right folder",
    "https://s3.amazonaws.com/./echo.api/./echo-api-cert-15.pem": "a dot is the same folder",
    "https://s3.amazonaws.com/../echo.api/echo-api-cert-15.pem": "above the root is the root (RFC 3986, 5.2.4)",
    "https://s3.amazonaws.com/echo.api/a/../echo-api-cert-15.pem": "down and up",
}
BAD_URLS = {
    "": "empty",
    "http://s3.amazonaws.com/echo.api/cert.pem": "not https",
    "ftp://s3.amazonaws.com/echo.api/cert.pem": "not https",
    "httpss://s3.amazonaws.com/echo.api/cert.pem": "not https",
    "http\u017f://s3.amazonaws.com/echo.api/cert.pem": "a long s that lower case turns into an s",
    "https:/s3.amazonaws.com/echo.api/cert.pem": "one slash",
    "https:s3.amazonaws.com/echo.api/cert.pem": "no slashes",
    "https:///s3.amazonaws.com/echo.api/cert.pem": "no host",
    "//s3.amazonaws.com/echo.api/cert.pem": "no scheme",
    "s3.amazonaws.com/echo.api/cert.pem": "no scheme",
    "file:///echo.api/cert.pem": "a file",
    "https://s3.amazonaws.com.example.com/echo.api/cert.pem": "another host",
    "https://example.com/echo.api/cert.pem": "another host",
    "https://s3-eu-west-1.amazonaws.com/echo.api/cert.pem": "another host",
    "https://echo.api.s3.amazonaws.com/cert.pem": "the bucket as a host",
    "https://xs3.amazonaws.com/echo.api/cert.pem": "another host",
    "https://s3.amazonaws.com./echo.api/cert.pem": "another spelling of the host",
    "https://s3.amazonaws.co\u212a/echo.api/cert.pem": "a letter that folds into ASCII",
    "https://\uff533.amazonaws.com/echo.api/cert.pem": "a wide letter",
    "https://169.254.169.254/echo.api/cert.pem": "the metadata address",
    "https://127.0.0.1/echo.api/cert.pem": "this machine",
    "https://[::1]/echo.api/cert.pem": "this machine",
    "https://user@s3.amazonaws.com/echo.api/cert.pem": "userinfo",
    "https://user:word@s3.amazonaws.com/echo.api/cert.pem": "userinfo",
    "https://s3.amazonaws.com@example.com/echo.api/cert.pem": "userinfo that looks like the host",
    "https://s3.amazonaws.com\\@example.com/echo.api/cert.pem": "a backslash that some take for a slash",
    "https://s3.amazonaws.com#@example.com/echo.api/cert.pem": "a fragment before the path",
    "https://s3.amazonaws.com?@example.com/echo.api/cert.pem": "a query before the path",
    "https://s3.amazonaws.com:563/echo.api/cert.pem": "another port",
    "https://s3.amazonaws.com:80/echo.api/cert.pem": "another port",
    "https://s3.amazonaws.com:/echo.api/cert.pem": "a port without a number",
    "https://s3.amazonaws.com:0443/echo.api/cert.pem": "another spelling of the port",
    "https://s3.amazonaws.com:\u0664\u0664\u0663/echo.api/cert.pem": "a port in other digits",
    "https://s3.amazonaws.com:443:443/echo.api/cert.pem": "two ports",
    "https://s3.amazonaws.com:https/echo.api/cert.pem": "a port that is no number",
    "https://s3.amazonaws.com/EcHo.aPi/cert.pem": "a path has case",
    "https://s3.amazonaws.com/invalid.path/cert.pem": "another bucket",
    "https://s3.amazonaws.com/echo.api.evil/cert.pem": "another bucket",
    "https://s3.amazonaws.com/echo.ap/i/cert.pem": "another bucket",
    "https://s3.amazonaws.com/x/echo.api/cert.pem": "another bucket",
    "https://s3.amazonaws.com/echo.api/../attacker-bucket/cert.pem": "it ends in another bucket",
    "https://s3.amazonaws.com/echo.api/a/../../attacker-bucket/cert.pem": "it ends in another bucket",
    "https://s3.amazonaws.com/echo.api/%2e%2e/attacker-bucket/cert.pem": "a percent sign: servers read it as two dots",
    "https://s3.amazonaws.com/echo.api/%2E%2E%2Fattacker-bucket/cert.pem": "a percent sign",
    "https://s3.amazonaws.com/echo.api/..%2fattacker-bucket/cert.pem": "a percent sign",
    "https://s3.amazonaws.com/echo.api/%252e%252e/attacker-bucket/cert.pem": "a percent sign, twice",
    "https://s3.amazonaws.com/%65cho.api/cert.pem": "a percent sign",
    "https://s3.amazonaws.com/echo.api/cert.pem%00": "a percent sign",
    "https://s3.amazonaws.com/echo.api\\..\\attacker-bucket\\cert.pem": "backslashes",
    "https://s3.amazonaws.com\\echo.api\\cert.pem": "backslashes",
    "https://s3.amazonaws.com//echo.api/cert.pem": "an empty folder: another bucket to S3",
    "https://s3.amazonaws.com/echo.api//cert.pem": "an empty folder",
    "https://s3.amazonaws.com/echo.api/": "the bucket itself",
    "https://s3.amazonaws.com/echo.api": "the bucket itself",
    "https://s3.amazonaws.com/echo.api/.": "the bucket itself",
    "https://s3.amazonaws.com/echo.api/x/..": "the bucket itself",
    "https://s3.amazonaws.com/echo.api/x/": "a folder",
    "https://s3.amazonaws.com/echo.api/x/.": "a folder",
    "https://s3.amazonaws.com/echo.api/x/y/..": "a folder",
    "https://s3.amazonaws.com/": "no path",
    "https://s3.amazonaws.com": "no path",
    "https://s3.amazonaws.com/echo.api/cert.pem?versionId=1": "a query",
    "https://s3.amazonaws.com/echo.api/cert.pem?": "an empty query",
    "https://s3.amazonaws.com/echo.api/cert.pem#part": "a fragment",
    "https://s3.amazonaws.com/echo.api/cert.pem#": "an empty fragment",
    "https://s3.amazonaws.com/echo.api/cert.pem;a=1": "a parameter",
    " https://s3.amazonaws.com/echo.api/cert.pem": "a space",
    "https://s3.amazonaws.com/echo.api/cert.pem ": "a space",
    "https://s3.amazonaws.com/echo.api/ce rt.pem": "a space",
    "https://s3.amazonaws.com/echo.api/cert.pem\n": "a line break, which Python's own reader drops",
    "https://s3.amazonaws.com/echo.api/cert\r\nHost: example.com": "a header in a header",
    "https://s3.ama\tzonaws.com/echo.api/cert.pem": "a tab, which Python's own reader drops",
    "https://s3.amazonaws.com/echo.api/cert\x00.pem": "a zero byte",
    "https://s3.amazonaws.com/echo.api/cert\u202e.pem": "a sign that turns the text around",
    "https://s3.amazonaws.com/echo.api/c\u00e9rt.pem": "not ASCII",
    f"{CERTIFICATE},{CERTIFICATE}": "two headers, joined by a proxy",
    f"{ROOT_URL}{'a' * 600}": "too long",
}


@pytest.mark.parametrize("url", GOOD_URLS, ids=GOOD_URLS.get)
def test_one_url_is_fetched_when_the_header_is_one_of_its_spellings(url: str, verifier: RequestVerifier, asked: list[str]) -> None:
    body = body_of()
    assert reason(verifier, body, signed(body, SignatureCertChainUrl=url)) == ""
    assert asked == [CERTIFICATE]


@pytest.mark.parametrize("url", BAD_URLS, ids=lambda url: ascii(url)[:80])
def test_nothing_is_fetched_when_the_url_is_not_amazons(url: str, verifier: RequestVerifier, asked: list[str]) -> None:
    body = body_of()
    assert reason(verifier, body, signed(body, SignatureCertChainUrl=url)) == "FOREIGN_CERTIFICATE_URL"
    assert asked == []


# ---- signature and body, bit by bit


def flipped(content: bytes) -> list[bytes]:
    """The content with one bit turned around, for each of its bits."""
    return [content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :] for at in range(len(content)) for bit in range(8)]


def test_a_request_is_refused_when_any_bit_of_its_body_is_another(verifier: RequestVerifier) -> None:
    body = body_of()
    headers = signed(body)
    assert reason(verifier, body, headers) == ""
    outcomes = [reason(verifier, other, headers) for other in flipped(body)]
    assert (set(outcomes), len(outcomes)) == ({"WRONG_SIGNATURE"}, len(body) * 8)


def test_a_request_is_refused_when_any_bit_of_its_signature_is_another(verifier: RequestVerifier) -> None:
    body = body_of()
    signature = base64.b64decode(signed(body)["Signature-256"])
    others = [signed(body, **{"Signature-256": base64.b64encode(other).decode()}) for other in flipped(signature)]
    assert {reason(verifier, body, headers) for headers in others} == {"WRONG_SIGNATURE"}
    assert len(others) == 2048


def test_a_request_is_refused_when_any_bit_of_the_signatures_header_is_another(verifier: RequestVerifier) -> None:
    """Also the four that base64 leaves over in its last letter: a reader that drops them would believe fifteen other headers."""
    body = body_of()
    header = signed(body)["Signature-256"].encode()
    others = [signed(body, **{"Signature-256": other.decode("latin-1")}) for other in flipped(header)]
    assert {reason(verifier, body, headers) for headers in others} == {"WRONG_SIGNATURE", "MALFORMED_SIGNATURE"}
    assert len(others) == 2752


def test_no_other_address_is_asked_when_any_bit_of_the_url_is_another(verifier: RequestVerifier, asked: list[str]) -> None:
    """A letter of scheme or host in the other case is the same URL; in the path it is another one below the same folder."""
    body, believed = body_of(), 0
    for other in flipped(URL.encode()):
        believed += reason(verifier, body, signed(body, SignatureCertChainUrl=other.decode("latin-1"))) == ""
    assert believed > 0
    assert {url[: len(ROOT_URL)] for url in asked} == {ROOT_URL}


@pytest.mark.parametrize(
    "change",
    [
        lambda body: json.dumps(json.loads(body), separators=(",", ":")).encode(),
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body + b"\n",
        lambda body: body + b" ",
        lambda body: b" " + body,
        lambda body: body.replace(b", ", b",\r\n"),
        lambda body: body.decode().encode("utf-16"),
        lambda body: body[:-1],
        lambda body: body + body,
        lambda body: b"",
    ],
    ids=["written anew", "BOM", "line break", "space after", "space before", "CRLF", "UTF-16", "cut", "twice", "empty"],
)
def test_a_request_is_refused_when_its_bytes_are_others_that_mean_the_same(change: Any, verifier: RequestVerifier) -> None:
    body = body_of()
    assert reason(verifier, change(body), signed(body)) == "WRONG_SIGNATURE"


@pytest.mark.parametrize("signature", ["", "=", "AAAA", "A" * 344, "A" * 100_000, "!" * 344, "\u00e9" * 344, "\ud800"])
def test_a_request_is_refused_when_its_signature_is_none(signature: str, verifier: RequestVerifier) -> None:
    body = body_of()
    assert reason(verifier, body, signed(body, **{"Signature-256": signature})) in {"MALFORMED_SIGNATURE", "WRONG_SIGNATURE"}


def test_json_is_not_parsed_when_the_signature_is_wrong(verifier: RequestVerifier, monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*arguments: Any, **named: Any) -> None:
        raise AssertionError("parsed before it was proven")

    monkeypatch.setattr(json, "loads", parse)
    assert reason(verifier, b'{"a": 1}', signed(b"{}")) == "WRONG_SIGNATURE"
    with pytest.raises(AssertionError):
        verifier.verify(signed(b"{}"), b"{}")


# ---- headers


def test_a_request_is_believed_when_its_headers_are_in_any_case_or_in_lists(verifier: RequestVerifier) -> None:
    body = body_of()
    for spell in (str.lower, str.upper, str.title):
        assert reason(verifier, body, {spell(name): value for name, value in signed(body).items()}) == ""
    assert reason(verifier, body, {name: [value] for name, value in signed(body).items()}) == ""
    assert verifier.verify({**signed(body), "X-Forwarded-For": "192.0.2.1", "Via": ["1.1 a", "1.1 b"]}, body) == json.loads(body)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Signature-256": None}, "NO_SIGNATURE"),
        ({"SignatureCertChainUrl": None}, "NO_CERTIFICATE_URL"),
        ({"Signature-256": None, "SignatureCertChainUrl": None}, "NO_SIGNATURE"),
        ({"Signature-256": []}, "NO_SIGNATURE"),
        ({"signature-256": "AAAA"}, "AMBIGUOUS_SIGNATURE"),
        ({"Signature-256": ["AAAA", "BBBB"]}, "AMBIGUOUS_SIGNATURE"),
        ({"SIGNATURECERTCHAINURL": CERTIFICATE}, "AMBIGUOUS_CERTIFICATE_URL"),
    ],
)
def test_a_request_is_refused_when_a_header_is_missing_or_there_twice(
    change: dict[str, Any], expected: str, verifier: RequestVerifier
) -> None:
    body = body_of()
    headers = {name: value for name, value in {**signed(body), **change}.items() if value is not None}
    assert reason(verifier, body, headers) == expected


def test_a_request_is_refused_when_only_the_old_sha_1_header_is_there(verifier: RequestVerifier) -> None:
    body = body_of()
    headers = signed(body)
    headers["Signature"] = headers.pop("Signature-256")
    assert reason(verifier, body, headers) == "NO_SIGNATURE"


# ---- the timestamp

HOUR = timedelta(hours=1)
EDGES = [
    (timedelta(seconds=150), True),
    (timedelta(seconds=150, milliseconds=1), False),
    (timedelta(seconds=149), True),
    (timedelta(0), True),
    (HOUR, False),
]
EVENTS = ["SkillEnabled", "SkillDisabled", "SkillPermissionChanged", "SkillPermissionAccepted", "SkillAccountLinked"]
EVENT_EDGES = [(HOUR, True), (HOUR + timedelta(milliseconds=1), False), (timedelta(seconds=151), True), (timedelta(days=1), False)]
OTHERS = [
    "LaunchRequest",
    "IntentRequest",
    "SessionEndedRequest",
    "AlexaSkillEvent.ProactiveSubscriptionChanged",
    "AlexaSkillEvent.SkillAccountUnlinked",
    "AlexaSkillEvent.",
    "SkillDisabled",
    "alexaskillevent.skilldisabled",
    "AlexaSkillEvent.SkillDisabledX",
]


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize("direction", [1, -1], ids=["ahead", "behind"])
@pytest.mark.parametrize(
    ("kind", "away", "believed"),
    [(kind, *edge) for kind in OTHERS for edge in EDGES] + [(f"AlexaSkillEvent.{kind}", *edge) for kind in EVENTS for edge in EVENT_EDGES],
)
def test_a_request_is_believed_up_to_its_last_millisecond(
    kind: str, away: timedelta, believed: bool, direction: int, verifier: RequestVerifier
) -> None:
    expected = "" if believed else "TIMESTAMP_OUT_OF_WINDOW"
    assert reason(verifier, body_of(kind, iso(NOW + direction * away))) == expected


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-05-17T12:00:00Z",
        "2026-05-17T12:00:00.123456789Z",
        "2026-05-17T14:00:00+02:00",
        "2026-05-17T07:00:00-0500",
        int(NOW.timestamp() * 1000),
    ],
)
def test_a_timestamp_is_read_when_it_says_one_instant(timestamp: Any, verifier: RequestVerifier) -> None:
    assert reason(verifier, body_of(timestamp=timestamp)) == ""


@pytest.mark.parametrize(
    "timestamp",
    [
        None, "", "now", "NaN", "10", "2026-05-17", "2026-05-17T12:00:00", "2026-05-17 12:00:00Z", "2026-05-17T12:00:00z",
        "2026-05-17T12:00Z",
        "2026-02-30T12:00:00Z", "2026-05-17T24:00:01Z", "0000-00-00T00:00:00Z", "2026-05-17T12:00:00+99:99", "2026-05-17T12:00:00Z\n",
        "\u0662026-05-17T12:00:00Z", True, 0, -1, 1779019200, 10**13, 10**400, float("nan"), float("inf"), 1779019200000.5, [], {},
        ["2026-05-17T12:00:00Z"],
    ],
    ids=lambda value: str(value)[:30] or "empty",
)  # fmt: skip
@pytest.mark.parametrize("kind", ["IntentRequest", "AlexaSkillEvent.SkillDisabled"])
def test_a_request_is_refused_when_its_timestamp_cannot_be_read(kind: str, timestamp: Any, verifier: RequestVerifier) -> None:
    assert reason(verifier, body_of(kind, timestamp)) == "NO_TIMESTAMP"


@pytest.mark.parametrize("field", ["eventPublishingTime", "eventCreationTime"])
def test_an_event_is_dated_by_another_field_when_it_has_no_timestamp(field: str, verifier: RequestVerifier) -> None:
    """Amazon has said that events will lose it; an ordinary request without one stays refused."""
    for at, expected in ((NOW - HOUR, ""), (NOW - 2 * HOUR, "TIMESTAMP_OUT_OF_WINDOW")):
        event = {"request": {"type": "AlexaSkillEvent.SkillDisabled", field: iso(at)}}
        assert reason(verifier, json.dumps(event).encode()) == expected
    request = {"request": {"type": "LaunchRequest", field: iso(NOW)}}
    assert reason(verifier, json.dumps(request).encode()) == "NO_TIMESTAMP"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "MALFORMED_BODY"),
        (b"nonsense", "MALFORMED_BODY"),
        (b"\xff\xfe\xff", "MALFORMED_BODY"),
        (b"[]", "MALFORMED_BODY"),
        (b"null", "MALFORMED_BODY"),
        (b'"text"', "MALFORMED_BODY"),
        (b'{"a":' * 100_000, "MALFORMED_BODY"),
        (b"[" * 100_000 + b"]" * 100_000, "MALFORMED_BODY"),
        (b'{"a":' + b"9" * 100_000 + b"}", "MALFORMED_BODY"),
        (b"{}", "NO_TIMESTAMP"),
        (b'{"request": []}', "NO_TIMESTAMP"),
        (b'{"request": {"type": ["AlexaSkillEvent.SkillDisabled"]}}', "NO_TIMESTAMP"),
        (b'{"directive": {"header": {"namespace": "Alexa.Discovery"}}}', "NO_TIMESTAMP"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_signed_body_is_refused_when_it_is_no_request(body: bytes, expected: str, verifier: RequestVerifier) -> None:
    assert reason(verifier, body) == expected


# ---- for other skills


def test_a_refusal_is_a_refused_request_that_says_one_word_when_it_is_caught(verifier: RequestVerifier) -> None:
    with pytest.raises(RefusedRequestError, match=r"^[A-Z_]+$"):
        verifier.verify({}, b"secret")


@pytest.mark.parametrize("name", ["launch", "request_info", "skill_account_linked", "session_ended"])
def test_the_request_comes_back_parsed_when_it_is_believed(name: str, verifier: RequestVerifier) -> None:
    recorded = message(name, token="opaque")
    recorded["request"]["timestamp"] = datetime.fromtimestamp(NOW.timestamp(), UTC).isoformat()
    body = json.dumps(recorded, ensure_ascii=False, indent=2).encode()
    assert verifier.verify(signed(body), body) == recorded


def test_a_skill_of_another_framework_needs_nothing_more_when_it_hands_over_headers_and_bytes(verifier: RequestVerifier) -> None:
    """As README shows it, with the tests' roots and clock."""
    app = Flask(__name__)

    @app.post("/")
    def answer() -> Any:
        try:
            event = verifier.verify(request.headers, request.get_data())
        except SignatureRefusedError:
            return "", 400
        return {"heard": event["request"]["type"]}

    body, client = body_of("LaunchRequest"), app.test_client()
    assert client.post("/", data=body, headers=signed(body)).json == {"heard": "LaunchRequest"}
    assert client.post("/", data=body + b" ", headers=signed(body)).status_code == 400
    assert client.post("/", data=body, headers=[*signed(body).items(), ("Signature-256", "AAAA")]).status_code == 400
