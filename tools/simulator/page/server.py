"""The simulator's page on a loopback port of this machine."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Protocol, Self

from werkzeug.serving import WSGIRequestHandler

from tools.simulator.loopback_server import LoopbackWebServer
from tools.simulator.page.site import Site
from tools.simulator.page.stream import Watched


class Simulated(Watched, Protocol):
    """What a page is made of; its acts are called by their names."""

    def land_on(self, url: str) -> None: ...


class PageServer:
    """Serves until the end of the `with` block, and does not wait then for an act that is still going on."""

    def __init__(self, simulation: Simulated, port: int = 0) -> None:
        """Port 0 is a free one."""
        self._simulation, self._asked_port = simulation, port

    def __enter__(self) -> Self:
        """Raises OSError where the port is taken."""
        with ExitStack() as stack:
            # One thread does all acts and lives as long as the server: the kernel ends a program with the thread that started it.
            acts = ThreadPoolExecutor(max_workers=1, thread_name_prefix="acts")
            stack.callback(acts.shutdown, wait=False, cancel_futures=True)
            site = Site(self._simulation, acts.submit, lambda: self._server.port, lambda: self._server.is_ending.is_set())  # noqa: PLW0108  (there is no server yet)
            with socket.create_server(("127.0.0.1", self._asked_port)) as listening:  # werkzeug would end the program where this fails
                server = LoopbackWebServer("127.0.0.1", 0, site.app(), _SilentHandler, fd=listening.fileno())
            self._server = stack.enter_context(server)
            self.url = self._server.url
            self._simulation.land_on(self.url)
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._exit.close()


class _SilentHandler(WSGIRequestHandler):
    """Keeps requests out of the log: the address of one of them holds the authorization code."""

    protocol_version = "HTTP/1.0"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...
