"""The stand-ins for AWS and Lambda: what of the real ones they keep to, where they listen, and how they end."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.local_aws import LocalAws
from tools.local_process import LocalProcess, LocalProcessError, start_on_free_ports
from tools.local_stack import DeploymentError, LocalStack, deploy
from tools.loopback_proxy import LoopbackProxy
from tools.runtime_emulator import RuntimeEmulator, listens
from tools.simulator.skill import SkillFailedError

FUNCTION = """
import os, time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if event["do"] == "raise":
        raise LookupError("not " + event["what"])
    if event["do"] == "exit":
        os._exit(3)
    time.sleep(event.get("seconds", 0))
    return {"calls": calls, "left_ms": context.get_remaining_time_in_millis(), "memory": context.memory_limit_in_mb}
"""
LISTENING, ANYWHERE = "0A", {"00000000", "0" * 32}  # as /proc/net/tcp writes them


@pytest.fixture
def function(tmp_path: Path) -> RuntimeEmulator:
    """A function of our own making, with a timeout of two seconds; not started yet."""
    (tmp_path / "lambda_function.py").write_text(FUNCTION)
    environment = {"AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "stand-in"}
    return RuntimeEmulator(LocalStack({}, environment, role_arn="", timeout_s=2, memory_mb=256), code=tmp_path)


def test_the_context_is_as_the_template_says_when_a_function_is_invoked(function: RuntimeEmulator) -> None:
    with function as running:
        answer = running.invoke({"do": "answer"})
    assert (answer["calls"], answer["memory"], 0 < answer["left_ms"] <= 2000) == (1, "256", True)


def test_the_error_is_named_when_a_function_raises(function: RuntimeEmulator) -> None:
    with function as running:
        with pytest.raises(SkillFailedError) as failure:
            running.invoke({"do": "raise", "what": "here"})
        assert (failure.value.name, failure.value.message) == ("LookupError", "not here")
        assert running.invoke({"do": "answer"})["calls"] == 2


@pytest.mark.parametrize(("event", "name"), [({"do": "answer", "seconds": 10}, "Sandbox.Timedout"), ({"do": "exit"}, "Runtime.ExitError")])
def test_the_next_invocation_has_a_new_environment_when_one_is_killed(
    event: dict[str, object], name: str, function: RuntimeEmulator
) -> None:
    with function as running:
        assert running.invoke({"do": "answer"})["calls"] == 1
        with pytest.raises(SkillFailedError) as failure:
            running.invoke(event)
        assert failure.value.name == name
        assert running.invoke({"do": "answer"})["calls"] == 1


def test_one_environment_gets_one_event_at_a_time_when_two_come_at_once(function: RuntimeEmulator) -> None:
    with function as running, ThreadPoolExecutor(8) as at_once:
        answers = at_once.map(lambda _: running.invoke({"do": "answer", "seconds": 0.05}), range(8))
    assert sorted(answer["calls"] for answer in answers) == list(range(1, 9))


def test_only_loopback_is_listened_on_when_everything_runs(aws: LocalAws, function: RuntimeEmulator) -> None:
    before = listening()
    with function as running, LocalAws() as other, LoopbackProxy(aws.url):
        running.invoke({"do": "answer"})
        other.client("dynamodb").list_tables()
        started = listening() - before
    assert len(started) >= 3
    assert {address for address, _ in started} & ANYWHERE == set()


def test_the_port_is_closed_when_the_block_is_left_with_an_error() -> None:
    local_aws = LocalAws()
    with pytest.raises(ZeroDivisionError), local_aws:
        raise ZeroDivisionError
    assert not listens(int(local_aws.url.rpartition(":")[2]))


def test_a_program_is_ended_when_it_ignores_being_asked(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    process = LocalProcess([sys.executable, "-c", stubborn], environment={}, folder=tmp_path, log=tmp_path / "log")
    assert process.becomes_ready(lambda: "up" in process.log_text())
    process.stop()
    assert not process.is_running


def test_other_ports_are_tried_when_one_was_taken_meanwhile(tmp_path: Path) -> None:
    tried: list[list[int]] = []

    def start(ports: list[int]) -> LocalProcess:
        tried.append(ports)
        code = "import time; print('up', flush=True); time.sleep(600)" if len(tried) == 3 else "raise SystemExit('address already in use')"
        return LocalProcess([sys.executable, "-c", code], environment={}, folder=tmp_path, log=tmp_path / f"log{len(tried)}")

    process, ports = start_on_free_ports("it", 2, start, lambda ports: "up" in (tmp_path / f"log{len(tried)}").read_text())
    with process:
        assert (ports, len({tuple(pair) for pair in tried})) == (tried[-1], 3)


def test_its_last_words_are_given_when_a_program_does_not_start(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    with pytest.raises(LocalProcessError, match="it did not start: no such thing"):
        start_on_free_ports(
            "it", 1, lambda ports: LocalProcess(command, environment={}, folder=tmp_path, log=tmp_path / "log"), lambda _: False
        )


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ("{Type: 'AWS::CodeDeploy::Application'}", "Unrecognized resource types"),
        ("{Type: 'AWS::Cognito::UserPoolClient', Properties: {UserPoolId: us-east-1_none}}", "Odd: "),
    ],
)
def test_the_resource_is_named_when_the_template_cannot_be_deployed(resource: str, words: str, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(f"# CodeUri: lambda/\nResources: {{Odd: {resource}}}")
    with LocalAws() as aws, pytest.raises(DeploymentError, match=words):
        deploy(aws, {}, template)


def listening() -> set[tuple[str, str]]:
    """Address and port of every listening socket of this machine, in hexadecimal."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {(line[1].rpartition(":")[0], line[1].rpartition(":")[2]) for line in lines if line[3] == LISTENING}
