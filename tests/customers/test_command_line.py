"""Help that suffices, exit codes, one line for every failure outside this program, and an audit line for every command."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from tests.customers.conftest import ANNA, ARN, TABLE, Desk
from tools.customers.cli import customers

COMMANDS = ["who", "history", "account", "lookup", "assign", "export", "import", "erase", "repair"]
ROOT = Path(__file__).parents[2]


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """As an operator would, without anything of this machine's AWS configuration."""
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "tools.customers", *arguments]
    return subprocess.run(command, cwd=ROOT, env=kept | nowhere | environ, capture_output=True, text=True, timeout=60, check=False)


def refusal(code: str, operation: str = "Query") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret words"}}, operation)


def fail_with(error: Exception) -> Any:
    def fail(operation: str) -> None:
        raise error

    return fail


def test_every_command_is_there_when_the_group_is_asked() -> None:
    assert sorted(customers.commands) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_and_every_shared_option_when_asked(desk: Desk, command: str) -> None:
    text = desk(command, "--help").out
    assert f"python -m tools.customers {command} " in text
    for option in ("--json", "--table", "--skill-id", "--stack", "--region", "--profile", "--reason", "--audit-log"):
        assert option in text


@pytest.mark.parametrize("command", COMMANDS)
def test_each_option_says_what_it_is_when_help_is_asked(command: str) -> None:
    options = [option for option in customers.commands[command].params if isinstance(option, click.Option)]
    assert all(option.help for option in options)


@pytest.mark.parametrize("arguments", [(), ("nothing",), ("who",), ("who", ANNA, "--nothing"), ("who", ANNA, "more"), ("lookup", "a.csv")])
def test_exit_code_is_2_when_the_command_line_is_wrong(desk: Desk, arguments: tuple[str, ...]) -> None:
    ran = desk(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Usage" in ran.err


def test_one_line_says_so_when_there_is_no_table(desk: Desk) -> None:
    ran = desk("who", ANNA, table=None)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "Error: no table: use --table NAME, ACCOUNT_MAPPINGS_TABLE or --stack NAME\n"


@pytest.mark.parametrize("command", [("erase", "acme"), ("repair",), ("assign", ANNA, "acme")])
def test_the_skill_id_is_asked_for_when_erasures_are_at_stake(desk: Desk, command: tuple[str, ...]) -> None:
    desk.link(ANNA, None, "2026-01-01T00:00:00Z")
    ran = desk(*command, skill_id=None)
    assert ran.code == 2
    assert ran.err.startswith("Error: no skill id: ")


def test_table_and_skill_id_come_from_the_environment_when_it_names_them(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCOUNT_MAPPINGS_TABLE", "from-environment")
    monkeypatch.setenv("SKILL_ID", TABLE.skill_id)
    assert desk("repair", table=None, skill_id=None).code == 0
    assert desk.audit_lines()[-1]["table"] == "from-environment"


def test_table_and_skill_id_come_from_the_stack_when_one_is_named(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    assert desk("erase", "acme", "--stack", "my-skill", "--yes", "1", table=None, skill_id=None).code == 0
    assert desk.audit_lines()[-1]["table"] == "my-skill-table"


def test_region_and_profile_reach_the_client_when_given(desk: Desk) -> None:
    desk("who", ANNA, "--region", "eu-west-1", "--profile", "olga")
    assert {(each.region, each.profile) for each in desk.connections} == {("eu-west-1", "olga")}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal("ResourceNotFoundException"), "does not exist there"),
        (refusal("AccessDeniedException"), "access denied"),
        (refusal("ExpiredTokenException"), "sign in again"),
        (refusal("KMSDisabledException"), "KMSDisabledException"),
        (NoCredentialsError(), "no AWS credentials"),
        (EndpointConnectionError(endpoint_url="https://dynamodb.example"), "https://dynamodb.example"),
    ],
)
@pytest.mark.parametrize("command", [("who", ANNA), ("account", "acme"), ("erase", "acme"), ("repair",), ("assign", ANNA, "acme")])
def test_one_line_says_what_is_wrong_when_aws_refuses(desk: Desk, command: tuple[str, ...], error: Exception, words: str) -> None:
    desk.table.before = fail_with(error)
    ran = desk(*command)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert ran.err.count("\n") == 1
    assert "secret words" not in ran.err


def test_exit_code_is_130_and_the_audit_line_is_there_when_interrupted(desk: Desk) -> None:
    desk.table.before = fail_with(KeyboardInterrupt())  # type: ignore[arg-type]
    ran = desk("who", ANNA)
    assert ran.code == 130
    assert "Traceback" not in ran.err
    assert desk.audit_lines()[-1]["outcome"] == "interrupted"


def test_every_command_leaves_one_audit_line_without_ids_when_it_is_run(desk: Desk) -> None:
    desk.link(ANNA, "acme-account", "2026-01-01T00:00:00Z")
    source = desk.file(
        "in.csv", f"AmazonUserID,AccountID,StartDatetime,EndDatetime\n{ANNA},acme-account,2025-01-01T00:00:00Z,2025-01-02T00:00:00Z\n"
    )
    runs: list[tuple[object, ...]] = [("who", ANNA), ("history", ANNA), ("account", "acme-account"), ("assign", ANNA, "acme-account")]
    runs += [("lookup", source, desk.folder / "out.csv"), ("export", desk.folder / "out.jsonl"), ("import", source), ("repair",)]
    runs += [("erase", "acme-account", "--reason", f"case 4711 of acme-account and {ANNA}")]
    for command in runs:
        desk(*command)
    lines = desk.audit_lines()
    assert [line["command"] for line in lines] == [command[0] for command in runs]
    assert {line["caller"] for line in lines} == {ARN}
    assert lines[0] | {"reason": "-"} == {
        "time": "2026-03-20T12:00:00Z", "command": "who", "caller": ARN, "table": TABLE.name, "rows": 1, "outcome": "done", "reason": "-",
    }  # fmt: skip
    assert lines[-1]["reason"].startswith("case 4711")
    assert not re.search(f"{ANNA}|acme-account", json.dumps([{**line, "reason": ""} for line in lines]))


def test_the_reason_is_logged_without_the_id_when_it_repeats_it(desk: Desk) -> None:
    desk("erase", "acme", "--reason", "acme asked for it")
    assert desk.audit_lines()[-1]["reason"] == "… asked for it"


def test_the_audit_line_goes_to_stderr_when_asked(desk: Desk) -> None:
    ran = desk("who", ANNA, audit_log="-")
    assert json.loads(ran.err)["outcome"] == "none"


def test_nothing_is_read_when_the_audit_log_cannot_be_written(desk: Desk) -> None:
    (desk.folder / "audit.jsonl").mkdir()
    ran = desk("who", ANNA)
    assert (ran.code, desk.table.calls) == (2, [])
    assert "use --audit-log FILE" in ran.err


def test_help_needs_no_credentials_when_run_as_a_module() -> None:
    ran = run("who", "--help")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_one_line_says_so_when_there_are_no_credentials(tmp_path: Path) -> None:
    ran = run("who", ANNA, "--table", "t", "--region", "eu-west-1", "--audit-log", str(tmp_path / "audit.jsonl"))
    assert ran.returncode == 2
    assert ran.stderr.startswith("Error: no AWS credentials")
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [("--profile", "nobody"), ()])
def test_one_line_says_so_when_profile_or_region_are_missing(tmp_path: Path, options: tuple[str, ...]) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    ran = run("who", ANNA, "--table", "t", "--audit-log", str(tmp_path / "audit.jsonl"), *options, **keys)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1


def test_one_line_says_so_when_the_endpoint_is_no_url(tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": "nonsense", "AWS_DEFAULT_REGION": "eu-west-1"}
    ran = run("who", ANNA, "--table", "t", "--audit-log", str(tmp_path / "audit.jsonl"), **keys)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)


def test_help_is_shown_when_the_terminal_knows_ascii_only() -> None:
    assert run("who", "--help", PYTHONIOENCODING="ascii").returncode == 0


def test_there_is_no_complaint_when_nobody_reads_the_output() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.customers", "who", "--help"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert err == b""


def test_there_are_no_colours_when_stdout_is_no_terminal(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    assert "\x1b" not in desk("who", ANNA).out
