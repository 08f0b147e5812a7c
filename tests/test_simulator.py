"""Alexa's side by itself: what it understands, what its messages are like, and what it makes of a skill's answers."""

from typing import Any

import pytest

from linked_profile import envelopes as skill_side
from tools.setup import ROOT
from tools.simulator.alexa import Alexa
from tools.simulator.answers import PROBLEM, read_answer
from tools.simulator.interaction_model import InteractionModel
from tools.simulator.skill import SkillFailedError

SKILL_ID = "amzn1.ask.skill.7d1f0c52-6a3e-4b8d-9c41-2f5e8a7b3d60"
LOCALES = ("en-AU", "en-CA", "en-GB", "en-IN", "en-US")


class RecordingSkill:
    """Keeps what it is sent; answers what it is told to, or fails."""

    def __init__(self, *answers: dict[str, Any] | SkillFailedError) -> None:
        self.events: list[dict[str, Any]] = []
        self._answers = list(answers)

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        self.events.append(event)
        answer = self._answers.pop(0) if self._answers else {"version": "1.0", "response": {"shouldEndSession": False}}
        if isinstance(answer, SkillFailedError):
            raise answer
        return answer


def model(locale: str = "en-US") -> InteractionModel:
    return InteractionModel.load(ROOT / "interaction_models" / f"{locale}.json")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("utterance", "intent", "value_id"),
    [
        ("what is my name", "RequestInfoIntent", "fullName"),
        ("What's my address?", "RequestInfoIntent", "streetAddress"),
        ("what\u2019s my phone number", "RequestInfoIntent", "phoneNumber"),
        ("WHAT IS MY E-MAIL!", "RequestInfoIntent", "emailAddress"),
        ("tell me my full profile", "RequestInfoIntent", "fullProfile"),
        ("what is my shoe size", "RequestInfoIntent", None),
        ("hello", "SayHelloIntent", None),
        ("help", "AMAZON.HelpIntent", None),
        ("stop.", "AMAZON.StopIntent", None),
        ("never mind", "AMAZON.CancelIntent", None),
        ("go home", "AMAZON.NavigateHomeIntent", None),
        ("purple monkey", "AMAZON.FallbackIntent", None),
    ],
)
def test_an_utterance_is_understood_as_alexa_would(utterance: str, intent: str, value_id: str | None, locale: str) -> None:
    resolution = model(locale).resolve(utterance)
    slot = resolution.slots.get("infoTypeRequested")
    assert (resolution.intent, slot.value_id if slot else None) == (intent, value_id)


@pytest.mark.parametrize(
    ("utterance", "rest"),
    [("open link demo", ""), ("Alexa, start Link Demo", ""), ("ask link demo for my email", "my email"), ("what is my email", None)],
)
def test_the_skill_is_called_by_its_invocation_name(utterance: str, rest: str | None) -> None:
    assert model().after_invocation(utterance) == rest


def test_the_skills_own_reader_takes_every_message_as_it_was_meant() -> None:
    skill = RecordingSkill()
    alexa = Alexa(skill, SKILL_ID, model())
    user_id = alexa.enable()
    alexa.launch()
    alexa.say("what is my name")
    alexa.end_session()
    alexa.disable()
    read = [skill_side.parse_request(event, SKILL_ID) for event in skill.events]
    assert [request.kind for request in read] == ["SkillEnabled", "LaunchRequest", "IntentRequest", "SessionEndedRequest", "SkillDisabled"]
    assert {getattr(request, "amazon_user_id", None) for request in read} == {user_id}
    assert [getattr(request, "is_new_session", None) for request in read] == [None, True, False, False, None]
    assert None not in [getattr(request, "time_ms", None) for request in read]


def test_a_user_id_is_new_when_the_skill_is_enabled_again() -> None:
    alexa = Alexa(RecordingSkill(), SKILL_ID, model())
    assert alexa.enable() != alexa.enable()


def test_an_event_is_brought_again_until_it_is_acknowledged() -> None:
    failure = SkillFailedError("TableUnavailableError", "put_item")
    skill = RecordingSkill(failure, failure)
    alexa = Alexa(skill, SKILL_ID, model())
    alexa.enable()
    assert [alexa.redeliver(), alexa.redeliver(), alexa.redeliver()] == [1, 0, 0]
    assert len(skill.events) == 3
    assert {event["request"]["eventCreationTime"] for event in skill.events} == {alexa.events[0]["request"]["eventCreationTime"]}


def test_session_attributes_come_back_while_the_session_lasts() -> None:
    going_on = {"sessionAttributes": {"asked": 1}, "response": {"shouldEndSession": False}}
    skill = RecordingSkill({}, going_on, {"response": {"shouldEndSession": True}})
    alexa = Alexa(skill, SKILL_ID, model())
    alexa.enable()
    for utterance in ("open link demo", "what is my name", "open link demo"):
        alexa.say(utterance)
    assert [event["session"]["attributes"] for event in skill.events if "session" in event] == [{}, {"asked": 1}, {}]


def test_the_customer_hears_an_apology_and_the_session_ends_when_the_skill_fails() -> None:
    skill = RecordingSkill({}, SkillFailedError("KeyError", "'name'"))
    alexa = Alexa(skill, SKILL_ID, model())
    alexa.enable()
    answer = alexa.launch()
    assert (answer.speech, answer.problem) == (PROBLEM, "KeyError: 'name'")
    assert skill.events[-1]["request"]["type"] == "SessionEndedRequest"


@pytest.mark.parametrize(
    ("answer", "took_s", "problem"),
    [
        ({"response": {"outputSpeech": {"type": "SSML", "ssml": "<speak>A & B</speak>"}}}, 1, "not well-formed"),
        ({"response": {}}, 8.5, "Alexa waits 8"),
        ({}, 1, "no response"),
    ],
)
def test_the_reason_is_given_when_alexa_cannot_use_an_answer(answer: dict[str, Any], took_s: float, problem: str) -> None:
    heard = read_answer(answer, took_s)
    assert heard.speech == PROBLEM
    assert problem in heard.problem


def test_speech_is_the_words_of_the_ssml() -> None:
    ssml = '<speak>Your e-mail is <say-as interpret-as="spell-out">a&amp;b@example.com</say-as>.</speak>'
    assert read_answer({"response": {"outputSpeech": {"type": "SSML", "ssml": ssml}}}, 0.1).speech == "Your e-mail is a&b@example.com."
