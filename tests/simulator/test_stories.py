"""Stories as files: what is read, what is refused and in which words, and what each expectation makes of what it sees."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tools.simulator.answers import Answer
from tools.simulator.delivery import MODES
from tools.simulator.desk import Options, SimulationError
from tools.simulator.faults import FAULTS
from tools.simulator.findings import warning
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.storytelling.durations import in_words, parse_duration
from tools.simulator.storytelling.scene import Scene
from tools.simulator.storytelling.steps import KINDS
from tools.simulator.storytelling.stories import SHIPPED, Story, find_story, play_step, read_story, shipped_names
from tools.simulator.storytelling.story_text import StoryFormatError
from tools.simulator.storytelling.transcript import Transcript
from tools.simulator.wire import ALEXA, SKILL, Message

USER = "amzn1.ask.account.ANNA"
OPEN = {
    "AmazonUserID": USER,
    "AccountID": "a-1",
    "account": "anna",
    "customer": "anna",
    "open": True,
    "Status": "RESOLVED",
    "Source": "EVENT",
}
OPEN |= {"StartDatetime": "2026-03-14T08:00:00Z"}
CLOSED = {**OPEN, "open": False, "StartDatetime": "2026-03-14T07:00:00Z", "EndDatetime": "2026-03-14T08:00:00Z"}
UNKNOWN = {**OPEN, "AccountID": "", "account": "", "Status": "UNRESOLVED:TokenRejectedError"}
EVENT = {"type": "AlexaSkillEvent.SkillAccountLinked", "because": "ProviderUnavailableError: ConnectTimeout"}
GREETING = Answer("Hello Anna & Ben.", took_s=1.5, reprompt="What would you like?", findings=(warning("It is long.", "Say less."),))
CARD = Answer("Link first.", card={"type": "LinkAccount"}, ends_session=True)
APOLOGY = Answer("There was a problem.", problem="the skill took 9.0 s; Alexa waits 8")
REFUSED = AccountLinkingError("the token endpoint refused the code: invalid_client", step="code exchange", mend="Copy the secret again.")
LAUNCH = Message(ALEXA, SKILL, "LaunchRequest", {"account": "linked"})


@dataclass
class FakeSimulation:
    """Does nothing but tell what it was asked, and shows what it was given to show."""

    heard: list[Message] = field(default_factory=list)
    answer: Answer = field(default_factory=Answer)
    linking_error: AccountLinkingError | None = None
    looked_up: "CompletedProcess[str]" = field(default_factory=lambda: CompletedProcess([], 0, "known a-1\n", ""))
    rows: list[dict[str, Any]] = field(default_factory=list)
    pending: list[dict[str, Any]] = field(default_factory=list)
    endpoints: list[dict[str, str]] = field(default_factory=list)
    card: dict[str, Any] = field(default_factory=lambda: {"enabled": True, "linked": True, "user_id": USER})
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        settings = {"clock": "2026-03-14T09:00:00Z"}
        shown = {"simulator": settings, "card": self.card, "rows": self.rows, "pending_events": self.pending, "session_open": True}
        return {**shown, "devices": {"endpoints": self.endpoints}}

    def say(self, text: str) -> Answer:
        self.asked.append(("say", text))
        self.heard.append(LAUNCH)
        return self.answer

    def stay_silent(self) -> Answer | None:
        return None

    def link(self, account: str, password: str | None) -> None:
        self.asked.append(("link", account, password))
        if self.linking_error:
            raise self.linking_error

    def operator(self, *arguments: str) -> "CompletedProcess[str]":
        self.asked.append(arguments)
        return self.looked_up

    def disable(self) -> None:
        raise SimulationError("the skill is not enabled")

    def replay(self, message: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(("replay", message))
        return {}

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.asked.append((name, *arguments))


def write(folder: Path, *steps: str, head: str = "story: A story") -> Path:
    path = folder / "a.yaml"
    path.write_text("\n".join([head, "steps:", *(f"  - {step}" for step in steps)]), "utf-8")
    return path


def read(folder: Path, *steps: str, head: str = "story: A story") -> Story:
    return read_story(write(folder, *steps, head=head))


def refusal(path: Path) -> str:
    with pytest.raises(StoryFormatError) as refused:
        read_story(path)
    assert "\n" not in str(refused.value)
    return str(refused.value).removeprefix(str(path))


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., list[str]]:
    """What one step has to complain of."""

    def played(step: str, simulation: FakeSimulation | None = None, **seen: Any) -> list[str]:
        simulation = simulation or FakeSimulation(**seen)
        (one,) = read(tmp_path, step).steps
        scene = Scene(simulation, Transcript(is_silent=True))  # type: ignore[arg-type]
        return play_step(one, scene, simulation.heard)

    return played


# ---- what is refused


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("sayy: hello", ", line 3: a step has no 'sayy'; it may have act, enable, link, say, silence, end, disable,"),
        ("{say: hello, enable: }", ", line 3: a step is one of act, enable, "),
        ("{expect: {speech: hello}}", ", and this has none"),
        ("hello", ", line 3: a step is expected, with act, enable, "),
        ("enable: now", ", line 3: nothing is expected after the colon"),
        ("say:", ", line 3: a text is expected"),
        ("say: [one, two]", ", line 3: a text is expected"),
        ("{say: a, expect: {speach: b}}", ", line 3: expect of say has no 'speach'; it may have rows, "),
        ("{say: a, expect: {speech: b, speech: c}}", ", line 3: 'speech' stands here twice"),
        ("{enable: , expect: {speech: b}}", ", line 3: expect of enable has no 'speech'; it may have rows, "),
        ("{act: Title, expect: {rows: []}}", ", line 3: expect of act has no 'rows'"),
        ("{enable: , expect: {rows: {account: anna}}}", ", line 3: a list is expected"),
        (
            "{enable: , expect: {rows: [{acount: anna}]}}",
            ", line 3: a row has no 'acount'; it may have account, customer, open, status, source",
        ),
        ("{enable: , expect: {rows: [{account: ben}]}}", ", line 3: there is no account 'ben'; there are anna, carlos, emi, unknown"),
        ("{enable: , expect: {rows: [{open: maybe}]}}", ", line 3: true or false is expected, not 'maybe'"),
        (
            "clock: 1 hours and a bit",
            ", line 3: '1 hours and a bit' is no duration, such as 90 seconds, 20 minutes, 1 hour 30 minutes or 31 days",
        ),
        ("clock: 99999 days", ", line 3: '99999 days' is too long: at most 3,650 days"),
        ("fault: sleepy", f", line 3: there is no fault 'sleepy'; there are {', '.join(fault.name for fault in FAULTS)}"),
        ("events: twice", f", line 3: there is no way of delivery 'twice'; there are {', '.join(MODES)}"),
        ("linking_setup: no", ", line 3: there is no linking set-up 'no'; there are correct, redirect-url, "),
        ("link: ben", ", line 3: there is no customer 'ben'; there are anna, carlos, emi"),
        ("link: {as: anna, fail: secret}", ", line 3: link has no 'fail'; it may have as, password, fails"),
        ("permission: {scope: a}", ", line 3: a permission has a scope and granted"),
        ("switch: {device: lamp}", ", line 3: a switch has a device, and on: true or false"),
        ("who: {row: 1}", ", line 3: who needs at: the moment that is asked about"),
        ("who: {at: soon}", ", line 3: 'soon' is no moment, such as now, halfway, the start, 10 minutes before the end,"),
        ("who: {at: 2 moons before the end}", ", line 3: '2 moons' is no duration"),
        ('who: {at: "2026-03-14T08:00:00"}', ", line 3: '2026-03-14T08:00:00' names no time zone"),
        ("{who: {at: now}, expect: {code: zero}}", ", line 3: a number is expected, not 'zero'"),
        ("replay: nowhere.json", "nowhere.json: No such file or directory"),
        ("say: [", ", line 3: this is no YAML: "),
        ("say: \t'", ", line 3: this is no YAML: "),
    ],
)
def test_one_line_names_place_and_choice_when_a_step_cannot_be_read(step: str, why: str, tmp_path: Path) -> None:
    assert why in refusal(write(tmp_path, step))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", ": the file is empty"),
        (b"- say: hello", ", line 1: a story is expected, with story, about, provider, "),
        (b"steps: [{enable: }]", ", line 1: a story needs story"),
        (b"story: x", ", line 1: a story needs steps"),
        (b"story: x\nsteps: []", ", line 2: a story needs a step"),
        (b"story: x\nstarts: yesterday\nsteps: [{enable: }]", ", line 2: 'yesterday' is no start, such as 20 minutes ago"),
        (b"story: x\nprovider: google\nsteps: [{enable: }]", ", line 2: there is no provider 'google'; there are cognito, lwa"),
        (b"story: x\ntitle: y\nsteps: [{enable: }]", ", line 2: a story has no 'title'; it may have story, about, "),
        (b"\xff\xfe\x00", ": this is no YAML in UTF-8: UnicodeDecodeError"),
        (b"[" * 100_000, "nested too deeply"),
        (b"a" * 1_000_001, ": a story of more than 1,000,000 bytes is none"),
        (b"story: x\nsteps: [{say: !!python/object/apply:os.system [true]}]", ", line 2: a text is expected"),
    ],
)
def test_one_line_says_so_when_a_file_is_no_story(content: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    assert why in refusal(path)


def test_one_line_says_so_when_there_is_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.yaml") == ": No such file or directory"


def test_the_stories_that_there_are_are_named_when_none_has_that_name() -> None:
    with pytest.raises(StoryFormatError, match="there are broken_linking, demo, "):
        find_story("nonsense")


# ---- what is read


@pytest.mark.parametrize("name", shipped_names())
def test_every_story_of_this_project_can_be_read(name: str) -> None:
    story = read_story(find_story(name))
    assert story.title
    assert any(step.checks for step in story.steps)


def test_every_kind_of_step_is_told_of_in_some_story() -> None:
    told = "\n".join(path.read_text("utf-8") for path in SHIPPED.glob("*.yaml"))
    silent = {"end", "permission", "provider", "locale", "region", "replay"}  # each is tried in this file
    assert [kind for kind in KINDS if f"- {kind}:" not in told and kind not in silent] == []


def test_what_is_typed_goes_before_what_the_story_says(tmp_path: Path) -> None:
    story = read(tmp_path, "enable:", head="story: x\nprovider: lwa\nregion: FE\nstarts: 20 minutes ago")
    given = Options(provider="cognito", in_process=True)
    own, typed = story.options(given, {}), story.options(given, {"provider": "cognito", "region": ""})
    assert (own.provider, own.region, own.starts, own.in_process) == ("lwa", "FE", -timedelta(minutes=20), True)
    assert (typed.provider, typed.region) == ("cognito", "FE")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 seconds", 90), ("1 hour 30 minutes", 5400), ("31 days", 31 * 86_400), ("+1h", 3600), ("2 days and 1 min", 172_860)],
)
def test_a_duration_is_read_as_people_write_it(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert parse_duration(in_words(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("step", "asked"),
    [
        ("link: carlos", ("link", "carlos", None)),
        ("link:", ("link", "", None)),
        ("link: {as: emi, password: 12345}", ("link", "emi", "12345")),
        ("say: yes", ("say", "yes")),
        ("end: ERROR", ("end_session", "ERROR")),
        ("end:", ("end_session", "USER_INITIATED")),
        ("permission: {scope: alexa::profile:email:read, granted: true}", ("set_permission", "alexa::profile:email:read", True)),
        ("purchases: off", ("set_purchases", False)),
        ("customer: emi", ("choose_customer", "emi")),
        ("provider: lwa", ("choose_provider", "lwa")),
        ("locale: en-GB", ("choose_locale", "en-GB")),
        ("region: FE", ("choose_region", "FE")),
        ("fault: slow", ("set_fault", "slow")),
        ("clock: 1 hour", ("move_clock", timedelta(hours=1))),
        ("events: twice-at-once", ("plan_delivery", "twice-at-once")),
        ("deliver:", ("deliver_held",)),
    ],
)
def test_a_step_does_what_it_says(play: Callable[..., list[str]], step: str, asked: tuple[Any, ...]) -> None:
    simulation = FakeSimulation()
    assert (play(step, simulation), simulation.asked) == ([], [asked])


def test_a_recorded_message_is_sent_as_it_is_when_it_is_replayed(play: Callable[..., list[str]], tmp_path: Path) -> None:
    message = {"request": {"type": "LaunchRequest"}, "beyond": [1, None]}
    (tmp_path / "message.json").write_text(json.dumps(message))
    simulation = FakeSimulation()
    assert (play("replay: message.json", simulation), simulation.asked) == ([], [("replay", message)])


# ---- what is expected


@pytest.mark.parametrize(
    ("step", "seen", "complaint"),
    [
        ("{say: a, expect: {speech: Anna & Ben}}", {"answer": GREETING}, ""),
        ("{say: a, expect: {speech: Carlos}}", {"answer": GREETING}, "expected Alexa to say 'Carlos'; got: Hello Anna & Ben."),
        ("{say: a, expect: {not_speech: Anna}}", {"answer": GREETING}, "expected Alexa not to say 'Anna'; got: Hello Anna & Ben."),
        ("{say: a, expect: {reprompt: like}}", {"answer": GREETING}, ""),
        ("{say: a, expect: {reprompt: want}}", {"answer": GREETING}, "expected the reprompt to say 'want'; got: What would you like?"),
        ("{say: a, expect: {card: LinkAccount}}", {"answer": CARD}, ""),
        (
            "{say: a, expect: {card: LinkAccount}}",
            {"answer": GREETING},
            "expected a LinkAccount card; got: no card, and: Hello Anna & Ben.",
        ),
        ("{say: a, expect: {card: none}}", {"answer": CARD}, "expected no card; got: a LinkAccount card"),
        ("{say: a, expect: {ends_session: true}}", {"answer": CARD}, ""),
        ("{say: a, expect: {ends_session: false}}", {"answer": CARD}, "expected the answer to leave the session open; got: Link first."),
        ("{say: a, expect: {within: 2 seconds}}", {"answer": GREETING}, ""),
        ("{say: a, expect: {within: 1 second}}", {"answer": GREETING}, "expected an answer within 1 second; got: 1.5 s"),
        ("{say: a, expect: {findings: long}}", {"answer": GREETING}, ""),
        ("{say: a, expect: {findings: none}}", {"answer": GREETING}, "expected an answer without fault; got: It is long. Say less."),
        ("say: a", {"answer": APOLOGY}, "expected an answer that Alexa can speak; got: the skill took 9.0 s; Alexa waits 8"),
        ("{say: a, expect: {problem: Alexa waits 8}}", {"answer": APOLOGY}, ""),
        ("{say: a, expect: {problem: SSML}}", {"answer": GREETING}, "expected a problem with 'SSML' in it; got: Hello Anna & Ben."),
        ("{say: a, expect: {session: closed}}", {}, "expected the session to be closed; got: the opposite"),
        ("{say: a, expect: {wire: LaunchRequest}}", {}, ""),
        ("{say: a, expect: {wire: refreshes}}", {}, "expected 'refreshes' on the wire; got: Alexa -> skill: LaunchRequest"),
        ("{say: a, expect: {not_wire: linked}}", {}, "expected no 'linked' on the wire; got: Alexa -> skill: LaunchRequest"),
        ("{silence: , expect: {speech: Hello}}", {}, "expected Alexa to say 'Hello'; got: silence"),
        ("{look: , expect: {enabled: true, linked: true}}", {}, ""),
        ("{look: , expect: {linked: false}}", {}, "expected no account to be linked; got: the opposite"),
        ("{look: , expect: {rows: []}}", {}, ""),
        (
            "{look: , expect: {rows: []}}",
            {"rows": [OPEN]},
            "expected no row; got: 1 row (account anna, customer anna, open, RESOLVED, EVENT)",
        ),
        ("{look: , expect: {rows: [{account: anna, open: false}, {open: true}]}}", {"rows": [OPEN, CLOSED]}, ""),
        ("{look: , expect: {rows: [{account: carlos}]}}", {"rows": [OPEN]}, "expected 1 row (account carlos); got: 1 row (account anna, "),
        ("{look: , expect: {rows: [{account: unknown, status: UNRESOLVED}]}}", {"rows": [UNKNOWN]}, ""),
        ("{look: , expect: {rows: [{status: 'UNRESOLVED:TokenRejectedError'}]}}", {"rows": [UNKNOWN]}, ""),
        ("{look: , expect: {user_ids: 1}}", {"rows": [OPEN, CLOSED]}, ""),
        ("{look: , expect: {user_ids: 2}}", {"rows": [OPEN, CLOSED]}, "expected 2 user ids in the table; got: 1"),
        ("{look: , expect: {undelivered: [SkillAccountLinked]}}", {"pending": [EVENT]}, ""),
        ("{look: , expect: {undelivered: []}}", {"pending": [EVENT]}, "expected the skill to acknowledge the event; got: AlexaSkillEvent."),
        ("{look: , expect: {undelivered: [SkillDisabled]}}", {}, "expected SkillDisabled to be undelivered; got: every event acknowledged"),
        ("{look: , expect: {devices: [{name: Lamp, power: OFF}]}}", {"endpoints": [{"name": "Lamp", "power": "OFF"}]}, ""),
        (
            "{look: , expect: {devices: [{name: Lamp, power: ON}]}}",
            {"endpoints": [{"name": "Lamp", "power": "OFF"}]},
            "expected Lamp ON; got: Lamp OFF",
        ),
        ("{look: , expect: {devices: [Lamp]}}", {}, "expected Lamp; got: no device"),
        ("switch: {device: Lamp, on: true}", {}, "Alexa knows no device 'Lamp'; it knows none: it has to discover them first"),
        ("enable:", {"pending": [EVENT]}, "expected the skill to acknowledge the event; got: AlexaSkillEvent."),
        ("{enable: , expect: {undelivered: [SkillAccountLinked]}}", {"pending": [EVENT]}, ""),
        ("disable:", {}, "the skill is not enabled"),
        (
            "link: anna",
            {"linking_error": REFUSED},
            "expected the account to be linked; got: the token endpoint refused the code: invalid_client.",
        ),
        ("link: {as: anna, fails: [invalid_client, Copy, code exchange]}", {"linking_error": REFUSED, "pending": [EVENT]}, ""),
        (
            "link: {as: anna, fails: PKCE}",
            {"linking_error": REFUSED},
            "expected linking to fail with 'PKCE'; got: code exchange: the token ",
        ),
        ("link: {as: anna, fails: PKCE}", {}, "expected linking to fail; got: it is linked"),
        ("{who: {at: now}, expect: {code: 0, account: anna, says: known}}", {"rows": [OPEN]}, ""),
        ("{who: {at: now}, expect: {code: 1}}", {"rows": [OPEN]}, "expected exit code 1; got: 0 known a-1"),
        ("{who: {at: now}, expect: {account: none}}", {"rows": [OPEN]}, "expected no account; got: known a-1"),
        ("{who: {at: now}, expect: {account: carlos}}", {"rows": [OPEN]}, "expected the account of carlos; got: known a-1"),
        ("who: {at: halfway}", {"rows": [OPEN]}, "the row is open and has no end"),
        ("who: {at: the start}", {}, "there is no row"),
        ("who: {at: now, row: 3}", {"rows": [OPEN, CLOSED]}, "there is no row 3, but 2"),
    ],
)
def test_an_expectation_says_what_it_found_when_it_fails(
    play: Callable[..., list[str]], step: str, seen: dict[str, Any], complaint: str
) -> None:
    complaints = play(step, **seen)
    assert len(complaints) == (1 if complaint else 0)
    assert all(text.startswith(complaint) for text in complaints)


def test_every_expectation_of_a_step_is_told_when_several_fail(play: Callable[..., list[str]]) -> None:
    complaints = play("{say: a, expect: {speech: [Carlos, Emi], card: LinkAccount, rows: []}}", answer=GREETING, rows=[OPEN])
    assert [text.partition(";")[0] for text in complaints] == [
        "expected Alexa to say 'Carlos'",
        "expected Alexa to say 'Emi'",
        "expected a LinkAccount card",
        "expected no row",
    ]


@pytest.mark.parametrize(
    ("at", "asked"),
    [
        ("now", "2026-03-14T09:00:00Z"),
        ("the start", "2026-03-14T07:00:00Z"),
        ("10 minutes before the end", "2026-03-14T07:50:00Z"),
        ("1 day after the end", "2026-03-15T08:00:00Z"),
        ("halfway", "2026-03-14T07:30:00Z"),
        ("2026-03-14T08:00:00+01:00", "2026-03-14T07:00:00Z"),
    ],
)
def test_the_operator_is_asked_for_the_moment_when_a_story_names_it(play: Callable[..., list[str]], at: str, asked: str) -> None:
    simulation = FakeSimulation(rows=[OPEN, CLOSED])
    assert play(f"who: {{at: '{at}', row: 1}}".replace("'", '"'), simulation) == []
    assert simulation.asked == [("who", USER, "--at", asked)]
