"""What Alexa makes of a skill's JSON: speech and card, or its own apology with the reason."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ANSWER_WITHIN_S = 8.0
PROBLEM = "There was a problem with the requested skill's response."


@dataclass(frozen=True)
class Answer:
    """What the customer hears and sees; `problem` says why it is Alexa's apology, where it is."""

    speech: str = ""
    card: Mapping[str, Any] | None = None
    ends_session: bool = False
    took_s: float = 0.0
    problem: str = ""
    response: Mapping[str, Any] = field(default_factory=dict)  # the skill's JSON

    @property
    def card_type(self) -> str:
        return str(self.card.get("type", "")) if self.card else ""


def read_answer(answer: Mapping[str, Any], took_s: float) -> Answer:
    """The skill's answer, or the apology for one that came too late or is not well-formed."""
    response = answer.get("response")
    if took_s > ANSWER_WITHIN_S:
        return apology(f"the skill took {took_s:.1f} s; Alexa waits {ANSWER_WITHIN_S:.0f}", took_s, answer)
    if not isinstance(response, Mapping):
        return apology("the answer has no response", took_s, answer)
    try:
        speech = spoken(response.get("outputSpeech"))
    except ET.ParseError as error:
        return apology(f"the SSML is not well-formed: {error}", took_s, answer)
    return Answer(speech, response.get("card"), response.get("shouldEndSession") is True, took_s, response=answer)


def apology(problem: str, took_s: float, answer: Mapping[str, Any] | None = None) -> Answer:
    """What the customer hears when the skill gave nothing to say."""
    return Answer(PROBLEM, ends_session=True, took_s=took_s, problem=problem, response=answer or {})


def spoken(output_speech: Mapping[str, Any] | None) -> str:
    """The words of it. Raises ElementTree.ParseError for SSML that is not well-formed."""
    if not output_speech:
        return ""
    if output_speech.get("type") != "SSML":
        return str(output_speech.get("text", ""))
    words = "".join(ET.fromstring(str(output_speech.get("ssml", ""))).itertext())  # noqa: S314  (expat here refuses entity bombs)
    return " ".join(words.split())
