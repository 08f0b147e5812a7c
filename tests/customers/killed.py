"""A command in a process of its own, against the quick stand-in of DynamoDB, killed without warning."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")


class FastServer:
    """The stand-in's process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.customers.fast_dynamodb"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()

    def close(self) -> int:
        """How many queries it answered."""
        if self._process.poll() is not None:
            return 0
        out, _ = self._process.communicate(timeout=30)
        return int(out)


@contextmanager
def fast_server() -> Iterator[FastServer]:
    server = FastServer()
    try:
        yield server
    finally:
        server.close()


def start(server: FastServer, *arguments: object) -> "subprocess.Popen[bytes]":
    """The command, without anything of this machine's AWS configuration."""
    aws = {"AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_DEFAULT_REGION": "us-east-1"}
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    command = [sys.executable, "-m", "tools.customers", *map(str, arguments), "--table", "account-mappings"]
    return subprocess.Popen(command, cwd=ROOT, env=kept | nowhere | aws, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(server: FastServer, *arguments: object) -> None:
    process = start(server, *arguments)
    _, err = process.communicate()
    assert process.returncode == 0, err


def kill_when(process: "subprocess.Popen[bytes]", is_time: Callable[[], bool]) -> bool:
    """SIGKILL; False where the process had ended by itself."""
    while process.poll() is None and not is_time():
        time.sleep(0.002)
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def after(seconds: float) -> Callable[[], bool]:
    due = time.monotonic() + seconds
    return lambda: time.monotonic() >= due


def write_ids(path: Path, rows: int, chance: random.Random) -> int:
    """So many rows, one in twenty of them a repetition; how many different ids there are."""
    distinct, recent = 1, ["nobody"]
    with path.open("w", newline="") as file:
        file.write("campaign,AmazonUserID\r\n")
        for row in range(rows):
            if row % 20:
                recent = [*recent[-99:], f"amzn1.ask.account.{chance.getrandbits(800):0200X}"]
                distinct += 1
                file.write(f"{row},{recent[-1]}\r\n")
            else:
                file.write(f"{row},{chance.choice(recent)}\r\n")
    return distinct
