"""As many Lambda environments as are needed at once, as Lambda itself does it: one emulator takes one event at a time."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from tools.local_stack import LocalStack
from tools.runtime_emulator import RuntimeEmulator


class EmulatorPool:
    """Starts an emulator when an event comes and all others are busy; the one used last goes first, so that it stays warm."""

    def __init__(self, stack: LocalStack, overrides: Mapping[str, str] | None = None) -> None:
        self._stack, self._overrides = stack, overrides or {}
        self._idle: list[RuntimeEmulator] = []
        self._all: list[RuntimeEmulator] = []
        self._past_logs: list[str] = []
        self._lock = threading.Lock()
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        """Raises LocalProcessError. The first emulator starts here, so that what is missing is known at once."""
        with ExitStack() as stack:
            # One thread starts them all and lives as long as they: the kernel ends a program with the thread that started it.
            self._starter = stack.enter_context(ThreadPoolExecutor(max_workers=1))
            stack.callback(self._stop)
            self._idle = [self._start()]
            self._exit = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exit.close()

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """The function's answer. Raises SkillFailedError, LocalProcessError."""
        with self._lock:
            emulator = self._idle.pop() if self._idle else None
        emulator = emulator or self._start()
        try:
            return emulator.invoke(event)
        finally:
            with self._lock:
                self._idle.append(emulator)

    def start_cold(self) -> None:
        """The next event meets a new environment; one that is busy now ends its work and is used again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for emulator in idle:
            self._past_logs.append(emulator.log_text())
            self._all.remove(emulator)
            emulator.__exit__(None, None, None)

    def log_text(self) -> str:
        """All that the function and the runtime have logged, environment by environment."""
        return "\n".join([*self._past_logs, *(emulator.log_text() for emulator in self._all)])

    def _start(self) -> RuntimeEmulator:
        emulator = self._starter.submit(RuntimeEmulator(self._stack, self._overrides).__enter__).result()
        self._all.append(emulator)
        return emulator

    def _stop(self) -> None:
        for emulator in self._all:
            emulator.__exit__(None, None, None)
