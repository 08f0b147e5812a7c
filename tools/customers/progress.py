"""How far a long command is: on stderr, and only where somebody watches."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

OFTEN_S = 0.1  # telling the bar of each row would cost more than the row


class RateColumn(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="progress.data.speed")


@contextmanager
def progress(what: str, total: int | None = None, done: int = 0) -> Iterator[Callable[[int], None]]:
    """Gives a function that is told how many more are done. Without a total there is no time left to show."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda more: None
        return
    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeElapsedColumn()]
    if total is not None:
        columns.append(TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield Advance(bar, bar.add_task(what, total=total, completed=done))


class Advance:
    """Tells the bar now and then."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar, self._task, self._more, self._told = bar, task, 0, 0.0

    def __call__(self, more: int) -> None:
        self._more += more
        now = time.monotonic()
        if now - self._told >= OFTEN_S:
            self._bar.advance(self._task, self._more)
            self._more, self._told = 0, now
