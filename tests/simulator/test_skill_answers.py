"""What comes back from a skill is read in one place, whatever it is and however the skill is reached."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tools.in_process import InProcessFunction
from tools.local_stack import LocalStack
from tools.runtime_emulator import read_answer
from tools.simulator.loopback_server import LoopbackHttpServer
from tools.simulator.skill import SkillFailedError, parse_answer
from tools.simulator.url_skill import LARGEST_ANSWER, UNSIGNED, UrlSkill

SPOKEN = {"version": "1.0", "response": {"outputSpeech": {"type": "PlainText", "text": "Grüße, Núñez"}}}
UTF_8 = json.dumps(SPOKEN, ensure_ascii=False).encode()


class Stranger(LoopbackHttpServer):
    """Answers as it is told to; drips the body where there is a pause between two bytes."""

    def __init__(self) -> None:
        self.status, self.content, self.headers, self.pause_s = 200, b"{}", dict[str, str](), 0.0
        super().__init__(("127.0.0.1", 0), StrangersAnswer)


class StrangersAnswer(BaseHTTPRequestHandler):
    server: Stranger

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        for name, value in ({"Content-Length": str(len(self.server.content))} | self.server.headers).items():
            self.send_header(name, value)
        self.end_headers()
        step = 1 if self.server.pause_s else max(1, len(self.server.content))
        for start in range(0, len(self.server.content), step):
            try:
                self.wfile.write(self.server.content[start : start + step])
            except OSError:  # who asked has hung up
                return
            if self.server.pause_s and not self.server.pause(self.server.pause_s):
                return

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    with Stranger() as running:
        yield running


def ask(stranger: Stranger, limit_s: float = 10.0) -> Any:
    with UrlSkill(f"{stranger.url}/skill?code=secret", limit_s=limit_s) as skill:
        return skill.invoke({"request": {}})


def failure(stranger: Stranger, limit_s: float = 10.0) -> str:
    with pytest.raises(SkillFailedError) as failed:
        ask(stranger, limit_s)
    return str(failed.value)


@pytest.mark.parametrize("value", [None, [], "x", 5, True, SPOKEN])
def test_an_answer_is_the_value_that_it_is(value: Any) -> None:
    assert parse_answer(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<html>", "Expecting value"),
        (b"[" * 200_000, "nested more than 100 deep"),
        (b"[" * 900 + b"]" * 900, "nested more than 100 deep"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "nested more than 100 deep"),
        (b'{"a": NaN}', "it holds NaN"),
        (b'{"a": -Infinity}', "it holds -Infinity"),
        (b'{"a": 1e999}', "not JSON compliant"),
        (b"9" * 5_000, "4300 digits"),
        (b'"\\ud800"', "surrogate"),
        (b"\xff", "can't decode"),
    ],
)
def test_an_answer_is_no_json_when_not_every_reader_could_take_it(content: bytes, why: str) -> None:
    with pytest.raises(SkillFailedError, match=why) as failed:
        parse_answer(content)
    assert failed.value.name == "InvalidJson"
    with pytest.raises(SkillFailedError, match=why):
        read_answer(200, content)


def test_an_answer_may_be_as_deep_as_any_real_one() -> None:
    assert parse_answer(b"[" * 100 + b"]" * 100)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"Task timed out after 2.00 seconds", "Sandbox.Timedout"),
        (b'{"errorType": "KeyError", "errorMessage": "it timed out"}', "KeyError"),
    ],
)
def test_lambdas_failures_are_known_by_what_they_say(content: bytes, name: str) -> None:
    with pytest.raises(SkillFailedError) as failed:
        read_answer(200, content)
    assert failed.value.name == name


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/html"}, {"Content-Type": "text/plain; charset=ISO-8859-1"}])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_answer_is_utf_8_whatever_the_server_calls_it(headers: dict[str, str], mark: bytes, stranger: Stranger) -> None:
    stranger.content, stranger.headers = mark + UTF_8, headers
    assert ask(stranger) == SPOKEN


@pytest.mark.parametrize("value", [None, [], "x"])
def test_the_answer_is_given_as_it_is_when_it_is_no_object(value: Any, stranger: Stranger) -> None:
    stranger.content = json.dumps(value).encode()
    assert ask(stranger) == value


def test_an_event_is_acknowledged_when_the_answer_is_empty(stranger: Stranger) -> None:
    stranger.content = b""
    assert ask(stranger) == {}


@pytest.mark.parametrize(
    ("status", "headers", "content", "why"),
    [
        (404, {}, b"<html>nope</html>", "HTTP 404: Not Found"),
        (301, {"Location": "https://else.example/a?token=b"}, b"<h1>moved", "HTTP 301: to https://else.example/a; Alexa does not follow"),
        (302, {}, b"", "HTTP 302: to nowhere; Alexa does not follow"),
        (400, {}, b'{"message": "bad signature"}', f"HTTP 400: {UNSIGNED}"),
        (401, {}, b"", f"HTTP 401: {UNSIGNED}"),
        (403, {}, b"", f"HTTP 403: {UNSIGNED}"),
        (502, {}, b'{"errorType": "KeyError", "errorMessage": "name"}', "KeyError: name"),
        (599, {}, b"", "HTTP 599: an unknown status"),
        (200, {}, b"<html>", "InvalidJson: the answer is no JSON: Expecting value"),
    ],
)
def test_the_status_is_told_when_the_skill_does_not_answer(
    status: int, headers: dict[str, str], content: bytes, why: str, stranger: Stranger
) -> None:
    stranger.status, stranger.headers, stranger.content = status, headers, content
    assert failure(stranger).startswith(why)


def test_an_answer_is_not_waited_for_when_it_comes_byte_by_byte(stranger: Stranger) -> None:
    stranger.content, stranger.pause_s = b" " * 1_000, 0.05
    started = time.monotonic()
    assert failure(stranger, limit_s=0.4) == "Timeout: the whole answer did not come within 0.4 s"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("content", "headers", "why"),
    [(b" " * (LARGEST_ANSWER + 1), {}, "TooLarge: "), (b"{}", {"Content-Length": "10"}, "IncompleteRead: the answer is cut")],
)
def test_an_answer_is_refused_when_it_is_too_large_or_cut(content: bytes, headers: dict[str, str], why: str, stranger: Stranger) -> None:
    stranger.content, stranger.headers = content, headers
    assert failure(stranger).startswith(why)


def test_one_line_names_the_address_and_not_its_query_when_nobody_answers() -> None:
    with UrlSkill("http://127.0.0.1:9/skill?code=secret") as skill, pytest.raises(SkillFailedError) as failed:
        skill.invoke({})
    assert failed.value.message == "nobody answered at http://127.0.0.1:9/skill"


class GivenFunction(InProcessFunction):
    """Returns what it is given instead of this project's function."""

    returned: Any = None

    def start_cold(self) -> None:
        self._handler = lambda event, context: self.returned


@pytest.fixture
def function() -> Iterator[GivenFunction]:
    environment = {"AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "stand-in"}
    with GivenFunction(LocalStack({}, environment, role_arn="", timeout_s=2, memory_mb=256)) as running:
        yield running


@pytest.mark.parametrize("value", [None, [], "x", SPOKEN])
def test_the_answer_of_a_function_in_this_process_is_given_as_it_is(value: Any, function: GivenFunction) -> None:
    function.returned = value
    assert function.invoke({}) == value


@pytest.mark.parametrize(("value", "name"), [({1, 2}, "TypeError"), (float("inf"), "InvalidJson"), ({"a": [float("nan")]}, "InvalidJson")])
def test_a_function_in_this_process_fails_when_it_returns_no_json(value: Any, name: str, function: GivenFunction) -> None:
    function.returned = value
    with pytest.raises(SkillFailedError) as failed:
        function.invoke({})
    assert failed.value.name == name
