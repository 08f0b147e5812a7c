"""A simulator that is running on this machine: where it is, and how it is spoken to."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tools.simulator.desk import SimulationError
from tools.simulator.linking_errors import AccountLinkingError

NAME = "running.json"
LOOKS_FOR_S = 5.0
ACTS_WITHIN_S = 120.0  # a slow provider, and a provider that is set up only now
LARGEST_NOTE = 10_000


@dataclass(frozen=True)
class Running:
    """The simulator behind this URL, as its page speaks to it."""

    url: str
    pid: int

    def act(self, name: str, /, **arguments: Any) -> Any:
        """What the act brought. Raises SimulationError, AccountLinkingError, requests.RequestException."""
        headers = {"X-Simulator": "cli"}
        with http_session() as session:
            answer = session.post(f"{self.url}/api/{name}", json=arguments, headers=headers, timeout=ACTS_WITHIN_S, allow_redirects=False)
        body = read_object(answer)
        if answer.ok and "error" not in body:
            return body.get("result")
        text = str(body.get("error") or f"the simulator answered HTTP {answer.status_code}")
        if "cause" in body:
            raise AccountLinkingError(str(body["cause"]), step=str(body.get("step", "")), mend=str(body.get("mend", "")))
        raise SimulationError(text)

    def state(self) -> dict[str, Any]:
        """All that its page shows. Raises SimulationError, requests.RequestException."""
        with http_session() as session:
            answer = session.get(f"{self.url}/api/state", headers={"X-Simulator": "cli"}, timeout=LOOKS_FOR_S, allow_redirects=False)
        state = read_object(answer)
        if "simulator" not in state:
            raise SimulationError(f"no simulator answers at {self.url}")
        return state

    @property
    def is_there(self) -> bool:
        """Not where its process was killed, nor where somebody else got its port."""
        try:
            self.state()
        except (SimulationError, requests.RequestException):
            return False
        return True


@contextmanager
def http_session() -> Iterator[requests.Session]:
    """Without the proxies of the environment: this is loopback."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def read_object(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def find_running(folder: Path) -> Running | None:
    """The simulator that left its address in this folder, if it is still there."""
    running = read_note(folder / NAME)
    return running if running and running.is_there else None


def read_note(path: Path) -> Running | None:
    """None for a file that is none of ours, or that leads away from this machine."""
    try:
        with path.open("rb") as file:
            note = json.loads(file.read(LARGEST_NOTE))
        url, pid = str(note["url"]).rstrip("/"), int(note["pid"])
        is_ours = urlsplit(url).scheme == "http" and urlsplit(url).hostname == "127.0.0.1" and pid > 1
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Running(url, pid) if is_ours else None


@contextmanager
def noted(folder: Path, url: str) -> Iterator[None]:
    """Leaves the address for the other commands, readable for this user only, and takes it away at the end if it still is ours."""
    running = Running(url.rstrip("/"), os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f"{NAME}.")  # with 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"url": running.url, "pid": running.pid}, file)
    Path(temporary).replace(path)
    try:
        yield
    finally:
        if read_note(path) == running:
            with suppress(OSError):
                path.unlink()
