"""A way through to a local server that can be cut or made slow while it is used: what outages are made of."""

import select
import socket
import threading
import time
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

LOOK_AGAIN_S = 0.05  # how soon an idle connection notices that the proxy is closing
LARGEST_CHUNK = 65_536


class LoopbackProxy:
    """Carries TCP from a loopback port of its own to the server at `url`, until the end of the `with` block."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._closing = threading.Event()
        self._cut: bytes | None = None
        self._hold_s = 0.0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LOOK_AGAIN_S)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def cut(self, marker: bytes = b"") -> None:
        """From now on a connection ends without an answer when a request with this `marker` comes over it; without one, any request."""
        self._cut = marker

    def hold(self, seconds: float) -> None:
        """From now on each request waits so long before it goes on."""
        self._hold_s = seconds

    def heal(self) -> None:
        self._cut, self._hold_s = None, 0.0

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._threads.append(threading.Thread(target=self._carry, args=(client,)))
            self._threads[-1].start()

    def _carry(self, client: socket.socket) -> None:
        """Both ways, until either side ends it or the proxy cuts it."""
        with client, socket.create_connection(self._target) as server:
            while not self._closing.is_set():
                ready, _, _ = select.select([client, server], [], [], LOOK_AGAIN_S)
                for source in ready:
                    try:
                        is_going_on = self._pass_on(source, server if source is client else client, is_request=source is client)
                    except OSError:
                        return
                    if not is_going_on:
                        return

    def _pass_on(self, source: socket.socket, sink: socket.socket, *, is_request: bool) -> bool:
        """False when the connection is over."""
        chunk = source.recv(LARGEST_CHUNK)
        if is_request:
            self._wait()
            if self._cut is not None and self._cut in chunk:
                return False
        if chunk:
            sink.sendall(chunk)
        return bool(chunk)

    def _wait(self) -> None:
        give_up = time.monotonic() + self._hold_s
        while (left := give_up - time.monotonic()) > 0 and not self._closing.wait(min(left, LOOK_AGAIN_S)):
            continue
