"""Alexa's side by itself: what its messages are like, and how it goes on when the skill fails."""

from typing import Any

from linked_profile import envelopes as skill_side
from tools.setup import ROOT
from tools.simulator.alexa import Alexa
from tools.simulator.answers import PROBLEM
from tools.simulator.interaction_model import InteractionModel
from tools.simulator.skill import SkillFailedError

SKILL_ID = "amzn1.ask.skill.7d1f0c52-6a3e-4b8d-9c41-2f5e8a7b3d60"


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
    first = alexa.enable()
    alexa.disable()
    assert alexa.enable() != first


def test_an_event_is_brought_again_until_it_is_acknowledged() -> None:
    failure = SkillFailedError("TableUnavailableError", "put_item")
    skill = RecordingSkill(failure, failure)
    alexa = Alexa(skill, SKILL_ID, model())
    alexa.enable()
    assert [alexa.redeliver(), alexa.redeliver(), alexa.redeliver()] == [1, 0, 0]
    assert len(skill.events) == 3
    assert {event["request"]["eventCreationTime"] for event in skill.events} == {alexa.events[0]["request"]["eventCreationTime"]}


def test_session_attributes_come_back_while_the_session_lasts() -> None:
    going_on = {"version": "1.0", "sessionAttributes": {"asked": 1}, "response": {"shouldEndSession": False}}
    skill = RecordingSkill({}, going_on, {"version": "1.0", "response": {"shouldEndSession": True}})
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


def test_the_user_id_stays_when_a_customer_with_purchases_comes_back() -> None:
    skill = RecordingSkill()
    alexa = Alexa(skill, SKILL_ID, model())
    alexa.has_purchases = True
    first = alexa.enable()
    alexa.disable()
    assert alexa.enable() == first
    assert [event["request"].get("body") for event in skill.events] == [None, {"userInformationPersistenceStatus": "PERSISTED"}, None]


def test_permissions_are_accepted_first_and_changed_from_then_on() -> None:
    skill = RecordingSkill()
    alexa = Alexa(skill, SKILL_ID, model())
    alexa.enable()
    for granted in (True, False):
        alexa.set_permission("alexa::profile:email:read", granted=granted)
    accepted, changed = (event["request"] for event in skill.events[1:])
    assert accepted["type"] == "AlexaSkillEvent.SkillPermissionAccepted"
    assert accepted["body"] == {"acceptedPermissions": [{"scope": "alexa::profile:email:read"}]}
    assert (changed["type"], changed["body"]) == ("AlexaSkillEvent.SkillPermissionChanged", {"acceptedPermissions": []})


def test_the_reprompt_is_heard_once_and_then_the_session_ends_when_nobody_speaks() -> None:
    asking = {
        "version": "1.0",
        "response": {
            "outputSpeech": {"type": "PlainText", "text": "What now?"},
            "reprompt": {"outputSpeech": {"type": "PlainText", "text": "Are you there?"}},
            "shouldEndSession": False,
        },
    }
    skill = RecordingSkill({}, asking)
    alexa = Alexa(skill, SKILL_ID, model())
    alexa.enable()
    alexa.launch()
    reprompt = alexa.stay_silent()
    assert (reprompt.speech if reprompt else None, alexa.stay_silent(), alexa.session) == ("Are you there?", None, None)
    assert skill.events[-1]["request"]["reason"] == "EXCEEDED_MAX_REPROMPTS"
