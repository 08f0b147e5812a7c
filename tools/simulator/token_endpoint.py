"""Alexa's calls to the token endpoint: an answer within 4.5 seconds in all, whatever the other side does."""

import base64
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode, urlsplit

from tools.simulator.linking_configuration import AccessTokenScheme, LinkingConfiguration

TOKEN_ENDPOINT_LIMIT_S = 4.5
LARGEST_ANSWER = 64 * 1024  # bytes
Silence = Literal["slow", "unreachable", "tls", "not-http"]


class NoAnswerError(Exception):
    """The token endpoint gave no HTTP answer; `silence` is the kind, the message the library's own words."""

    def __init__(self, silence: Silence, detail: str) -> None:
        super().__init__(detail)
        self.silence: Silence = silence
        self.detail = detail


@dataclass(frozen=True)
class TokenAnswer:
    """What came back, unread."""

    status: int
    content: bytes
    content_type: str = ""
    location: str = ""
    took_s: float = 0.0


class TokenEndpoint:
    """Posts forms as Alexa's client; no redirects, no proxies, no netrc."""

    def __init__(
        self, configuration: LinkingConfiguration, tls: ssl.SSLContext | None = None, limit_s: float = TOKEN_ENDPOINT_LIMIT_S
    ) -> None:
        """`tls` replaces the public roots."""
        self._configuration, self._tls, self.limit_s = configuration, tls, limit_s

    def post(self, form: Mapping[str, str], scheme: AccessTokenScheme | None = None, secret: str | None = None) -> TokenAnswer:
        """The answer to the form, sent with the client's credentials, or with others to try. Raises NoAnswerError."""
        configured = self._configuration
        credentials, headers = self._credentials(scheme or configured.access_token_scheme, secret or configured.client_secret)
        body = urlencode({**form, "client_id": self._configuration.client_id, **credentials}).encode()
        headers |= {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8", "Accept": "application/json"}
        return self._send(body, headers)

    def _credentials(self, scheme: AccessTokenScheme, secret: str) -> tuple[dict[str, str], dict[str, str]]:
        """What the form and the headers hold of them."""
        if scheme == "REQUEST_BODY_CREDENTIALS":
            return {"client_secret": secret}, {}
        both = base64.b64encode(f"{self._configuration.client_id}:{secret}".encode()).decode()
        return {}, {"Authorization": f"Basic {both}"}

    def _send(self, body: bytes, headers: Mapping[str, str]) -> TokenAnswer:
        url, started = urlsplit(self._configuration.access_token_url), time.monotonic()
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        with self._translated(started), self._connection(started) as connection:
            connection.request("POST", path, body, {**headers, "Accept-Encoding": "identity", "Connection": "close"})
            with connection.getresponse() as answer:
                content = answer.read(LARGEST_ANSWER + 1)[:LARGEST_ANSWER]
                is_whole = not answer.length or len(content) == LARGEST_ANSWER
                kind, location = answer.headers.get("Content-Type", ""), answer.headers.get("Location", "")
        took_s = time.monotonic() - started
        if took_s >= self.limit_s:  # an answer cut off by our own deadline can look whole
            raise NoAnswerError("slow", f"{took_s:.1f} s")
        if not is_whole:
            raise NoAnswerError("not-http", "half an answer")
        return TokenAnswer(answer.status, content, kind, location, took_s)

    @contextmanager
    def _connection(self, started: float) -> Iterator[http.client.HTTPConnection]:
        """A connection that dies at the deadline: socket timeouts start anew with each byte, so a dripping server would outlast them."""
        url = urlsplit(self._configuration.access_token_url)
        if url.scheme not in {"https", "http"} or not url.hostname:
            raise http.client.InvalidURL("it is no https address")
        is_secure, host = url.scheme == "https", url.hostname
        port = url.port or (443 if is_secure else 80)
        opened = socket.create_connection((host, port), timeout=self.limit_s)
        try:
            if is_secure:
                opened = (self._tls or ssl.create_default_context()).wrap_socket(
                    opened, server_hostname=host, do_handshake_on_connect=False
                )
            with at_deadline(started + self.limit_s, opened):
                if isinstance(opened, ssl.SSLSocket):
                    opened.do_handshake()
                connection = (http.client.HTTPSConnection if is_secure else http.client.HTTPConnection)(host, port)
                connection.sock = opened
                yield connection
        finally:
            opened.close()

    @contextmanager
    def _translated(self, started: float) -> Iterator[None]:
        """Whatever goes wrong on the way, as NoAnswerError; after the deadline it is slowness, however it shows."""
        try:
            yield
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswerError(self._kind(error, started), type(error).__name__) from error

    def _kind(self, error: Exception, started: float) -> Silence:
        if isinstance(error, TimeoutError) or time.monotonic() - started >= self.limit_s:
            return "slow"
        if isinstance(error, ssl.SSLError):
            return "tls"
        return "unreachable" if isinstance(error, OSError | http.client.InvalidURL | ValueError) else "not-http"


@contextmanager
def at_deadline(monotonic_s: float, opened: socket.socket) -> Iterator[None]:
    """Shuts the socket down at that time, under whoever reads from it."""
    timer = threading.Timer(max(0.0, monotonic_s - time.monotonic()), shut_down(opened))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def shut_down(opened: socket.socket) -> Callable[[], None]:
    def shut() -> None:
        try:
            socket.socket.shutdown(opened, socket.SHUT_RDWR)  # not SSLSocket's, which would take the TLS away from under the reader
        except OSError:
            return  # the other side was first

    return shut
