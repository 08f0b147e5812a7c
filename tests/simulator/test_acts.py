"""What a person may do on the desk, with somebody's skill by its URL and this desk's Login with Amazon."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests

from tests.loopback_provider import send_json
from tools.simulator.clock import MOST_AHEAD
from tools.simulator.desk import MOST_SAID
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.loopback_server import LoopbackHttpServer
from tools.simulator.simulation import Options, Simulation, SimulationError
from tools.simulator.wire import Entry

ENDS_WITHIN_S = 20.0


class SkillServer(LoopbackHttpServer):
    """Acknowledges everything, and does `during` meanwhile."""

    def __init__(self) -> None:
        self.during: Callable[[], None] = lambda: None
        self.status = 200
        super().__init__(("127.0.0.1", 0), SkillRequest)


class SkillRequest(BaseHTTPRequestHandler):
    server: SkillServer

    def do_POST(self) -> None:
        json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.during()
        send_json(self, self.server.status, {"version": "1.0", "response": {"shouldEndSession": True}})

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def skill() -> Iterator[SkillServer]:
    with SkillServer() as running:
        yield running


@pytest.fixture
def desk(skill: SkillServer) -> Iterator[Simulation]:
    with Simulation(Options(skill_url=skill.url, provider="lwa")) as running:
        yield running


def entries(desk: Simulation, text: str) -> list[Entry]:
    return [entry for entry in desk.wire.entries() if entry.message.text == text]


def get(url: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.get(url, headers={"Authorization": "Bearer Atza|made-up"}, timeout=10)


# ---- the clock


@pytest.mark.parametrize(
    ("by", "why"),
    [
        (3e11, "3650 days ahead"),
        (float("inf"), "3650 days ahead"),
        (float("nan"), "3650 days ahead"),
        (1e300, "3650 days ahead"),
        (10**400, "3650 days ahead"),
        (timedelta.max, "3650 days ahead"),
        (MOST_AHEAD + timedelta(seconds=1), "3650 days ahead"),
        (-1, "goes forward only"),
        (timedelta.min, "goes forward only"),
    ],
)
def test_the_clock_stays_as_it_is_when_it_cannot_be_moved_so(by: float | timedelta, why: str, desk: Simulation) -> None:
    with pytest.raises(SimulationError, match=why):
        desk.move_clock(by)
    assert (desk.clock.now_ahead(), desk.state()["simulator"]["clock_ahead_s"]) == (timedelta(0), 0)


def test_the_clock_is_moved_on_no_more_when_it_is_farthest(desk: Simulation) -> None:
    desk.enable()
    desk.link()
    desk.move_clock(MOST_AHEAD - timedelta(hours=1))
    farthest = desk.state()["simulator"]["clock_ahead_s"]
    with pytest.raises(SimulationError, match="3650 days ahead"):
        desk.move_clock(timedelta(hours=1, seconds=1))
    assert desk.state()["simulator"]["clock_ahead_s"] == farthest > 0


# ---- time that passes


class UnreachableSkill:
    """Fails for a reason of the desk's own, so often; `went_on` is set when it has been asked once more after that."""

    def __init__(self, failures: int) -> None:
        self.failures, self.went_on = failures, threading.Event()

    def invoke(self, event: dict[str, Any]) -> Any:
        self.failures -= 1
        if self.failures >= 0:
            raise RuntimeError("no emulator can be started")
        self.went_on.set()
        return {}


def owe(desk: Simulation, customer: str) -> None:
    """An event for this customer, which is due by now."""
    desk.choose_customer(customer)
    desk.plan_delivery("delayed")
    desk.enable()
    desk.plan_delivery("normal")
    desk.choose_customer("anna")
    desk.clock.move_on(timedelta(minutes=6))


def test_events_are_brought_later_when_bringing_them_fails_for_a_reason_of_the_desks_own(desk: Simulation) -> None:
    unreachable = UnreachableSkill(failures=2)
    owe(desk, "carlos")
    desk.side.households["carlos"].alexa.deliveries.skill = unreachable
    with desk.ticking(0.01):
        assert unreachable.went_on.wait(ENDS_WITHIN_S)
    told = entries(desk, "cannot bring the events that are due")
    assert [(entry.customer, entry.message.verdict, entry.message.reason) for entry in told] == [
        ("carlos", "failed", "RuntimeError: no emulator can be started")
    ] * 2


def test_other_customers_events_are_brought_when_those_of_one_cannot_be(desk: Simulation, skill: SkillServer) -> None:
    came = threading.Event()
    for customer in ("anna", "emi"):
        owe(desk, customer)
    skill.during = came.set
    desk.side.households["anna"].alexa.deliveries.skill = UnreachableSkill(failures=10**6)
    with desk.ticking(0.01):
        assert came.wait(ENDS_WITHIN_S)


class NothingDue:
    """In place of a customer's deliveries: one that waits, and is far from being due."""

    def __init__(self) -> None:
        self.looks, self.was_looked_at = 0, threading.Event()

    @property
    def next_due(self) -> datetime:
        self.looks += 1
        if self.looks == 3:
            self.was_looked_at.set()
        return datetime.max.replace(tzinfo=UTC)

    def run_due(self) -> None:
        raise AssertionError("nothing is due")


def test_nothing_is_done_when_nothing_is_due(desk: Simulation) -> None:
    waiting: Any = NothingDue()
    desk.alexa.deliveries, version = waiting, desk.version
    with desk.acting("something that takes long"), desk.ticking(0.01):
        assert waiting.was_looked_at.wait(ENDS_WITHIN_S)
    assert (desk.version, desk.wire.entries()) == (version + 2, [])


# ---- whose messages they are


@pytest.mark.parametrize("bring", ["the ticker", "the clock", "a person"])
def test_a_call_of_the_skills_is_the_customers_whose_event_it_is_about(bring: str, desk: Simulation, skill: SkillServer) -> None:
    assert desk.side.provider
    called, url = threading.Event(), f"{desk.side.provider.front.url}/user/profile"
    skill.during = lambda: (get(url), called.set())[0]
    owe(desk, "carlos")
    if bring == "the ticker":
        with desk.ticking(0.01):
            assert called.wait(ENDS_WITHIN_S)
    elif bring == "the clock":
        desk.move_clock(0)
    else:
        desk.deliver_held()
    (call,) = entries(desk, "asks who the customer is")
    assert call.customer == "carlos"
    desk.enable()
    assert [entry.customer for entry in entries(desk, "asks who the customer is")] == ["carlos", "anna"]


@pytest.mark.parametrize(
    ("fault", "verdict", "reason"),
    [("none", "warning", "the identity provider refused with HTTP 40"), ("throttled", "failed", "429"), ("down", "failed", "")],
)
def test_a_refused_call_of_the_skills_is_marked(fault: str, verdict: str, reason: str, desk: Simulation, skill: SkillServer) -> None:
    assert desk.side.provider
    url = f"{desk.side.provider.front.url}/user/profile"

    def call() -> None:
        try:
            get(url)
        except requests.ConnectionError:
            return

    skill.during = call
    desk.set_fault(fault)
    desk.enable()
    (told,) = entries(desk, "asks who the customer is")
    assert told.message.verdict == verdict
    assert told.message.reason
    assert reason in told.message.reason or fault != "none"


# ---- linking


def test_nothing_is_waited_for_when_the_sign_in_page_shows_an_error(desk: Simulation) -> None:
    desk.enable()
    desk.set_linking_setup("redirect-url")
    with pytest.raises(AccountLinkingError, match="redirect_uri"):
        desk.begin_link()
    card = desk.state()["card"]
    assert (card["linking"], card["last_link_error"]["step"]) == (False, "sign-in page")
    (told,) = entries(desk, "was unable to link the account")
    assert (told.message.verdict, bool(told.message.mend)) == ("failed", True)


def test_real_browsers_land_here_while_an_account_is_linked_without_one(desk: Simulation) -> None:
    seen: list[str | None] = []
    desk.land_on("http://127.0.0.1:1/")
    desk.enable()
    provider = desk.side.provider
    assert provider
    provider.front.on_call = lambda *call: seen.append(provider.front.landing_url)
    desk.link()
    assert (desk.state()["card"]["linked"], set(seen)) == (True, {"http://127.0.0.1:1/"})


def test_the_customer_whose_page_it_was_is_told_when_an_older_page_lands(desk: Simulation) -> None:
    desk.enable()
    desk.begin_link()
    older = desk.alexa.pending_link
    desk.begin_link()
    desk.choose_customer("carlos")
    assert older
    with pytest.raises(AccountLinkingError, match="begun before another one"):
        desk.finish_link(f"{older.redirect_url}?code=a&state={older.state}")
    problems = {key: home.link_problem is not None for key, home in desk.side.households.items()}
    assert problems == {"anna": True, "carlos": False, "emi": False}


def test_the_skill_may_send_nothing_more_for_a_customer_who_has_disabled_it(desk: Simulation) -> None:
    desk.enable()
    amazon, client = desk.desk.amazon, desk.desk.amazon.messaging_client
    code = amazon.login.issue_grant_code(amazon.customers["anna"])
    form = {"grant_type": "authorization_code", "code": code, "client_id": client.client_id, "client_secret": client.client_secret}
    with requests.Session() as session:
        session.trust_env = False
        token = session.post(f"{amazon.login.url}/auth/o2/token", data=form, timeout=10).json()["access_token"]
    assert not amazon.login.has_ended(token)
    desk.disable()
    assert amazon.login.has_ended(token)


# ---- what cannot be done now


@pytest.mark.parametrize("act", [Simulation.disable, Simulation.begin_link, Simulation.link])
def test_alexas_complaint_is_the_persons_when_the_skill_is_not_enabled(act: Callable[[Simulation], Any], desk: Simulation) -> None:
    with pytest.raises(SimulationError, match="the skill is not enabled"):
        act(desk)


def test_a_fault_of_the_simulators_own_is_not_taken_for_alexas_complaint(desk: Simulation) -> None:
    with pytest.raises(ValueError, match="a bug"), desk.acting("something"):
        raise ValueError("a bug")


def test_send_alexa_events_stays_off_when_the_grant_would_never_come(desk: Simulation) -> None:
    with pytest.raises(SimulationError, match="AcceptGrant"):
        desk.set_send_alexa_events(on=True)
    desk.set_send_alexa_events(on=False)
    assert desk.sends_alexa_events is False


def test_a_permission_is_refused_when_no_page_asks_for_it(desk: Simulation) -> None:
    desk.enable()
    with pytest.raises(SimulationError, match="there is no permission"):
        desk.set_permission("alexa::profile:shoe_size:read", granted=True)


def test_the_last_lines_of_a_conversation_are_kept_when_it_grows_long(desk: Simulation) -> None:
    desk.enable()
    for number in range(MOST_SAID):
        desk.say(f"number {number}")
    conversation = desk.state()["conversation"]
    assert (len(conversation), conversation[-2]["text"]) == (MOST_SAID, f"number {MOST_SAID - 1}")


def test_the_card_says_first_to_switch_the_fault_off_when_one_keeps_the_account_from_being_linked(desk: Simulation) -> None:
    desk.enable()
    desk.set_fault("down")
    with pytest.raises(AccountLinkingError):
        desk.link()
    problem = desk.state()["card"]["last_link_error"]
    assert problem["mend"].startswith('Switch the fault "Down" off')
    assert "authorizationUrl" in problem["mend"]
