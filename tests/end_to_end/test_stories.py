"""Every story from the command line, against Lambda's runtime emulator and in process; the simulator that keeps running."""

import json
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.started_programs import ENDS_WITHIN_S, left_in, leftovers, run_simulator, start_simulator, wait_for_end
from tools.simulator.storytelling.stories import shipped_names

DEMO = "demo"  # has tests of its own
TWICE_WRONG = """
story: Not as it is
steps:
  - enable:
  - say: open link demo
    expect:
      card: Simple
      speech: [To answer that, "Good day"]
  - say: open link demo
    expect: {speech: never reached}
"""
RIGHT = """
story: As it is
steps:
  - enable:
    expect: {rows: []}
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A simulator whose page is up; it is ended if the test does not."""
    with start_simulator(tmp_path, "run", "--in-process") as process:
        try:
            read_url(process)
            yield process
        finally:
            process.kill()
            process.communicate(timeout=ENDS_WITHIN_S)


def read_url(process: "subprocess.Popen[str]") -> str:
    """Its only line on stdout."""
    assert process.stdout
    ready, _, _ = select.select([process.stdout], [], [], ENDS_WITHIN_S)
    assert ready
    return process.stdout.readline().strip()


@pytest.mark.parametrize("way", [(), ("--in-process",)], ids=["runtime emulator", "in process"])
@pytest.mark.parametrize("name", [name for name in shipped_names() if name != DEMO])
def test_a_story_goes_as_it_should_when_it_is_played(name: str, way: tuple[str, ...], tmp_path: Path) -> None:
    played = run_simulator(tmp_path, "story", name, "--quiet", *way)
    assert (played.returncode, played.stderr) == (0, "")
    assert played.stdout.startswith(f"passed  tools/simulator/stories/{name}.yaml  ")
    assert (leftovers(tmp_path), left_in(tmp_path)) == ([], [])


def test_each_failed_expectation_is_a_line_and_the_next_story_is_played(tmp_path: Path) -> None:
    wrong, right = tmp_path / "note" / "wrong.yaml", tmp_path / "note" / "right.yaml"
    wrong.parent.mkdir()
    wrong.write_text(TWICE_WRONG)
    right.write_text(RIGHT)
    played = run_simulator(tmp_path, "story", str(wrong), str(right), "--in-process", "--json")
    first, second = json.loads(played.stdout)
    assert (played.returncode, first["passed"], second["passed"]) == (1, False, True)
    assert [step["line"] for step in first["steps"]] == [4, 5]
    lines = played.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{wrong}, line 5: say 'open link demo': expected ") for line in lines)
    assert sorted(word in played.stderr for word in ("a Simple card; got: a LinkAccount card", "'Good day'; got: To answer that")) == [
        True,
        True,
    ]


def test_alexa_speaks_the_email_when_a_command_plays_alone(tmp_path: Path) -> None:
    said = run_simulator(tmp_path, "say", "what is my email", "--in-process")
    assert (said.returncode, said.stdout) == (0, "Your e-mail address is anna.smith@example.com. What else would you like to know?\n")
    assert "No simulator is running; one is started for this command" in said.stderr
    assert (leftovers(tmp_path), left_in(tmp_path)) == ([], [])


def test_every_way_of_delivery_gives_the_same_rows_when_a_command_plays_alone(tmp_path: Path) -> None:
    played = run_simulator(tmp_path, "events", "--duplicate", "--reorder", "--twice-at-once", "--delay", "--in-process", "--json")
    rows = json.loads(played.stdout)["rows"]
    assert [(row["account"], row["open"], row["Status"]) for row in rows] == [("anna", False, "RESOLVED")] * 4


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_page_is_up_and_then_everything_is_stopped_when_it_is_interrupted(sent: signal.Signals, tmp_path: Path) -> None:
    with start_simulator(tmp_path, "run") as process:
        url = read_url(process)
        note = json.loads((tmp_path / "note" / "running.json").read_text())
        process.send_signal(sent)
        told, complaints = process.communicate(timeout=ENDS_WITHIN_S)
    assert (process.returncode, told, url) == (0, "", note["url"])
    assert complaints.endswith("Stopped. Everything that was started is stopped again.\n")
    assert (leftovers(tmp_path), left_in(tmp_path), list((tmp_path / "note").iterdir())) == ([], [], [])


def test_commands_act_on_the_running_simulator_when_there_is_one(running: "subprocess.Popen[str]", tmp_path: Path) -> None:
    assert run_simulator(tmp_path, "enable").returncode == 0
    assert run_simulator(tmp_path, "say", "open link demo").stdout.endswith("card: LinkAccount\n")
    wrong = run_simulator(tmp_path, "link", "--password", "wrong")
    assert (wrong.returncode, "step: sign-in page" in wrong.stderr) == (1, True)
    assert run_simulator(tmp_path, "link", "--as", "carlos").returncode == 0
    assert run_simulator(tmp_path, "say", "ask link demo for my email").stdout.startswith(
        "Your e-mail address is carlos.nunez@example.org."
    )
    assert run_simulator(tmp_path, "clock", "1 hour").returncode == 0
    (row,) = json.loads(run_simulator(tmp_path, "disable", "--json").stdout)["rows"]
    assert (row["account"], row["customer"], row["open"]) == ("carlos", "anna", False)
    assert run_simulator(tmp_path, "disable").stderr == "Error: the skill is not enabled\n"


def test_another_takes_its_place_when_a_fresh_one_is_asked_for(running: "subprocess.Popen[str]", tmp_path: Path) -> None:
    with start_simulator(tmp_path, "run", "--in-process", "--fresh") as fresh:
        url = read_url(fresh)
        assert running.wait(ENDS_WITHIN_S) == 0
        assert json.loads(run_simulator(tmp_path, "status", "--json").stdout)["card"]["enabled"] is False
        assert json.loads((tmp_path / "note" / "running.json").read_text())["url"] == url
        fresh.send_signal(signal.SIGTERM)
        fresh.communicate(timeout=ENDS_WITHIN_S)


def test_nothing_is_left_running_and_the_note_is_stale_when_it_is_killed(running: "subprocess.Popen[str]", tmp_path: Path) -> None:
    running.kill()
    running.communicate(timeout=ENDS_WITHIN_S)
    for pid in leftovers(tmp_path):
        wait_for_end(pid)
    assert leftovers(tmp_path) == []
    assert (tmp_path / "note" / "running.json").exists()
    assert run_simulator(tmp_path, "status").stderr == "Error: no simulator is running: python -m tools.simulator run\n"
