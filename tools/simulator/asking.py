"""One request to the skill, and what Alexa makes of the answer."""

import time
from typing import Any

from tools.simulator.answers import Answer, apology, read_answer
from tools.simulator.interaction_model import Resolution
from tools.simulator.skill import Skill, SkillFailedError
from tools.simulator.wire import ALEXA, SKILL, Listener, Message, Verdict, redacted


def ask(skill: Skill, request: dict[str, Any], text: str, listener: Listener) -> Answer:
    """The judged answer; `text` names the request on the wire. Alexa's apology where the skill failed."""
    account = "linked" if "accessToken" in request["context"]["System"]["user"] else "not linked"
    listener(Message(ALEXA, SKILL, text, {"account": account}, body=redacted(request)))
    started = time.monotonic()
    try:
        response = skill.invoke(request)
    except SkillFailedError as error:
        answer = apology(str(error), time.monotonic() - started)
    else:
        answer = read_answer(response, time.monotonic() - started)
    listener(answered(answer))
    return answer


def answered(answer: Answer) -> Message:
    """The skill's answer with Alexa's judgement of it."""
    worst = answer.findings[0] if answer.findings else None
    verdict: Verdict = "failed" if answer.problem else "warning" if worst else "ok"
    reason, mend = answer.problem or (worst.what if worst else ""), worst.mend if worst else ""
    return Message(SKILL, ALEXA, "answers", {"took": f"{answer.took_s:.2f} s"}, verdict, reason, mend, redacted(dict(answer.response)))


def described(resolution: Resolution) -> str:
    """The intent and its slots in a line: RequestInfoIntent {infoTypeRequested: "name" = fullName}."""
    filled = {name: slot for name, slot in resolution.slots.items() if slot}
    slots = (f'{name}: "{slot.spoken}" = {slot.value_id or "no known value"}' for name, slot in filled.items())
    return f"{resolution.intent} {{{', '.join(slots)}}}" if filled else resolution.intent
