"""`make demo`, a story of the simulator, as a person runs it: what is printed, how it ends, and that nothing is left running."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.started_programs import ENDS_WITHIN_S, leftovers, start_simulator, wait_for_end
from tools.setup import ROOT

STARTING = "starting ministack"
FIRST_ACT = "\n1. "
LOST_IN_A_FINALIZER = """
import os, signal
from tools.interruption import interruption

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

interruption.install()
with interruption.at_once():
    Finalized()
    print("went on", flush=True)
interruption.check()
print("went on for ever")
"""
Start = Callable[..., subprocess.Popen[str]]


@dataclass(frozen=True)
class Played:
    """A demo that ended by itself."""

    code: int
    told: str
    complaints: str
    folder: Path  # its temporary folder, by which everything that it started can be known


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts the demo, with the test's own temporary folder."""
    return lambda *arguments, folder=ROOT: start_demo(tmp_path, arguments, folder)


@pytest.fixture(scope="module", params=[(), ("--in-process",)], ids=["runtime emulator", "in process"])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo")
    with start_demo(folder, request.param) as demo:
        told, complaints = demo.communicate(timeout=ENDS_WITHIN_S)
    return Played(demo.returncode, told, complaints, folder)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the demo runs, to break."""
    folder = tmp_path / "checkout"
    for name in ("lambda", "tools", "interaction_models"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "template.yaml", folder)
    return folder


def start_demo(temporary: Path, arguments: tuple[str, ...] = (), folder: Path = ROOT) -> subprocess.Popen[str]:
    return start_simulator(temporary, "story", "demo", *arguments, folder=folder)


def test_the_story_is_told_to_its_end_when_it_is_run(played: Played) -> None:
    assert (played.code, played.complaints) == (0, "")
    essential = [
        r"customer +“open link demo”",
        r"│ +type: LinkAccount +│",
        r"gives tokens",
        r"acknowledges",
        r"Alexa +“Hello Anna & Ben, ",
        r"“Your name is Anna & Ben Smith-O'Neill\.",
        r"“Your phone number is \+12065550123\.",
        r"“Your address is 12 <Main> Street, Seattle\.",
        r"“Your e-mail address is anna\.smith@example\.com\.",
        r"“Goodbye",
        r"everything that was started is stopped again\. It took \d+\.\d s\.\n$",
    ]
    assert [line for line in essential if not re.search(line, played.told)] == []


def test_the_row_is_shown_open_and_then_closed_when_it_is_run(played: Played) -> None:
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    opened = re.search(rf"^(?P<id>\w{{16}}) .* (?P<start>{time}) +\(open\) +RESOLVED +EVENT$", played.told, re.MULTILINE)
    closed = re.search(rf"^(?P<id>\w{{16}}) .* (?P<start>{time}) +(?P<end>{time}) +RESOLVED +EVENT$", played.told, re.MULTILINE)
    assert opened
    assert closed
    assert (closed["id"], closed["start"]) == (opened["id"], opened["start"])
    assert closed["start"] < closed["end"]
    assert played.told.index("the mapping table: no row") < opened.start() < closed.start()


def test_no_token_is_printed_whole_when_it_is_run(played: Played) -> None:
    assert re.findall(r"access_token: (\S+)", played.told)
    assert re.findall(r"eyJ[\w.-]{20,}", played.told) == []


def test_lines_are_plain_and_of_a_sane_width_when_they_go_into_a_pipe(played: Played) -> None:
    assert "\x1b" not in played.told
    assert max(len(line) for line in played.told.splitlines()) <= 120


def test_nothing_is_left_when_it_has_ended(played: Played) -> None:
    assert (leftovers(played.folder), list(played.folder.iterdir())) == ([], [])


@pytest.mark.parametrize("moment", [STARTING, FIRST_ACT])
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_everything_is_stopped_when_it_is_interrupted(moment: str, sent: signal.Signals, code: int, start: Start, tmp_path: Path) -> None:
    with start() as demo:
        read_until(demo, moment)
        if moment == FIRST_ACT:
            assert len(leftovers(tmp_path)) >= 2  # ministack and the function: so they can be seen while they run
        demo.send_signal(sent)
        _, complaints = demo.communicate(timeout=ENDS_WITHIN_S)
    assert (demo.returncode, complaints.count("\n")) == (code, 1)
    assert complaints == "Error: interrupted. Everything that was started is stopped again.\n"
    assert (leftovers(tmp_path), list(tmp_path.iterdir())) == ([], [])


def test_it_ends_without_a_word_when_nobody_reads_on(start: Start, tmp_path: Path) -> None:
    with start() as demo:
        read_until(demo, STARTING)
        assert demo.stdout
        assert demo.stderr
        demo.stdout.close()
        complaints = demo.stderr.read()
        demo.wait(ENDS_WITHIN_S)
    assert (demo.returncode, complaints) == (1, "")
    assert (leftovers(tmp_path), list(tmp_path.iterdir())) == ([], [])


def test_an_interruption_is_not_lost_when_python_drops_its_exception() -> None:
    done = subprocess.run([sys.executable, "-c", LOST_IN_A_FINALIZER], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "went on\n", "")


def test_nothing_is_left_running_when_it_is_killed(start: Start, tmp_path: Path) -> None:
    with start() as demo:
        read_until(demo, FIRST_ACT)
        demo.kill()
        demo.communicate(timeout=ENDS_WITHIN_S)
    for pid in leftovers(tmp_path):
        wait_for_end(pid)
    assert leftovers(tmp_path) == []


def test_one_line_says_what_was_expected_when_the_skill_leaves_the_story(start: Start, checkout: Path, tmp_path: Path) -> None:
    (checkout / ".tools").symlink_to(ROOT / ".tools")
    prompts = checkout / "lambda" / "linked_profile" / "prompts" / "en.json"
    prompts.write_text(re.sub(r'("GREETING": )".*"', r'\1"Hello, whoever you are."', prompts.read_text("utf-8")))
    with start(folder=checkout) as demo:
        _, complaints = demo.communicate(timeout=ENDS_WITHIN_S)
    assert (demo.returncode, complaints.count("\n")) == (1, 1)
    assert (
        "stories/demo.yaml, line 20: say 'open link demo': expected Alexa to say 'Anna & Ben'; got: Hello, whoever you are." in complaints
    )
    assert leftovers(tmp_path) == []


def test_one_line_says_what_is_missing_when_ministack_is_not_installed(start: Start, checkout: Path) -> None:
    with start(folder=checkout) as demo:
        _, complaints = demo.communicate(timeout=ENDS_WITHIN_S)
    assert (demo.returncode, complaints.count("\n")) == (1, 1)
    assert "ministack is not installed: python3 tools/setup.py ministack" in complaints


def read_until(demo: subprocess.Popen[str], moment: str) -> None:
    """Character by character: the line that says what is being done ends only when it is done."""
    told = ""
    assert demo.stdout
    while not told.endswith(moment):
        character = demo.stdout.read(1)
        assert character, f"the demo ended before {moment!r}"
        told += character
