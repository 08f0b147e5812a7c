"""Smart home, video and music: whose token a directive carries, who handles it, and what every failure is answered with.

A directive carries no skill id: what keeps other skills' directives out is Lambda's permission, which names this skill as the only source.

EXPIRED_ and INVALID_AUTHORIZATION_CREDENTIAL make Alexa drop the customer's link, for good. They are answered where the token itself was
proven bad and nowhere else: not in an outage, not for a scope that was never asked for, not for a bug (see REFUSALS).
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from linked_profile import directive_envelopes
from linked_profile.account_proofs import ProveAccount
from linked_profile.devices import Handlers
from linked_profile.directive_envelopes import AUTHORIZATION, Directive, Reply
from linked_profile.envelopes import GrantRequest, parse_grant_code
from linked_profile.errors import (
    DeviceError,
    GrantRefusedError,
    ProviderError,
    ProviderMisconfiguredError,
    ProviderUnavailableError,
    TableUnavailableError,
    TokenExpiredError,
    TokenRejectedError,
    TokenUnprovenError,
)
from linked_profile.logs import OutcomeLog
from linked_profile.observed_links import ObservedLinks
from linked_profile.outbound import Deadline

AcceptGrant = Callable[[str, str, Deadline], None]  # account id, code; raises GrantRefusedError and what a provider or a table raises


@dataclass(frozen=True)
class Refusal:
    """How a failure is answered, and logged. The message is for Alexa's logs, so it says nothing of our insides."""

    error_type: str
    outcome: str
    message: str


OUR_TROUBLE = "The skill cannot do this at the moment."
# The whole table, the first that fits: only the second and third row may unlink a customer. AcceptGrant knows one error type for all.
REFUSALS: tuple[tuple[type[Exception], Refusal], ...] = (
    (TokenUnprovenError, Refusal("INTERNAL_ERROR", "provider_misconfigured", OUR_TROUBLE)),
    (TokenExpiredError, Refusal("EXPIRED_AUTHORIZATION_CREDENTIAL", "token_rejected", "The access token has expired.")),
    (TokenRejectedError, Refusal("INVALID_AUTHORIZATION_CREDENTIAL", "token_rejected", "The access token is not valid.")),
    (ProviderUnavailableError, Refusal("INTERNAL_ERROR", "provider_unavailable", OUR_TROUBLE)),
    (ProviderMisconfiguredError, Refusal("INTERNAL_ERROR", "provider_misconfigured", OUR_TROUBLE)),
    (TableUnavailableError, Refusal("INTERNAL_ERROR", "table_unavailable", OUR_TROUBLE)),
    (GrantRefusedError, Refusal("INTERNAL_ERROR", "grant_refused", OUR_TROUBLE)),
    (Exception, Refusal("INTERNAL_ERROR", "unexpected_error", OUR_TROUBLE)),
)
MALFORMED = "The directive is malformed, or of a kind that this skill does not handle."
NOT_GRANTED = "The grant could not be accepted."


class Directives:
    """Answers every directive, whatever happens, by the deadline."""

    def __init__(
        self,
        prove_account: ProveAccount,
        handlers: Handlers,
        accept_grant: AcceptGrant | None,
        observed: ObservedLinks,
        log: OutcomeLog,
        *,
        links_accounts: bool,
        now_ms: Callable[[], int],
    ) -> None:
        """`accept_grant` is None where the skill sends no events to Alexa."""
        self._prove_account, self._handlers, self._accept_grant, self._observed = prove_account, handlers, accept_grant, observed
        self._log, self._links_accounts, self._now_ms = log, links_accounts, now_ms

    def answer(self, directive: Directive, deadline: Deadline) -> dict[str, Any]:
        """Alexa's answer; never raises, because a function that fails tells the customer nothing."""
        started = time.monotonic()
        try:
            answer = directive_envelopes.answer(directive, self._reply(directive, deadline))
            # A handler's Decimal, datetime or half a surrogate pair would fail in Lambda's hands, where nobody answers.
            json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()
        except Exception as error:  # noqa: BLE001  (a bug must not unlink the customer either)
            return self._refuse(directive, error)
        duration_ms = int((time.monotonic() - started) * 1000)
        self._log.record(directive.kind, "answered", amazon_user_id=directive.amazon_user_id, duration_ms=duration_ms)
        return answer

    def keep_grant(self, request: GrantRequest, deadline: Deadline) -> None:
        """Alexa.Authorization.Grant, a custom skill's AcceptGrant. Raises what may pass, so that it does not count as accepted.

        Whether Alexa brings a request of this kind again is not documented. What a retry could not mend is acknowledged, as with events.
        """
        try:
            if request.access_token is None or request.code is None:
                raise GrantRefusedError(request.problem)
            self._grant(self._prove_account(request.access_token, deadline), request.code, deadline)
        except (TokenRejectedError, GrantRefusedError, ProviderMisconfiguredError) as error:
            self._log.record(request.kind, "grant_refused", amazon_user_id=request.amazon_user_id, reason=error.reason)
        else:
            self._log.record(request.kind, "grant_accepted", amazon_user_id=request.amazon_user_id)

    def _reply(self, directive: Directive, deadline: Deadline) -> Reply:
        finish = self._observe(directive, deadline)
        if not self._links_accounts:
            finish(None)
        if directive.problem == "MALFORMED_TOKEN" and self._links_accounts:
            raise TokenRejectedError(directive.problem)
        if directive.problem or directive.access_token is None:
            # No token is no proof against one: a customer of a music skill need not have linked.
            raise DeviceError("INVALID_DIRECTIVE", MALFORMED)
        account_id = self._prove_account(directive.access_token, deadline)
        finish(account_id)
        if directive.is_accept_grant:
            return self._accept(account_id, directive, deadline)
        handler = self._handlers.get((directive.namespace, directive.name))
        if handler is None:
            raise DeviceError("INVALID_DIRECTIVE", MALFORMED)
        try:
            return handler(account_id, directive, deadline)
        except TokenRejectedError as error:  # some other token: the customer's was found good above, and its link is not a device's to end
            raise RuntimeError("a handler's own token was refused") from error

    def _observe(self, directive: Directive, deadline: Deadline) -> Callable[[str | None], None]:
        """Music says whose user id it is, so it stands in for a lost link event as a spoken request does; other directives write no row."""
        if directive.amazon_user_id is None:
            return lambda account_id: None
        return self._observed.start_at(directive.amazon_user_id, self._now_ms(), deadline)  # music says no time of its own

    def _accept(self, account_id: str, directive: Directive, deadline: Deadline) -> Reply:
        code = parse_grant_code(directive.payload)
        if code is None:
            raise DeviceError("INVALID_DIRECTIVE", MALFORMED)
        self._grant(account_id, code, deadline)
        return Reply()

    def _grant(self, account_id: str, code: str, deadline: Deadline) -> None:
        if self._accept_grant is None:
            raise ProviderMisconfiguredError("GRANTS_NOT_CONFIGURED")  # Alexa sends grants only where the manifest asks for events
        self._accept_grant(account_id, code, deadline)

    def _refuse(self, directive: Directive, error: Exception) -> dict[str, Any]:
        """The one place where an error becomes an answer."""
        reason = error.reason if isinstance(error, ProviderError) else type(error).__name__
        if isinstance(error, DeviceError):
            refusal = Refusal(error.error_type, "directive_refused", error.message)
            reason = directive.problem or error.error_type
        else:
            refusal = next(refusal for kind, refusal in REFUSALS if isinstance(error, kind))
        outcome = "grant_failed" if directive.is_accept_grant else refusal.outcome
        self._log.record(directive.kind, outcome, amazon_user_id=directive.amazon_user_id, reason=reason)
        if directive.is_accept_grant:
            payload = {"type": "ACCEPT_GRANT_FAILED", "message": NOT_GRANTED}
            return directive_envelopes.error_answer(directive, payload, AUTHORIZATION)
        payload = {"type": refusal.error_type, "message": refusal.message}
        if isinstance(error, DeviceError):
            return directive_envelopes.error_answer(directive, {**error.details, **payload}, error.namespace)
        return directive_envelopes.error_answer(directive, payload)
