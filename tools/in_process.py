"""The function in this very process, where there is no Linux for Lambda's runtime."""

import importlib
import io
import logging
import os
import sys
import threading
import time
import uuid
from contextlib import redirect_stderr, redirect_stdout
from types import TracebackType
from typing import Any, Self

from tools.local_stack import CODE, LocalStack
from tools.runtime_emulator import HANDLER
from tools.simulator.skill import SkillFailedError

NO_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
OURS = ("lambda_function", "linked_profile")


class InProcessFunction:
    """Sets the environment and imports the handler afresh; puts the environment back at the end of the `with` block."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._one_at_a_time = threading.Lock()
        self._output = io.StringIO()

    def __enter__(self) -> Self:
        self._environment_before = dict(os.environ)
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]  # the developer's own profile, for one
        os.environ.update(NO_FILES | dict(self._stack.environment))
        sys.path.insert(0, str(CODE))
        forget_function()
        self._log = logging.StreamHandler(self._output)
        logging.getLogger().addHandler(self._log)
        module, _, name = HANDLER.rpartition(".")
        self._handler = getattr(importlib.import_module(module), name)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        logging.getLogger().removeHandler(self._log)
        forget_function()
        sys.path.remove(str(CODE))
        os.environ.clear()
        os.environ.update(self._environment_before)

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """The function's answer. Raises SkillFailedError."""
        with self._one_at_a_time, redirect_stdout(self._output), redirect_stderr(self._output):
            try:
                answer = self._handler(event, InProcessContext(self._stack))
            except Exception as error:
                raise SkillFailedError(type(error).__name__, str(error)) from error
        return answer if isinstance(answer, dict) else {}

    def log_text(self) -> str:
        """All that the function has logged."""
        return self._output.getvalue()


class InProcessContext:
    """Lambda's context object, as far as a function looks at it. Nothing here stops a function that takes too long."""

    def __init__(self, stack: LocalStack) -> None:
        self.function_name = stack.environment["AWS_LAMBDA_FUNCTION_NAME"]
        self.memory_limit_in_mb = str(stack.memory_mb)
        self.aws_request_id = str(uuid.uuid4())
        self._ends = time.monotonic() + stack.timeout_s

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends - time.monotonic()) * 1000))


def forget_function() -> None:
    """The next import reads the environment and builds everything again."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
