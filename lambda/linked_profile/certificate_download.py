"""Fetches the certificates that Alexa signs its HTTPS requests with: https, no redirects, two seconds altogether, 64 kB at most."""

import contextlib
import http.client
import queue
import ssl
import threading
import time
from urllib.parse import urlsplit

import certifi

from linked_profile.errors import CertificatesUnavailableError, SignatureRefusedError

TIME_LIMIT_S = 2.0
LARGEST = 64 * 1024  # bytes; Alexa's four certificates are below 8 kB
AT_ONCE = 8192  # bytes


class CertificateDownload:
    """Called with a URL that has passed its check, gives what stands there; keeps nothing."""

    def __init__(self, tls: ssl.SSLContext | None = None, host_url: str = "") -> None:
        """`host_url` takes the place of the URL's scheme and host, for the simulator's Alexa; `tls` that of the public roots."""
        self._tls = tls or ssl.create_default_context(cafile=certifi.where())
        self._host_url = host_url

    def __call__(self, url: str) -> bytes:
        """Raises SignatureRefusedError when no certificates are at this address, CertificatesUnavailableError when a retry may help."""
        outcome: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
        # In a thread of its own, as in outbound: neither a name server nor a dripping header keeps to a socket's timeout.
        threading.Thread(target=lambda: outcome.put(self._outcome(url)), daemon=True).start()
        try:
            result = outcome.get(timeout=TIME_LIMIT_S)
        except queue.Empty as error:
            raise CertificatesUnavailableError("NO_ANSWER_IN_TIME") from error
        if isinstance(result, Exception):
            raise result
        return result

    def _outcome(self, url: str) -> bytes | Exception:
        try:
            return self._fetch(url)
        except (SignatureRefusedError, CertificatesUnavailableError) as error:
            return error
        except Exception as error:  # noqa: BLE001  (no connection, a broken one, TLS, half an HTTP answer: a retry may help)
            return CertificatesUnavailableError(type(error).__name__)

    def _fetch(self, url: str) -> bytes:
        give_up = time.monotonic() + TIME_LIMIT_S
        with contextlib.closing(self._connection(url)) as connection:
            connection.request("GET", urlsplit(url).path, headers={"Accept-Encoding": "identity"})
            with connection.getresponse() as response:
                check_status(response.status)
                return read(response, give_up)

    def _connection(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(self._host_url or url)
        if parts.scheme == "http":  # settings allow that on loopback only
            return http.client.HTTPConnection(parts.netloc, timeout=TIME_LIMIT_S)
        return http.client.HTTPSConnection(parts.netloc, timeout=TIME_LIMIT_S, context=self._tls)


def check_status(status: int) -> None:
    """A redirect is no answer: where it leads to, no rule has been asked about."""
    if status == 429 or status >= 500:
        raise CertificatesUnavailableError(f"HTTP_{status}")
    if status != 200:
        raise SignatureRefusedError(f"CERTIFICATES_HTTP_{status}")


def read(response: http.client.HTTPResponse, give_up: float) -> bytes:
    """The body; `give_up` on the monotonic clock ends a dripping one."""
    content = b""
    while chunk := response.read1(AT_ONCE):
        content += chunk
        if len(content) > LARGEST:
            raise SignatureRefusedError("CERTIFICATES_TOO_LARGE")
        if time.monotonic() > give_up:
            raise CertificatesUnavailableError("NO_ANSWER_IN_TIME")
    return content
