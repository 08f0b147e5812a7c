"""One request to the skill, and what Alexa makes of the answer."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tools.simulator.answers import Answer, apology, read_answer
from tools.simulator.interaction_model import Resolution
from tools.simulator.known_secrets import KnownSecrets
from tools.simulator.skill import Skill, SkillFailedError
from tools.simulator.wire import ALEXA, SKILL, Listener, Message, Verdict, as_body, redacted


@dataclass(frozen=True)
class Asked:
    """The judged answer with no token in it, and the session attributes as the skill gave them."""

    answer: Answer
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)


def ask(skill: Skill, request: dict[str, Any], text: str, listener: Listener, known: KnownSecrets) -> Asked:
    """`text` names the request on the wire. Alexa's apology where the skill failed."""
    tell_request(request, text, listener, known)
    started = time.monotonic()
    try:
        response = skill.invoke(request)
    except SkillFailedError as error:
        answer, response = apology(known.in_a_line(error), time.monotonic() - started), {}
    else:
        answer = read_answer(response, time.monotonic() - started)
    listener(answered(answer, response))
    attributes = {} if answer.problem else response.get("sessionAttributes") or {}
    return Asked(discreet(answer, known.hide), attributes)


def tell_end(skill: Skill, request: dict[str, Any], text: str, listener: Listener, known: KnownSecrets) -> None:
    """A SessionEndedRequest; whatever the skill answers is well, for nobody hears it."""
    tell_request(request, text, listener, known)
    started = time.monotonic()
    try:
        answer = skill.invoke(request)
    except SkillFailedError as error:
        took = {"took": f"{time.monotonic() - started:.2f} s"}
        listener(Message(SKILL, ALEXA, "fails", took, "failed", known.in_a_line(error)))
    else:
        listener(Message(SKILL, ALEXA, "answers", {"took": f"{time.monotonic() - started:.2f} s"}, "ok", body=as_body(answer)))


def tell_request(request: dict[str, Any], text: str, listener: Listener, known: KnownSecrets) -> None:
    known.add_from(request)
    account = "linked" if "accessToken" in request["context"]["System"]["user"] else "not linked"
    listener(Message(ALEXA, SKILL, text, {"account": account}, body=redacted(request)))


def answered(answer: Answer, response: Any) -> Message:
    """The skill's answer with Alexa's judgement of it."""
    worst = answer.findings[0] if answer.findings else None
    verdict: Verdict = "failed" if answer.problem else "warning" if worst else "ok"
    reason, mend = answer.problem or (worst.what if worst else ""), worst.mend if worst else ""
    return Message(SKILL, ALEXA, "answers", {"took": f"{answer.took_s:.2f} s"}, verdict, reason, mend, as_body(response))


def discreet(answer: Answer, hide: Callable[[str], str]) -> Answer:
    """The same answer, to be shown and kept."""
    return replace(
        answer,
        speech=hide(answer.speech),
        card=redacted(answer.card, hide=hide),
        problem=hide(answer.problem),
        response=redacted(answer.response, hide=hide),
        reprompt=hide(answer.reprompt),
        ssml=hide(answer.ssml),
        findings=tuple(replace(each, what=hide(each.what), mend=hide(each.mend)) for each in answer.findings),
    )


def described(resolution: Resolution) -> str:
    """The intent and its slots in a line: RequestInfoIntent {infoTypeRequested: "name" = fullName}."""
    filled = {name: slot for name, slot in resolution.slots.items() if slot}
    slots = (f'{name}: "{slot.spoken}" = {slot.value_id or "no known value"}' for name, slot in filled.items())
    return f"{resolution.intent} {{{', '.join(slots)}}}" if filled else resolution.intent
