"""The customer's Alexa: enables a skill, links an account, talks, disables; keeps the session and the tokens, and brings events."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tools.simulator import envelopes
from tools.simulator.account_linking import AccountLinking, AccountLinkingError, Browse, PendingLink
from tools.simulator.answers import ANSWER_WITHIN_S, Answer
from tools.simulator.asking import ask, described, tell_end
from tools.simulator.clock import SimulatedClock
from tools.simulator.delivery import Deliveries
from tools.simulator.envelopes import Enablement, ErrorType, Session, SessionError
from tools.simulator.interaction_model import InteractionModel, Resolution
from tools.simulator.known_secrets import KnownSecrets
from tools.simulator.sign_ins import AlexaError, SignIns
from tools.simulator.skill import Skill
from tools.simulator.token_keeper import TokenKeeper
from tools.simulator.usual_words import is_exit
from tools.simulator.wire import ALEXA, CUSTOMER, Listener, Message, Verdict, ignore, shorten_id

__all__ = ["NOT_THE_SKILL", "Alexa", "AlexaError"]

NOT_THE_SKILL = "Hmm, I don't know that one."
LINK_AGAIN = "Answer so for tokens that are worth nothing only; the customer has to link the account again now."


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
        self.skill, self.clock, self.model, self.linking = skill, clock or SimulatedClock(), model, linking
        self.locale, self.region = locale, region
        self.known_secrets = KnownSecrets()
        self._skill_id, self._listener = skill_id, self.known_secrets.kept_from(listener)
        self.deliveries = Deliveries(skill, self.clock, self._listener, self.known_secrets)
        self._tokens = TokenKeeper(linking, self.clock, self._listener, self.known_secrets)
        self.has_purchases = False
        self.permissions: set[str] = set()
        self.presented_token = ""  # in place of the customer's own: a token that was stolen from somewhere else
        self.accept_grant: Callable[[str], None] | None = None  # with Send Alexa Events: before the link counts; raises AccountLinkingError
        self._sign_ins = SignIns(linking, self._listener)
        self.user_ids: list[str] = []  # one for each enablement
        self._user_id, self._device_id = "", f"amzn1.ask.device.{secrets.token_hex(60).upper()}"
        self._is_enabled = self._keeps_user_id = self._was_accepted = False
        self.events: list[dict[str, Any]] = []  # as first sent
        self._next_event = self.clock.now()  # the earliest time of it
        self.session: Session | None = None
        self._reprompt = ""

    # ---- the skill's card in the Alexa app

    @property
    def enablement(self) -> Enablement | None:
        """As every message shows it; None while the skill is not enabled."""
        if not self._is_enabled:
            return None
        token = self._tokens.access_token and (self.presented_token or self._tokens.access_token)
        return Enablement(self._skill_id, self._user_id, self._device_id, self.locale, self.region, token)

    @property
    def pending_link(self) -> PendingLink | None:
        """The sign-in that the customer has begun, and is not back from."""
        return self._sign_ins.pending

    @property
    def token_expires(self) -> datetime | None:
        """None while no account is linked."""
        return self._tokens.expires

    def enable(self) -> str:
        """A fresh Amazon user id, but for a customer who had purchases when the skill was disabled; then SkillEnabled."""
        if self._is_enabled:
            raise AlexaError("the skill is enabled already")
        if not self._keeps_user_id:
            self._user_id = "amzn1.ask.account." + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(180))
            self.user_ids.append(self._user_id)
        self._is_enabled = True
        self._tell(CUSTOMER, ALEXA, "enables the skill", {"user id": shorten_id(self._user_id)})
        self._send_event("SkillEnabled")
        return self._user_id

    def link(self, browse: Browse) -> str:
        """The access token, once the account is linked; then SkillAccountLinked. Raises AccountLinkingError."""
        self.begin_link()
        return self.finish_link(self._sign_ins.visit(browse))

    def begin_link(self) -> str:
        """The page to sign in on, for a real browser."""
        self._enabled()
        return self._sign_ins.begin(self.region)

    def finish_link(self, landed_url: str) -> str:
        """The access token; `landed_url` is where the page sent the customer. Raises AccountLinkingError."""
        tokens = self._sign_ins.finish(landed_url, self.accept_grant)
        self._tokens.keep(tokens)
        self._tell(ALEXA, CUSTOMER, "says that the account is linked", verdict="ok")
        self._send_event("SkillAccountLinked", {"accessToken": tokens.access_token})
        return tokens.access_token

    def cancel_link(self, error: AccountLinkingError) -> None:
        """The customer cannot sign in, and nothing is waited for any more."""
        self._sign_ins.cancel(error)

    def has_begun(self, landed_url: str) -> bool:
        """Whether the customer went there from a sign-in page of this Alexa, be it one that a newer page has replaced."""
        return self._sign_ins.knows(landed_url)

    def drop_link(self, because: str) -> None:
        """The skill said that the token is worth nothing."""
        self._tokens.drop(because, LINK_AGAIN)

    def disable(self) -> None:
        """Drops the tokens, the permissions and the session; then SkillDisabled, which has none of them."""
        status = "PERSISTED" if self.has_purchases else "NOT_PERSISTED"
        event = self._event("SkillDisabled", {"userInformationPersistenceStatus": status})
        self._tell(CUSTOMER, ALEXA, "disables the skill")
        self._tokens.forget()
        self.session = self._sign_ins.pending = None
        self.permissions, self._was_accepted = set(), False
        self._is_enabled, self._keeps_user_id = False, self.has_purchases
        self._send(event)

    def set_permission(self, scope: str, *, granted: bool) -> None:
        """Then SkillPermissionAccepted the first time, SkillPermissionChanged from then on, with all that is granted now."""
        self._enabled()
        kind = "SkillPermissionChanged" if self._was_accepted or not granted else "SkillPermissionAccepted"
        self._was_accepted |= granted
        self.permissions = self.permissions | {scope} if granted else self.permissions - {scope}
        self._send_event(kind, {"acceptedPermissions": [{"scope": each} for each in sorted(self.permissions)]})

    # ---- conversation

    def say(self, utterance: str) -> Answer:
        """What the customer says aloud: opens the skill by its name, or goes on in the open session."""
        self._tell(CUSTOMER, ALEXA, "says", {"utterance": utterance})
        spoken_to_skill = self.model.after_invocation(utterance)
        if spoken_to_skill is None and self.session is None:
            return self._hear(Answer(NOT_THE_SKILL, problem="no session is open, and the skill was not called by its name"))
        if spoken_to_skill is None and is_exit(utterance, self.model.language, self.model.intents):
            self.end_session()
            return Answer(ends_session=True)  # nothing is heard
        self._enabled()
        if spoken_to_skill is not None:
            self.session = Session()
        if spoken_to_skill == "":
            return self._request(None)
        return self._request(self.model.resolve(utterance if spoken_to_skill is None else spoken_to_skill))

    def launch(self) -> Answer:
        """As "open" and the skill's name."""
        return self.say(f"open {self.model.invocation_name}")

    def stay_silent(self) -> Answer | None:
        """The reprompt, once; after it, or where there is none, the session ends by silence, and nothing is heard."""
        if self.session is None:
            return None
        reprompt, self._reprompt = self._reprompt, ""
        if reprompt:
            return self._hear(Answer(reprompt))
        self.end_session("EXCEEDED_MAX_REPROMPTS")
        return None

    def end_session(self, reason: envelopes.EndReason = "USER_INITIATED", error: SessionError | None = None) -> None:
        """By the customer, by silence or by an error; the skill is told, and its answer is not spoken."""
        if self.session is None:
            return
        request = envelopes.session_ended_request(self._with_fresh_token(), self.session, self.clock.now(), reason, error)
        self.session, self._reprompt = None, ""
        tell_end(self.skill, request, f"SessionEndedRequest, {reason}", self._listener, self.known_secrets)

    # ---- delivery of events

    @property
    def undelivered(self) -> list[Any]:
        """Events that the skill did not acknowledge, or that wait to be brought."""
        return self.deliveries.pending

    def redeliver(self) -> int:
        """Brings every event that was not taken once more, in order; how many are still not."""
        return self.deliveries.retry_now()

    def deliver(self, event: dict[str, Any]) -> bool:
        """Whether the skill acknowledged it; if not, it waits in `undelivered`."""
        return self.deliveries.deliver(event)

    def _send_event(self, kind: str, body: Mapping[str, Any] | None = None) -> None:
        self._send(self._event(kind, body))

    def _event(self, kind: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Never two in one second: event times are whole seconds, and no customer links, disables or enables twice in one."""
        self.clock.move_on(max(timedelta(0), self._next_event - self.clock.now()))
        self._next_event = self.clock.now().replace(microsecond=0) + timedelta(seconds=1)
        return envelopes.skill_event(self._enabled(), kind, self.clock.now(), body)

    def _send(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self.deliveries.send(event)

    # ---- tokens

    def fresh_token(self) -> str | None:
        """The customer's access token, refreshed if need be; None while no account is linked."""
        return self._with_fresh_token().access_token

    def _with_fresh_token(self) -> Enablement:
        """Alexa refreshes by itself before it sends a request."""
        self._enabled()
        has_token = self._tokens.refresh()
        return self._enabled() if has_token else replace(self._enabled(), access_token=None)

    # ---- one request

    def _request(self, resolution: Resolution | None) -> Answer:
        """Launch, or an intent, in the session that is open."""
        enablement, session = self._with_fresh_token(), self.session or Session()
        if resolution is None:
            request, text = envelopes.launch_request(enablement, session, self.clock.now()), "LaunchRequest"
        else:
            request, text = envelopes.intent_request(enablement, session, self.clock.now(), resolution), described(resolution)
        asked = ask(self.skill, request, text, self._listener, self.known_secrets)
        answer = asked.answer
        if answer.problem:
            kind: ErrorType = "ENDPOINT_TIMEOUT" if answer.took_s > ANSWER_WITHIN_S else "INVALID_RESPONSE"
            self.end_session("ERROR", SessionError(kind, answer.problem))
        elif answer.ends_session:
            self.session = None
        else:
            self.session = Session(session.session_id, is_new=False, attributes=asked.attributes)
        self._reprompt = answer.reprompt if self.session else ""
        return self._hear(answer)

    def _hear(self, answer: Answer) -> Answer:
        said = {"speech": answer.speech, "took": f"{answer.took_s:.2f} s"} | ({"problem": answer.problem} if answer.problem else {})
        self._tell(ALEXA, CUSTOMER, "says", said, "failed" if answer.problem else "")
        if answer.card:
            leads_to = {"leads to": self.linking.page} if self.linking and answer.card_type == "LinkAccount" else {}
            self._tell(ALEXA, CUSTOMER, "shows a card", {"type": answer.card_type, **leads_to})
        return answer

    def _enabled(self) -> Enablement:
        if self.enablement is None:
            raise AlexaError("the skill is not enabled")
        return self.enablement

    def _tell(self, sender: str, receiver: str, text: str, details: Mapping[str, str] | None = None, verdict: Verdict = "") -> None:
        self._listener(Message(sender, receiver, text, details or {}, verdict))
