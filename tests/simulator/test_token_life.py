"""What Alexa does with a customer's tokens over time, against the Login with Amazon of this desk."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.simulator.test_alexa import SKILL_ID, RecordingSkill, model
from tools.simulator import faults
from tools.simulator.account_linking import AccountLinking, AccountLinkingError
from tools.simulator.alexa import Alexa
from tools.simulator.amazon import Amazon
from tools.simulator.clock import SimulatedClock
from tools.simulator.customers import CUSTOMERS
from tools.simulator.login_page import CustomersBrowser
from tools.simulator.login_with_amazon.behavior import Behavior
from tools.simulator.provider_front import ProviderFront
from tools.simulator.providers import VENDOR_ID, lwa_linking
from tools.simulator.wire import Message

ANNA = CUSTOMERS["anna"]
HOUR = timedelta(hours=1)


@dataclass
class Home:
    """A linked customer, with all that stands behind the link."""

    alexa: Alexa
    amazon: Amazon
    front: ProviderFront
    skill: RecordingSkill
    told: list[Message] = field(default_factory=list)

    def token_after(self, time: timedelta) -> str | None:
        """What the next request carries, so much later."""
        self.alexa.clock.move_on(time)
        self.alexa.launch()
        user: dict[str, Any] = self.skill.events[-1]["context"]["System"]["user"]
        return user.get("accessToken")


@pytest.fixture
def home() -> Iterator[Home]:
    clock, skill, told = SimulatedClock(), RecordingSkill(), list[Message]()
    with Amazon(VENDOR_ID, clock, lambda event, status, code: None) as amazon, ProviderFront(amazon.login.url) as front:
        linking = AccountLinking(lwa_linking(front.url, amazon.linking_client), told.append)
        alexa = Alexa(skill, SKILL_ID, model(), linking, clock=clock, listener=told.append)
        alexa.enable()
        alexa.link(CustomersBrowser(ANNA.email, ANNA.password))
        yield Home(alexa, amazon, front, skill, told)


def test_the_same_token_is_sent_while_it_lives(home: Home) -> None:
    assert home.token_after(HOUR / 2) == home.token_after(timedelta(0)) is not None


@pytest.mark.parametrize("on_refresh", ["same refresh token", "new refresh token", "no refresh token"])
def test_another_token_is_sent_hour_after_hour_however_the_provider_refreshes(on_refresh: Any, home: Home) -> None:
    home.amazon.login.behavior = Behavior(on_refresh=on_refresh)
    tokens = [home.token_after(HOUR) for _ in range(3)]
    assert None not in tokens
    assert len(set(tokens)) == 3


def test_the_tokens_are_dropped_and_the_customer_told_when_the_refresh_is_refused(home: Home) -> None:
    home.amazon.login.revoke_all()
    assert home.token_after(HOUR) is None
    assert home.alexa.token_expires is None
    (notice,) = [message for message in home.told if message.text == "drops the tokens and notifies the customer"]
    assert (notice.verdict, "invalid_grant" in notice.reason, bool(notice.mend)) == ("failed", True, True)


def test_only_this_request_has_no_token_when_the_provider_is_down(home: Home) -> None:
    home.front.inject(faults.DOWN)
    assert home.token_after(HOUR) is None
    home.front.heal()
    assert home.token_after(timedelta(0)) is not None


def test_the_grant_comes_before_the_link_and_the_link_fails_with_it(home: Home) -> None:
    def refuse(access_token: str) -> None:
        raise AccountLinkingError("the skill did not accept the grant")

    events = len(home.skill.events)
    home.alexa.accept_grant = refuse
    with pytest.raises(AccountLinkingError, match="did not accept"):
        home.alexa.link(CustomersBrowser(ANNA.email, ANNA.password))
    assert len(home.skill.events) == events


def test_no_message_holds_a_whole_token(home: Home) -> None:
    token = home.token_after(HOUR)
    assert token
    assert [message for message in home.told if token in repr(message)] == []
    assert any(message.body for message in home.told)


def test_a_stolen_token_is_presented_in_place_of_the_customers_own(home: Home) -> None:
    stolen = home.amazon.login.token_of_another_client(home.amazon.customers["anna"].user_id)
    home.alexa.presented_token = stolen
    assert home.token_after(timedelta(0)) == stolen
    home.alexa.presented_token = ""
    assert home.token_after(timedelta(0)) != stolen


def test_the_former_link_stays_when_linking_again_fails(home: Home) -> None:
    token = home.token_after(timedelta(0))
    with pytest.raises(AccountLinkingError, match="did not let the customer in"):
        home.alexa.link(CustomersBrowser(ANNA.email, replace(ANNA, password="Wrong-2026").password))
    assert home.token_after(timedelta(0)) == token
