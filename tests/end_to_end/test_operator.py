"""An operator with the template's own policies: reading reads, and nobody erases without the policy for it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.local_aws import REGION, LocalAws
from tools.local_stack import STACK, LocalStack
from tools.setup import ROOT

USER, ACCOUNT = "amzn1.ask.account.OPERATORSCUSTOMER", "3f0b1c7e-operator-test"
Operator = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def operator(aws: LocalAws, stack: LocalStack, tmp_path: Path) -> Callable[..., Operator]:
    """Runs the command line as somebody whose role has these of the template's policies."""

    def hired(*policies: str) -> Operator:
        credentials = aws.role_credentials(role_with(aws, policies))

        def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
            files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
            environment = {"PATH": os.environ["PATH"], **files, **credentials, "AWS_ENDPOINT_URL": aws.url, "AWS_DEFAULT_REGION": REGION}
            table = ["--table", stack.table, "--skill-id", stack.skill_id, "--audit-log", str(tmp_path / "audit.jsonl")]
            command = [sys.executable, "-m", "tools.customers", *arguments, *table]
            return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

        return run

    return hired


def role_with(aws: LocalAws, policies: tuple[str, ...]) -> str:
    """A role of its own, since permissions differ."""
    iam, name = aws.client("iam"), f"operator-{'-'.join(policies) or 'nothing'}"
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    role: Any = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    for policy in policies:
        resource = aws.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=policy)
        iam.attach_role_policy(RoleName=name, PolicyArn=resource["StackResourceDetail"]["PhysicalResourceId"])
    return str(role["Role"]["Arn"])


def test_reading_reads_and_changes_nothing(operator: Any, stack: LocalStack) -> None:
    reader, assigner = operator("OperatorReadPolicy"), operator("OperatorReadPolicy", "OperatorAssignPolicy")
    rows = ROOT / "tests" / "end_to_end" / "rows.csv"
    assert assigner("import", str(rows), "--apply").returncode == 0
    known = reader("who", USER, "--at", "2026-03-14T09:30:00Z", "--json")
    assert (known.returncode, json.loads(known.stdout)["rows"][0]["AccountID"]) == (0, ACCOUNT)
    assert reader("account", ACCOUNT).returncode == 0
    for change in (
        ("erase", ACCOUNT, "--yes", "1"),
        ("assign", USER, "another", "--at", "2026-03-14T09:30:00Z", "--replace", "--reason", "t"),
    ):
        refused = reader(*change)
        assert (refused.returncode, len(refused.stderr.strip().splitlines())) == (2, 1), refused
        assert "access denied" in refused.stderr
    assert reader("who", USER, "--at", "2026-03-14T09:30:00Z").returncode == 0


def test_erasing_erases_with_the_policy_for_it_and_not_with_the_one_for_assigning(operator: Any) -> None:
    assigner, eraser = operator("OperatorAssignPolicy", "OperatorReadPolicy"), operator("OperatorErasePolicy", "OperatorReadPolicy")
    rows = ROOT / "tests" / "end_to_end" / "rows.csv"
    assert assigner("import", str(rows), "--apply").returncode == 0
    assert eraser("erase", ACCOUNT, "--yes", "1", "--reason", "case 17").returncode == 0
    assert eraser("who", USER, "--at", "2026-03-14T09:30:00Z").returncode == 1
    assert eraser("repair").returncode in {0, 1}


def test_nobody_reads_without_a_policy(operator: Any) -> None:
    stranger = operator()("who", USER)
    assert (stranger.returncode, len(stranger.stderr.strip().splitlines())) == (2, 1)
