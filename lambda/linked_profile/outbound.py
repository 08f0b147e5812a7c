"""The one HTTP client: everything the function asks of an identity provider goes through here, inside the invocation's deadline."""

import json
import queue
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import certifi
import requests
from requests.adapters import HTTPAdapter

from linked_profile.errors import ProviderUnavailableError

T = TypeVar("T")

VOICE_BUDGET_S = 6.5  # of Alexa's 8 s; the rest is for the cold start and the way back
LAMBDA_MARGIN_S = 0.5  # what is kept of a shorter Lambda timeout to answer in
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 1.0, 2.5
LEAST_TIME_TO_RETRY_S = 1.0
LARGEST_BODY = 256 * 1024  # bytes; a profile is below 20 kB


class Deadline:
    """The instant by which this invocation has to be answered, on the monotonic clock."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    @classmethod
    def of(cls, lambda_context: object, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """6.5 s from now, or less where Lambda's own timeout comes first."""
        remaining_ms = getattr(lambda_context, "get_remaining_time_in_millis", None)
        left = remaining_ms() / 1000 - LAMBDA_MARGIN_S if callable(remaining_ms) else VOICE_BUDGET_S
        return cls(min(VOICE_BUDGET_S, left), clock)

    def remaining(self) -> float:
        """Seconds left; negative when it is over."""
        return self._at - self._clock()

    def earlier_by(self, seconds: float) -> "Deadline":
        """One that leaves so many seconds for what has to follow."""
        return Deadline(self.remaining() - seconds, self._clock)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer that makes sense: a status below 500 with a JSON object, or with no body at all."""

    status: int
    body: Mapping[str, Any]
    challenge: str = ""  # WWW-Authenticate


class Outbound:
    """Sends JSON requests over one verified TLS context; no redirects, no cookies, no proxies, no netrc."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """`tls` replaces the public roots, for a provider behind a certificate authority of its own."""
        self._adapter = _OneContextAdapter(tls or ssl.create_default_context(cafile=certifi.where()))

    def fetch(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        read: Callable[[Answer], T],
        deadline: Deadline,
    ) -> T:
        """What `read` makes of the answer; asks a second time, once, after a transient fault. Raises ProviderUnavailableError."""
        try:
            return read(self.fetch_once(method, url, headers=headers, body=body, deadline=deadline))
        except ProviderUnavailableError:
            if deadline.remaining() < LEAST_TIME_TO_RETRY_S:
                raise
        time.sleep(random.uniform(0.05, 0.2))  # noqa: S311  (spreads retries; no secret)
        return read(self.fetch_once(method, url, headers=headers, body=body, deadline=deadline))

    def fetch_once(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, deadline: Deadline) -> Answer:
        """One try, for callers with a rule of their own for the next. Raises ProviderUnavailableError.

        It runs in a thread of its own: socket timeouts start anew with each byte, so a dripping server would outlast any of them.
        """
        limit = min(CONNECT_TIMEOUT_S + READ_TIMEOUT_S, deadline.remaining())
        if limit <= 0:
            raise ProviderUnavailableError("NO_TIME_LEFT")
        request = requests.Request(method, url, headers={**headers, "Accept": "application/json", "Accept-Encoding": "identity"}, data=body)
        outcome: queue.SimpleQueue[Answer | ProviderUnavailableError] = queue.SimpleQueue()
        threading.Thread(target=lambda: outcome.put(self._send(request, limit)), daemon=True).start()
        try:
            result = outcome.get(timeout=limit)
        except queue.Empty as error:
            raise ProviderUnavailableError("NO_ANSWER_IN_TIME") from error
        if isinstance(result, ProviderUnavailableError):
            raise result
        return result

    def _send(self, request: requests.Request, limit: float) -> Answer | ProviderUnavailableError:
        """The answer or what went wrong, as a value: the library's exceptions hold the URL, which may hold a token."""
        try:
            timeout = (min(CONNECT_TIMEOUT_S, limit), min(READ_TIMEOUT_S, limit))
            with self._adapter.send(request.prepare(), stream=True, timeout=timeout) as response:
                content = response.raw.read(LARGEST_BODY + 1, decode_content=False)
                return parse_answer(response.status_code, content, response.headers.get("WWW-Authenticate", ""))
        except ProviderUnavailableError as error:
            return error
        except Exception as error:  # noqa: BLE001  (whatever goes wrong in here proves nothing about the token)
            return ProviderUnavailableError(type(error).__name__)


def parse_answer(status: int, content: bytes, challenge: str = "") -> Answer:
    """Raises ProviderUnavailableError for all that proves nothing about a token: 5xx, 429, redirects, HTML, half or huge bodies."""
    if status >= 500 or status == 429 or status < 200 or 300 <= status < 400:
        raise ProviderUnavailableError(f"HTTP_{status}")
    if status in {202, 204}:
        return Answer(status, {})  # accepted: there is nothing to read in it, whatever came along
    if len(content) > LARGEST_BODY:
        raise ProviderUnavailableError("ANSWER_TOO_LARGE")
    if not content.strip():
        if status < 300:
            raise ProviderUnavailableError("EMPTY_ANSWER")
        return Answer(status, {}, challenge)
    try:
        body = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) and challenge and status >= 400:
        return Answer(status, {}, challenge)  # RFC 6750 puts the error into the header and prescribes no body
    if not isinstance(body, dict):
        raise ProviderUnavailableError("ANSWER_IS_NOT_JSON")
    return Answer(status, body, challenge)


class _OneContextAdapter(HTTPAdapter):
    """Hands every connection one preloaded context.

    requests names the CA bundle again for each connection, and OpenSSL 3 takes some 18 ms of CPU to load it (cpython 95031): at a
    voice skill's sparse traffic every request is a new connection. Verification stays on: it is the context's.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__()

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return dict(host), {"ssl_context": self._tls}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leaves the connection as the context made it."""
