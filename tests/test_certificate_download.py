"""The one download, from real servers on loopback: over TLS, in time, of a size, without redirects; and what is asked for again."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from linked_profile.certificate_download import LARGEST, CertificateDownload
from linked_profile.errors import CertificatesUnavailableError, SignatureRefusedError
from linked_profile.request_signature import RequestVerifier
from tests.certificates import NOW, URL, chain, roots, signed
from tests.loopback_provider import drip, hang_up, send
from tests.test_outbound import certificate

Answer = Callable[[Any], None]


class CertificateServer:
    """`answer` is what it does with a request."""

    def __init__(self, pem: Path | None = None) -> None:
        self.answer: Answer = lambda request: send(request, 200, chain(), "application/x-pem-file")
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # refused handshakes are the point
        if pem:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if pem else 'http'}://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append((self.path, dict(self.headers)))
                try:
                    server.answer(self)
                except OSError:
                    self.close_connection = True

            def log_message(self, *arguments: object) -> None: ...

        return Handler


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CertificateServer]:
    running = CertificateServer(certificate(tmp_path, "127.0.0.1"))
    yield running
    running.close()


@pytest.fixture
def download(server: CertificateServer, tmp_path: Path) -> CertificateDownload:
    return CertificateDownload(ssl.create_default_context(cafile=str(tmp_path / "127.0.0.1.pem")), server.url)


def test_the_certificates_come_over_tls_when_the_host_is_proven(server: CertificateServer, download: CertificateDownload) -> None:
    assert download(URL) == chain()
    ((path, headers),) = server.requests
    assert path == "/echo.api/echo-api-cert-15.pem"
    assert not {"cookie", "authorization"} & {name.lower() for name in headers}


def test_nothing_is_believed_when_the_host_is_not_proven(server: CertificateServer) -> None:
    with pytest.raises(CertificatesUnavailableError, match="SSLCertVerificationError"):
        CertificateDownload(host_url=server.url)(URL)
    assert server.requests == []


def html(request: Any) -> None:
    send(request, 200, b"<!doctype html><title>Sign in to the network</title>")


def redirect(request: Any) -> None:
    send(request, 302, b"", Location="/elsewhere/cert.pem")


def huge(request: Any) -> None:
    send(request, 200, chain() + b"\n" * LARGEST)


def endless(request: Any) -> None:
    request.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
    while True:
        request.wfile.write(b"-----BEGIN" * 1000)


REFUSED = [
    (html, "NO_CERTIFICATES"),
    (redirect, "CERTIFICATES_HTTP_302"),
    (huge, "CERTIFICATES_TOO_LARGE"),
    (endless, "CERTIFICATES_TOO_LARGE"),
    (lambda request: send(request, 404, chain()), "CERTIFICATES_HTTP_404"),
    (lambda request: send(request, 403, b"<Error/>"), "CERTIFICATES_HTTP_403"),
    (lambda request: send(request, 204, b""), "CERTIFICATES_HTTP_204"),
    (lambda request: send(request, 200, b""), "NO_CERTIFICATES"),
]
UNAVAILABLE = [
    (lambda request: send(request, 500, chain()), "HTTP_500"),
    (lambda request: send(request, 503, b""), "HTTP_503"),
    (lambda request: send(request, 429, b""), "HTTP_429"),
    (hang_up, "RemoteDisconnected"),
    (lambda request: request.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n"), "BadStatusLine"),
]


@pytest.mark.parametrize(("answer", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_a_request_is_refused_when_no_certificates_are_at_its_url(
    answer: Answer, reason: str, server: CertificateServer, download: CertificateDownload
) -> None:
    check_outcome(SignatureRefusedError, answer, reason, server, download)


@pytest.mark.parametrize(("answer", "reason"), UNAVAILABLE, ids=[reason for _, reason in UNAVAILABLE])
def test_a_request_stays_unproven_when_the_host_has_a_bad_day(
    answer: Answer, reason: str, server: CertificateServer, download: CertificateDownload
) -> None:
    check_outcome(CertificatesUnavailableError, answer, reason, server, download)


def check_outcome(error: type[Exception], answer: Answer, reason: str, server: CertificateServer, download: CertificateDownload) -> None:
    """The failure has this reason, one request was made, and the next one asks again and is believed."""
    verifier = RequestVerifier(download, roots(), NOW.timestamp)
    good, server.answer = server.answer, answer
    with pytest.raises(error, match=f"^{reason}$"):
        verifier.check_signature(signed(b"body"), b"body")
    assert [path for path, _ in server.requests] == ["/echo.api/echo-api-cert-15.pem"]
    server.answer = good
    verifier.check_signature(signed(b"body"), b"body")
    assert len(server.requests) == 2


def test_there_is_an_end_when_the_host_is_slow_in_any_way(server: CertificateServer, download: CertificateDownload) -> None:
    """Silent, dripping its header, dripping its body: each would hold a connection for minutes."""

    left = threading.Event()

    def silent(_: Any) -> None:
        server.stopped.wait(20)

    def drip_body(request: Any) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 60000\r\n\r\n")
        try:
            while not server.stopped.wait(0.1):
                request.wfile.write(b"-")
                request.wfile.flush()
        except OSError:
            left.set()

    for answer in (silent, drip, drip_body):
        server.answer = answer
        begun = time.monotonic()
        with pytest.raises(CertificatesUnavailableError):
            download(URL)
        assert time.monotonic() - begun < 8, "Alexa has hung up"
    assert left.wait(20), "a thread stays behind for every such request"


def test_a_request_stays_unproven_when_nobody_listens(server: CertificateServer, download: CertificateDownload) -> None:
    server.close()
    with pytest.raises(CertificatesUnavailableError, match="ConnectionRefusedError"):
        download(URL)


def test_the_certificates_of_the_simulator_are_fetched_when_its_host_is_set() -> None:
    server = CertificateServer()
    try:
        assert CertificateDownload(host_url=server.url)(URL) == chain()
    finally:
        server.close()
