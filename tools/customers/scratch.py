"""What a long command has done so far, in a sqlite file beside its output: it survives a kill at any moment, and memory stays flat.

It holds what the output will hold, so it is for its owner's eyes only, and it is deleted when the output is whole.
"""

import json
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.customers.errors import WrongUseError

VERSION = 1


class Scratch:
    """Belongs to one output, and to the input and options that it was begun with."""

    def __init__(self, output: Path, identity: Mapping[str, Any], tables: str) -> None:
        """`tables` are CREATE TABLE IF NOT EXISTS statements. Raises WrongUseError where the file there is for something else."""
        self.path = output.with_name(f"{output.name}.scratch")
        expected = json.dumps({"version": VERSION, **identity}, sort_keys=True)
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self.db = sqlite3.connect(self.path, timeout=0, isolation_level=None)
            self.db.executescript(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000;"
                f"BEGIN; CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT); {tables}; COMMIT;"
            )
        except sqlite3.OperationalError as error:
            busy = "another run is at work on it" if "locked" in str(error) else str(error)
            raise WrongUseError(f"{self.path} cannot be used: {busy}") from error
        except (sqlite3.DatabaseError, OSError) as error:
            raise WrongUseError(f"{self.path} cannot be used: {error}") from error
        if self.fact("identity", expected) != expected:
            self.db.close()
            raise WrongUseError(f"{self.path} was begun with another input or other options: repeat those, or delete it to begin anew")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.db.close()

    def fact(self, name: str, first: Any) -> Any:
        """What was noted under the name at the first start; `first`, if this is it."""
        self.db.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, json.dumps(first)))
        return json.loads(self.db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()[0])

    def knows(self, name: str) -> bool:
        return self.db.execute("SELECT 1 FROM facts WHERE name = ?", (name,)).fetchone() is not None

    def discard(self) -> None:
        """When the output is whole."""
        self.db.close()
        for ending in ("", "-wal", "-shm", "-journal"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
