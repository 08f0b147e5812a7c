"""The HTTPS endpoint for any WSGI server; TLS ends in front of it. Logs one JSON object a line, as Lambda's runtime does."""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING

from linked_profile.https_endpoint import LARGEST_BODY, HttpsEndpoint, HttpsRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TIME_LIMIT_S = 7.5  # of Alexa's 8 s, from the last byte of the request
FIELDS = ("kind", "outcome", "reason", "user", "duration_ms")


def wsgi_application(endpoint: HttpsEndpoint) -> "WSGIApplication":
    """Serves POST at every path, so that a proxy may put the skill anywhere, and the health path."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer = endpoint.answer(read_request(environ), RequestContext())
        headers = [*answer.headers.items(), ("Content-Length", str(len(answer.body)))]
        start_response(f"{answer.status.value} {answer.status.phrase}", headers)
        return [answer.body]

    return application


def read_request(environ: "WSGIEnvironment") -> HttpsRequest:
    """The body as far as the limit, and one byte more."""
    headers = {name.removeprefix("HTTP_").replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    return HttpsRequest(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), headers, read_body(environ))


def read_body(environ: "WSGIEnvironment") -> bytes:
    """What could not be read to its end is empty: nothing that Alexa has signed."""
    length, stream = environ.get("CONTENT_LENGTH") or "", environ["wsgi.input"]
    if length.isascii() and length.isdigit():
        beginning = length.lstrip("0")[:7] or "0"  # more decide nothing, and Python refuses to read thousands of digits
        return read(stream, min(int(beginning), LARGEST_BODY + 1))
    return read(stream, LARGEST_BODY + 1) if environ.get("wsgi.input_terminated") else b""


def read(stream: IO[bytes], size: int) -> bytes:
    try:
        return stream.read(size)
    except Exception:  # noqa: BLE001  (the other side hung up, or sent broken chunks: each server has errors of its own)
        return b""


class RequestContext:
    """As much of Lambda's context as the handler looks at: how long it has."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = clock() + TIME_LIMIT_S

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - self._clock()) * 1000)


class JsonLines(logging.Formatter):
    """The outcome's fields at the top level, where whoever reads the logs finds them as in CloudWatch."""

    def format(self, record: logging.LogRecord) -> str:
        named = {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        return json.dumps({"timestamp": at, "level": record.levelname, "message": record.getMessage(), **named})


def log_to_stderr() -> None:
    """Ours alone, once per process; the server's own log stays as it is."""
    logger = logging.getLogger("linked_profile")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        logger.addHandler(handler)
        logger.propagate = False
