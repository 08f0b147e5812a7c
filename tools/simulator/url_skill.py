"""Somebody's skill by its URL: a Lambda invoke URL or an HTTPS endpoint; both take the JSON as the body of a POST."""

import http.client
import json
import ssl
import time
from contextlib import closing
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from tools.runtime_emulator import read_answer
from tools.simulator.skill import SkillFailedError
from tools.simulator.token_endpoint import at_deadline

ANSWER_WITHIN_S = 10.0  # longer than Alexa waits, so that what comes too late can be said to have come
LARGEST_ANSWER = 1024 * 1024  # bytes
UNSIGNED = "skills that check Alexa's signature refuse the simulator's unsigned requests; switch that check off while you try"


class UrlSkill:
    """Any skill that listens there; takes requests from any number of threads, each on a connection of its own."""

    def __init__(self, url: str, *, limit_s: float = ANSWER_WITHIN_S) -> None:
        """An http or https address without a user name; `limit_s` is for the whole answer, however slowly it comes."""
        self._url, self._limit_s = urlsplit(url), limit_s
        self._shown = f"{self._url.scheme}://{self._url.netloc}{self._url.path}"
        self._tls = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing stays open."""

    def invoke(self, event: dict[str, Any]) -> Any:
        """The skill's answer; an empty one acknowledges an event. Raises SkillFailedError."""
        status, location, content = self._post(json.dumps(event).encode())
        if status == 200:
            return read_answer(status, content) if content.strip() else {}
        raise read_failure(status, location, content)

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        """Status, where it leads elsewhere, and content."""
        started = time.monotonic()
        try:
            answer, content = self._exchange(body, started)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self._is_late(started):
                raise self._too_late() from error
            raise SkillFailedError(type(error).__name__, f"nobody answered at {self._shown}") from error
        if self._is_late(started):  # an answer cut off by our own deadline can look whole
            raise self._too_late()
        if len(content) > LARGEST_ANSWER:
            raise SkillFailedError("TooLarge", f"the answer has more than {LARGEST_ANSWER:,} bytes")
        if answer.length:
            raise SkillFailedError("IncompleteRead", "the answer is cut")
        return answer.status, answer.headers.get("Location", ""), content

    def _exchange(self, body: bytes, started: float) -> tuple[http.client.HTTPResponse, bytes]:
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        headers = {"Content-Type": "application/json;charset=UTF-8", "Accept": "application/json", "Accept-Encoding": "identity"}
        with closing(self._connection()) as connection:
            connection.connect()
            with at_deadline(started + self._limit_s, connection.sock):
                connection.request("POST", path, body, headers)
                with connection.getresponse() as answer:
                    return answer, answer.read(LARGEST_ANSWER + 1)

    def _connection(self) -> http.client.HTTPConnection:
        host = self._url.hostname or ""
        if self._url.scheme == "https":
            return http.client.HTTPSConnection(host, self._url.port, timeout=self._limit_s, context=self._tls)
        return http.client.HTTPConnection(host, self._url.port, timeout=self._limit_s)

    def _is_late(self, started: float) -> bool:
        return time.monotonic() - started >= self._limit_s

    def _too_late(self) -> SkillFailedError:
        return SkillFailedError("Timeout", f"the whole answer did not come within {self._limit_s:g} s")


def read_failure(status: int, location: str, content: bytes) -> SkillFailedError:
    """Lambda names the error in its answer; of all others, what the status says is told, and nothing of the page."""
    if status // 100 == 3:
        return SkillFailedError(f"HTTP {status}", f"to {location.partition('?')[0] or 'nowhere'}; Alexa does not follow")
    try:
        read_answer(status, content)
    except SkillFailedError as error:
        if error.name not in {"InvalidJson", "Runtime.Failed"}:
            return error
    return SkillFailedError(
        f"HTTP {status}", UNSIGNED if status in {400, 401, 403} else http.client.responses.get(status, "an unknown status")
    )
