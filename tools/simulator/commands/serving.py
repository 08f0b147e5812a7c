"""The simulator's page, until it is interrupted."""

import os
import signal
import sys
import threading
import webbrowser
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NoReturn

import click

from tools.interruption import interruption
from tools.simulator.commands.playing import STOPPED, note, progress
from tools.simulator.commands.running import Running, find_running, noted
from tools.simulator.commands.setting_up import with_options
from tools.simulator.desk import Options, SimulationError
from tools.simulator.page.server import PageServer
from tools.simulator.simulation import Simulation

ENDS_WITHIN_S = 20.0
WAKES_UP_S = 0.2


@click.command(short_help="The simulator's page, until Ctrl-C.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Of the page, on 127.0.0.1. [default: a free one]")
@click.option("--fresh", is_flag=True, help="Stop the one that is running, and start anew.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@with_options
@click.pass_obj
def run(folder: Path, options: Options, chosen: dict[str, str], *, port: int, fresh: bool, no_open: bool) -> int:
    """Starts the simulator and serves its page until Ctrl-C; prints one line, the page's URL. All state ends with it.

    One at a time: where one is running already, its URL is printed, and that is all.

    \b
      python -m tools.simulator run
      python -m tools.simulator run --provider lwa --port 8800 --fresh
      python -m tools.simulator run --skill-url https://example.com/skill --skill-id amzn1.ask.skill.… --models models
    """
    running = find_running(folder)
    if running and not fresh:
        note("a simulator is running already, with options of its own; --fresh starts another in its place")
        click.echo(running.url)
        return 0
    if running:
        stop(running, folder)
    with ExitStack() as stack:
        simulation = stack.enter_context(Simulation(options, progress=progress))
        page = stack.enter_context(PageServer(simulation, port))
        stack.enter_context(noted(folder, page.url))
        stack.enter_context(simulation.ticking())
        interruption.check()
        click.echo(page.url)
        if not no_open:
            open_page(page.url)
        with suppress(SystemExit):
            wait_for_interruption()
    note(f"Stopped. {STOPPED}")
    return 0


def wait_for_interruption() -> NoReturn:
    """Raises SystemExit. Any thread may be the one that takes a signal; Python tells the main one only when that wakes up."""
    never = threading.Event()
    while True:
        interruption.check()
        never.wait(WAKES_UP_S)


def stop(running: Running, folder: Path) -> None:
    """Raises SimulationError where it does not end."""
    note(f"stopping the simulator at {running.url}")
    with suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    is_gone = threading.Event()
    for _ in range(int(ENDS_WITHIN_S / 0.1)):
        interruption.check()
        if find_running(folder) != running:
            return
        is_gone.wait(0.1)
    raise SimulationError(f"the simulator at {running.url} does not end; its process is {running.pid}")


def open_page(url: str) -> None:
    """For a person at a screen only."""
    has_screen = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if has_screen and sys.stdout.isatty():
        webbrowser.open(url)
