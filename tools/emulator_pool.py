"""As many Lambda environments as are needed at once, as Lambda itself does it: one emulator takes one event at a time."""

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import requests

from tools.local_process import LocalProcessError, starter
from tools.local_stack import LocalStack
from tools.runtime_emulator import RuntimeEmulator
from tools.simulator.skill import SkillFailedError


class EmulatorPool:
    """Starts an emulator when an event comes and all others are busy; the one used last goes first, so that it stays warm."""

    def __init__(self, stack: LocalStack, overrides: Mapping[str, str] | None = None) -> None:
        self._stack, self._overrides = stack, overrides or {}
        self._idle: list[RuntimeEmulator] = []
        self._all: list[RuntimeEmulator] = []
        self._past_logs: list[str] = []
        self._is_over = False
        self._lock = threading.Lock()
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        """Raises LocalProcessError. The first emulator starts here, so that what is missing is known at once."""
        with ExitStack() as stack:
            stack.callback(starter.run, self._stop)  # after a start that is still going on there
            self._idle = [self._start()]
            self._exit = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exit.close()

    def invoke(self, event: dict[str, Any]) -> Any:
        """The function's answer. Raises SkillFailedError, LocalProcessError."""
        emulator, has_answered = self._take_idle() or self._start(), False
        try:
            answer = emulator.invoke(event)
            has_answered = True
        except SkillFailedError as failure:
            has_answered = not isinstance(failure.__cause__, requests.RequestException)
            raise
        finally:
            self._give_back(emulator, is_good=has_answered and emulator.is_running)
        return answer

    def start_cold(self) -> None:
        """The next event meets a new environment; one that is busy now ends its work and is used again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for emulator in idle:
            self._drop(emulator)

    def log_text(self) -> str:
        """All that the function and the runtime have logged, environment by environment."""
        with self._lock:
            return "\n".join([*self._past_logs, *(emulator.log_text() for emulator in self._all)])

    def _take_idle(self) -> RuntimeEmulator | None:
        """None where all that are there are busy."""
        while True:
            with self._lock:
                emulator = self._idle.pop() if self._idle else None
            if emulator is None or emulator.is_running:
                return emulator
            self._drop(emulator)

    def _give_back(self, emulator: RuntimeEmulator, *, is_good: bool) -> None:
        """One that gave no answer may be dying, or still at work on this event, and is not used again."""
        with self._lock:
            if is_good and not self._is_over:
                self._idle.append(emulator)
                return
        self._drop(emulator)

    def _drop(self, emulator: RuntimeEmulator) -> None:
        """Its log is kept."""
        with self._lock:
            if emulator not in self._all:  # the pool was stopped meanwhile
                return
            self._past_logs.append(emulator.log_text())
            self._all.remove(emulator)
        emulator.__exit__(None, None, None)

    def _start(self) -> RuntimeEmulator:
        return starter.run(self._start_now)

    def _start_now(self) -> RuntimeEmulator:
        """Noted in the same job: it is stopped with the others even if whoever asked for it waits no longer."""
        if self._is_over:
            raise LocalProcessError("the Lambda runtime emulators have been stopped")
        emulator = RuntimeEmulator(self._stack, self._overrides)
        emulator.__enter__()
        with self._lock:
            self._all.append(emulator)
        return emulator

    def _stop(self) -> None:
        self._is_over = True
        with self._lock:
            stopping = list(self._all)
        for emulator in stopping:
            self._drop(emulator)
