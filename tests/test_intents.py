"""What Alexa says, to whom, and when it asks to link."""

import json
import re
import time
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.conftest import ANNA, Skill, message, request_info
from tests.loopback_provider import LoopbackProvider, cognito_token, send, send_json, sleep_then_close

LINK_CARD = {"type": "LinkAccount"}
QUESTIONS = [
    ("fullName", "Your name is Anna Kovács."),
    ("phoneNumber", '<say-as interpret-as="telephone">+12065550147</say-as>'),
    ("emailAddress", '<say-as interpret-as="spell-out">anna.kovacs@example.com</say-as>'),
    ("streetAddress", "12 Larch Lane, Seattle, WA 98101"),
]


def ssml_of(answer: dict[str, Any]) -> str:
    ssml: str = answer["response"]["outputSpeech"]["ssml"]
    return ssml


@pytest.mark.parametrize("name", ["launch", "hello"])
def test_greets_by_given_name_when_linked(skill: Skill, anna: str, name: str) -> None:
    answer = skill(message(name, token=anna))
    assert ssml_of(answer).startswith("<speak>Hello Anna,")
    assert answer["response"]["shouldEndSession"] is False
    assert "What would you like to know?" in answer["response"]["reprompt"]["outputSpeech"]["ssml"]


@pytest.mark.parametrize(("info_type", "said"), QUESTIONS)
def test_answers_by_the_slots_id_when_linked(skill: Skill, anna: str, info_type: str, said: str) -> None:
    assert said in skill.speech(request_info(info_type, anna))


def test_says_everything_in_order_when_the_full_profile_is_asked(skill: Skill, anna: str) -> None:
    speech = skill.speech(request_info("fullProfile", anna))
    places = [speech.index(said) for _, said in QUESTIONS]
    assert places == sorted(places)
    assert "not sure" not in speech


def test_says_everything_with_a_preface_when_no_value_matched(skill: Skill, anna: str) -> None:
    speech = skill.speech(message("request_info_no_match", token=anna))
    assert "not sure which part" in speech
    assert all(said in speech for _, said in QUESTIONS)


def test_takes_the_authority_that_matched_when_there_are_several(skill: Skill, anna: str) -> None:
    event = request_info("emailAddress", anna)
    authorities = event["request"]["intent"]["slots"]["infoTypeRequested"]["resolutions"]["resolutionsPerAuthority"]
    no_match = {"authority": "amzn1.er-authority.echo-sdk.dynamic", "status": {"code": "ER_SUCCESS_NO_MATCH"}}
    stale = {**authorities[0], "status": {"code": "ER_ERROR_TIMEOUT"}, "values": [{"value": {"name": "name", "id": "fullName"}}]}
    authorities[:0] = [no_match, stale]
    speech = skill.speech(event)
    assert "e-mail address is" in speech
    assert "Your name" not in speech


@pytest.mark.parametrize("name", ["launch", "hello", "request_info", "request_info_no_match"])
@pytest.mark.parametrize("token", [None, ""])
def test_sends_a_link_card_and_ends_when_not_linked(skill: Skill, name: str, token: str | None) -> None:
    response = skill(message(name, token=token))["response"]
    assert response["card"] == LINK_CARD
    assert response["shouldEndSession"] is True
    assert "Linked Profile" in response["outputSpeech"]["ssml"]
    assert skill.provider.requests == []


def test_sends_a_link_card_when_the_provider_rejects_the_token(skill: Skill) -> None:
    answer = skill(message("launch", token=cognito_token("b0c1")))
    assert answer["response"]["card"] == LINK_CARD
    assert answer["response"]["shouldEndSession"] is True


@pytest.mark.parametrize(
    "misbehave",
    [
        lambda request: send_json(request, 500, {"__type": "InternalErrorException"}),
        lambda request: send_json(request, 400, {"__type": "TooManyRequestsException", "message": "Rate exceeded"}),
        lambda request: send_json(
            request, 400, {"__type": "NotAuthorizedException", "message": "Access Token does not have required scopes"}
        ),
        lambda request: send_json(request, 400, {"__type": "ResourceNotFoundException", "message": "User pool does not exist"}),
        lambda request: send(request, 200, b"<html>maintenance</html>"),
        lambda request: send(request, 403, b"<html>blocked by the firewall</html>"),
        lambda request: send(request, 302, b"", Location="https://elsewhere.example/login"),
    ],
    ids=["500", "throttled", "scope", "no-pool", "html", "html-403", "redirect"],
)
def test_keeps_the_session_and_sends_no_card_when_the_fault_is_not_the_tokens(skill: Skill, anna: str, misbehave: Any) -> None:
    skill.provider.misbehave = misbehave
    for event in (message("launch", token=anna), request_info("fullName", anna)):
        response = skill(event)["response"]
        assert "try again in a moment" in response["outputSpeech"]["ssml"]
        assert "card" not in response
        assert response["shouldEndSession"] is False


def test_answers_in_time_when_the_provider_is_slow(skill: Skill, anna: str) -> None:
    skill.provider.misbehave = sleep_then_close(10)
    started = time.monotonic()
    assert "try again in a moment" in skill.speech(message("launch", token=anna))
    assert time.monotonic() - started < 7.5


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize(
    "name", ["amazon_help", "amazon_fallback", "amazon_stop", "amazon_cancel", "amazon_navigate_home", "session_ended"]
)
def test_built_ins_work_without_the_provider_when_linked_or_not(skill: Skill, anna: str, name: str, linked: bool) -> None:
    response = skill(message(name, token=anna if linked else None))["response"]
    assert "card" not in response
    assert skill.provider.requests == []
    if name in {"amazon_help", "amazon_fallback"}:
        assert response["shouldEndSession"] is False
        assert "reprompt" in response
    elif name == "session_ended":
        assert response == {}
    else:
        assert response["shouldEndSession"] is True
        assert "Goodbye." in response["outputSpeech"]["ssml"]


def test_says_goodbye_by_name_when_the_name_is_here_already(skill: Skill, anna: str) -> None:
    skill(message("launch", token=anna))
    assert "Goodbye, Anna." in skill.speech(message("amazon_stop", token=anna))
    assert len(skill.provider.requests) == 1


def test_an_intent_of_a_newer_model_gets_the_fallback(skill: Skill, anna: str) -> None:
    event = message("hello", token=anna)
    event["request"]["intent"]["name"] = "BookATripIntent"
    assert "not something I can look up" in skill.speech(event)


def test_asks_the_provider_once_when_the_conversation_goes_on(skill: Skill, anna: str) -> None:
    for event in (message("launch", token=anna), request_info("fullName", anna), request_info("phoneNumber", anna)):
        skill(event)
    assert len(skill.provider.requests) == 1


class TestOptionalLinking:
    def test_greets_without_a_name_when_not_linked(self, build_skill: Any) -> None:
        skill = build_skill(ACCOUNT_LINKING="optional")
        for name in ("launch", "hello"):
            response = skill(message(name))["response"]
            assert "Hello, good to hear you." in response["outputSpeech"]["ssml"]
            assert "card" not in response

    def test_asks_to_link_when_the_profile_is_asked(self, build_skill: Any) -> None:
        assert build_skill(ACCOUNT_LINKING="optional")(request_info("fullName", None))["response"]["card"] == LINK_CARD

    def test_greets_by_name_when_linked(self, build_skill: Any, anna: str) -> None:
        assert "Hello Anna" in build_skill(ACCOUNT_LINKING="optional").speech(message("launch", token=anna))

    def test_greets_without_a_name_when_the_token_is_rejected(self, build_skill: Any) -> None:
        response = build_skill(ACCOUNT_LINKING="optional")(message("launch", token=cognito_token("gone")))["response"]
        assert "Hello, good to hear you." in response["outputSpeech"]["ssml"]


class TestNoLinking:
    def test_greets_and_says_that_there_is_no_profile(self, build_skill: Any) -> None:
        skill = build_skill(ACCOUNT_LINKING="none", COGNITO_USER_POOL_ID="")
        assert "Hello, good to hear you." in skill.speech(message("launch"))
        response = skill(request_info("fullName", None))["response"]
        assert "works without an account" in response["outputSpeech"]["ssml"]
        assert "card" not in response


def test_the_speakers_own_token_goes_first_when_alexa_knows_the_voice(skill: Skill, anna: str) -> None:
    ben = cognito_token("ben-sub")
    skill.provider.profiles[ben] = {**ANNA, "sub": "ben-sub", "given_name": "Ben"}
    event = message("launch", token=anna)
    event["context"]["System"]["person"] = {"personId": "amzn1.ask.person.A3K", "accessToken": ben}
    assert "Hello Ben" in skill.speech(event)
    assert skill.links() == [], "Ben's account is not the one that the user id stands for"


def test_says_what_is_not_shared_and_goes_on(skill: Skill, anna: str) -> None:
    skill.provider.profiles[anna] = {"sub": ANNA["sub"], "email": ANNA["email"], "phone_number": "  "}
    speech = skill.speech(request_info("fullProfile", anna))
    assert "does not share your name" in speech
    assert "does not share your phone number" in speech
    assert ANNA["email"] in speech
    assert "does not share your street address" in speech


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (
            '{"street_address": "1 Anywhere Lane\\nFlat 2", "locality": "Leeds", "postal_code": "LS1 4AP"}',
            "1 Anywhere Lane, Flat 2, Leeds, LS1 4AP",
        ),
        ('{"formatted": "1 Anywhere Lane\\r\\nLeeds", "locality": "Leeds"}', "1 Anywhere Lane, Leeds"),
        ("{Flat} 2, Leeds", "{Flat} 2, Leeds"),
        ("1 Anywhere Lane, Leeds", "1 Anywhere Lane, Leeds"),
        ('{"postal_code": 4021}', None),
        ("{}", None),
    ],
)
def test_an_address_becomes_one_line_when_it_is_text_or_json(skill: Skill, anna: str, address: str, said: str | None) -> None:
    skill.provider.profiles[anna]["address"] = address
    speech = skill.speech(request_info("streetAddress", anna))
    assert f"Your address is {said}." in speech if said else "does not share your street address" in speech


def test_a_name_of_nothing_that_can_be_said_is_not_shared(skill: Skill, anna: str) -> None:
    skill.provider.profiles[anna] = {"sub": ANNA["sub"], "given_name": "\x00\ufffe"}
    assert "Hello, good to hear you." in skill.speech(message("launch", token=anna))
    assert "does not share your name" in skill.speech(request_info("fullName", anna))


NASTY = [
    "O'Neill & Söhne <GmbH>",
    '"><audio src="https://evil.example/a.mp3"/>',
    "</speak><speak>",
    "Robert'); DROP\x00 TABLE\x0b",
    "\ud800lone\udfff surrogate \ufffe\uffff",
    "%s {0} {name} {{x}} ${jndi}",
    "א\u202eב 👩‍👩‍👧 e\u0301",
    "A" * 10_000,
    "&" * 10_000,
]


@pytest.mark.parametrize("name", NASTY)
def test_speech_stays_one_well_formed_sentence_when_a_name_is_nasty(skill: Skill, anna: str, name: str) -> None:
    attributes = dict.fromkeys(("given_name", "family_name", "email", "phone_number", "address"), name)
    skill.provider.profiles[anna] = {"sub": ANNA["sub"], **attributes}
    speech = skill.speech(request_info("fullProfile", anna))
    tree = ElementTree.fromstring(speech)
    assert [element.tag for element in tree.iter()] == ["speak", "say-as", "say-as"]
    assert len(speech) <= 8000
    if name.startswith("%s"):
        assert name in "".join(tree.itertext())


@pytest.mark.parametrize("locale", ["en-US", "en-GB", "en-AU", "en-CA", "en-IN", "xx-YY", "", None, "de-DE", "e" * 10_000, 7])
def test_speaks_english_when_the_locale_is_not_known(skill: Skill, anna: str, locale: Any) -> None:
    event = message("launch", token=anna)
    event["request"]["locale"] = locale
    assert "Hello Anna" in skill.speech(event)


def test_no_profile_value_is_in_the_session_when_a_profile_was_read(skill: Skill, anna: str) -> None:
    event = request_info("fullProfile", anna)
    event["session"]["attributes"] = {"lastQuestion": "name"}
    answer = skill(event)
    assert answer["sessionAttributes"] == {"lastQuestion": "name"}
    assert json.dumps(answer).count(ANNA["email"]) == 1, "in the speech and nowhere else"


@pytest.mark.parametrize("field", ["dialogState", "confirmationStatus"])
def test_an_enum_newer_than_the_sdk_gets_an_answer(skill: Skill, anna: str, field: str) -> None:
    event = request_info("fullName", anna)
    target = event["request"] if field == "dialogState" else event["request"]["intent"]
    target[field] = "NOT_YET_INVENTED"
    assert re.match("<speak>.+</speak>", skill.speech(event))


class TestAScreenNewerThanTheSdk:
    """One enum value that the SDK does not know, far from what was asked, must not change the answer."""

    @pytest.fixture
    def on_it(self) -> Any:
        def event_of(event: dict[str, Any]) -> dict[str, Any]:
            event["context"]["Viewport"] = {"shape": "OVAL"}
            event["context"]["Viewports"][0]["shape"] = "OVAL"
            return event

        return event_of

    def test_questions_are_answered(self, skill: Skill, anna: str, on_it: Any) -> None:
        assert "Your name is Anna" in skill.speech(on_it(request_info("fullName", anna)))

    @pytest.mark.parametrize("name", ["amazon_stop", "amazon_cancel", "amazon_navigate_home"])
    def test_stop_stops(self, skill: Skill, anna: str, on_it: Any, name: str) -> None:
        assert skill(on_it(message(name, token=anna)))["response"]["shouldEndSession"] is True

    def test_who_is_not_linked_is_asked_to_link(self, skill: Skill, on_it: Any) -> None:
        assert skill(on_it(request_info("fullName", None)))["response"]["card"] == LINK_CARD

    def test_an_intent_with_unreadable_slots_is_still_that_intent(self, skill: Skill, anna: str, on_it: Any) -> None:
        event = on_it(request_info("fullName", anna))
        event["request"]["intent"]["slots"]["infoTypeRequested"]["resolutions"] = {"resolutionsPerAuthority": "none"}
        assert "Your phone number is" in skill.speech(event)


def test_a_misconfigured_provider_is_logged_with_its_reason_though_the_greeting_goes_on(build_skill: Any, anna: str, caplog: Any) -> None:
    caplog.set_level("INFO")
    skill = build_skill(ACCOUNT_LINKING="optional")
    error = {"__type": "NotAuthorizedException", "message": "Access Token does not have required scopes"}
    skill.provider.misbehave = lambda request: send_json(request, 400, error)
    assert "Hello, good to hear you." in skill.speech(message("launch", token=anna))
    (line,) = [record for record in caplog.records if record.outcome == "provider_misconfigured"]
    assert (line.levelname, line.reason) == ("ERROR", "MISSING_SCOPE:aws.cognito.signin.user.admin")


@pytest.mark.parametrize("kind", ["Connections.Response", "AudioPlayer.PlaybackFailed", "CanFulfillIntentRequest", "Not.Yet.Invented"])
def test_a_request_type_without_use_is_acknowledged(skill: Skill, anna: str, kind: str) -> None:
    event = message("launch", token=anna)
    event["request"]["type"] = kind
    assert skill(event) == {"version": "1.0", "response": {}}


def test_lwa_greets_by_name_and_says_what_it_never_holds(build_skill: Any, provider: LoopbackProvider) -> None:
    skill = build_skill(IDENTITY_PROVIDER="lwa")
    token = "Atza|" + "IwEBIJ5f" * 50
    provider.profiles[token] = {"user_id": "amzn1.account.AF3X", "name": "Ben Ito", "email": "ben@example.com", "postal_code": "98101"}
    assert "Hello Ben Ito," in skill.speech(message("launch", token=token))
    speech = skill.speech(request_info("fullProfile", token))
    assert "Login with Amazon does not hold your phone number." in speech
    assert "Login with Amazon does not hold your street address. Your postal code is" in speech
    assert (
        "your postcode is"
        in skill.speech({**(event := request_info("streetAddress", token)), "request": {**event["request"], "locale": "en-GB"}}).lower()
    )
