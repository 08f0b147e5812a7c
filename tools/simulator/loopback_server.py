"""Servers on a loopback port that end at once, whoever is still connected: a browser keeps idle connections open for minutes."""

import contextlib
import socket
import threading
from http.server import HTTPServer
from socketserver import BaseServer, ThreadingMixIn
from typing import Any, Self

from werkzeug.serving import ThreadedWSGIServer

LOOK_AGAIN_S = 0.05  # how soon the listening thread notices that the server is ending


class _EndsAtOnce(ThreadingMixIn, BaseServer):
    """Serves until the end of the `with` block, a thread per connection; none of them outlives it."""

    daemon_threads = False  # so that closing waits for each
    socket: Any

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.is_ending = threading.Event()
        self._connections: set[socket.socket] = set()
        super().__init__(*arguments, **named)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._listening = threading.Thread(target=self.serve_forever, args=(LOOK_AGAIN_S,))
        self._listening.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.is_ending.set()
        self.shutdown()
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):  # it may have ended by itself
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        self._listening.join()

    def pause(self, seconds: float) -> bool:
        """False when the server is ending, and then at once."""
        return not self.is_ending.wait(seconds)

    @contextlib.contextmanager
    def ending_too(self, connection: socket.socket) -> Any:
        """A connection of the server's own making, which is cut with all the others."""
        self._connections.add(connection)
        try:
            yield
        finally:
            self._connections.discard(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)


class LoopbackHttpServer(_EndsAtOnce, HTTPServer):
    """Of a request handler class of http.server."""

    request_queue_size = 64


class LoopbackWebServer(_EndsAtOnce, ThreadedWSGIServer):
    """Of a WSGI application."""
