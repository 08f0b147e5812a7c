"""Alexa's skill events: write first, acknowledge last.

Alexa calls the function synchronously: returning means "this event is mine now", raising means "bring it again", for up to an hour.
So a fault that may pass is raised, after all has been written that can be; and what no retry can help is acknowledged with a log line.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ask_sdk_core.dispatch_components import AbstractRequestHandler
from ask_sdk_core.handler_input import HandlerInput
from ask_sdk_model import Response

from linked_profile import access_tokens
from linked_profile.account_mappings import AccountMappings
from linked_profile.envelopes import SkillEvent
from linked_profile.errors import LinkGoneError, ProviderMisconfiguredError, TableUnavailableError, TokenRejectedError
from linked_profile.fold import PENDING, UNRESOLVED, End, Link, content_id
from linked_profile.logs import OutcomeLog
from linked_profile.outbound import Deadline

AHEAD_MS = 5 * 60 * 1000  # an event time this far in the future is used as it is, and noted
MOST_STARTS = 3  # how often one delivery begins again when its link is taken away under its hands
FetchAccountId = Callable[[str, Deadline], str]


@dataclass(frozen=True)
class EventRecord:
    """What the handlers share: the record, and the provider's answer to "whose token is this"."""

    mappings: AccountMappings
    fetch_account_id: FetchAccountId
    log: OutcomeLog
    account_linking: str
    now_ms: Callable[[], int]

    def note(self, event: SkillEvent, outcome: str, reason: str = "") -> None:
        self.log.record(event.kind, outcome, amazon_user_id=event.amazon_user_id, reason=reason)


class _SkillEventHandler(AbstractRequestHandler):  # type: ignore[misc]  # the SDK has no types
    """Answers the kinds of event in `kinds`; the SDK's own classes know only six of them."""

    kinds: frozenset[str] = frozenset()

    def __init__(self, record: EventRecord) -> None:
        self.record = record

    def can_handle(self, handler_input: HandlerInput) -> bool:
        event = handler_input.context.request
        return isinstance(event, SkillEvent) and (event.kind in self.kinds or not self.kinds)

    def handle(self, handler_input: HandlerInput) -> Response:
        event: SkillEvent = handler_input.context.request
        self.handle_event(event, handler_input.context.deadline)
        return handler_input.response_builder.response

    def handle_event(self, event: SkillEvent, deadline: Deadline) -> None:
        """Returns when the event is ours for good; raises to have it brought again."""
        raise NotImplementedError

    def placed(self, event: SkillEvent) -> tuple[str, int] | None:
        """The user id and time that place the event in the record; None, and a log line, where it has none that can be relied on."""
        if event.amazon_user_id is None or event.time_ms is None:
            self.record.note(event, "event_unusable", "NO_USER_ID" if event.amazon_user_id is None else "NO_TIME")
            return None
        if event.time_ms - self.record.now_ms() > AHEAD_MS:
            self.record.note(event, "event_time_ahead")
        return event.amazon_user_id, event.time_ms


class SkillAccountLinkedHandler(_SkillEventHandler):
    """The one event that names the account, by its token: opens a row, and closes the one before it."""

    kinds = frozenset({"SkillAccountLinked"})

    def handle_event(self, event: SkillEvent, deadline: Deadline) -> None:
        place = self.placed(event)
        if place is None:
            return
        token_digest = access_tokens.digest(event.access_token) if event.access_token else ""
        status = PENDING if event.access_token else f"{UNRESOLVED}:{event.token_problem}"
        link = Link(*place, content_id(event.kind, *place, token_digest), status=status)
        for _ in range(MOST_STARTS):
            try:
                return self._record(event, link, deadline)
            except LinkGoneError:
                continue
        raise TableUnavailableError("the link was taken away each time it was written")

    def _record(self, event: SkillEvent, link: Link, deadline: Deadline) -> None:
        """The row stands, and the one before it is closed, before the provider is asked: its outage costs the account's name only."""
        self.record.mappings.record_link(link, deadline)
        if event.access_token is None:
            return self.record.note(event, "link_unresolved", event.token_problem)
        try:
            account_id = self.record.fetch_account_id(event.access_token, deadline)
        except TokenRejectedError as error:
            return self._give_up(event, link, error.reason, deadline)
        except ProviderMisconfiguredError as error:
            self.record.note(event, "provider_misconfigured", error.reason)
            return self._give_up(event, link, "MISCONFIGURED", deadline)
        standing = self.record.mappings.resolve_account(link, account_id, deadline)
        self.record.note(event, "link_erased" if standing is None else "link_resolved" if standing == account_id else "account_conflict")

    def _give_up(self, event: SkillEvent, link: Link, why: str, deadline: Deadline) -> None:
        is_written = self.record.mappings.mark_unresolved(link, why, deadline)
        self.record.note(event, "link_unresolved" if is_written else "link_recorded", why)  # an earlier delivery may have had the account


class SkillDisabledHandler(_SkillEventHandler):
    """Ends the row that is open then. Alexa has dropped the customer's token, so there is nothing to ask anybody.

    SkillAccountUnlinked has a name in Amazon's list of subscriptions and no documented message; should it come, it ends a row too.
    """

    kinds = frozenset({"SkillDisabled", "SkillAccountUnlinked"})

    def handle_event(self, event: SkillEvent, deadline: Deadline) -> None:
        place = self.placed(event)
        if place is None:
            return
        reason = "DISABLED" if event.kind == "SkillDisabled" else "UNLINKED"
        self.record.mappings.record_end(End(*place, content_id(event.kind, *place), reason), deadline)
        self.record.note(event, "end_recorded")


class SkillEnabledHandler(_SkillEventHandler):
    """Opens a row where the skill has no account linking; elsewhere the row begins with the link, not with this."""

    kinds = frozenset({"SkillEnabled"})

    def handle_event(self, event: SkillEvent, deadline: Deadline) -> None:
        if self.record.account_linking != "none":
            return self.record.note(event, "event_acknowledged")
        place = self.placed(event)
        if place is not None:
            self.record.mappings.record_link(Link(*place, content_id(event.kind, *place), status=f"{UNRESOLVED}:NO_LINKING"), deadline)
            self.record.note(event, "link_recorded")


class OtherSkillEventHandler(_SkillEventHandler):
    """Permissions, subscriptions, and types that do not exist yet: acknowledged and logged by kind, or Alexa would repeat them."""

    def handle_event(self, event: SkillEvent, deadline: Deadline) -> None:
        self.record.note(event, "event_acknowledged")
