"""A story on paper: numbered acts, who says what, the card as a card, the rows as a table; colours on a terminal only."""

import io
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tools.mapping_table import COLUMNS
from tools.simulator.wire import ALEXA, CUSTOMER, GATEWAY, PROVIDER, SKILL, Message, shorten_id

WIDEST, PIPED, TABLE = 120, 112, 106  # columns; the last is what the mapping table needs
PARTIES = 31  # where the words begin
STYLES = {CUSTOMER: "bold cyan", ALEXA: "bold magenta", SKILL: "bold green", PROVIDER: "bold yellow", GATEWAY: "bold blue"}
Row = Mapping[str, Any]


class Transcript:
    """Writes to stdout; NO_COLOR, TERM and the width of the terminal are respected. Safe to be told by several threads."""

    def __init__(self, check: Callable[[], None] = lambda: None, *, is_silent: bool = False) -> None:
        """`check` is called before every line of the main thread, and may raise to end the story; silent, it is still called."""
        self._check, self._lock = check, threading.RLock()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # an old code page has no arrows; that must not end the story
        # This very stdout: while the function runs in this process, sys.stdout is its log.
        console = Console(highlight=False, file=sys.stdout, quiet=is_silent)
        console.width = min(console.width, WIDEST) if sys.stdout.isatty() else PIPED
        self._console = console
        self._acts, self._stories = 0, 0

    def begin(self, title: str) -> None:
        """A story of its own, with acts numbered from 1, and a line between it and the one before."""
        self._acts, self._stories = 0, self._stories + 1
        self.line(title if self._stories == 1 else f"\n{title}", "bold")

    def line(self, text: str, style: str = "") -> None:
        self._print(Text(text, style))

    @contextmanager
    def progress(self, what: str) -> Iterator[None]:
        """Says what is being done, and how long it took when it is done."""
        started = time.monotonic()
        self._print(Text(f"{what} … ", "dim"), end="")
        try:
            yield
        except BaseException:  # an interruption, too: what is said next begins a line
            self._console.print()
            raise
        self._print(Text(f"{time.monotonic() - started:.1f} s", "dim"))

    def act(self, title: str) -> None:
        """The next numbered heading."""
        self._acts += 1
        self._print(Text(f"\n{self._acts}. {title}", "bold underline"))

    def message(self, customer: str, message: Message) -> None:
        """A listener for the simulation: a line, or a card, per message, and why one failed."""
        if message.text == "shows a card":
            return self._card(message.details)
        if message.text == "says":
            return self._said(message)
        if message.text == "answers" and message.verdict == "ok":
            return None  # what Alexa makes of it comes next
        with self._lock:
            self._passed(message)
            for reason in filter(None, (message.reason, message.mend)):
                self._row(Text(""), Text(reason, "red" if message.verdict == "failed" else "yellow"))

    def _passed(self, message: Message) -> None:
        parties = Text.assemble((message.sender, STYLES[message.sender]), (" → ", "dim"), (message.receiver, STYLES[message.receiver]))
        details = [Text(f"{name}: {value}", "dim") for name, value in message.details.items()]
        in_a_line = Text("  ").join([Text(message.text), *details])
        if PARTIES + in_a_line.cell_len <= self._console.width:
            return self._row(parties, in_a_line)
        self._row(parties, Text(message.text))
        for detail in details:
            self._row(Text(""), detail)

    def rows(self, rows: Sequence[Row]) -> None:
        """The mapping table: Amazon's five columns, and ours for how a row came about."""
        if not rows:
            return self.line("the mapping table: no row", "italic")
        self.line("the mapping table (ids shortened, times in UTC):", "italic")
        with self._console.capture() as capture:
            self._console.print(side_by_side(rows) if self._console.width >= TABLE else one_above_the_other(rows))
        self._print(Text.from_ansi("\n".join(line.rstrip() for line in capture.get().splitlines())))

    def _said(self, message: Message) -> None:
        words = message.details.get("speech", message.details.get("utterance", ""))
        text = Text(f"“{words}”", "bold")
        for name, style in (("took", "dim"), ("problem", "red")):
            if name in message.details:
                text.append(f"  {message.details[name]}", f"not bold {style}")
        self._row(Text.assemble((message.sender, STYLES[message.sender])), text)

    def _card(self, card: Mapping[str, str]) -> None:
        text = "\n".join(f"{name}: {value}" for name, value in card.items())
        self._print(Panel.fit(text, title="card in the Alexa app", title_align="left", border_style="magenta", padding=(0, 2)))

    def _row(self, parties: Text, text: Text) -> None:
        """Wrapped behind the parties' column, without the blanks that a rich grid leaves at the end of lines."""
        with self._lock:
            for number, line in enumerate(text.wrap(self._console, self._console.width - PARTIES)):
                beginning = parties.copy() if number == 0 else Text("")
                beginning.align("left", PARTIES)
                line.rstrip()
                self._print(beginning + line)

    def _print(self, what: Text | Panel, end: str = "\n") -> None:
        if threading.current_thread() is threading.main_thread():
            self._check()
        with self._lock:
            self._console.print(what, end=end, soft_wrap=isinstance(what, Text))
            self._console.file.flush()  # whoever reads a pipe sees it happen


def side_by_side(rows: Sequence[Row]) -> Table:
    """A line per row."""
    table = Table(*COLUMNS, box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for row in rows:
        table.add_row(*(cell(name, row.get(name)) for name in COLUMNS))
    return table


def one_above_the_other(rows: Sequence[Row]) -> Table:
    """A line per column, for narrow terminals."""
    table = Table.grid(padding=(0, 3, 0, 0))
    for name in COLUMNS:
        table.add_row(Text(name, "bold"), *(cell(name, row.get(name)) for row in rows))
    return table


def cell(column: str, value: str | None) -> str:
    """Ids in the width of a column, times for people."""
    if value is None:
        return "(open)" if column == "EndDatetime" else "(not known)"
    if column.endswith("Datetime"):
        return value.replace("T", " ").removesuffix("Z")
    if column == "AmazonUserID":
        return shorten_id(value).removeprefix("amzn1.ask.account.")
    return f"{value[:8]}…{value[-4:]}" if column == "AccountID" else value
