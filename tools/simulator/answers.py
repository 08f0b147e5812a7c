"""What Alexa makes of a skill's JSON: speech and card, or its own apology with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.simulator.cards import Card, read_card
from tools.simulator.findings import Finding
from tools.simulator.judgement import ANSWER_WITHIN_S, judge
from tools.simulator.ssml import read_ssml

__all__ = ["ANSWER_WITHIN_S", "PROBLEM", "Answer", "Card", "Finding", "apology", "read_answer"]

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
    reprompt: str = ""  # as it would be heard
    ssml: str = ""  # as the skill sent it
    findings: tuple[Finding, ...] = ()  # of Alexa's judgement, errors first

    @property
    def card_type(self) -> str:
        return str(self.card.get("type", "")) if self.card else ""

    @property
    def shown(self) -> Card | None:
        """The card in plain values."""
        return read_card(self.card) if self.card else None


def read_answer(answer: Any, took_s: float) -> Answer:
    """The skill's answer, whatever JSON it is, or the apology for one that Alexa cannot use."""
    findings = judge(answer, took_s)
    problems = [finding.what for finding in findings if finding.severity == "error"]
    if problems:
        return apology("; ".join(problems), took_s, answer, findings)
    response = answer["response"]
    speech = response.get("outputSpeech") or {}
    return Answer(
        spoken(speech),
        response.get("card"),
        response.get("shouldEndSession") is not False,  # a device with a screen would show on, but listen no more
        took_s,
        response=answer,
        reprompt=spoken((response.get("reprompt") or {}).get("outputSpeech")),
        ssml=speech.get("ssml", ""),
        findings=findings,
    )


def apology(problem: str, took_s: float, answer: Any = None, findings: tuple[Finding, ...] = ()) -> Answer:
    """What the customer hears when the skill gave nothing to say."""
    response = answer if isinstance(answer, Mapping) else {}
    return Answer(PROBLEM, ends_session=True, took_s=took_s, problem=problem, response=response, findings=findings)


def spoken(output_speech: Mapping[str, Any] | None) -> str:
    """The words of it. Raises MarkupError for SSML that is not well-formed."""
    if not output_speech:
        return ""
    if output_speech.get("type") != "SSML":
        return " ".join(str(output_speech.get("text", "")).split())
    return read_ssml(str(output_speech.get("ssml", ""))).words
