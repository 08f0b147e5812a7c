"""The command line with a table in memory behind it: arguments in; exit code, stdout, stderr and the table out."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from linked_profile.account_mappings import AccountMappings, Table
from linked_profile.fold import End, Link, content_id
from linked_profile.outbound import Deadline
from tests.in_memory_table import InMemoryTable
from tools.customers.cli import main
from tools.customers.session import Surroundings
from tools.customers.times import parse_time

SKILL_ID = "amzn1.ask.skill.5a7c2f0e-3b1d-4c8e-9f6a-0d2b4e6f8a1c"
TABLE = Table("account-mappings", SKILL_ID)
NOW = "2026-03-20T12:00:00Z"
ANNA = "amzn1.ask.account.AHVQ3UKDTRZ5PBL2XW7N"
BEN = "amzn1.ask.account.BNNB7Q2LLZ5PBL2XW7NAA"
ARN = "arn:aws:iam::123456789012:user/olga"
FOREVER = Deadline(10**9)


class FakeSts:
    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": ARN}


class FakeCloudFormation:
    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        outputs = [{"OutputKey": "AccountMappingsTable", "OutputValue": f"{StackName}-table"}]
        return {"Stacks": [{"Outputs": outputs, "Parameters": [{"ParameterKey": "SkillId", "ParameterValue": SKILL_ID}]}]}


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Desk:
    """An operator's desk: runs commands, and writes to the table as the skill does."""

    folder: Path
    capture: Callable[[], Any]
    table: Any = field(default_factory=InMemoryTable)
    now: str = NOW
    clients: dict[str, Any] = field(default_factory=dict)
    connections: list[Any] = field(default_factory=list)

    def __call__(self, *arguments: object, table: str | None = TABLE.name, skill_id: str | None = SKILL_ID, audit_log: str = "") -> Ran:
        """Ends of the command line that nearly every command needs are added."""
        ends = [f"--audit-log={audit_log or self.folder / 'audit.jsonl'}"]
        ends += [*([f"--table={table}"] if table else []), *([f"--skill-id={skill_id}"] if skill_id else [])]
        self.capture()
        code = main([*map(str, arguments), *ends], Surroundings(self.connect, lambda: self.now_ms / 1000))
        out, err = self.capture()
        return Ran(code, out, err)

    def connect(self, connection: Any, service: str, attempts: int) -> Any:
        self.connections.append(connection)
        fakes = {"dynamodb": self.table, "sts": FakeSts(), "cloudformation": FakeCloudFormation(), **self.clients}
        return fakes[service]

    @property
    def now_ms(self) -> int:
        return ms(self.now)

    @property
    def mappings(self) -> AccountMappings:
        return AccountMappings(TABLE, lambda: self.table, lambda: self.now_ms / 1000)

    def link(self, user: str, account: str | None, at: str, source: Any = "EVENT", *, why: str = "") -> Link:
        """As the skill records it; without an account it is pending, or unresolved for a reason."""
        link = Link(user, ms(at), content_id("L", user, ms(at), account or ""), source=source)
        self.mappings.record_link(link, FOREVER)
        if account:
            self.mappings.resolve_account(link, account, FOREVER)
        if why:
            self.mappings.mark_unresolved(link, why, FOREVER)
        return link

    def end(self, user: str, at: str) -> None:
        self.mappings.record_end(End(user, ms(at), content_id("E", user, ms(at))), FOREVER)

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def audit_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "audit.jsonl").read_text().splitlines()]


def ms(at: str) -> int:
    return parse_time(at).first_ms


@pytest.fixture
def desk(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in ("ACCOUNT_MAPPINGS_TABLE", "SKILL_ID", "RETENTION_DAYS", "CUSTOMERS_AUDIT_LOG", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return Desk(tmp_path, capfd.readouterr)
