"""The customer's Alexa: enables a skill, links an account, talks, disables; keeps the session and the tokens, and brings events."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tools.simulator import envelopes, linking_diagnosis
from tools.simulator.account_linking import AccountLinking, AccountLinkingError, Browse, PendingLink, RefreshRefusedError, Tokens
from tools.simulator.answers import Answer
from tools.simulator.asking import ask, described
from tools.simulator.clock import SimulatedClock
from tools.simulator.delivery import Deliveries
from tools.simulator.envelopes import Enablement, Session
from tools.simulator.interaction_model import InteractionModel, Resolution
from tools.simulator.skill import Skill
from tools.simulator.wire import ALEXA, CUSTOMER, Listener, Message, Verdict, ignore, shorten_id

RELINK = "Your account's link has expired. Open the Alexa app to link it again."
NOT_THE_SKILL = "Hmm, I don't know that one."
REFRESH_AHEAD = timedelta(minutes=1)  # Alexa sends no token that is about to die on the way


@dataclass(frozen=True)
class Link:
    """The tokens that Alexa keeps for a linked customer."""

    tokens: Tokens
    expires: datetime


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
        self._skill_id, self._listener = skill_id, listener
        self.deliveries = Deliveries(skill, self.clock, listener)
        self.has_purchases = False
        self.permissions: set[str] = set()
        self.presented_token = ""  # in place of the customer's own: a token that was stolen from somewhere else
        self.accept_grant: Callable[[str], None] | None = None  # with Send Alexa Events: before the link counts; raises AccountLinkingError
        self.pending_link: PendingLink | None = None
        self.user_ids: list[str] = []  # one for each enablement
        self._user_id, self._device_id = "", f"amzn1.ask.device.{secrets.token_hex(60).upper()}"
        self._is_enabled = False
        self._link: Link | None = None
        self.events: list[dict[str, Any]] = []  # as first sent
        self.session: Session | None = None
        self._reprompt = ""

    # ---- the skill's card in the Alexa app

    @property
    def enablement(self) -> Enablement | None:
        """As every message shows it; None while the skill is not enabled."""
        if not self._is_enabled:
            return None
        token = self._link.tokens.access_token if self._link else None
        token = self.presented_token or token if token else None
        return Enablement(self._skill_id, self._user_id, self._device_id, self.locale, self.region, token)

    @property
    def token_expires(self) -> datetime | None:
        """None while no account is linked."""
        return self._link.expires if self._link else None

    def enable(self) -> str:
        """A fresh Amazon user id, which every enablement gets but that of a customer with purchases; then SkillEnabled."""
        if self._is_enabled:
            raise ValueError("the skill is enabled already")
        if not (self._user_id and self.has_purchases):
            self._user_id = "amzn1.ask.account." + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(180))
            self.user_ids.append(self._user_id)
        self._is_enabled = True
        self._tell(CUSTOMER, ALEXA, "enables the skill", {"user id": shorten_id(self._user_id)})
        self._send_event("SkillEnabled")
        return self._user_id

    def link(self, browse: Browse) -> str:
        """The access token, once the account is linked; then SkillAccountLinked. Raises AccountLinkingError."""
        self.begin_link()
        try:
            landed_url = self._linking().visit(self._pending(), browse)
        except AccountLinkingError as error:
            self.pending_link = None
            linking_diagnosis.tell(error, self._listener)
            raise
        return self.finish_link(landed_url)

    def begin_link(self) -> str:
        """The page to sign in on, for a real browser."""
        self._enabled()
        self.pending_link = self._linking().begin(self.region)
        return self.pending_link.url

    def finish_link(self, landed_url: str) -> str:
        """The access token; `landed_url` is where the page sent the customer. Raises AccountLinkingError."""
        pending, self.pending_link = self._pending(), None
        try:
            tokens = self._linking().finish(pending, landed_url)
            if self.accept_grant:
                self.accept_grant(tokens.access_token)
        except AccountLinkingError as error:
            linking_diagnosis.tell(error, self._listener)
            raise
        self._keep(tokens)
        self._tell(ALEXA, CUSTOMER, "says that the account is linked", verdict="ok")
        self._send_event("SkillAccountLinked", {"accessToken": tokens.access_token})
        return tokens.access_token

    def disable(self) -> None:
        """Drops the tokens and the session; then SkillDisabled, which has neither."""
        self._enabled()
        self._tell(CUSTOMER, ALEXA, "disables the skill")
        self._link, self.session, self.pending_link = None, None, None
        status = "PERSISTED" if self.has_purchases else "NOT_PERSISTED"
        self._send_event("SkillDisabled", {"userInformationPersistenceStatus": status})
        self._is_enabled = False

    def set_permission(self, scope: str, *, granted: bool) -> None:
        """Then SkillPermissionAccepted the first time, SkillPermissionChanged from then on, with all that is granted now."""
        self._enabled()
        kind = "SkillPermissionChanged" if self.permissions or not granted else "SkillPermissionAccepted"
        self.permissions = self.permissions | {scope} if granted else self.permissions - {scope}
        self._send_event(kind, {"acceptedPermissions": [{"scope": each} for each in sorted(self.permissions)]})

    # ---- conversation

    def say(self, utterance: str) -> Answer:
        """What the customer says aloud: opens the skill by its name, or goes on in the open session."""
        self._tell(CUSTOMER, ALEXA, "says", {"utterance": utterance})
        spoken_to_skill = self.model.after_invocation(utterance)
        if spoken_to_skill is None and self.session is None:
            return self._hear(Answer(NOT_THE_SKILL, problem="no session is open, and the skill was not called by its name"))
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

    def end_session(self, reason: envelopes.EndReason = "USER_INITIATED", error: str = "") -> None:
        """By the customer, by silence or by an error; the skill is told, and its answer is not spoken."""
        if self.session is None:
            return
        request = envelopes.session_ended_request(self._with_fresh_token(), self.session, self.clock.now(), reason, error)
        self.session, self._reprompt = None, ""
        ask(self.skill, request, f"SessionEndedRequest, {reason}", self._listener)

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
        event = envelopes.skill_event(self._enabled(), kind, self.clock.now(), body)
        self.events.append(event)
        self.deliveries.send(event)

    # ---- tokens

    def fresh_token(self) -> str | None:
        """The customer's access token, refreshed if need be; None while no account is linked."""
        return self._with_fresh_token().access_token

    def _keep(self, tokens: Tokens) -> None:
        self._link = Link(tokens, self.clock.now() + timedelta(seconds=tokens.life_s))

    def _with_fresh_token(self) -> Enablement:
        """Alexa refreshes by itself before it sends a request; a refused refresh costs the link, an outage only this request its token."""
        enablement = self._enabled()
        if self._link is None or self.linking is None or self.clock.now() + REFRESH_AHEAD < self._link.expires:
            return enablement
        try:
            self._keep(self.linking.refresh(self._link.tokens))
        except RefreshRefusedError as error:
            self._link = None
            self._tell(ALEXA, CUSTOMER, "drops the tokens and notifies the customer", {"says": RELINK}, "failed", error.cause, error.mend)
        except AccountLinkingError as error:
            self._tell(ALEXA, CUSTOMER, "has no token for this request", {}, "failed", error.cause, error.mend)
            return replace(enablement, access_token=None)
        return self._enabled()

    def _linking(self) -> AccountLinking:
        if self.linking is None:
            raise ValueError("this Alexa was given no linking configuration")
        return self.linking

    def _pending(self) -> PendingLink:
        if self.pending_link is None:
            raise ValueError("no linking has been begun: press Link account first")
        return self.pending_link

    # ---- one request

    def _request(self, resolution: Resolution | None) -> Answer:
        """Launch, or an intent, in the session that is open."""
        enablement, session = self._with_fresh_token(), self.session or Session()
        if resolution is None:
            request, text = envelopes.launch_request(enablement, session, self.clock.now()), "LaunchRequest"
        else:
            request, text = envelopes.intent_request(enablement, session, self.clock.now(), resolution), described(resolution)
        answer = ask(self.skill, request, text, self._listener)
        if answer.problem:
            self.end_session("ERROR", answer.problem)
        elif answer.ends_session:
            self.session = None
        else:
            self.session = Session(session.session_id, is_new=False, attributes=answer.response.get("sessionAttributes") or {})
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
            raise ValueError("the skill is not enabled")
        return self.enablement

    def _tell(
        self,
        sender: str,
        receiver: str,
        text: str,
        details: Mapping[str, str] | None = None,
        verdict: Verdict = "",
        reason: str = "",
        mend: str = "",
    ) -> None:
        self._listener(Message(sender, receiver, text, details or {}, verdict, reason, mend))
