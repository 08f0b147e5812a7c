"""The function in this very process, where there is no Linux for Lambda's runtime."""

import importlib
import io
import json
import logging
import os
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from types import ModuleType, TracebackType
from typing import Any, Self

from tools.local_stack import CODE, LocalStack
from tools.runtime_emulator import HANDLER
from tools.simulator.skill import SkillFailedError, parse_answer

NO_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
OURS = ("lambda_function", "linked_profile")


class InProcessFunction:
    """Imports the handler with its own environment; several can stand side by side, and each finds the process as it left it."""

    _one_at_a_time = threading.RLock()  # of all of them: they share the process's environment and its modules

    def __init__(self, stack: LocalStack, overrides: Mapping[str, str] | None = None) -> None:
        """`overrides` go over the environment that the template gives the function."""
        self._stack = stack
        self._environment = NO_FILES | {**stack.environment, **(overrides or {})}
        self._modules: dict[str, ModuleType] = {}
        self._output = io.StringIO()

    def __enter__(self) -> Self:
        self._log = logging.StreamHandler(self._output)
        self.start_cold()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._modules.clear()

    def invoke(self, event: dict[str, Any]) -> Any:
        """The function's answer. Raises SkillFailedError."""
        with self._installed(), redirect_stdout(self._output), redirect_stderr(self._output):
            try:
                answer = json.dumps(self._handler(event, InProcessContext(self._stack)))
            except Exception as error:
                raise SkillFailedError(type(error).__name__, str(error)) from error
        return parse_answer(answer.encode())

    def start_cold(self) -> None:
        """Imports everything anew."""
        self._modules.clear()
        with self._installed():
            module, _, name = HANDLER.rpartition(".")
            self._handler = getattr(importlib.import_module(module), name)

    def log_text(self) -> str:
        """All that the function has logged."""
        return self._output.getvalue()

    @contextmanager
    def _installed(self) -> Iterator[None]:
        """Its environment, its modules and its log, for as long as it runs; then those of before."""
        with self._one_at_a_time:
            environment, modules = dict(os.environ), take_modules()
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                del os.environ[name]  # the developer's own profile, for one
            os.environ.update(self._environment)
            sys.modules.update(self._modules)
            sys.path.insert(0, str(CODE))
            logging.getLogger().addHandler(self._log)
            try:
                yield
            finally:
                logging.getLogger().removeHandler(self._log)
                sys.path.remove(str(CODE))
                self._modules = take_modules()
                sys.modules.update(modules)
                os.environ.clear()
                os.environ.update(environment)


class InProcessContext:
    """Lambda's context object, as far as a function looks at it. Nothing here stops a function that takes too long."""

    def __init__(self, stack: LocalStack) -> None:
        self.function_name = stack.environment["AWS_LAMBDA_FUNCTION_NAME"]
        self.memory_limit_in_mb = str(stack.memory_mb)
        self.aws_request_id = str(uuid.uuid4())
        self._ends = time.monotonic() + stack.timeout_s

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends - time.monotonic()) * 1000))


def take_modules() -> dict[str, ModuleType]:
    """The function's modules, which are gone from the process then: the next import reads the environment and builds everything again."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in OURS}
