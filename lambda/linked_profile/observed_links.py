"""A linked customer's request stands in for a link event that was lost.

Alexa drops an event after an hour of failed deliveries. The customer's next request still proves whose account the user id stands for
now, so it opens a row, marked OBSERVED, at the request's own time.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from linked_profile.account_mappings import AccountMappings
from linked_profile.envelopes import VoiceRequest
from linked_profile.fold import RESOLVED, UNRESOLVED, End, Link, content_id, fold, part_overtaken, row_at
from linked_profile.logs import OutcomeLog
from linked_profile.outbound import Deadline

MOST_SEEN = 10_000  # user ids remembered in a container, about 3 MB
Finish = Callable[[str | None], None]


class ObservedLinks:
    """Reads the user's partition beside the provider's fetch, and writes only if the record does not say it already."""

    def __init__(self, mappings: AccountMappings, log: OutcomeLog, *, enabled: bool) -> None:
        self._mappings, self._log, self._enabled = mappings, log, enabled
        self._seen: set[str] = set()
        self._reader: ThreadPoolExecutor | None = None

    def start(self, request: VoiceRequest, deadline: Deadline) -> Finish:
        """Begins to read, if this request is due; the result is called with the proven account id, None for a skill without linking."""
        if not request.is_new_session or request.amazon_user_id is None or request.time_ms is None:
            return lambda account_id: None
        return self.start_at(request.amazon_user_id, request.time_ms, deadline)

    def start_at(self, user_id: str, time_ms: int, deadline: Deadline) -> Finish:
        """The same for what has no session, a music directive."""
        if not self._enabled or user_id in self._seen:
            return lambda account_id: None
        if self._reader is None:
            self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="observed-links")
        stored = self._reader.submit(self._mappings.read, user_id, deadline)
        link = Link(user_id, time_ms, eid="", source="OBSERVED")
        return lambda account_id: self._finish(link, account_id, stored, deadline)

    def _finish(self, link: Link, account_id: str | None, stored: Future[list[Link | End]], deadline: Deadline) -> None:
        """One attempt; a failure costs the customer nothing, and the next new session tries again."""
        try:
            is_settled = self._settle(link, account_id, stored.result(timeout=max(0.0, deadline.remaining())), deadline)
        except Exception as error:  # noqa: BLE001  (whatever is wrong with the table, the customer's answer stands)
            self._log.record("ObservedLink", "observe_failed", amazon_user_id=link.amazon_user_id, reason=type(error).__name__)
            return
        if is_settled:
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            self._seen.add(link.amazon_user_id)

    def _settle(self, link: Link, account_id: str | None, stored: list[Link | End], deadline: Deadline) -> bool:
        """Writes the link if the record does not say it; False where the request may only lag, so that a later one has to be asked."""
        row = row_at(fold(stored), link.start_ms)
        if row is not None and (account_id is None or row.account_id == account_id):
            return True
        eid = content_id("OBSERVED", link.amazon_user_id, link.start_ms, account_id or "")
        status = RESOLVED if account_id else f"{UNRESOLVED}:NO_LINKING"
        observed = replace(link, eid=eid, status=status, account_id=account_id)
        _, overtaken = part_overtaken([*stored, observed])
        if observed in overtaken:
            return False
        if self._mappings.record_observed_link(observed, deadline):
            self._log.record("ObservedLink", "link_observed", amazon_user_id=link.amazon_user_id)
        return True
