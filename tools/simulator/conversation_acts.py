"""What the customer says and hears."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from tools.simulator.answers import Answer
from tools.simulator.desk import SimulationError
from tools.simulator.envelopes import EndReason
from tools.simulator.skill import SkillFailedError, check_json
from tools.simulator.smart_home import Device
from tools.simulator.smart_home_acts import SmartHomeActs
from tools.simulator.stage import act, one_of
from tools.simulator.wire import ALEXA, SKILL, Message, redacted

NO_OBJECT = "the answer is no JSON object"


class ConversationActs(SmartHomeActs):
    """Words for a device of the customer's go to the smart home, all others to the skill."""

    @act("waiting for the skill's answer")
    def say(self, text: str) -> Answer:
        self._note({"who": "customer", "text": text})
        meant = self.household.smart_home.device_meant(text) if self.household.smart_home else None
        answer = self._switch_by_voice(*meant) if meant else self.alexa.say(text)
        self._note_answer(answer)
        return answer

    @act("waiting in silence")
    def stay_silent(self) -> Answer | None:
        """The reprompt, or None when the session has ended."""
        self._note({"who": "customer", "text": "(says nothing)"})
        answer = self.alexa.stay_silent()
        if answer:
            self._note_answer(answer)
        return answer

    @act("ending the session")
    def end_session(self, reason: EndReason = "USER_INITIATED") -> None:
        self.alexa.end_session(one_of("reason", reason, get_args(EndReason)))  # type: ignore[arg-type]  # one_of has checked it

    @act("replaying the message")
    def replay(self, message: dict[str, Any]) -> dict[str, Any]:
        """The skill's answer to a message as it is, with no secret of the message in it. Raises SimulationError when the skill fails."""
        check_message(message)
        known = self.alexa.known_secrets
        known.add_from(message)
        self.hear(self.customer, Message(ALEXA, SKILL, "replays a message", body=redacted(message)))
        try:
            answer = self.side.skill.invoke(message)
        except SkillFailedError as error:
            because = known.in_a_line(error)
            self.hear(self.customer, Message(SKILL, ALEXA, "fails", verdict="failed", reason=because))
            raise SimulationError(f"the skill failed: {because}") from error
        if not isinstance(answer, dict):
            self.hear(self.customer, Message(SKILL, ALEXA, "answers", verdict="failed", reason=NO_OBJECT))
            raise SimulationError(f"the skill failed: {NO_OBJECT}")
        shown: dict[str, Any] = redacted(answer, hide=known.hide)
        self.hear(self.customer, Message(SKILL, ALEXA, "answers", verdict="ok", body=shown))
        return shown

    def _switch_by_voice(self, device: Device, on: bool) -> Answer:  # noqa: FBT001
        try:
            self.switch_device(device.endpoint_id, on)
        except SimulationError as error:
            return Answer(f"Sorry, {device.name} is not responding.", problem=str(error))
        return Answer("OK.")

    def _note(self, said: Mapping[str, Any]) -> None:
        self._numbers += 1
        self.household.conversation.append({**said, "number": self._numbers})
        self.change()

    def _note_answer(self, answer: Answer) -> None:
        findings = [asdict(finding) for finding in answer.findings]
        heard = {"speech": answer.speech, "ssml": answer.ssml, "card": answer.card, "problem": answer.problem, "findings": findings}
        self._note({"who": "Alexa", **heard, "took_s": round(answer.took_s, 2), "session_open": self.alexa.session is not None})


def check_message(message: dict[str, Any]) -> None:
    """Raises SimulationError for what could not be sent as JSON."""
    try:
        check_json(message)
    except ValueError as error:
        raise SimulationError(f"the message is no JSON: {error}") from error
