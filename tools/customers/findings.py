"""What can be wrong or waiting with one user id, judged by all that is stored of it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from linked_profile.account_mappings import Table
from linked_profile.fold import ERASED, PENDING, UNRESOLVED, End, Link, fold, has_expired, item_to_entry, part_overtaken, to_iso
from tools.customers.erasure import erased_times, erasure_of, state_of, time_of
from tools.customers.erasure_notes import SETTLED_AFTER_MS, Erasure
from tools.customers.raw_table import Item, text_of

END_TOO_LATE = "stored end is not the fold's"
NO_EXPIRY = "has not the expiry it should have"
ERASED_IS_BACK = "an erased account is here"
ERASED_REST = "rest of an erasure"
ERASED_BESIDE = "an erased account's grant or lamp"
IS_PENDING, IS_UNRESOLVED, UNSEEN = "pending", "unresolved", "open and not seen"
MENDABLE = (END_TOO_LATE, NO_EXPIRY, ERASED_IS_BACK, ERASED_REST, ERASED_BESIDE)


@dataclass(frozen=True)
class Finding:
    """Something about a user id; `value_ms` is what a mending would write."""

    what: str
    amazon_user_id: str
    sort_key: str
    time_ms: int
    detail: str = ""
    value_ms: int = 0


@dataclass(frozen=True)
class Examination:
    """What a user id is examined for."""

    table: Table
    erasures: Mapping[str, Erasure]
    now_ms: int
    unseen_days: int | None = None

    def examine(self, amazon_user_id: str, items: list[Item]) -> Iterator[Finding]:
        """All findings of a user id; `items` are all that is stored of it."""
        held = [item for item in items if not has_expired(item, self.now_ms / 1000)]
        entries = [item_to_entry(item) for item in held]
        ends = expected_ends(entries)
        yield from self._wrong_ends(entries, ends)
        yield from self._missing_expiries(held, ends)
        yield from self._unknown_accounts(entries)
        yield from self._unseen(held, ends)
        yield from self._erasures(amazon_user_id, items)

    def _wrong_ends(self, entries: list[Link | End], ends: Mapping[str, int | None]) -> Iterator[Finding]:
        for link in entries:
            end_ms = ends.get(link.sort_key)
            if isinstance(link, Link) and end_ms is not None and (link.end_ms is None or link.end_ms > end_ms):
                yield Finding(END_TOO_LATE, link.amazon_user_id, link.sort_key, link.start_ms, f"ends at {to_iso(end_ms)}", end_ms)

    def _missing_expiries(self, items: list[Item], ends: Mapping[str, int | None]) -> Iterator[Finding]:
        """An open row never expires; an end expires with the row that it ended."""
        for item in items if self.table.retention_days else []:
            key = item["SK"]["S"]
            end_ms = ends[key] if key in ends else time_of(item) if key.startswith("E#") else None
            if end_ms is not None and item.get("ExpiresAt") != self.table.expiry(end_ms)["ExpiresAt"]:
                yield Finding(NO_EXPIRY, item["AmazonUserID"]["S"], key, time_of(item), f"ended at {to_iso(end_ms)}", end_ms)

    def _unknown_accounts(self, entries: list[Link | End]) -> Iterator[Finding]:
        for row in fold(entries):
            if row.status == PENDING:
                may_come = "" if row.start_ms + SETTLED_AFTER_MS <= self.now_ms else "may still be resolved"
                yield Finding(IS_PENDING, row.amazon_user_id, row.sort_key, row.start_ms, may_come)
            elif row.status.startswith(UNRESOLVED):
                yield Finding(IS_UNRESOLVED, row.amazon_user_id, row.sort_key, row.start_ms, row.status.partition(":")[2])

    def _unseen(self, items: list[Item], ends: Mapping[str, int | None]) -> Iterator[Finding]:
        """The table knows events and observed links; the requests of a customer whose row is known leave no trace."""
        if self.unseen_days is None or not items:
            return
        newest_ms = max(map(time_of, items))
        if newest_ms < self.now_ms - timedelta(days=self.unseen_days) // timedelta(milliseconds=1):
            for item in items:
                key = item["SK"]["S"]
                if key in ends and ends[key] is None:
                    yield Finding(UNSEEN, item["AmazonUserID"]["S"], key, time_of(item), f"nothing since {to_iso(newest_ms)}")

    def _erasures(self, amazon_user_id: str, items: list[Item]) -> Iterator[Finding]:
        for item in items:
            if erasure_of(item, self.table, self.erasures):
                yield Finding(ERASED_IS_BACK, amazon_user_id, item["SK"]["S"], time_of(item))
        if any(text_of(item, "Status") == ERASED for item in items) and state_of(items, self.now_ms) == "dead":
            yield Finding(ERASED_REST, amazon_user_id, "", max(erased_times(items)))


def expected_ends(entries: list[Link | End]) -> dict[str, int | None]:
    """What should be stored as the end of each link, by sort key: the fold's, and no length where an observed link counts for nothing."""
    _, overtaken = part_overtaken(entries)
    nothing = {link.sort_key: link.start_ms for link in overtaken if link.status != ERASED}
    return {row.sort_key: row.end_ms for row in fold(entries)} | nothing
