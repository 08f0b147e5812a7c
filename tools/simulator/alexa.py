"""The customer's Alexa: enables a skill, links an account, talks, disables; keeps the session, and brings events until they are taken."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tools.simulator import envelopes
from tools.simulator.account_linking import AccountLinking, Browse
from tools.simulator.answers import Answer, apology, read_answer
from tools.simulator.clock import SimulatedClock
from tools.simulator.envelopes import Enablement, Session
from tools.simulator.interaction_model import InteractionModel, Resolution
from tools.simulator.skill import Skill, SkillFailedError
from tools.simulator.wire import ALEXA, CUSTOMER, SKILL, Listener, Message, ignore, shorten_id


@dataclass(frozen=True)
class Undelivered:
    """An event that the skill did not acknowledge, and why not."""

    event: dict[str, Any]
    because: str


class Alexa:
    """One customer, one skill. Alexa never raises for what the skill does wrong: it apologises, or brings the event again."""

    def __init__(
        self,
        skill: Skill,
        skill_id: str,
        model: InteractionModel,
        linking: AccountLinking | None = None,
        *,
        locale: str = "en-US",
        region: str = "EU",
        clock: SimulatedClock | None = None,
        listener: Listener = ignore,
    ) -> None:
        self.skill, self.clock = skill, clock or SimulatedClock()
        self._skill_id, self._model, self._linking = skill_id, model, linking
        self._locale, self._region, self._listener = locale, region, listener
        self.enablement: Enablement | None = None
        self.events: list[dict[str, Any]] = []  # as first sent
        self.undelivered: list[Undelivered] = []
        self.session: Session | None = None

    # ---- the skill's card in the Alexa app

    def enable(self) -> str:
        """A fresh Amazon user id, which every enablement gets; then SkillEnabled."""
        user_id = "amzn1.ask.account." + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(180))
        device_id = f"amzn1.ask.device.{secrets.token_hex(60).upper()}"
        self.enablement = Enablement(self._skill_id, user_id, device_id, self._locale, self._region)
        self._tell(CUSTOMER, ALEXA, "enables the skill", {"new user id": shorten_id(user_id)})
        self._send_event("SkillEnabled")
        return user_id

    def link(self, browse: Browse) -> str:
        """The access token, once the account is linked; then SkillAccountLinked. Raises AccountLinkingError."""
        enablement = self._enabled()
        if self._linking is None:
            raise ValueError("this Alexa was given no linking configuration")
        tokens = self._linking.link(browse)
        self.enablement = replace(enablement, access_token=tokens.access_token)
        self._send_event("SkillAccountLinked", {"accessToken": tokens.access_token})
        return tokens.access_token

    def disable(self) -> None:
        """Drops the tokens and the session; then SkillDisabled, which has neither."""
        self._tell(CUSTOMER, ALEXA, "disables the skill")
        self.enablement, self.session = replace(self._enabled(), access_token=None), None
        self._send_event("SkillDisabled", {"userInformationPersistenceStatus": "NOT_PERSISTED"})
        self.enablement = None

    # ---- conversation

    def say(self, utterance: str) -> Answer:
        """What the customer says aloud: opens the skill by its name, or goes on in the open session."""
        self._tell(CUSTOMER, ALEXA, "says", {"utterance": utterance})
        spoken_to_skill = self._model.after_invocation(utterance)
        if spoken_to_skill is None and self.session is None:
            return self._hear(Answer("Hmm, I don't know that one.", problem="no session is open, and the skill was not called by its name"))
        if spoken_to_skill is not None:
            self.session = Session()
        if spoken_to_skill == "":
            return self._request(None)
        return self._request(self._model.resolve(utterance if spoken_to_skill is None else spoken_to_skill))

    def launch(self) -> Answer:
        """As "open" and the skill's name."""
        return self.say(f"open {self._model.invocation_name}")

    def end_session(self, reason: envelopes.EndReason = "USER_INITIATED", error: str = "") -> None:
        """By the customer, by silence or by an error; the skill is told, and its answer is not spoken."""
        if self.session is None:
            return
        request = envelopes.session_ended_request(self._enabled(), self.session, self.clock.now(), reason, error)
        self.session = None
        self._invoke(request, f"SessionEndedRequest, {reason}")

    # ---- delivery of events

    def redeliver(self) -> int:
        """Brings every event that was not taken once more, in order; how many are still not."""
        waiting, self.undelivered = self.undelivered, []
        for each in waiting:
            self.deliver(envelopes.redelivered(each.event, self.clock.now()))
        return len(self.undelivered)

    def deliver(self, event: dict[str, Any]) -> bool:
        """Whether the skill acknowledged it; if not, it waits in `undelivered`."""
        self._tell(ALEXA, SKILL, event["request"]["type"], {"eventCreationTime": event["request"]["eventCreationTime"]})
        started = time.monotonic()
        try:
            self.skill.invoke(event)
        except SkillFailedError as error:
            self._tell(SKILL, ALEXA, "fails", {"because": str(error)})
            self.undelivered.append(Undelivered(event, str(error)))
            return False
        self._tell(SKILL, ALEXA, "acknowledges", {"took": f"{time.monotonic() - started:.2f} s"})
        return True

    def _send_event(self, kind: str, body: Mapping[str, Any] | None = None) -> None:
        event = envelopes.skill_event(self._enabled(), kind, self.clock.now(), body)
        self.events.append(event)
        self.deliver(event)

    def _request(self, resolution: Resolution | None) -> Answer:
        """Launch, or an intent, in the session that is open."""
        enablement, session = self._enabled(), self.session or Session()
        if resolution is None:
            request, text = envelopes.launch_request(enablement, session, self.clock.now()), "LaunchRequest"
        else:
            request, text = envelopes.intent_request(enablement, session, self.clock.now(), resolution), described(resolution)
        answer = self._invoke(request, text)
        if answer.problem:
            self.end_session("ERROR", answer.problem)
        elif answer.ends_session:
            self.session = None
        else:
            self.session = Session(session.session_id, is_new=False, attributes=answer.response.get("sessionAttributes") or {})
        return self._hear(answer)

    def _invoke(self, request: dict[str, Any], text: str) -> Answer:
        self._tell(ALEXA, SKILL, text, {"account": "linked" if self._enabled().access_token else "not linked"})
        started = time.monotonic()
        try:
            return read_answer(self.skill.invoke(request), time.monotonic() - started)
        except SkillFailedError as error:
            return apology(str(error), time.monotonic() - started)

    def _hear(self, answer: Answer) -> Answer:
        said = {"speech": answer.speech, "took": f"{answer.took_s:.2f} s"} | ({"problem": answer.problem} if answer.problem else {})
        self._tell(ALEXA, CUSTOMER, "says", said)
        if answer.card:
            leads_to = {"leads to": self._linking.page} if self._linking and answer.card_type == "LinkAccount" else {}
            self._tell(ALEXA, CUSTOMER, "shows a card", {"type": answer.card_type, **leads_to})
        return answer

    def _enabled(self) -> Enablement:
        if self.enablement is None:
            raise ValueError("the skill is not enabled")
        return self.enablement

    def _tell(self, sender: str, receiver: str, text: str, details: Mapping[str, str] | None = None) -> None:
        self._listener(Message(sender, receiver, text, details or {}))


def described(resolution: Resolution) -> str:
    """The intent and its slots in a line: RequestInfoIntent {infoTypeRequested: "name" = fullName}."""
    filled = {name: slot for name, slot in resolution.slots.items() if slot}
    slots = (f'{name}: "{slot.spoken}" = {slot.value_id or "no known value"}' for name, slot in filled.items())
    return f"{resolution.intent} {{{', '.join(slots)}}}" if filled else resolution.intent
