"""What every command shares: its options, the table, the audit line, and the two ways of answering, for people and as JSON."""

import functools
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from tools.customers.answers import printable
from tools.customers.audit import AuditLine, AuditLog, default_path
from tools.customers.table_access import Connect, Connection, TableAccess, connect

OUTCOMES = {0: "done", 1: "none", 2: "wrong use", 3: "account not known"}


@dataclass(frozen=True)
class Surroundings:
    """What tests replace."""

    connect: Connect = connect
    clock: Callable[[], float] = time.time


@dataclass
class Session:
    """One command at work."""

    access: TableAccess
    audit: AuditLine
    as_json: bool

    def say(self, text: str = "", **style: Any) -> None:
        """For people; silent with --json. Colours only on a terminal."""
        if not self.as_json:
            click.secho("\n".join(map(printable, text.split("\n"))), **style)

    def note(self, text: str) -> None:
        """Beside the answer, on stderr."""
        click.echo(printable(text), err=True)

    def result(self, value: Mapping[str, Any] | list[Any]) -> None:
        """The answer as JSON, if that was asked for."""
        if self.as_json:
            click.echo(json.dumps(value))

    def table(self, rows: Iterable[Iterable[str | None]]) -> None:
        """Columns in line, for people: never cut, because a user id has 200 characters and is there to be copied."""
        cells = [[printable(cell or "-") for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            self.say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


OPTIONS = [
    click.option("--table", envvar="ACCOUNT_MAPPINGS_TABLE", default="", metavar="NAME", help="The table. [env: ACCOUNT_MAPPINGS_TABLE]"),
    click.option("--skill-id", envvar="SKILL_ID", default="", metavar="ID", help="The skill; for what touches erasures. [env: SKILL_ID]"),
    click.option("--stack", default="", metavar="NAME", help="Read both from this CloudFormation stack instead."),
    click.option("--region", default=None, metavar="REGION", help="AWS region. [env: AWS_REGION]"),
    click.option("--profile", default=None, metavar="NAME", help="AWS profile. [env: AWS_PROFILE]"),
    click.option("--json", "as_json", is_flag=True, help="Answer in JSON on stdout."),
    click.option("--reason", default="", metavar="TEXT", help="Why, for the audit log: a case number, never a name."),
    click.option(
        "--audit-log",
        envvar="CUSTOMERS_AUDIT_LOG",
        default=None,
        metavar="FILE",
        help="Where the command's audit line is appended; - is stderr. [default: ~/.local/state/linked-profile/customers-audit.jsonl]",
    ),
]


def with_session(command: Callable[..., int]) -> Callable[..., int]:
    """Gives a command its options and a Session, and leaves its audit line behind however it ends."""

    @functools.wraps(command)
    def run(**options: Any) -> int:
        context = click.get_current_context()
        surroundings = context.obj or Surroundings()
        connection = Connection(*(options.pop(name) for name in ("table", "skill_id", "stack", "region", "profile")))
        as_json, reason, path = (options.pop(name) for name in ("as_json", "reason", "audit_log"))
        if os.environ.get("NO_COLOR"):
            context.color = False
        log = AuditLog(path or default_path(), surroundings.clock)
        hidden = tuple(options[name] for name in ("amazon_user_id", "account_id") if name in options)
        try:
            access = TableAccess(connection, surroundings.connect, surroundings.clock, options.get("retention_days") or 0)
            audit = AuditLine(str(context.info_name), access.table.name, access.caller_arn(), reason, hidden=hidden)
            return leave_line(log, audit, lambda: command(Session(access, audit, as_json), **options))
        finally:
            log.close()

    for option in reversed(OPTIONS):
        run = option(run)
    return run


def leave_line(log: AuditLog, audit: AuditLine, work: Callable[[], int]) -> int:
    """The exit code of the work; the audit line says how it ended, also where it was interrupted."""
    outcome = "interrupted"
    try:
        code = work()
        outcome = OUTCOMES[code]
        return code
    except Exception as error:
        outcome = f"failed: {type(error).__name__}"
        raise
    finally:
        log.write(audit, outcome)
