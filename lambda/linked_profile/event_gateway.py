"""Sends events to Alexa for an account: ChangeReport, AddOrUpdateReport and whatever else the event gateway takes.

An event goes to every live grant of the account, each with its own token and message id. What an answer means is one table, below.
"""

import json
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from linked_profile.aws_calls import Client, aws_client
from linked_profile.errors import GrantRefusedError, ProviderMisconfiguredError, ProviderUnavailableError, TableUnavailableError
from linked_profile.grants import Grants, build_grants
from linked_profile.grants_table import Grant
from linked_profile.logs import OutcomeLog
from linked_profile.outbound import Answer, Deadline, Outbound
from linked_profile.settings import Settings

MOST_RETRIES, RETRY_AFTER_S = 3, 1.0  # as Amazon's page on the gateway's errors says
LEAST_TIME_S = 1.0
Outcome = Literal["sent", "dead", "failed"]
Meaning = Literal["sent", "dead", "renew", "retry", "stop", "failed"]

BY_STATUS: Mapping[int, Meaning] = {202: "sent", 400: "stop", 401: "renew", 413: "stop"}
BY_CODE: Mapping[str, Meaning] = {
    "INVALID_ACCESS_TOKEN_EXCEPTION": "renew",
    "SKILL_DISABLED_EXCEPTION": "dead",  # this grant's skill, in this home; the account mapping ends by skill events alone
    # These are said of a wrong region, of a missing permission, of another stage's token: ours to mend, so no grant may die of them.
    "SKILL_NEVER_ENABLED_EXCEPTION": "failed",
    "INSUFFICIENT_PERMISSION_EXCEPTION": "failed",
    "ACCOUNT_NOT_FOUND_EXCEPTION": "failed",
    "SKILL_NOT_FOUND_EXCEPTION": "failed",
    # The event itself is wrong: every other grant would be told the same.
    "INVALID_REQUEST_EXCEPTION": "stop",
    "REQUEST_ENTITY_TOO_LARGE_EXCEPTION": "stop",
    "THROTTLING_EXCEPTION": "retry",
    "INTERNAL_SERVICE_EXCEPTION": "retry",
    "SERVICE_UNAVAILABLE_EXCEPTION": "retry",
}


@dataclass(frozen=True)
class Delivery:
    """What became of an event at one grant; `reason` is Alexa's code, or ours."""

    grant_id: str
    outcome: Outcome
    reason: str = ""


@dataclass
class _Sending:
    """One grant's copy of the event, under way."""

    grant: Grant
    message_id: str = field(default_factory=lambda: str(uuid.uuid4()))  # the same for every try, so that Alexa can tell
    is_renewed: bool = False
    delivery: Delivery | None = None  # None = it may be tried again
    is_useless: bool = False  # the event itself will never do
    fault: str = "NO_TIME_LEFT"
    ours: Exception | None = None

    def end(self, outcome: Outcome, reason: str = "") -> None:
        self.delivery = Delivery(self.grant.grant_id, outcome, reason)


class EventGateway:
    """Alexa's event gateway, in the region of this function."""

    def __init__(self, url: str, grants: Grants, outbound: Outbound, log: OutcomeLog, pause: Callable[[float], None] = time.sleep) -> None:
        self._url = f"{url.rstrip('/').removesuffix('/v3/events')}/v3/events"
        self._grants, self._outbound, self._log, self._pause = grants, outbound, log, pause

    def send_event(self, account_id: str, event: Mapping[str, Any], deadline: Deadline) -> list[Delivery]:
        """One delivery for each live grant of the account; none where it has none.

        `event` is as Alexa documents it, `{"event": …, "context": …}` or what stands under `event` alone; scope and messageId are put
        in here. Raises TableUnavailableError or ProviderMisconfiguredError where that kept us from asking Alexa at all.
        """
        sendings = [_Sending(grant) for grant in self._grants.live(account_id, deadline)]
        for number in range(MOST_RETRIES + 1):
            under_way = [sending for sending in sendings if sending.delivery is None]
            if not under_way or (number and deadline.remaining() < RETRY_AFTER_S + LEAST_TIME_S):
                break
            if number:
                self._pause(RETRY_AFTER_S)
            for sending in under_way:
                self._try(sending, event, deadline)
                if sending.is_useless:
                    return self._report(event, sendings, because=sending.fault)
        return self._report(event, sendings)

    def _try(self, sending: _Sending, event: Mapping[str, Any], deadline: Deadline) -> None:
        try:
            self._settle(sending, self._ask(sending, event, deadline), event, deadline)
        except GrantRefusedError as error:
            sending.end("dead", error.reason)
        except ProviderUnavailableError as error:
            sending.fault = error.reason
        except (TableUnavailableError, ProviderMisconfiguredError) as error:
            sending.ours = error
            sending.end("failed", error.reason if isinstance(error, ProviderMisconfiguredError) else type(error).__name__)

    def _ask(self, sending: _Sending, event: Mapping[str, Any], deadline: Deadline, refused_version: str = "") -> Answer:
        sending.grant = self._grants.fresh(sending.grant, deadline, refused_version=refused_version)
        token = self._grants.access_token(sending.grant, deadline)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps(with_scope(event, token, sending.message_id)).encode()
        return self._outbound.fetch_once("POST", self._url, headers=headers, body=body, deadline=deadline)

    def _settle(self, sending: _Sending, answer: Answer, event: Mapping[str, Any], deadline: Deadline) -> None:
        """What the answer means for this grant; a refused token is renewed once."""
        meaning, reason = meaning_of(answer)
        if meaning == "renew" and not sending.is_renewed:
            sending.is_renewed = True
            renewed = self._ask(sending, event, deadline, refused_version=sending.grant.version)
            return self._settle(sending, renewed, event, deadline)
        if meaning == "retry":
            sending.fault = reason
        elif meaning == "stop":
            sending.is_useless, sending.fault = True, reason
        elif meaning == "dead":
            self._grants.bury(sending.grant, reason, deadline)
            sending.end("dead", reason)
        else:
            sending.end("sent" if meaning == "sent" else "failed", reason)

    def _report(self, event: Mapping[str, Any], sendings: list[_Sending], because: str = "") -> list[Delivery]:
        """What is still under way has failed: for its own last fault, or because the event will never do."""
        for sending in sendings:
            if sending.delivery is None:
                sending.end("failed", because or sending.fault)
        ours = [sending.ours for sending in sendings if sending.ours]
        if ours and len(ours) == len(sendings):
            raise ours[0]
        deliveries = [sending.delivery for sending in sendings if sending.delivery]
        outcomes = {"sent": "event_sent", "dead": "grant_dead", "failed": "event_not_sent"}
        for delivery in deliveries:
            self._log.record(kind_of(event), outcomes[delivery.outcome], reason=delivery.reason)
        return deliveries


def build_event_gateway(
    settings: Settings,
    outbound: Outbound,
    log: OutcomeLog,
    clock: Callable[[], float] = time.time,
    client: Client = aws_client,
) -> EventGateway | None:
    """None where the settings name no table of grants."""
    grants = build_grants(settings, outbound, clock, client)
    return EventGateway(settings.alexa_event_gateway_url, grants, outbound, log) if grants else None


def meaning_of(answer: Answer) -> tuple[Meaning, str]:
    """By Alexa's code, where there is one that we know; else by the status."""
    payload = answer.body.get("payload")
    code = payload.get("code") if isinstance(payload, dict) else None
    if answer.status != 202 and isinstance(code, str) and re.fullmatch(r"[A-Z_]{1,60}", code):
        return BY_CODE.get(code, BY_STATUS.get(answer.status, "failed")), code
    return BY_STATUS.get(answer.status, "failed"), "" if answer.status == 202 else f"HTTP_{answer.status}"


def with_scope(event: Mapping[str, Any], token: str, message_id: str) -> dict[str, Any]:
    """The event as the gateway takes it: the token in the endpoint's scope, or in the payload's where the event is of no endpoint."""
    scope = {"type": "BearerToken", "token": token}
    inner = event.get("event", event)
    body = {"header": {**inner["header"], "messageId": message_id}, "payload": {**inner.get("payload", {})}}
    if "endpoint" in inner:
        body["endpoint"] = {**inner["endpoint"], "scope": scope}
    else:
        body["payload"]["scope"] = scope
    return {**({"context": event["context"]} if "context" in event else {}), "event": body}


def kind_of(event: Mapping[str, Any]) -> str:
    """For the log."""
    header = event.get("event", event)["header"]
    return f"{header.get('namespace')}.{header.get('name')}"
