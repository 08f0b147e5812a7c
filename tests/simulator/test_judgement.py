"""Every answer is judged as Alexa would: what she cannot use ends in her apology with the reason, what goes wrong quietly in a warning."""

from typing import Any

import pytest

from tools.simulator.answers import PROBLEM, Answer, read_answer
from tools.simulator.judgement import judge_acknowledgement

GOES_ON = {"shouldEndSession": False}


def answer(response: Any = None, **beside: Any) -> dict[str, Any]:
    return {"version": "1.0", "response": response if response is not None else speech("<speak>Hello.</speak>")} | beside


def speech(ssml: str, **beside: Any) -> dict[str, Any]:
    return {"outputSpeech": {"type": "SSML", "ssml": ssml}, **GOES_ON} | beside


def text(words: str, **beside: Any) -> dict[str, Any]:
    return {"outputSpeech": {"type": "PlainText", "text": words}, **GOES_ON} | beside


def card(**fields: Any) -> dict[str, Any]:
    return text("See the card.", card=fields)


def whats(heard: Answer, severity: str) -> str:
    return "; ".join(finding.what for finding in heard.findings if finding.severity == severity)


def markup(inner: str) -> dict[str, Any]:
    return answer(speech(f"<speak>{inner}</speak>"))


@pytest.mark.parametrize(
    "response",
    [
        speech("<speak>Hello.</speak>"),
        text("Hello."),
        text("Bye.", shouldEndSession=True),
        text("Well?", reprompt={"outputSpeech": {"type": "SSML", "ssml": "<speak>Well?</speak>"}}),
        card(type="Simple", title="A", content="B"),
        card(type="Standard", title="A", text="B", image={"smallImageUrl": "https://example.com/a.png"}),
        card(type="LinkAccount"),
        card(type="AskForPermissionsConsent", permissions=["alexa::profile:email:read"]),
        {"directives": [{"type": "AudioPlayer.Stop"}], "shouldEndSession": True},
        speech(
            '<speak><p><s>One.</s><break time="2.5s"/><break strength="x-strong"/></p>'
            '<say-as interpret-as="date" format="mdy">1/2/26</say-as>'
            '<sub alias="aluminum">Al</sub><w role="amazon:VB">read</w><phoneme alphabet="ipa" ph="x">x</phoneme>'
            '<prosody rate="90%" pitch="+10%" volume="-6dB">a</prosody><emphasis level="strong">b</emphasis>'
            '<amazon:effect name="whispered">c</amazon:effect><amazon:emotion name="excited" intensity="low">d</amazon:emotion>'
            '<amazon:domain name="news">e</amazon:domain><audio src="soundbank://soundlibrary/a/b_01"/>'
            '<lang xml:lang="fr-FR">Paris</lang><voice name="Kendra">f</voice></speak>'
        ),
    ],
)
def test_an_answer_that_alexa_can_use_has_no_finding(response: dict[str, Any]) -> None:
    heard = read_answer(answer(response), 0.4)
    assert (heard.findings, heard.problem) == ((), "")


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ([], "no JSON object"),
        ({"response": GOES_ON}, "version is missing"),
        (answer(version="2.0"), 'version is not "1.0"'),
        ({"version": "1.0"}, "no response"),
        (answer([]), "no response"),
        (answer(text({1, 2})), "no JSON"),  # type: ignore[arg-type]
        (answer(sessionAttributes={"ratio": float("nan")}), "no JSON"),
        (answer(sessionAttributes=["asked"]), "sessionAttributes is no object"),
        (answer(sessionAttributes={"all": "x" * 122_880}), "no more than 122,880"),
        (answer(sessionAttributes={"all": "ü" * 62_000}), "no more than 122,880"),
        (None, "no JSON object"),
        (answer({"outputSpeech": {"type": ["SSML"], "ssml": "<speak/>"}}), "neither SSML nor PlainText"),
        (answer(speech("<speak>A</speak>") | {"outputSpeech": {"type": "PlainText", "text": "A", "playBehavior": {}}}), "a playBehavior"),
        (answer(card(type={"a": 1})), "no type that Alexa knows"),
        (answer(text("x" * 8_001)), "8,001 characters; Alexa takes 8,000"),
        (answer({"outputSpeech": "Hello."}), "neither SSML nor PlainText"),
        (answer({"outputSpeech": {"type": "Ssml", "ssml": "<speak/>"}}), "neither SSML nor PlainText"),
        (answer({"outputSpeech": {"type": "SSML", "text": "Hello."}}), "the speech has no ssml"),
        (answer(text("Hello.", shouldEndSession="true")), "neither true nor false"),
        (answer(text("Hello.", reprompt={"text": "Well?"})), "the reprompt holds no outputSpeech"),
        (answer(text("Hello.", reprompt={"outputSpeech": {"type": "SSML", "ssml": "<speak>A & B</speak>"}})), "SSML of the reprompt"),
        (answer(text("Hello.", directives={"type": "X"})), "directives is no list"),
        (answer(text("Hello.", card=[{"type": "LinkAccount"}, {"type": "LinkAccount"}])), "several cards"),
        (answer(card(type="Link")), "no type that Alexa knows"),
        (answer(card(type="Simple", title="A", content={"b": 1})), "no string"),
        (answer(card(type="Simple", title="A", content="B" * 8_000)), "more than 8,000 characters"),
        (answer(card(type="Standard", text="B", image={"largeImageUrl": f"https://e.com/{'a' * 2_000}"})), "more than 2,000 characters"),
        (answer(card(type="Standard", text="B", image="https://e.com/a.png")), "image is no object"),
        (answer(card(type="AskForPermissionsConsent")), "no permissions"),
    ],
)
def test_the_reason_is_given_when_alexa_cannot_use_an_answer(sent: Any, why: str) -> None:
    heard = read_answer(sent, 0.4)
    assert (heard.speech, heard.ends_session) == (PROBLEM, True)
    assert why in heard.problem
    assert all(finding.mend for finding in heard.findings)


@pytest.mark.parametrize(
    ("inner", "why"),
    [
        ("A & B", "not well-formed"),
        ("<s>A", "not well-formed"),
        ("\ud800", "not well-formed"),
        ("<p>" * 1_100 + "</p>" * 1_100, "nested too deeply"),
        ("<speak>A</speak>", "a <speak> within"),
        ("<b>A</b>", "no tag <b>"),
        ("<amazon:whisper>A</amazon:whisper>", "no tag <amazon:whisper>"),
        ('<say-as interpret-as="phone">1</say-as>', 'no interpret-as="phone"'),
        ("<say-as>1</say-as>", "has no interpret-as"),
        ('<break time="11s"/>', "11s long"),
        ('<break time="10001ms"/>', "10001ms long"),
        ('<break time="two"/>', 'no time="two"'),
        ('<break strength="huge"/>', 'no strength="huge"'),
        ('<break length="2s"/>', "no attribute length"),
        ('<amazon:emotion name="sad" intensity="low">A</amazon:emotion>', 'no name="sad"'),
        ('<audio src="http://example.com/a.mp3"/>', "no src="),
        ('<audio src="https://example.com/a.mp3"/>' * 6, "6 <audio> files"),
        ("<sub>Al</sub>", "has no alias"),
    ],
)
def test_ssml_is_refused_when_it_is_not_alexas(inner: str, why: str) -> None:
    assert why in read_answer(markup(inner), 0.4).problem


@pytest.mark.parametrize(
    ("ssml", "why"),
    [
        ("Hello.", "not well-formed"),
        ("<p>Hello.</p>", "not with <speak>"),
        ('<!DOCTYPE speak [<!ENTITY a "b">]><speak>&a;</speak>', "not well-formed: a document type"),
    ],
)
def test_ssml_is_refused_when_it_is_no_speak_element(ssml: str, why: str) -> None:
    assert why in read_answer(answer(speech(ssml)), 0.4).problem


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (answer(text("Say <break time='1s'/> it.")), "plain text with SSML tags"),
        (answer(text("Bye.", shouldEndSession=True, reprompt={"outputSpeech": {"type": "PlainText", "text": "Well?"}})), "session ends"),
        (answer(card(type="LinkAccount", title="Link")), "a LinkAccount card has no title"),
        (answer(card(type="Simple", text="B")), "has no text; the Simple card has no content"),
        (answer(card(type="Standard", text="B", image={"smallImageUrl": "http://e.com/a.png"})), "not at an https address"),
        (answer(text("Hello.", outputspeech={})), "Alexa knows no outputspeech"),
        (answer({}), "says nothing"),
        (answer(sessionAttributes={"all": "x" * 24_576}), "more than 24,576 are not safe"),
        (answer(sessionAttributes={"all": "ü" * 13_000}), "more than 24,576"),
        (answer({"outputSpeech": {"type": "PlainText", "text": "A"}}), "shouldEndSession is missing"),
        (answer(text("A", shouldEndSession=None)), "shouldEndSession is missing"),
        (answer(text("You are Anna Kovács."), sessionAttributes={"who": {"name": "Anna Kovács"}}), "hold what is being said"),
        (
            markup("It is <say-as interpret-as='telephone'>+12065550147</say-as>.") | {"sessionAttributes": {"n": ["+12065550147"]}},
            "hold what",
        ),
    ],
)
def test_a_warning_is_given_when_something_goes_wrong_quietly(sent: dict[str, Any], why: str) -> None:
    heard = read_answer(sent, 0.4)
    assert why in whats(heard, "warning")
    assert (heard.problem, whats(heard, "error")) == ("", "")


def test_session_attributes_are_no_warning_when_they_hold_a_keyword_that_is_said() -> None:
    assert read_answer(answer(text("Your address is 1 Larch Lane."), sessionAttributes={"asked": "address"}), 0.4).findings == ()


def test_the_limit_of_time_comes_before_all_else() -> None:
    heard = read_answer({}, 8.5)
    assert heard.problem.startswith("the skill took 8.5 s; Alexa waits 8")
    assert read_answer(answer(), 8.0).problem == ""


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ('Your e-mail is <say-as interpret-as="spell-out">a&amp;b@example.com</say-as>.', "Your e-mail is a&b@example.com."),
        ('Call <say-as interpret-as="telephone">+1 206 555 0147</say-as>', "Call +1 206 555 0147"),
        ('<s>One.</s><s>Two.</s><break time="1s"/>Three', "One. Two. Three"),
        ('<amazon:effect name="whispered">A <sub alias="mister">Mr</sub></amazon:effect> B', "A mister B"),
        ('Ding <audio src="https://example.com/a.mp3">noise</audio> dong', "Ding [sound] dong"),
    ],
)
def test_speech_is_the_words_that_are_heard(inner: str, words: str) -> None:
    heard = read_answer(markup(inner), 0.1)
    assert (heard.speech, heard.ssml) == (words, f"<speak>{inner}</speak>")


def test_the_reprompt_and_the_card_are_read_in_plain_values() -> None:
    reprompt = {"outputSpeech": {"type": "SSML", "ssml": "<speak>Well?</speak>"}}
    image = {"smallImageUrl": "https://example.com/small.png", "largeImageUrl": "https://example.com/large.png"}
    heard = read_answer(answer(card(type="Standard", title="A", text="B", image=image) | {"reprompt": reprompt}), 0.1)
    assert heard.shown is not None
    assert (heard.reprompt, heard.shown.title, heard.shown.text) == ("Well?", "A", "B")
    assert (heard.shown.image_url, heard.shown.permissions) == ("https://example.com/large.png", ())


@pytest.mark.parametrize(("ends", "session_ends"), [({}, True), ({"shouldEndSession": True}, True), (GOES_ON, False)])
def test_the_session_goes_on_only_when_the_skill_says_so(ends: dict[str, bool], *, session_ends: bool) -> None:
    heard = read_answer(answer({"outputSpeech": {"type": "PlainText", "text": "A"}, **ends}), 0.1)
    assert heard.ends_session is session_ends


@pytest.mark.parametrize(("took_s", "count"), [(0.1, 0), (8.0, 0), (9.5, 1)])
def test_an_acknowledgement_is_questioned_only_when_it_took_long(took_s: float, count: int) -> None:
    assert [finding.severity for finding in judge_acknowledgement(took_s)] == ["warning"] * count
