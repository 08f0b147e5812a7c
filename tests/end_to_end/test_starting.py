"""Programs belong to the process and not to one of its threads; one that dies, or does not start, leaves nothing in the way."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.started_programs import leftovers, wait_for_end
from tools.emulator_pool import EmulatorPool
from tools.local_aws import LocalAws
from tools.local_process import LocalProcess, LocalProcessError, Starter, starter
from tools.local_stack import LocalStack
from tools.setup import ROOT
from tools.simulator.clock import SimulatedClock
from tools.simulator.desk import Desk, Options, no_progress
from tools.simulator.providers import Provider
from tools.simulator.skill import Skill, SkillFailedError

FUNCTION = """
import os, pathlib, signal, time
def handler(event, context):
    if event.get("kill"):
        print("the emulator is killed")
        os.kill(os.getppid(), signal.SIGKILL)
    if event.get("until"):
        pathlib.Path(event["until"] + ".came").touch()
        while not pathlib.Path(event["until"]).exists():
            time.sleep(0.01)
    return {"emulator": os.getppid()}
"""
# Starts a program in its main thread where a signal may be raised, tells that it is starting, and waits in vain for it.
INTERRUPTED = """
import sys, time
from contextlib import ExitStack
from pathlib import Path
from tools.interruption import interruption
from tools.local_process import LocalProcess
from tools.simulator.desk import start

class Slow:
    def __enter__(self):
        print("starting", flush=True)
        time.sleep(0.5)
        command = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
        self.process = LocalProcess(command, environment={}, folder=Path.cwd(), log=Path("log"))
        while "up" not in self.process.log_text():
            time.sleep(0.01)
        return self
    def __exit__(self, *error):
        self.process.stop()
        print("stopped by", -self.process._process.returncode, flush=True)

interruption.install()
with ExitStack() as stack, interruption.at_once():
    start(Slow(), stack)
    print("went on", flush=True)
"""


@pytest.fixture
def pool(tmp_path: Path) -> EmulatorPool:
    """Emulators of a function of our own making; not started yet."""
    (tmp_path / "lambda_function.py").write_text(FUNCTION)
    environment = {"AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "stand-in", "PYTHONPATH": str(tmp_path)}
    return EmulatorPool(LocalStack({}, {}, role_arn="", timeout_s=20, memory_mb=256), environment)


def test_a_program_runs_on_when_the_thread_that_asked_for_it_has_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
    started: list[LocalProcess] = []

    def ask() -> None:
        process = LocalProcess(command, environment={}, folder=tmp_path, log=tmp_path / "log")
        started.append(process)
        process.becomes_ready(lambda: "up" in process.log_text())  # from then on the kernel knows whose end is its end

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join()
    with started[0] as process:
        process.becomes_ready(lambda: False, seconds=0.3)
        assert (process.log_text(), process.is_running) == ("up\n", True)


def test_what_was_asked_for_is_done_in_order_and_what_it_asks_for_itself_at_once() -> None:
    order, here = list[str](), Starter()
    here.run(lambda: (here.run(lambda: order.append("inner")), order.append("outer")))
    here.wait()
    assert order == ["inner", "outer"]


def test_whoever_asked_hears_of_an_error_and_the_next_one_is_served() -> None:
    here = Starter()
    for error in (LocalProcessError("no"), SystemExit(130)):
        with pytest.raises(type(error)):
            here.run(lambda error=error: (_ for _ in ()).throw(error))
    assert here.run(lambda: "yes") == "yes"


def test_a_program_is_stopped_when_an_interruption_comes_while_it_starts(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "starting\n"
        process.send_signal(signal.SIGTERM)
        told, complaints = process.communicate(timeout=30)
    assert (process.returncode, told, complaints, leftovers(tmp_path)) == (143, "stopped by 15\n", "", [])


def test_another_emulator_takes_the_event_when_an_idle_one_was_killed(pool: EmulatorPool) -> None:
    with pool:
        killed = pool.invoke({})["emulator"]
        os.kill(killed, signal.SIGKILL)
        wait_for_end(killed)
        assert pool.invoke({})["emulator"] != killed


def test_the_next_event_has_another_emulator_when_one_is_killed_at_work(pool: EmulatorPool) -> None:
    with pool:
        killed = pool.invoke({})["emulator"]
        with pytest.raises(SkillFailedError):
            pool.invoke({"kill": True})
        assert pool.invoke({})["emulator"] != killed
        assert "the emulator is killed" in pool.log_text()
    assert "the emulator is killed" in pool.log_text()


def test_nothing_is_left_when_the_pool_is_left_while_an_emulator_is_to_be_started(pool: EmulatorPool, tmp_path: Path) -> None:
    until, is_free = tmp_path / "until", threading.Event()
    with ThreadPoolExecutor(4) as callers:
        pool.__enter__()
        busy = callers.submit(pool.invoke, {"until": str(until)})
        while not (tmp_path / "until.came").exists():
            assert not busy.done()
        callers.submit(starter.run, is_free.wait)
        waiting = callers.submit(pool.invoke, {"until": str(until)})
        leaving = callers.submit(pool.__exit__, None, None, None)
        wait([leaving], timeout=0.5)  # it has to wait for its turn; one that does not has ended by then
        is_free.set()
        leaving.result()
        starter.wait()
        assert leftovers(tmp_path) == []
        for each in (busy, waiting):
            assert isinstance(each.exception(), SkillFailedError | LocalProcessError)


class UnluckyDesk(Desk):
    """Its skill does not start the first time."""

    fails = True

    def _start_skill(self, provider: Provider | None, started: ExitStack) -> Skill:
        if self.fails:
            self.fails = False
            raise LocalProcessError("bad luck")
        return super()._start_skill(provider, started)


def test_the_desk_stands_at_the_second_attempt_when_the_first_one_failed_midway() -> None:
    def ignore(*_: Any) -> None: ...

    with ExitStack() as stack:
        desk = UnluckyDesk(Options(in_process=True), stack, SimulatedClock(), ignore, ignore, no_progress)
        starter.wait()  # its thread is there to stay
        before = threading.active_count()
        with pytest.raises(LocalProcessError, match="bad luck"):
            desk.side("cognito")
        assert (desk.sides, threading.active_count() <= before) == ([], True)
        side = desk.side("cognito")
        assert (desk.sides, len(side.households), side.provider is not None) == ([side], 3, True)


def test_ministack_runs_on_when_the_thread_that_opened_the_desk_has_ended() -> None:
    with ExitStack() as stack:
        opening = threading.Thread(target=lambda: stack.enter_context(opened))
        opened = LocalAws()
        opening.start()
        opening.join()
        starter.wait()
        assert opened.client("dynamodb").list_tables()["TableNames"] == []
