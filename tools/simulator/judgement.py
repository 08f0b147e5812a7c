"""Whether Alexa can use an answer: errors, for which the customer hears an apology, and warnings, for what goes wrong quietly."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tools.simulator.cards import judge_card
from tools.simulator.findings import Finding, error, warning
from tools.simulator.ssml import LIKE_MARKUP, MarkupError, read_ssml

ANSWER_WITHIN_S = 8.0
SAFE_ANSWER, LARGEST_ANSWER = 24 * 1024, 120 * 1024  # bytes: what has always been taken, and what newer documents speak of
LONGEST_SPEECH = 8_000  # characters
KNOWN = {
    "apiResponse",
    "canFulfillIntent",
    "card",
    "directives",
    "experimentation",
    "outputSpeech",
    "reprompt",
    "shouldEndSession",
}
PLAY_BEHAVIORS = ("ENQUEUE", "REPLACE_ALL", "REPLACE_ENQUEUED")

__all__ = ["ANSWER_WITHIN_S", "Finding", "judge", "judge_acknowledgement"]


def judge(answer: object, took_s: float) -> tuple[Finding, ...]:
    """All findings about an answer to a launch or an intent, errors first."""
    findings = [*judge_time(took_s), *judge_answer(answer)]
    return tuple(sorted(findings, key=lambda finding: finding.severity != "error"))


def judge_acknowledgement(took_s: float) -> tuple[Finding, ...]:
    """Of a skill event: any answer is one; how long it may take is not documented."""
    if took_s <= ANSWER_WITHIN_S:
        return ()
    return (
        warning(f"the skill took {took_s:.1f} s to acknowledge; Alexa may not have waited", f"Acknowledge within {ANSWER_WITHIN_S:.0f} s."),
    )


def judge_time(took_s: float) -> Iterator[Finding]:
    if took_s > ANSWER_WITHIN_S:
        mend = "Give every call that the skill makes a time limit, all of them together well under 8 s, a cold start included."
        yield error(f"the skill took {took_s:.1f} s; Alexa waits {ANSWER_WITHIN_S:.0f}", mend)


def judge_answer(answer: object) -> Iterator[Finding]:
    if not isinstance(answer, Mapping):
        yield error("the answer is no JSON object", 'Answer with {"version": "1.0", "response": {…}}.')
        return
    yield from judge_size(answer)
    if answer.get("version") != "1.0":
        has = "is not" if "version" in answer else "is missing; it has to be"
        yield error(f'the answer\'s version {has} "1.0"', 'Put "version": "1.0" beside "response".')
    yield from judge_attributes(answer)
    response = answer.get("response")
    if isinstance(response, Mapping):
        yield from judge_response(response)
    else:
        yield error("the answer has no response", 'Put an object "response" into the answer; a handler that returns nothing leaves it out.')


def judge_size(answer: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        size = len(json.dumps(answer, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as fault:
        yield error(f"the answer is no JSON: {fault}", "Answer with strings, finite numbers, booleans, lists and objects only.")
        return
    mend = "Say and show less, and keep less in the session attributes: 24 kB is what Alexa has always taken."
    if size > LARGEST_ANSWER:
        yield error(f"the answer has {size:,} bytes; Alexa takes no more than {LARGEST_ANSWER:,}", mend)
    elif size > SAFE_ANSWER:
        yield warning(f"the answer has {size:,} bytes; more than {SAFE_ANSWER:,} are not safe", mend)


def judge_attributes(answer: Mapping[str, Any]) -> Iterator[Finding]:
    attributes = answer.get("sessionAttributes")
    if attributes is not None and not isinstance(attributes, Mapping):
        yield error("sessionAttributes is no object", 'Put the attributes into an object: {"name": value}.')
    elif attributes and any(is_spoken_about_someone(value, spoken_words(answer)) for value in leaves(attributes)):
        mend = "Keep what a profile says out of the session attributes: they go to Amazon and back with every turn."
        yield warning("the session attributes hold what is being said about the customer", mend)


def leaves(value: object) -> Iterator[str]:
    """Every text in it."""
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from leaves(part)


def is_spoken_about_someone(value: str, words: str) -> bool:
    """A name, number or address rather than a keyword: it has a blank, a digit, an @ or a capital, and is in what is said."""
    looks_personal = any(not (character.isalpha() and character.islower()) and character not in "_-" for character in value)
    return len(value) >= 5 and looks_personal and value in words


def spoken_words(answer: Mapping[str, Any]) -> str:
    """As far as they can be read."""
    response = answer.get("response")
    speech = response.get("outputSpeech") if isinstance(response, Mapping) else None
    if not isinstance(speech, Mapping):
        return ""
    try:
        return read_ssml(str(speech["ssml"])).words if "ssml" in speech else str(speech.get("text", ""))
    except MarkupError:
        return ""


def judge_response(response: Mapping[str, Any]) -> Iterator[Finding]:
    yield from judge_speech(response.get("outputSpeech"), "the speech")
    yield from judge_card(response.get("card"))
    yield from judge_session(response)
    yield from judge_reprompt(response.get("reprompt"))
    yield from judge_directives(response.get("directives"))
    for name in sorted(set(response) - KNOWN):
        yield warning(f"Alexa knows no {name} in a response", "See its spelling: Alexa overlooks what it does not know.")
    if not response.get("outputSpeech") and not response.get("directives"):
        yield warning("the answer says nothing", "Say something, or the customer hears silence.")


def judge_session(response: Mapping[str, Any]) -> Iterator[Finding]:
    ends = response.get("shouldEndSession")
    if ends is not None and not isinstance(ends, bool):
        yield error("shouldEndSession is neither true nor false", "Make it true or false.")
    if ends is None:
        mend = "Make it false to hear more from the customer, and true where all is said."
        yield warning("shouldEndSession is missing: on a device without a screen the session ends", mend)
    if ends is True and response.get("reprompt"):
        yield warning("there is a reprompt, but the session ends", "Leave the reprompt out, or keep the session open.")


def judge_reprompt(reprompt: object) -> Iterator[Finding]:
    if reprompt is None:
        return
    if isinstance(reprompt, Mapping) and (reprompt.get("outputSpeech") or reprompt.get("directives")):
        yield from judge_speech(reprompt.get("outputSpeech"), "the reprompt")
    else:
        yield error("the reprompt holds no outputSpeech", 'Put the words into {"outputSpeech": {…}}, or leave the reprompt out.')


def judge_directives(directives: object) -> Iterator[Finding]:
    if directives is None:
        return
    are_typed = isinstance(directives, list) and all(isinstance(each, Mapping) and isinstance(each.get("type"), str) for each in directives)
    if not are_typed:
        yield error("directives is no list of objects with a type", "Make it a list; each directive names its type.")


def judge_speech(speech: object, which: str) -> Iterator[Finding]:
    """`which` is the speech or the reprompt, for the words of the finding."""
    if speech is None:
        return
    if not isinstance(speech, Mapping) or speech.get("type") not in ("SSML", "PlainText"):
        yield error(f"{which} is neither SSML nor PlainText", 'Make its type "SSML" with ssml, or "PlainText" with text.')
        return
    name = "ssml" if speech["type"] == "SSML" else "text"
    words = speech.get(name)
    if not isinstance(words, str) or not words.strip():
        yield error(f"{which} has no {name}", f"Put the words into {name}.")
        return
    if len(words) > LONGEST_SPEECH:
        yield error(f"{which} has {len(words):,} characters; Alexa takes {LONGEST_SPEECH:,}", "Say less.")
    yield from judge_ssml(words, which) if name == "ssml" else judge_text(words, which)
    if speech.get("playBehavior", "ENQUEUE") not in PLAY_BEHAVIORS:
        yield error(f"{which} has a playBehavior that Alexa does not know", f"Make it one of {', '.join(PLAY_BEHAVIORS)}.")


def judge_ssml(ssml: str, which: str) -> Iterator[Finding]:
    try:
        faults = read_ssml(ssml).faults
    except MarkupError as fault:
        mend = "Escape &, <, > and quotes in every value that comes from elsewhere, such as a name in a profile."
        yield error(f"the SSML of {which} is not well-formed: {fault}", mend)
        return
    for text in faults:
        yield error(f"the SSML of {which} is not Alexa's: {text}", "Use only the tags, attributes and values of Alexa's SSML reference.")


def judge_text(text: str, which: str) -> Iterator[Finding]:
    if LIKE_MARKUP.search(text):
        yield warning(f"{which} is plain text with SSML tags in it", 'Make its type "SSML", or leave the tags out.')
