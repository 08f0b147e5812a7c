"""The simulator as a program of its own, and what it has left running: known by the temporary folder that it was given."""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tools.setup import ROOT

ENDS_WITHIN_S = 60


def start_simulator(temporary: Path, *arguments: str, folder: Path = ROOT) -> "subprocess.Popen[str]":
    """With a temporary folder and a note of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "PYTHONPATH"}}
    return subprocess.Popen(
        [sys.executable, "-m", "tools.simulator", *arguments],
        cwd=folder,
        env={**kept, "TMPDIR": str(temporary), "SIMULATOR_FOLDER": str(temporary / "note"), "PYTHONFAULTHANDLER": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_simulator(temporary: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """To its end, or to the end of the test's patience: then it says on stderr where each thread stands."""
    with start_simulator(temporary, *arguments) as process:
        try:
            told, complaints = process.communicate(timeout=ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            told, complaints = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, told, complaints)


def leftovers(folder: Path) -> list[int]:
    """The processes that were started with this temporary folder, other than zombies: those have no environment any more."""
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if str(folder).encode() in read(path)]


def left_in(folder: Path) -> list[str]:
    """Temporary files and folders; the note's own folder stays."""
    return [path.name for path in folder.iterdir() if path.name != "note"]


def wait_for_end(pid: int) -> None:
    with suppress(ProcessLookupError):  # it may be gone by now, which is what is waited for
        descriptor = os.pidfd_open(pid)
        select.select([descriptor], [], [], ENDS_WITHIN_S)
        os.close(descriptor)


def read(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    return b""
