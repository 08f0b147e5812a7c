"""No token, code or secret is shown whole, whatever name it has and whoever repeats it in whatever text."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.simulator.test_alexa import SKILL_ID, RecordingSkill, model
from tools.simulator.account_linking import AccountLinking, LinkingConfiguration, Tokens
from tools.simulator.alexa import Alexa
from tools.simulator.skill import SkillFailedError
from tools.simulator.wire import Message, redacted, shorten

TOKEN, REFRESH = "opaque-token-of-somebody|0123456789", "opaque-refresh-of-somebody-0123456789"
CODE = "AN2WHZ3TZNDCPMF36CQG"
Repeat = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    "name", ["code", "accessToken", "access_token", "idToken", "refreshToken", "refresh_token", "clientSecret", "code-verifier", "PASSWORD"]
)
@pytest.mark.parametrize("value", [CODE, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "eyJhbGciOi" * 5, "short-1"])
def test_a_secret_is_shortened_by_its_name(name: str, value: str) -> None:
    assert value not in json.dumps(redacted({"a": [{name: value}], name: [value]}))


@pytest.mark.parametrize("value", ["ER_SUCCESS_MATCH", "INVALID_ACCESS_TOKEN_EXCEPTION", "TIMEOUT"])
def test_a_code_is_whole_when_it_is_an_errors(value: str) -> None:
    assert redacted({"code": value}) == {"code": value}


@pytest.mark.parametrize("value", [7, None, True, 1.5])
def test_what_is_no_text_stays_as_it_is(value: Any) -> None:
    assert redacted({"token": value}) == {"token": value}


def test_a_secret_is_still_known_again_when_it_was_shortened_twice() -> None:
    once = redacted({"token": TOKEN})
    assert redacted(once) == once == {"token": shorten(TOKEN)}


class AnyTokens(AccountLinking):
    """Gives the same tokens for any code."""

    def __init__(self) -> None:
        super().__init__(LinkingConfiguration("http://127.0.0.1/a", "http://127.0.0.1/t", "id", "secret", (), {"EU": "https://a.example/"}))

    def finish(self, pending: object, landed_url: str) -> Tokens:
        return Tokens(TOKEN, REFRESH, 3600)


def land(url: str) -> str:
    asked = parse_qs(urlsplit(url).query)
    return f"{asked['redirect_uri'][0]}?code=a&state={asked['state'][0]}"


def fail(event: dict[str, Any]) -> Any:
    raise SkillFailedError("KeyError", f"{REFRESH} {json.dumps(event)}")


def fail_on_a_page(event: dict[str, Any]) -> Any:
    raise SkillFailedError("HTTP 500", f"<pre>token={quote(TOKEN, '')}\n{REFRESH}</pre>")


def say_it(event: dict[str, Any]) -> Any:
    speech = {
        "outputSpeech": {"type": "PlainText", "text": f"It is {TOKEN}."},
        "card": {"type": "Simple", "title": REFRESH, "content": TOKEN},
    }
    return {"version": "1.0", "sessionAttributes": {"tok": TOKEN, TOKEN: [REFRESH]}, "response": {**speech, "shouldEndSession": False}}


def say_it_wrong(event: dict[str, Any]) -> Any:
    ssml = f'<speak><say-as interpret-as="{TOKEN}">{REFRESH}</say-as></speak>'
    return {"version": "1.0", "response": {"outputSpeech": {"type": "SSML", "ssml": ssml}}}


@pytest.mark.parametrize("repeat", [fail, fail_on_a_page, say_it, say_it_wrong])
def test_no_whole_token_is_shown_when_the_skill_repeats_it(repeat: Repeat) -> None:
    told = list[Message]()
    skill = RecordingSkill()
    alexa = Alexa(skill, SKILL_ID, model(), AnyTokens(), listener=told.append)
    alexa.enable()
    alexa.link(land)
    skill.invoke = repeat  # type: ignore[method-assign]
    answers = [alexa.launch(), alexa.say("open link demo"), alexa.end_session(), alexa.disable()]
    shown = repr([told, answers, alexa.undelivered])
    assert [secret for secret in (TOKEN, quote(TOKEN, ""), REFRESH) if secret in shown] == []


def test_the_skill_itself_gets_its_attributes_back_as_they_were() -> None:
    skill, events = RecordingSkill(), list[dict[str, Any]]()
    alexa = Alexa(skill, SKILL_ID, model(), AnyTokens())
    alexa.enable()
    alexa.link(land)
    skill.invoke = lambda event: events.append(event) or say_it(event)  # type: ignore[method-assign,func-returns-value]
    alexa.launch()
    alexa.say("what is my name")
    assert events[-1]["session"]["attributes"]["tok"] == TOKEN


def test_the_end_of_the_session_says_why_without_the_token() -> None:
    skill, events = RecordingSkill(), list[dict[str, Any]]()
    alexa = Alexa(skill, SKILL_ID, model(), AnyTokens())
    alexa.enable()
    alexa.link(land)
    skill.invoke = lambda event: events.append(event) or fail(event)  # type: ignore[method-assign,func-returns-value]
    alexa.launch()
    message = events[-1]["request"]["error"]["message"]
    assert (message.startswith("KeyError: "), TOKEN in message, REFRESH in message) == (True, False, False)
