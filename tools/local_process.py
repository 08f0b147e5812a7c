"""A program that this one starts on this machine, and that never outlives it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

from tools.interruption import interruption

MOST_STARTS = 5  # between asking the kernel for a free port and listening on it, somebody else may take it
READY_WITHIN_S = 30.0
STOP_WITHIN_S = 3.0
T = TypeVar("T")
# Runs in the child just before the program: on Linux the kernel then ends it with this process, a killed one too. Where this process
# is being interrupted already, it ignores SIGTERM, and the child would inherit that.
TIED_TO_PARENT = (
    "import ctypes, os, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_DFL); ctypes.CDLL(None).prctl(1, signal.SIGTERM); "
    "os.getppid() == int(sys.argv[1]) or sys.exit('the parent is gone'); os.execvp(sys.argv[2], sys.argv[2:])"
)


class LocalProcessError(Exception):
    """The program could not be started; the message holds its last words."""


class Starter:
    """One thread that lives as long as this process, and does what starts programs, in the order in which it was asked.

    The kernel ends a program with the thread that started it, and other threads come and go. An interruption is raised in the main
    thread only, so that what is begun here is done to its end, and can be stopped in order then.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._has_thread, self._lock, self._turn = False, threading.Lock(), threading.Lock()
        self._here = threading.local()  # `is_starter` in the thread itself

    def run(self, job: Callable[[], T]) -> T:
        """What the job brings, or raises; whoever is interrupted while waiting leaves it behind, and it goes on."""
        if getattr(self._here, "is_starter", False):
            return job()
        done: Future[T] = Future()
        self._jobs.put((done, job))
        self._ensure_thread()
        return done.result()

    def wait(self) -> None:
        """Until everything that was asked for before is done."""
        self.run(lambda: None)

    def _ensure_thread(self) -> None:
        with self._lock:
            if not self._has_thread:
                threading.Thread(target=self._work, name="starter", daemon=True).start()
                self._has_thread = True

    def _work(self) -> None:
        self._here.is_starter = True
        while True:
            with self._turn:  # an interruption while the thread was being started may have left two
                self._do_next()

    def _do_next(self) -> None:
        done, job = self._jobs.get()
        try:
            done.set_result(job())
        except BaseException as error:  # noqa: BLE001  (it is whoever asked who hears it)
            done.set_exception(error)


starter = Starter()  # one, as it stands for the whole process


class LocalProcess:
    """Runs until `stop`, the end of the `with` block, or the end of this process; its output is kept in a file."""

    def __init__(self, command: Sequence[object], *, environment: Mapping[str, str], folder: Path, log: Path) -> None:
        """`environment` is the whole of it: nothing of the developer's own reaches the program."""
        self._log = log
        words = [str(word) for word in command]
        if sys.platform == "linux":
            words = [sys.executable, "-I", "-S", "-c", TIED_TO_PARENT, str(os.getpid()), *words]
        with log.open("wb") as output:
            # A session of its own: Ctrl-C at the terminal reaches this program only, which then stops the other in order.
            self._process = starter.run(
                lambda: subprocess.Popen(
                    words, env=dict(environment), cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
                )
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
