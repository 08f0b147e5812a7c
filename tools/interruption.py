"""Ctrl-C and SIGTERM as an exception, raised only where it can be: in the middle of starting a program it would leave that behind."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Remembers the signal until `check`; inside `at_once` it ends things without waiting for one.

    Raised inside a finalizer, or in a library that catches everything, Python drops the exception: the next check raises it again.
    """

    def __init__(self) -> None:
        self._number = 0
        self._is_raised_at_once = False

    def install(self) -> None:
        """From now on, in place of Python's KeyboardInterrupt."""
        report_unraisable = sys.unraisablehook
        sys.unraisablehook = lambda report: None if self._is_own(report) else report_unraisable(report)
        for number in SIGNALS:
            signal.signal(number, self._interrupt)

    def check(self) -> None:
        """Raises SystemExit(128 + the signal's number) if one came; to be called wherever the program takes a step or waits."""
        if self._number:
            raise SystemExit(128 + self._number)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """For what may take a while, and starts nothing that would have to be stopped."""
        self._is_raised_at_once = True
        try:
            self.check()
            yield
        finally:
            self._is_raised_at_once = False

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)  # a second one must not break off the stopping
        self._number = number
        if self._is_raised_at_once:
            self.check()

    def _is_own(self, report: Any) -> bool:
        return bool(self._number) and isinstance(report.exc_value, SystemExit)


interruption = Interruption()  # one, as signals are the whole program's; it does nothing until it is installed
