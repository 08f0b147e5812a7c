"""How a session and an enablement begin and end, and what of them lasts."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.simulator.test_alexa import SKILL_ID, RecordingSkill, model
from tools.simulator import asking
from tools.simulator.account_linking import AccountLinking, AccountLinkingError, LinkingConfiguration, Tokens
from tools.simulator.alexa import NOT_THE_SKILL, Alexa, AlexaError
from tools.simulator.interaction_model import InteractionModel
from tools.simulator.skill import SkillFailedError
from tools.simulator.wire import Message

SCOPE = "alexa::profile:email:read"
SAYS_NOTHING_OF_ITS_END = {"version": "1.0", "response": {"outputSpeech": {"type": "PlainText", "text": "A"}}}


class Home:
    """An Alexa, its skill, and all that was told."""

    def __init__(self, *answers: Any, spoken: InteractionModel | None = None, linking: AccountLinking | None = None) -> None:
        self.skill, self.told = RecordingSkill(*answers), list[Message]()
        self.alexa = Alexa(self.skill, SKILL_ID, spoken or model(), linking, listener=self.told.append)

    def kinds(self) -> list[str]:
        return [event["request"]["type"].removeprefix("AlexaSkillEvent.") for event in self.skill.events]


def test_no_session_is_opened_when_the_skill_is_not_enabled() -> None:
    home = Home()
    with pytest.raises(AlexaError, match="not enabled"):
        home.alexa.say("open link demo")
    assert home.alexa.session is None
    assert home.alexa.say("what is my name").speech == NOT_THE_SKILL


@pytest.mark.parametrize("act", [lambda alexa: alexa.disable(), lambda alexa: alexa.begin_link(), lambda alexa: alexa.fresh_token()])
def test_alexa_complains_in_an_error_of_her_own(act: Any) -> None:
    with pytest.raises(AlexaError) as complaint:
        act(Home().alexa)
    assert not isinstance(complaint.value, ValueError)


def test_the_session_ends_when_the_skill_does_not_say_that_it_goes_on() -> None:
    home = Home({}, SAYS_NOTHING_OF_ITS_END)
    home.alexa.enable()
    answer = home.alexa.launch()
    assert (answer.speech, answer.ends_session, home.alexa.session) == ("A", True, None)
    assert home.told[-2].verdict == "warning"


@pytest.mark.parametrize("said", ["exit", "Quit!", "Alexa, exit"])
def test_the_session_ends_without_an_intent_when_the_customer_leaves(said: str) -> None:
    home = Home()
    home.alexa.enable()
    home.alexa.launch()
    answer = home.alexa.say(said)
    assert (answer.speech, answer.problem, answer.ends_session) == ("", "", True)
    assert (home.alexa.session, home.skill.events[-1]["request"]["reason"]) == (None, "USER_INITIATED")


def test_the_skill_hears_exit_when_a_sample_takes_it() -> None:
    intents = [{"name": "LeaveIntent", "samples": ["exit"]}]
    home = Home(spoken=InteractionModel({"interactionModel": {"languageModel": {"invocationName": "link demo", "intents": intents}}}))
    home.alexa.enable()
    home.alexa.launch()
    home.alexa.say("exit")
    assert home.skill.events[-1]["request"]["intent"]["name"] == "LeaveIntent"


@pytest.mark.parametrize("answer", [{}, None, [], {"version": "1.0", "response": {}}])
def test_any_answer_will_do_when_the_session_has_ended(answer: Any) -> None:
    home = Home()
    home.alexa.enable()
    home.alexa.launch()
    home.skill.invoke = lambda event: answer  # type: ignore[method-assign]
    home.alexa.end_session()
    assert (home.told[-1].text, home.told[-1].verdict, home.told[-1].reason) == ("answers", "ok", "")


def test_the_wire_says_so_when_the_skill_fails_at_the_end_of_a_session() -> None:
    going_on = {"version": "1.0", "response": {"shouldEndSession": False}}
    home = Home({}, going_on, SkillFailedError("KeyError", "'name'"))
    home.alexa.enable()
    home.alexa.launch()
    home.alexa.end_session()
    assert (home.told[-1].verdict, home.told[-1].reason) == ("failed", "KeyError: 'name'")


@pytest.mark.parametrize(("took_s", "kind"), [(0.1, "INVALID_RESPONSE"), (8.5, "ENDPOINT_TIMEOUT")])
def test_the_skill_is_told_what_was_wrong_with_its_answer(took_s: float, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home({}, {"version": "2.0"})
    home.alexa.enable()
    times = iter((0.0, took_s))
    monkeypatch.setattr(asking.time, "monotonic", lambda: next(times, took_s))
    home.alexa.launch()
    assert home.skill.events[-1]["request"]["error"]["type"] == kind


def test_the_skill_is_disabled_already_when_it_is_told_so() -> None:
    home, seen = Home(), list[bool]()
    home.alexa.enable()
    home.skill.invoke = lambda event: seen.append(home.alexa.enablement is None)  # type: ignore[method-assign,func-returns-value]
    home.alexa.disable()
    assert seen == [True]


@pytest.mark.parametrize(("at_disable", "then", "stays"), [(False, True, False), (True, False, True)])
def test_the_user_id_lasts_when_there_were_purchases_at_the_time_of_disabling(*, at_disable: bool, then: bool, stays: bool) -> None:
    alexa = Home().alexa
    first = alexa.enable()
    alexa.has_purchases = at_disable
    alexa.disable()
    alexa.has_purchases = then
    assert (alexa.enable() == first) is stays


def test_a_permission_is_accepted_once_in_an_enablement() -> None:
    home = Home()
    for _ in range(2):
        home.alexa.enable()
        assert home.alexa.permissions == set()
        for granted in (True, False, True):
            home.alexa.set_permission(SCOPE, granted=granted)
        home.alexa.disable()
    once = ["SkillEnabled", "SkillPermissionAccepted", "SkillPermissionChanged", "SkillPermissionChanged", "SkillDisabled"]
    assert home.kinds() == once * 2


class AnyTokens(AccountLinking):
    """Gives tokens for the newest state alone."""

    def __init__(self) -> None:
        urls = {"EU": "https://a.example/"}
        super().__init__(LinkingConfiguration("http://127.0.0.1/a", "http://127.0.0.1/t", "id", "secret", (), urls))

    def finish(self, pending: Any, landed_url: str) -> Tokens:
        if pending.state not in landed_url:
            raise AccountLinkingError("the authorization server did not return Alexa's state")
        return Tokens("a" * 30, "r" * 30, 3600)


def landed(page: str) -> str:
    return f"https://a.example/?code=a&state={parse_qs(urlsplit(page).query)['state'][0]}"


def test_the_newest_page_goes_on_when_an_older_one_comes_back_first() -> None:
    home = Home(linking=AnyTokens())
    home.alexa.enable()
    older, newest = (landed(home.alexa.begin_link()) for _ in range(2))
    with pytest.raises(AccountLinkingError, match="begun before another one") as superseded:
        home.alexa.finish_link(older)
    assert (home.told[-1].reason, "newest page" in superseded.value.mend) == (superseded.value.cause, True)
    assert [home.alexa.has_begun(url) for url in (older, newest, "https://a.example/?state=x")] == [True, True, False]
    assert home.alexa.finish_link(newest) == "a" * 30


def test_nothing_is_waited_for_any_more_when_linking_is_cancelled() -> None:
    home = Home(linking=AnyTokens())
    home.alexa.enable()
    home.alexa.begin_link()
    home.alexa.cancel_link(AccountLinkingError("the sign-in page answered HTTP 404", mend="Correct authorizationUrl."))
    assert home.alexa.pending_link is None
    assert (home.told[-1].verdict, home.told[-1].reason) == ("failed", "the sign-in page answered HTTP 404")
    with pytest.raises(AlexaError, match="no linking has been begun"):
        home.alexa.finish_link("https://a.example/?code=a")


def test_the_tokens_are_dropped_and_the_customer_told_when_the_skill_calls_them_worthless() -> None:
    home = Home(linking=AnyTokens())
    home.alexa.enable()
    home.alexa.link(landed)
    home.alexa.drop_link("EXPIRED_AUTHORIZATION_CREDENTIAL: No.")
    assert (home.alexa.fresh_token(), home.alexa.token_expires) == (None, None)
    assert (home.told[-1].text, home.told[-1].verdict) == ("drops the tokens and notifies the customer", "failed")
