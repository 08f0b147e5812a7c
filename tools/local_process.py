"""A program that this one starts on this machine, and that never outlives it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.interruption import interruption

MOST_STARTS = 5  # between asking the kernel for a free port and listening on it, somebody else may take it
READY_WITHIN_S = 30.0
STOP_WITHIN_S = 3.0
# Runs in the child just before the program: on Linux the kernel then ends it with the thread that started it, a killed one too.
TIED_TO_PARENT = (
    "import ctypes, os, signal, sys; ctypes.CDLL(None).prctl(1, signal.SIGTERM); "
    "os.getppid() == int(sys.argv[1]) or sys.exit('the parent is gone'); os.execvp(sys.argv[2], sys.argv[2:])"
)


class LocalProcessError(Exception):
    """The program could not be started; the message holds its last words."""


class LocalProcess:
    """Runs until `stop`, the end of the `with` block, or the end of the thread that started it; its output is kept in a file."""

    def __init__(self, command: Sequence[object], *, environment: Mapping[str, str], folder: Path, log: Path) -> None:
        """`environment` is the whole of it: nothing of the developer's own reaches the program."""
        self._log = log
        words = [str(word) for word in command]
        if sys.platform == "linux":
            words = [sys.executable, "-I", "-S", "-c", TIED_TO_PARENT, str(os.getpid()), *words]
        with log.open("wb") as output:
            # A session of its own: Ctrl-C at the terminal reaches this program only, which then stops the other in order.
            self._process = subprocess.Popen(
                words, env=dict(environment), cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def log_text(self) -> str:
        """Everything that the program has written to stdout and stderr so far."""
        return self._log.read_text("utf-8", "replace")

    def becomes_ready(self, is_ready: Callable[[], bool], seconds: float = READY_WITHIN_S) -> bool:
        """Waits: True when it is ready, False when it ended or took longer."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            interruption.check()
            if is_ready():
                return self.is_running  # else it was somebody else who answered
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=0.02)
                return False
        return False

    def stop(self) -> None:
        """Asks it to end, and makes it end if it does not; repeating it changes nothing."""
        if not self.is_running:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()

    def _kill(self) -> None:
        """With all that it started, where there are process groups."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            os.killpg(self._process.pid, signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    """Loopback ports that the kernel says are free now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def start_on_free_ports(
    name: str, count: int, start: Callable[[list[int]], LocalProcess], is_ready: Callable[[list[int]], bool]
) -> tuple[LocalProcess, list[int]]:
    """The program when it is ready, and its ports. Raises LocalProcessError."""
    for _ in range(MOST_STARTS):
        ports = free_ports(count)
        process = start(ports)
        try:
            if process.becomes_ready(lambda ports=ports: is_ready(ports)):  # type: ignore[misc]
                return process, ports
        except BaseException:  # an interruption, too
            process.stop()
            raise
        process.stop()
        if "in use" not in process.log_text():
            break
    raise LocalProcessError(f"{name} did not start: {process.log_text().strip()[-600:] or 'it said nothing'}")
