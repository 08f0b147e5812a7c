"""The skill at an HTTPS address, by each of its doors: API Gateway's two payloads, function URLs, a WSGI server."""

import base64
import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from gunicorn.http.errors import ChunkMissingTerminator

from linked_profile.api_gateway import gateway_handler
from linked_profile.errors import CertificatesUnavailableError
from linked_profile.https_endpoint import LARGEST_BODY, HttpsEndpoint
from linked_profile.logs import OutcomeLog
from linked_profile.request_signature import RequestVerifier
from linked_profile.settings import Settings, SettingsError
from linked_profile.wsgi_application import JsonLines, RequestContext, wsgi_application
from tests.certificates import NOW, chain, roots, signed
from tests.conftest import ENVIRON, SKILL_ID, Skill, message
from tests.in_memory_table import InMemoryTable
from tests.loopback_provider import sleep_then_close

ROOT = Path(__file__).parent.parent
AT_NOW = "2026-05-17T12:00:00Z"
NO_SPEECH = {"version": "1.0", "response": {}}


@dataclass
class Request:
    """What Alexa sends, before a door turns it into its own shape."""

    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = "/"

    @classmethod
    def of(cls, event: dict[str, Any]) -> "Request":
        body = json.dumps(event, ensure_ascii=False).encode()
        return cls(body, {"Content-Type": "application/json; charset=utf-8", **signed(body)})


Answer = tuple[int, str]
Door = Callable[[HttpsEndpoint, Skill, Request], Answer]


def gateway_2(request: Request, *, encoded: bool = False) -> dict[str, Any]:
    """As an HTTP API or a function URL gives it: header names in small letters."""
    http = {
        "method": request.method,
        "path": request.path,
        "protocol": "HTTP/1.1",
        "sourceIp": "192.0.2.7",
        "userAgent": "Apache-HttpClient",
    }
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": "",
        "headers": {"host": "abc.execute-api.eu-west-1.amazonaws.com"} | {name.lower(): value for name, value in request.headers.items()},
        "requestContext": {"apiId": "abc", "http": http, "requestId": "JKJaXmPLvHcESHA=", "stage": "$default"},
        "body": base64.b64encode(request.body).decode() if encoded else request.body.decode(),
        "isBase64Encoded": encoded,
    }


def gateway_1(request: Request, *, encoded: bool = False) -> dict[str, Any]:
    """As a REST API gives it."""
    return {
        "resource": "/",
        "path": request.path,
        "httpMethod": request.method,
        "headers": {"Host": "abc.execute-api.eu-west-1.amazonaws.com", **request.headers},
        "multiValueHeaders": {name: [value] for name, value in request.headers.items()},
        "queryStringParameters": None,
        "requestContext": {"apiId": "abc", "httpMethod": request.method, "path": f"/prod{request.path}", "stage": "prod"},
        "body": base64.b64encode(request.body).decode() if encoded else request.body.decode() or None,
        "isBase64Encoded": encoded,
    }


def load_balancer(request: Request) -> dict[str, Any]:
    """As an application load balancer gives it with several values a header: `headers` is not there at all."""
    event = gateway_1(request)
    del event["headers"]
    return {**event, "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/1"}}}


def through(shape: Callable[..., dict[str, Any]], **how: Any) -> Door:
    def door(endpoint: HttpsEndpoint, skill: Skill, request: Request) -> Answer:
        answer = gateway_handler(endpoint, skill.handler)(shape(request, **how), None)
        assert answer["isBase64Encoded"] is False
        return answer["statusCode"], answer["body"]

    return door


def wsgi(endpoint: HttpsEndpoint, _: Skill, request: Request) -> Answer:
    return call_wsgi(endpoint, environ_of(request))


def environ_of(request: Request, **changes: Any) -> dict[str, Any]:
    """As PEP 3333 has it."""
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items() if name != "Content-Type"}
    return {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "skill.example.com",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **named,
        **changes,
    }


def call_wsgi(endpoint: HttpsEndpoint, environ: dict[str, Any], *, checked: bool = True) -> Answer:
    """Python's own validator watches over the protocol."""
    statuses: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda data: None

    application: Any = wsgi_application(endpoint)
    chunks = (validator(application) if checked else application)(environ, start_response)
    body = b"".join(chunks)
    getattr(chunks, "close", lambda: None)()
    return int(statuses[0].split()[0]), body.decode()


DOORS = {
    "HTTP API": through(gateway_2),
    "HTTP API in base64": through(gateway_2, encoded=True),
    "REST API": through(gateway_1),
    "REST API in base64": through(gateway_1, encoded=True),
    "load balancer": through(load_balancer),
    "WSGI": wsgi,
}


@dataclass
class Https:
    """The skill behind its endpoint, at the tests' hour; `certificates` is what the certificate host does."""

    skill: Skill
    door: Door
    certificates: Callable[[str], bytes] = lambda _: chain()

    def __post_init__(self) -> None:
        self.verifier = RequestVerifier(self.download, roots(), NOW.timestamp)
        self.endpoint = HttpsEndpoint(self.skill.handler, self.verifier, OutcomeLog(SKILL_ID))

    def download(self, url: str) -> bytes:
        return self.certificates(url)

    def __call__(self, request: Request) -> Answer:
        return self.door(self.endpoint, self.skill, request)

    def send(self, event: dict[str, Any]) -> Answer:
        return self(Request.of(event))


@pytest.fixture(params=DOORS.values(), ids=DOORS)
def https(request: pytest.FixtureRequest, skill: Skill) -> Https:
    return Https(skill, request.param)


def outcomes(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Outcome and reason of each line."""
    return [(record.outcome, getattr(record, "reason", "")) for record in caplog.records if hasattr(record, "outcome")]


# ---- what comes through


def test_alexa_gets_the_skills_answer_when_the_request_is_signed(https: Https, anna: str) -> None:
    status, body = https.send(message("launch", token=anna, time=AT_NOW))
    assert (status, "Anna" in json.loads(body)["response"]["outputSpeech"]["ssml"]) == (200, True)


def test_the_link_is_recorded_when_the_event_is_signed(https: Https, anna: str) -> None:
    status, body = https.send(message("skill_account_linked", token=anna, time=AT_NOW))
    assert (status, json.loads(body)["response"]) == (200, {})
    assert len(https.skill.links()) == 1


def test_letters_beyond_ascii_come_through_when_the_signature_is_over_their_bytes(https: Https) -> None:
    event = {**message("hello", token=None, time=AT_NOW), "note": "Kovács \u2603 \U0001f600"}
    assert https.send(event)[0] == 200


def test_an_event_has_no_second_effect_when_it_is_replayed(https: Https, anna: str) -> None:
    linked = Request.of(message("skill_account_linked", token=anna, time="2026-05-17T11:10:00Z"))
    disabled = Request.of(message("skill_disabled", time="2026-05-17T11:30:00Z"))
    assert [https(request)[0] for request in (linked, disabled)] == [200, 200]
    rows = https.skill.table.rows()
    assert [https(request)[0] for request in (linked, disabled, linked, linked, disabled)] == [200] * 5
    assert https.skill.table.rows() == rows


def test_a_redelivered_event_is_taken_when_it_is_nearly_an_hour_old(https: Https, anna: str) -> None:
    assert https.send(message("skill_account_linked", token=anna, time="2026-05-17T11:00:01Z"))[0] == 200
    assert https.send(message("launch", token=anna, time="2026-05-17T11:00:01Z")) == (400, "")


# ---- what is refused


def test_nothing_is_written_and_nothing_is_said_when_the_signature_is_wrong(
    https: Https, anna: str, caplog: pytest.LogCaptureFixture
) -> None:
    request = Request.of(message("skill_account_linked", token=anna, time=AT_NOW))
    request.body = request.body.replace(b'"version": "1.0"', b'"version": "1.1"')
    with caplog.at_level(logging.DEBUG):
        assert https(request) == (400, "")
    assert https.skill.table.calls == []
    assert outcomes(caplog) == [("signature_refused", "WRONG_SIGNATURE")]
    assert anna not in caplog.text


REFUSED = [
    (lambda request: request.headers.clear(), "NO_SIGNATURE"),
    (lambda request: request.headers.update({"SignatureCertChainUrl": "http://169.254.169.254/"}), "FOREIGN_CERTIFICATE_URL"),
    (lambda request: request.headers.update({"Signature-256": "AAAA"}), "WRONG_SIGNATURE"),
    (lambda request: setattr(request, "body", b""), "WRONG_SIGNATURE"),
]


@pytest.mark.parametrize(("spoil", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_a_request_is_refused_with_one_word_in_the_log_when_it_is_not_proven(
    spoil: Callable[[Request], None], reason: str, https: Https, caplog: pytest.LogCaptureFixture
) -> None:
    request = Request.of(message("launch", token=None, time=AT_NOW))
    spoil(request)
    with caplog.at_level(logging.WARNING):
        assert https(request) == (400, "")
    assert outcomes(caplog) == [("signature_refused", reason)]


def test_another_skills_request_is_refused_when_alexa_has_signed_it(https: Https, caplog: pytest.LogCaptureFixture) -> None:
    """Every skill's requests bear the same signature: whoever has a skill could send its requests here."""
    event = json.loads(json.dumps(message("launch", token=None, time=AT_NOW)).replace(SKILL_ID, SKILL_ID.replace("5a7c", "5a7d")))
    with caplog.at_level(logging.WARNING):
        assert https.send(event) == (400, "")
    assert outcomes(caplog) == [("request_refused", "WrongSkillError")]


def test_a_body_is_refused_when_it_is_over_the_limit(https: Https) -> None:
    event = {**message("launch", token=None, time=AT_NOW), "padding": ""}
    room = LARGEST_BODY - len(Request.of(event).body)
    assert https.send({**event, "padding": "x" * room})[0] == 200
    assert https.send({**event, "padding": "x" * (room + 1)}) == (413, "")


def test_json_that_would_exhaust_the_stack_is_refused_when_it_is_signed(https: Https) -> None:
    body = b'{"a":' * 20_000
    assert https(Request(body, signed(body))) == (400, "")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_only_post_is_answered_when_it_is_not_the_health_path(method: str, https: Https) -> None:
    request = Request.of(message("launch", token=None, time=AT_NOW))
    request.method = method
    assert https(request) == (405, "")


def test_the_health_path_is_answered_when_nothing_else_can_be(https: Https) -> None:
    def fail(_: str) -> bytes:
        raise AssertionError

    https.certificates = fail
    assert https(Request(method="GET", path="/health")) == (200, "ok")
    assert https(Request(method="HEAD", path="/health")) == (200, "")
    assert https.skill.table.calls == []


# ---- what goes wrong


def test_alexa_brings_it_again_when_the_certificates_cannot_be_fetched(https: Https, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: str) -> bytes:
        raise CertificatesUnavailableError("HTTP_503")

    good, https.certificates = https.certificates, fail
    with caplog.at_level(logging.WARNING):
        assert https.send(message("launch", token=None, time=AT_NOW)) == (500, "")
    assert outcomes(caplog) == [("certificates_unavailable", "HTTP_503")]
    https.certificates = good
    assert https.send(message("launch", token=None, time=AT_NOW))[0] == 200


def test_nothing_of_the_fault_gets_out_when_our_own_code_fails(https: Https, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: str) -> bytes:
        raise KeyError("internal-name")

    https.certificates = fail
    with caplog.at_level(logging.WARNING):
        assert https.send(message("launch", token=None, time=AT_NOW)) == (500, "")
    assert outcomes(caplog) == [("unexpected_error", "KeyError")]
    assert "internal-name" not in caplog.text


@pytest.mark.parametrize("door", [DOORS["HTTP API"], DOORS["WSGI"]], ids=["HTTP API", "WSGI"])
def test_an_event_comes_again_when_the_table_is_away(door: Door, build_skill: Any, anna: str) -> None:
    def away(operation: str) -> None:
        if is_away:
            raise OSError("the table's address")

    is_away, table = True, InMemoryTable(away)
    https = Https(build_skill(table), door)
    event = message("skill_account_linked", token=anna, time=AT_NOW)
    assert https.send(event) == (500, "")
    is_away = False
    assert https.send(event)[0] == 200
    assert len(https.skill.links()) == 1


def test_a_spoken_apology_is_in_time_when_the_provider_is_silent(skill: Skill, anna: str) -> None:
    """The deadline begins with the request, without Lambda's clock."""
    skill.provider.misbehave = sleep_then_close(20)
    status, body = Https(skill, DOORS["WSGI"]).send(message("launch", token=anna, time=AT_NOW))
    assert (status, "outputSpeech" in json.loads(body)["response"]) == (200, True)


def test_the_time_left_shrinks_when_the_clock_goes_on() -> None:
    now = 100.0
    context = RequestContext(lambda: now)
    assert context.get_remaining_time_in_millis() == 7500
    now = 108.0
    assert context.get_remaining_time_in_millis() == -500


# ---- what only one door has


def test_alexas_own_trigger_is_served_when_the_function_has_an_http_api_too(skill: Skill, anna: str) -> None:
    handler = gateway_handler(Https(skill, wsgi).endpoint, skill.handler)
    assert "Anna" in handler(message("launch", token=anna), None)["response"]["outputSpeech"]["ssml"]


def test_an_alexa_event_is_not_believed_unsigned_when_it_comes_in_an_http_event(skill: Skill, anna: str) -> None:
    """Whatever the sender writes, it stays within these: body, headers, path, query."""
    event = message("skill_account_linked", token=anna)
    for shape in (gateway_1, gateway_2):
        disguised = {**event, **shape(Request(json.dumps(event).encode()))}
        assert gateway_handler(Https(skill, wsgi).endpoint, skill.handler)(disguised, None)["statusCode"] == 400
    assert skill.table.calls == []


def test_an_alexa_event_is_not_believed_unsigned_when_a_gateway_hands_on_no_headers_at_all(skill: Skill, anna: str) -> None:
    """As one for WebSockets does."""
    event = message("skill_account_linked", token=anna)
    for shape in (gateway_1, gateway_2, load_balancer):
        disguised = {**event, **shape(Request(json.dumps(event).encode()))}
        bare = {name: value for name, value in disguised.items() if name not in {"headers", "multiValueHeaders"}}
        assert gateway_handler(Https(skill, wsgi).endpoint, skill.handler)(bare, None)["statusCode"] == 400
    assert skill.table.calls == []


def test_a_header_that_is_there_twice_is_refused_when_a_rest_api_hands_it_on(skill: Skill) -> None:
    request = Request.of(message("launch", token=None, time=AT_NOW))
    event = gateway_1(request)
    event["multiValueHeaders"]["Signature-256"] = ["AAAA", request.headers["Signature-256"]]
    assert gateway_handler(Https(skill, wsgi).endpoint, skill.handler)(event, None)["statusCode"] == 400


def test_a_request_is_refused_when_the_gateway_hands_on_no_headers(skill: Skill) -> None:
    handler = gateway_handler(Https(skill, wsgi).endpoint, skill.handler)
    for shape in (gateway_1, gateway_2):
        event = {**shape(Request.of(message("launch", token=None, time=AT_NOW))), "headers": None, "multiValueHeaders": None}
        assert handler(event, None)["statusCode"] == 400


@pytest.mark.parametrize("body", ["not base64!", None, 5, {"a": 1}, "\ud800"])
@pytest.mark.parametrize("encoded", [True, False])
def test_a_body_is_refused_when_the_gateway_hands_on_none_that_can_be_read(body: Any, encoded: bool, skill: Skill) -> None:
    event = {**gateway_2(Request.of(message("launch", token=None, time=AT_NOW))), "body": body, "isBase64Encoded": encoded}
    assert gateway_handler(Https(skill, wsgi).endpoint, skill.handler)(event, None)["statusCode"] == 400


@pytest.mark.parametrize("length", ["", "-1", "abc", "1.5", "\u0661"])
def test_a_body_is_refused_when_its_length_is_not_known(length: str, skill: Skill) -> None:
    environ = environ_of(Request.of(message("launch", token=None, time=AT_NOW)), CONTENT_LENGTH=length)
    assert call_wsgi(Https(skill, wsgi).endpoint, environ, checked=False) == (400, "")


def test_a_body_in_chunks_is_read_when_the_server_marks_its_end(skill: Skill) -> None:
    request = Request.of(message("hello", token=None, time=AT_NOW))
    environ = environ_of(request, **{"CONTENT_LENGTH": "", "wsgi.input_terminated": True})
    assert call_wsgi(Https(skill, wsgi).endpoint, environ, checked=False)[0] == 200


def test_a_huge_body_is_not_read_when_its_length_says_so(skill: Skill) -> None:
    class Stream(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            asked.append(size)
            return b"x" * (size or 0)

    asked: list[int | None] = []
    for length in (str(10**12), "9" * 5000):  # the second is more than Python reads
        environ = environ_of(Request(), **{"CONTENT_LENGTH": length, "wsgi.input": Stream()})
        assert call_wsgi(Https(skill, wsgi).endpoint, environ, checked=False) == (413, "")
    assert asked == [LARGEST_BODY + 1] * 2


def test_a_body_is_read_when_its_length_begins_with_zeros(skill: Skill) -> None:
    request = Request.of(message("launch", token=None, time=AT_NOW))
    environ = environ_of(request, CONTENT_LENGTH=f"{len(request.body):010}")
    assert call_wsgi(Https(skill, wsgi).endpoint, environ, checked=False)[0] == 200


@pytest.mark.parametrize("failure", [ConnectionResetError(), ChunkMissingTerminator(b"")], ids=["hung up", "broken chunks"])
def test_a_request_is_refused_when_its_body_does_not_come_to_its_end(failure: Exception, skill: Skill) -> None:
    class Stream(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise failure

    environ = environ_of(Request.of(message("launch", token=None, time=AT_NOW)), **{"wsgi.input": Stream()})
    assert call_wsgi(Https(skill, wsgi).endpoint, environ, checked=False) == (400, "")


def test_a_log_line_is_json_with_the_outcome_at_its_top_when_there_is_no_lambda(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        OutcomeLog(SKILL_ID).record("HttpsRequest", "signature_refused", reason="NO_SIGNATURE")
    line = json.loads(JsonLines().format(caplog.records[-1]))
    assert {"kind": "HttpsRequest", "outcome": "signature_refused", "reason": "NO_SIGNATURE", "level": "WARNING"}.items() <= line.items()


# ---- settings and entry points


@pytest.mark.parametrize(
    ("chosen", "complaint"),
    [
        ({"ALEXA_TRUSTED_ROOTS": "/etc/roots.pem"}, "ALEXA_CERTIFICATE_HOST_URL missing"),
        ({"ALEXA_CERTIFICATE_HOST_URL": "http://127.0.0.1:9"}, "ALEXA_TRUSTED_ROOTS missing"),
        *(
            ({"ALEXA_TRUSTED_ROOTS": "/etc/roots.pem", "ALEXA_CERTIFICATE_HOST_URL": url}, "must be http://127.0.0.1 and a port")
            for url in ("https://s3.amazonaws.com", "http://127.0.0.1", "http://127.0.0.1.example.com:80", "http://localhost:80")
        ),
    ],
)
def test_other_roots_are_not_trusted_when_their_certificates_come_from_elsewhere_than_this_machine(
    chosen: dict[str, str], complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint):
        Settings.from_environ({**ENVIRON, **chosen})


IMPORTS = """
import sys
import {module}
costly = ("cryptography", "jwt", "linked_profile.request_signature", "linked_profile.signing_certificates")
loaded = {{name for name in sys.modules if name.startswith(costly)}}
print(sorted(loaded))
"""


@pytest.mark.parametrize(("module", "loads"), [("lambda_function", False), ("https_function", True), ("wsgi", True)])
def test_cryptography_is_loaded_only_when_the_entry_point_needs_it(module: str, loads: bool) -> None:
    environment = {**ENVIRON, "PYTHONPATH": str(ROOT / "lambda"), "AWS_REGION": "eu-west-1"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS.format(module=module)], env=environment, capture_output=True, text=True, check=True
    )
    assert ("linked_profile.request_signature" in done.stdout, done.stdout.strip() != "[]") == (loads, loads)
