"""TLS stays verified although every connection shares one context."""

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from linked_profile.errors import ProviderUnavailableError
from linked_profile.outbound import Answer, Deadline, Outbound


def certificate(folder: Path, host: str) -> Path:
    """A self-signed certificate and its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    alternative = x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1))
    signed = builder.add_extension(x509.SubjectAlternativeName([alternative]), critical=False).sign(key, hashes.SHA256())
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / f"{host}.pem"
    path.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return path


class Connections(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.peers.add(self.client_address)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    servers = []

    def start(host: str) -> tuple[ThreadingHTTPServer, Path]:
        pem = certificate(tmp_path, host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Connections)
        server.daemon_threads = True
        server.peers = set()  # type: ignore[attr-defined]
        server.handle_error = lambda *args: None  # type: ignore[method-assign]  # refused handshakes are the point
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return server, pem

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def fetch(outbound: Outbound, server: ThreadingHTTPServer) -> Answer:
    url = f"https://127.0.0.1:{server.server_port}/"
    return outbound.fetch("GET", url, headers={}, read=lambda answer: answer, deadline=Deadline(5))


def test_answers_over_one_connection_when_the_root_is_trusted(serve: Any) -> None:
    server, pem = serve("127.0.0.1")
    outbound = Outbound(ssl.create_default_context(cafile=str(pem)))
    assert [fetch(outbound, server).status for _ in range(3)] == [200, 200, 200]
    assert len(server.peers) == 1


def test_refuses_when_the_root_is_not_trusted(serve: Any) -> None:
    server, _ = serve("127.0.0.1")
    with pytest.raises(ProviderUnavailableError, match="SSLError"):
        fetch(Outbound(), server)


def test_refuses_when_the_certificate_is_for_another_host(serve: Any) -> None:
    server, pem = serve("login.example.com")
    with pytest.raises(ProviderUnavailableError, match="SSLError"):
        fetch(Outbound(ssl.create_default_context(cafile=str(pem))), server)
