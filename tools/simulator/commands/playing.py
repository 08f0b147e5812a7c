"""What a command acts on: the simulator that runs on this machine, or one that is started for this command alone."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import click

from tools.interruption import interruption
from tools.simulator.commands.running import find_running
from tools.simulator.desk import Options, SimulationError
from tools.simulator.simulation import Simulation

STOPPED = "Everything that was started is stopped again."
START_ONE = "python -m tools.simulator run"


class Playing(Protocol):
    """A simulation, here or in another process; it raises SimulationError and AccountLinkingError."""

    def act(self, name: str, /, **arguments: Any) -> Any: ...

    def state(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Alone:
    """A simulation of this process."""

    simulation: Simulation

    def act(self, name: str, /, **arguments: Any) -> Any:
        return getattr(self.simulation, name)(**arguments)

    def state(self) -> dict[str, Any]:
        return self.simulation.state()


@dataclass(frozen=True)
class Place:
    """Where to look for a running simulator, and what to start where there is none, or where it is not wanted."""

    folder: Path
    options: Options
    is_alone: bool

    @contextmanager
    def playing(self) -> Iterator[tuple[Playing, bool]]:
        """And whether it was started for this. Raises what starting raises."""
        running = None if self.is_alone else find_running(self.folder)
        if running:
            if self.options != Options(in_process=sys.platform != "linux"):
                note("A simulator is running, and its own options hold, not those of this command; --alone starts another.")
            yield running, False
            return
        note(f"No simulator is running; one is started for this command and stopped after it. To keep one: {START_ONE}")
        with Simulation(self.options, progress=progress) as simulation, interruption.at_once():
            yield Alone(simulation), True


def running_one(folder: Path) -> Playing:
    """For what makes no sense alone. Raises SimulationError."""
    running = find_running(folder)
    if running is None:
        raise SimulationError(f"no simulator is running: {START_ONE}")
    return running


def note(text: str) -> None:
    """Beside the answer, on stderr."""
    click.secho(text, err=True, dim=True)


@contextmanager
def progress(what: str) -> Iterator[None]:
    """On stderr, with the seconds that it took."""
    started = time.monotonic()
    click.secho(f"{what} … ", err=True, dim=True, nl=False)
    try:
        yield
    except BaseException:  # an interruption, too: what is said next begins a line
        click.echo(err=True)
        raise
    click.secho(f"{time.monotonic() - started:.1f} s", err=True, dim=True)
