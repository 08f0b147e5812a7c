"""What may be expected of what Alexa says, and of how linking ends."""

from tools.simulator.answers import Answer
from tools.simulator.storytelling.durations import in_words
from tools.simulator.storytelling.seen import Check, Seen, unless
from tools.simulator.storytelling.story_text import Part

NONE = "none"


def speech(part: Part) -> Check:
    wanted = part.texts()
    return lambda seen: [
        complaint for text in wanted for complaint in unless(text in seen.heard.speech, f"Alexa to say {text!r}", told(seen.heard))
    ]


def not_speech(part: Part) -> Check:
    unwanted = part.texts()
    return lambda seen: [
        complaint
        for text in unwanted
        for complaint in unless(text not in seen.heard.speech, f"Alexa not to say {text!r}", told(seen.heard))
    ]


def reprompt(part: Part) -> Check:
    wanted = part.text()
    return lambda seen: unless(wanted in seen.heard.reprompt, f"the reprompt to say {wanted!r}", seen.heard.reprompt)


def card(part: Part) -> Check:
    wanted = part.text()
    said = "no card" if wanted == NONE else f"a {wanted} card"
    return lambda seen: unless((seen.heard.card_type or NONE) == wanted, said, card_or_speech(seen.heard))


def problem(part: Part) -> Check:
    wanted = part.text()
    if wanted == NONE:
        return no_problem
    return lambda seen: unless(wanted in seen.heard.problem, f"a problem with {wanted!r} in it", seen.heard.problem or told(seen.heard))


def no_problem(seen: Seen) -> list[str]:
    """What every answer has to be, unless the story says otherwise."""
    return unless(not seen.heard.problem, "an answer that Alexa can speak", seen.heard.problem)


def findings(part: Part) -> Check:
    """Texts in what Alexa finds fault with; none: it finds none."""
    wanted = part.texts()

    def check(seen: Seen) -> list[str]:
        found = "; ".join(f"{finding.what} {finding.mend}" for finding in seen.heard.findings)
        if wanted == (NONE,):
            return unless(not found, "an answer without fault", found)
        return [complaint for text in wanted for complaint in unless(text in found, f"the finding {text!r}", found)]

    return check


def ends_session(part: Part) -> Check:
    wanted = part.flag()
    told_by = {True: "the answer to end the session", False: "the answer to leave the session open"}
    return lambda seen: unless(seen.heard.ends_session is wanted, told_by[wanted], told(seen.heard))


def within(part: Part) -> Check:
    limit = part.duration()
    return lambda seen: unless(
        seen.heard.took_s <= limit.total_seconds(), f"an answer within {in_words(limit)}", f"{seen.heard.took_s:.1f} s"
    )


def told(answer: Answer) -> str:
    return answer.problem or answer.speech or "silence"


def card_or_speech(answer: Answer) -> str:
    return f"a {answer.card_type} card" if answer.card else answer.problem or f"no card, and: {answer.speech}"


def failing(part: Part) -> Check:
    """That linking fails, with these words among step, cause and mend."""
    wanted = part.texts()

    def check(seen: Seen) -> list[str]:
        error = seen.linking_error
        if error is None:
            return unless(is_so=False, expected="linking to fail", got="it is linked")
        text = f"{error.step}: {error.cause}. {error.mend}"
        return [complaint for each in wanted for complaint in unless(each in text, f"linking to fail with {each!r}", text)]

    return check


def not_failing(seen: Seen) -> list[str]:
    """What linking has to be, unless the story says otherwise."""
    return unless(seen.linking_error is None, "the account to be linked", seen.linking_error)
