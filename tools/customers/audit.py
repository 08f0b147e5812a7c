"""One line of JSON for every command: who ran what, why, on how many rows. No user id, no account, nothing of a person."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from linked_profile.fold import to_iso
from tools.customers.errors import WrongUseError

STDERR = "-"


def default_path() -> str:
    """Where a state file of an operator's belongs."""
    folder = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return str(Path(folder) / "linked-profile" / "customers-audit.jsonl")


@dataclass
class AuditLine:
    """What the command adds while it works."""

    command: str
    table: str = ""
    caller: str = ""
    reason: str = ""
    rows: int = 0
    dry_run: bool | None = None
    hidden: tuple[str, ...] = field(default=(), repr=False)  # ids on the command line, in case that the reason repeats one


class AuditLog:
    """A file that is only ever appended to, or stderr. Opened before anything is read, since what cannot be audited is not done."""

    def __init__(self, path: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        try:
            self._file = sys.stderr if path == STDERR else open_to_append(Path(path))
        except OSError as error:
            raise WrongUseError(f"the audit log cannot be written ({error}): use --audit-log FILE") from error

    def write(self, line: AuditLine, outcome: str) -> None:
        """The line, whole in one write, so that two operators' lines never mix."""
        reason = line.reason
        for each in line.hidden:
            reason = reason.replace(each, "…") if each else reason
        fields: Mapping[str, object] = {
            "time": to_iso(int(self._clock()) * 1000),
            "command": line.command,
            "caller": line.caller,
            "table": line.table,
            "reason": reason or None,
            "rows": line.rows,
            "dry_run": line.dry_run,
            "outcome": outcome,
        }
        self._file.write(json.dumps({name: value for name, value in fields.items() if value is not None}) + "\n")
        self._file.flush()

    def close(self) -> None:
        if self._file is not sys.stderr:
            self._file.close()


def open_to_append(path: Path) -> TextIO:
    """For its owner's eyes only, where it is new."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8")
