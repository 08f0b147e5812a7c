"""The function in AWS's own Lambda runtime, on this machine: the runtime interface emulator around awslambdaric. Linux only."""

import importlib.util
import json
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from tools.local_process import LocalProcess, LocalProcessError, start_on_free_ports
from tools.local_stack import CODE, LocalStack
from tools.setup import EMULATOR
from tools.simulator.skill import SkillFailedError, parse_answer

BINARY = EMULATOR / "aws-lambda-rie"
HANDLER = "lambda_function.handler"
INVOCATIONS = "/2015-03-31/functions/function/invocations"  # the emulator knows no other function name
START_MARGIN_S = 15.0  # on top of the function's timeout, for importing its code at the first call


class RuntimeEmulator:
    """One Lambda environment, from its start to the end of the `with` block: one event at a time, cold at first, then warm."""

    def __init__(self, stack: LocalStack, overrides: Mapping[str, str] | None = None, *, code: Path = CODE) -> None:
        """`overrides` go over the environment that the template gives the function: another address of the table, for one."""
        self._stack, self._overrides, self._code = stack, overrides or {}, code
        self._one_at_a_time = threading.Lock()  # the emulator crashes on two requests at once
        self._exit = ExitStack()
        self._http = requests.Session()
        self._http.trust_env = False

    def __enter__(self) -> Self:
        """Raises LocalProcessError."""
        if not BINARY.exists() or importlib.util.find_spec("awslambdaric") is None:
            raise LocalProcessError("the Lambda runtime emulator is not installed: python3 tools/setup.py dev emulator")
        with ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="linked-profile-", ignore_cleanup_errors=True)))
            self._process, ports = start_on_free_ports("the Lambda runtime emulator", 2, self._start, lambda ports: listens(ports[0]))
            stack.callback(self._process.stop)
            stack.callback(self._http.close)
            self._url = f"http://127.0.0.1:{ports[0]}{INVOCATIONS}"
            self._exit = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exit.close()

    def invoke(self, event: dict[str, Any]) -> Any:
        """The function's answer. Raises SkillFailedError."""
        with self._one_at_a_time:
            try:
                answer = self._http.post(self._url, data=json.dumps(event), timeout=self._stack.timeout_s + START_MARGIN_S)
            except requests.RequestException as error:
                raise SkillFailedError(type(error).__name__, "the Lambda runtime emulator gave no answer") from error
        if not self._process.is_running:
            raise SkillFailedError("Runtime.ExitError", "the Lambda runtime emulator has ended")
        return read_answer(answer.status_code, answer.content)

    @property
    def is_running(self) -> bool:
        """Not where it was killed, by the kernel when memory ran out for one."""
        return self._process.is_running

    def log_text(self) -> str:
        """All that the function and the runtime have logged."""
        return self._process.log_text()

    def _start(self, ports: list[int]) -> LocalProcess:
        lambda_sets = {
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self._stack.timeout_s),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._stack.memory_mb),
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "PYTHONPATH": str(self._code),
        }
        addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{ports[0]}", "--runtime-api-address", f"127.0.0.1:{ports[1]}"]
        return LocalProcess(
            [BINARY, *addresses, sys.executable, "-m", "awslambdaric", HANDLER],
            environment={**lambda_sets, **self._stack.environment, **self._overrides},
            folder=self._folder,
            log=self._folder / "function.log",
        )


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def read_answer(status: int, content: bytes) -> Any:
    """Failures come as 200, too: an error is known by its body, a timeout by one that is no JSON. Raises SkillFailedError."""
    if b"timed out" in content and not content.lstrip().startswith((b"{", b"[", b'"')):
        raise SkillFailedError("Sandbox.Timedout", content.decode(errors="replace").strip())
    body = parse_answer(content)
    if isinstance(body, dict) and "errorType" in body:
        raise SkillFailedError(str(body["errorType"]), str(body.get("errorMessage", "")))
    if status != 200:
        raise SkillFailedError("Runtime.Failed", f"HTTP {status}")
    return body
