"""The command line against a page server with a simulation that only keeps what it was asked: commands, answers, exit codes."""

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from tools.setup import ROOT
from tools.simulator.answers import Answer
from tools.simulator.cli import explain, simulator
from tools.simulator.commands.running import NAME, Running, find_running, noted
from tools.simulator.commands.telling import with_skill_id
from tools.simulator.customers import CUSTOMERS
from tools.simulator.desk import SimulationError
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.page.server import PageServer
from tools.simulator.storytelling.stories import shipped_names

COMMANDS = ["clock", "customer", "disable", "enable", "events", "fault", "link", "linking-setup", "locale", "provider", "purchases"]
COMMANDS += ["region", "replay", "run", "say", "status", "story"]
ROW = {"ID": "YQWY", "AmazonUserID": "amzn1.ask.account.ANNA", "AccountID": "a-1", "StartDatetime": "2026-03-14T08:00:00Z"}
ROW |= {"Status": "RESOLVED", "Source": "EVENT"}
SAID = {"who": "Alexa", "speech": "Your name is Anna & Ben.", "card": None, "problem": "", "findings": [], "number": 2}
APOLOGY = SAID | {"problem": "the skill took 9.0 s", "findings": [{"severity": "error", "what": "It took 9.0 s.", "mend": "Ask less."}]}
NOWHERE = "http://127.0.0.1:9"
Asked = list[tuple[Any, ...]]


@dataclass
class FakeSimulation:
    """What the page server needs of a simulation."""

    asked: Asked = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=lambda: dict(SAID))
    version: int = 1
    is_over: threading.Event = field(default_factory=threading.Event)

    def state(self) -> dict[str, Any]:
        card = {
            "skill_name": "Link Demo",
            "enabled": True,
            "linked": True,
            "user_id_short": "amzn1.…ANNA",
            "token_expires": "2026-03-14T09:00:00Z",
        }
        shown = {"simulator": {"version": 1}, "card": card, "rows": [ROW], "wire": [], "conversation": [{"who": "customer"}, self.said]}
        return {**shown, "pending_events": [{"type": "AlexaSkillEvent.SkillDisabled", "because": "Throttled"}]}

    def wait(self, version: int, timeout: float) -> int:
        self.is_over.wait(timeout)
        return version

    def land_on(self, url: str) -> None:
        """It has no browser."""

    def enable(self) -> str:
        raise SimulationError("the skill is enabled already")

    def disable(self) -> None:
        self.asked.append(("disable",))

    def link(self, account: str = "", password: str | None = None) -> None:
        self.asked.append(("link", account, password))
        if password == "wrong":
            raise AccountLinkingError("the login page did not let the customer in", step="sign-in page", mend="Type it again.")

    def say(self, text: str) -> Answer:
        self.asked.append(("say", text))
        return Answer("Your name is Anna & Ben.")

    def move_clock(self, by: float) -> None:
        self.asked.append(("move_clock", by))

    def set_fault(self, name: str) -> None:
        self.asked.append(("set_fault", name))

    def choose_customer(self, customer: str) -> None:
        self.asked.append(("choose_customer", customer))

    def set_purchases(self, on: bool) -> None:
        self.asked.append(("set_purchases", on))

    def plan_delivery(self, mode: str) -> None:
        self.asked.append(("plan_delivery", mode))

    def deliver_held(self) -> int:
        self.asked.append(("deliver_held",))
        return 0

    def replay(self, message: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("replay", message))
        if message.get("fails"):
            raise SimulationError("the skill failed: KeyError: 'x'")
        return {"response": {"outputSpeech": {"type": "SSML", "ssml": "<speak>Hello</speak"}}, "accessToken": "e" * 40}


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[FakeSimulation]:
    """One that is running, and has left its address."""
    fake = FakeSimulation()
    with PageServer(fake) as page, noted(tmp_path, page.url):
        yield fake
        fake.is_over.set()


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(simulator, ["--folder", str(tmp_path), *arguments], standalone_mode=False)


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """As a person would."""
    typed = [sys.executable, "-m", "tools.simulator", "--folder", str(folder), *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "SIMULATOR_FOLDER"}}
    return subprocess.run(typed, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


# ---- help


def test_every_command_is_there_when_the_group_is_asked() -> None:
    assert sorted(simulator.commands) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_and_a_text_for_each_option(name: str, command: Callable[..., Result]) -> None:
    assert f"python -m tools.simulator {name}" in command(name, "--help").output
    options = [option for option in simulator.commands[name].params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_the_stories_that_there_are_are_named_when_help_is_asked(command: Callable[..., Result]) -> None:
    words = command("story", "--help").output.replace(",", " ").replace(".", " ").split()
    assert set(shipped_names()) <= set(words)


# ---- on a running simulator


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (("disable",), ("disable",)),
        (("link",), ("link", "", None)),
        (("link", "--as", "carlos", "--password", "right"), ("link", "carlos", "right")),
        (("say", "what is my name"), ("say", "what is my name")),
        (("say", "what", "is", "my", "name"), ("say", "what is my name")),
        (("clock", "1 hour"), ("move_clock", 3600.0)),
        (("fault", "slow"), ("set_fault", "slow")),
        (("customer", "emi"), ("choose_customer", "emi")),
        (("purchases", "on"), ("set_purchases", True)),
        (("events", "--duplicate"), ("plan_delivery", "duplicated")),
        (("events", "--reorder"), ("plan_delivery", "reordered")),
        (("events", "--twice-at-once"), ("plan_delivery", "twice-at-once")),
        (("events", "--delay"), ("plan_delivery", "delayed")),
        (("events", "--lose"), ("plan_delivery", "lost")),
        (("events", "--normal"), ("plan_delivery", "normal")),
        (("events", "--deliver"), ("deliver_held",)),
    ],
)
def test_the_running_simulator_does_it_when_a_command_asks(
    arguments: tuple[str, ...], asked: tuple[Any, ...], simulation: FakeSimulation, command: Callable[..., Result]
) -> None:
    ran = command(*arguments)
    assert (ran.exception, ran.return_value, simulation.asked) == (None, 0, [asked])


def test_a_note_says_whose_options_hold_when_a_running_simulator_takes_the_command(
    simulation: FakeSimulation, command: Callable[..., Result]
) -> None:
    assert "its own options hold" in command("disable", "--provider", "lwa").stderr
    assert "its own options hold" not in command("disable").stderr


def test_card_rows_and_waiting_events_are_shown_when_something_was_done(simulation: FakeSimulation, command: Callable[..., Result]) -> None:
    out = command("disable").output
    assert "Link Demo: enabled by amzn1.…ANNA, linked; its access token is good until 2026-03-14T09:00:00Z\n" in out
    assert "2026-03-14 08:00:00  (open)" in out
    assert "AlexaSkillEvent.SkillDisabled waits: Throttled\n" in out


@pytest.mark.parametrize("arguments", [("disable",), ("clock", "1 day"), ("events", "--deliver"), ("status",)])
def test_the_answer_is_json_when_it_is_asked_for(
    arguments: tuple[str, ...], simulation: FakeSimulation, command: Callable[..., Result]
) -> None:
    assert json.loads(command(*arguments, "--json").output)["rows"] == [ROW]


def test_what_alexa_says_is_printed_when_the_customer_speaks(simulation: FakeSimulation, command: Callable[..., Result]) -> None:
    assert command("say", "my name").output == "Your name is Anna & Ben.\n"
    assert json.loads(command("say", "my name", "--json").output)["speech"] == "Your name is Anna & Ben."


def test_the_problem_is_printed_when_alexa_apologizes(simulation: FakeSimulation, command: Callable[..., Result]) -> None:
    simulation.said = dict(APOLOGY, card={"type": "LinkAccount"})
    ran = command("say", "my name")
    told = "Your name is Anna & Ben.\ncard: LinkAccount\nproblem: the skill took 9.0 s\nerror: It took 9.0 s. Ask less.\n"
    assert (ran.return_value, ran.output) == (1, told)


def test_step_cause_and_mend_come_back_when_linking_fails(simulation: FakeSimulation, command: Callable[..., Result]) -> None:
    failed = command("link", "--password", "wrong").exception
    assert isinstance(failed, AccountLinkingError)
    told = "linking failed at this step: sign-in page. the login page did not let the customer in. Type it again."
    assert explain(failed) == (told, 1)


def test_the_reason_comes_back_when_it_cannot_be_done_now(simulation: FakeSimulation, command: Callable[..., Result]) -> None:
    failed = command("enable").exception
    assert isinstance(failed, SimulationError)
    assert explain(failed) == ("the skill is enabled already", 2)


@pytest.mark.parametrize("arguments", [("events",), ("events", "--duplicate", "--lose"), ("fault", "sleepy"), ("clock", "soon"), ("say",)])
def test_nothing_is_done_when_the_command_line_is_wrong(
    arguments: tuple[str, ...], simulation: FakeSimulation, command: Callable[..., Result]
) -> None:
    assert isinstance(command(*arguments).exception, click.UsageError)
    assert simulation.asked == []


def test_the_answer_is_judged_and_without_tokens_when_a_message_is_replayed(
    simulation: FakeSimulation, command: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "message.json").write_text(json.dumps({"context": {"System": {"application": {"applicationId": "theirs"}}}}))
    ran = command("replay", str(tmp_path / "message.json"), "--as-our-skill", "--skill-id", "ours")
    assert simulation.asked == [("replay", {"context": {"System": {"application": {"applicationId": "ours"}}}})]
    assert ran.return_value == 1
    assert "error: " in ran.output
    assert "e" * 40 not in ran.output


@pytest.mark.parametrize(("content", "code"), [('{"fails": true}', 1), ("[]", None), ("{", None), ('{"a":' * 100_000, None)])
def test_a_message_is_refused_or_fails_in_a_line_when_it_is_replayed(
    content: str, code: int | None, simulation: FakeSimulation, command: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "message.json").write_text(content)
    ran = command("replay", str(tmp_path / "message.json"))
    assert (ran.return_value, isinstance(ran.exception, click.UsageError)) == (code, code is None)


def test_only_application_ids_change_when_a_message_becomes_our_skills() -> None:
    message = {"session": {"application": {"applicationId": "a"}}, "list": [{"applicationId": "b"}], "text": "a", "none": None}
    changed = {"session": {"application": {"applicationId": "ours"}}, "list": [{"applicationId": "ours"}], "text": "a", "none": None}
    assert with_skill_id(message, "ours") == changed


# ---- finding a running simulator


def test_the_note_is_for_this_user_only_and_goes_with_the_simulator(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with noted(folder, "http://127.0.0.1:1/"):
        assert json.loads((folder / NAME).read_text()) == {"url": "http://127.0.0.1:1", "pid": os.getpid()}
        assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600
        assert [path.name for path in folder.iterdir()] == [NAME]
    assert list(folder.iterdir()) == []


def test_the_note_of_another_simulator_stays_when_one_ends(tmp_path: Path) -> None:
    with noted(tmp_path, "http://127.0.0.1:1"):
        (tmp_path / NAME).write_text(json.dumps({"url": "http://127.0.0.1:2", "pid": 4242}))
    assert (tmp_path / NAME).exists()


@pytest.mark.parametrize(
    "note",
    [
        "",
        "[]",
        "{}",
        json.dumps({"url": NOWHERE, "pid": 4242}),
        json.dumps({"url": "http://example.com", "pid": 4242}),
        json.dumps({"url": "https://127.0.0.1:1", "pid": 4242}),
        json.dumps({"url": "file:///etc/passwd", "pid": 4242}),
        json.dumps({"url": "http://127.0.0.1:x", "pid": 4242}),
        json.dumps({"url": "http://127.0.0.1:1", "pid": 1}),
        json.dumps({"url": "http://127.0.0.1:1", "pid": "many"}),
    ],
)
def test_nothing_is_running_when_the_note_is_stale_or_none_of_ours(note: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(note)
    assert find_running(tmp_path) is None


def test_nothing_is_running_when_there_is_no_note(tmp_path: Path) -> None:
    assert find_running(tmp_path) is None


def test_the_running_one_is_found_when_it_answers(simulation: FakeSimulation, tmp_path: Path) -> None:
    assert isinstance(find_running(tmp_path), Running)


def test_its_url_is_all_that_run_prints_when_one_is_running(simulation: FakeSimulation, tmp_path: Path) -> None:
    running = find_running(tmp_path)
    ran = run(tmp_path, "run")
    assert running
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (0, f"{running.url}\n", 1)


# ---- how it ends


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("fault", "slow"), "Error: no simulator is running: python -m tools.simulator run"),
        (("status",), "Error: no simulator is running: python -m tools.simulator run"),
        (("story", "nonsense"), "Error: there is no file 'nonsense' here, and no story of that name; there are broken_linking, demo, "),
        (("story", "none.yaml"), "Error: none.yaml: No such file or directory"),
        (
            ("say", "hello", "--models", "tests"),
            "Error: there is no interaction model in tests: it holds one <locale>.json for each locale",
        ),
    ],
)
def test_one_line_says_why_when_a_command_ends_early(arguments: tuple[str, ...], line: str, tmp_path: Path) -> None:
    ran = run(tmp_path, *arguments)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert ran.stderr.startswith(line)


@pytest.mark.parametrize("wrapper", ["accountLinkingRequest", "accountLinkingResponse"])
@pytest.mark.parametrize("field_name", ["authorizationUrl", "accessTokenUrl"])
def test_an_identity_provider_elsewhere_is_refused_unless_it_is_named(
    wrapper: str, field_name: str, tmp_path: Path, command: Callable[..., Result]
) -> None:
    linking = {"authorizationUrl": "http://127.0.0.1:1/a", "accessTokenUrl": "http://localhost:1/t", "clientId": "c", "clientSecret": "s"}
    (tmp_path / "linking.json").write_text(json.dumps({wrapper: {**linking, field_name: "https://login.example.com/a"}}))
    arguments = ["--linking", str(tmp_path / "linking.json"), "--skill-url", NOWHERE]
    refused = command("enable", *arguments).exception
    assert isinstance(refused, SimulationError)
    assert "login.example.com is not on this machine: " in str(refused)
    assert "--allow-provider login.example.com" in str(refused)


@pytest.mark.parametrize(
    ("content", "line"),
    [("{", "linking.json is no JSON: "), ("[]", "linking.json is no JSON object"), ("{}", "authorizationUrl is missing")],
)
def test_one_line_says_so_when_the_linking_file_cannot_be_read(
    content: str, line: str, tmp_path: Path, command: Callable[..., Result]
) -> None:
    (tmp_path / "linking.json").write_text(content)
    failed = command("enable", "--linking", str(tmp_path / "linking.json"), "--skill-url", NOWHERE).exception
    assert line in str(failed)


def test_the_customers_of_the_command_line_are_those_of_the_desk(command: Callable[..., Result]) -> None:
    assert all(key in command("link", "--help").output for key in CUSTOMERS)
