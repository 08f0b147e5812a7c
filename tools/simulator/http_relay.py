"""HTTP/1.1 taken in and sent on as it was: method, target, headers and body; only what belongs to one connection is left behind."""

import http.client
import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from urllib.parse import urlsplit

TIMEOUT_S = 30.0
LARGEST_BODY = 4 * 1024 * 1024
# RFC 9110 section 7.6.1; the body's length, which is known when it is sent on; Expect, which has been answered by then
OF_THE_CONNECTION = {
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "expect",
}
WITHOUT_BODY = {204, 304}
RESET_AT_CLOSE = struct.pack("ii", 1, 0)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class HttpRequest:
    """`target` is path and query; no header of the connection is in `headers`, and no Host."""

    method: str
    target: str
    headers: Headers = ()
    content: bytes = b""

    def header(self, name: str) -> str:
        """The first of that name, or ""."""
        return next((value for key, value in self.headers if key.casefold() == name.casefold()), "")


@dataclass(frozen=True)
class HttpAnswer:
    """Of a server, or of whoever answers in its place."""

    status: int
    headers: Headers = ()
    content: bytes = b""


class RelayError(Exception):
    """The server gave no answer."""


def relay(request: HttpRequest, url: str, ending_too: Callable[[socket.socket], AbstractContextManager[None]]) -> HttpAnswer:
    """What the server at `url` answers; `ending_too` may cut the connection from another thread. Raises RelayError."""
    server = urlsplit(url)
    connection = http.client.HTTPConnection(server.hostname or "127.0.0.1", server.port, timeout=TIMEOUT_S)
    try:
        connection.connect()
        with ending_too(connection.sock):
            _send(connection, request, server.netloc)
            answer = connection.getresponse()
            return HttpAnswer(answer.status, _without_the_connections(answer.getheaders(), request.method), answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a target that is no ASCII, a header with a line break
        raise RelayError(type(error).__name__) from error
    finally:
        connection.close()


def _send(connection: http.client.HTTPConnection, request: HttpRequest, host: str) -> None:
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in (("Host", host), *request.headers, ("Connection", "close")):
        connection.putheader(name, value)
    if request.content or request.method in {"POST", "PUT", "PATCH"}:
        connection.putheader("Content-Length", str(len(request.content)))
    connection.endheaders(request.content or None)


def _without_the_connections(headers: Iterable[tuple[str, str]], method: str = "") -> Headers:
    """An answer to HEAD keeps the length of the body that it does not have."""
    listed = list(headers)
    named = {word.strip().casefold() for name, value in listed if name.casefold() == "connection" for word in value.split(",")}
    left_out = (OF_THE_CONNECTION | named) - ({"content-length"} if method == "HEAD" else set())
    return tuple((name, value) for name, value in listed if name.casefold() not in left_out)


class RelayHandler(BaseHTTPRequestHandler):
    """Hands each request to `answer_for`, which a subclass gives; one request to a connection."""

    protocol_version = "HTTP/1.1"

    def answer_for(self, request: HttpRequest) -> HttpAnswer | None:
        """None ends the connection without an answer."""
        raise NotImplementedError

    def do_GET(self) -> None:
        self.close_connection = True
        try:
            content = read_content(self.rfile, self.headers.get("Transfer-Encoding", ""), self.headers.get("Content-Length", "0"))
        except ValueError:
            return self._write(HttpAnswer(400))
        headers = tuple((name, value) for name, value in _without_the_connections(self.headers.items()) if name.casefold() != "host")
        answer = self.answer_for(HttpRequest(self.command, self.path, headers, content))
        if answer is None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        else:
            self._write(answer)

    do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815  (names of http.server)

    def _write(self, answer: HttpAnswer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if self.command != "HEAD" and answer.status not in WITHOUT_BODY:
            self.send_header("Content-Length", str(len(answer.content)))
        self.send_header("Connection", "close")
        try:
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)
        except OSError:  # whoever asked has gone
            return

    def log_message(self, *_: object) -> None:
        """Nothing: addresses hold codes and tokens."""


def read_content(stream: BufferedIOBase, transfer_encoding: str, content_length: str) -> bytes:
    """A request's body, chunked or not. Raises ValueError for one that is cut, larger than 4 MB, or framed in no way that HTTP knows."""
    if not transfer_encoding:
        return _read_exactly(stream, int(content_length))
    if transfer_encoding.strip().casefold() != "chunked":
        raise ValueError("unknown transfer encoding")
    content = b""
    while size := int(stream.readline(1024).partition(b";")[0], 16):
        content += _read_exactly(stream, size)
        stream.readline(3)
        if len(content) > LARGEST_BODY:
            raise ValueError("the body is too large")
    while stream.readline(65_537).strip():  # trailers
        continue
    return content


def _read_exactly(stream: BufferedIOBase, size: int) -> bytes:
    if not 0 <= size <= LARGEST_BODY:
        raise ValueError("the body is too large")
    content = stream.read(size)
    if len(content) < size:
        raise ValueError("the body is cut")
    return content
