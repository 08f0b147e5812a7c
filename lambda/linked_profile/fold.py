"""Links and ends, as they are stored, and the fold: what a set of them says about whose account a user id was, from when to when. Pure.

A row's end is the next boundary after it, whichever event brings it. A larger set can only bring that boundary nearer, so ends only
fall, and neither order nor repetition of the events matters.
"""

import base64
import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

Item = dict[str, Any]  # as DynamoDB has it
Source = Literal["EVENT", "OBSERVED", "OPERATOR"]
PENDING, RESOLVED, UNRESOLVED, ERASED = "PENDING", "RESOLVED", "UNRESOLVED", "ERASED"
LINK, END, ERASURE = "L", "E", "X"  # what sort keys begin with
OBSERVED_LAG_MS = 30_000  # a request may be this much older than the disable that reached us before it


@dataclass(frozen=True)
class Link:
    """From start_ms the user id stands for an account, known or not; as stored."""

    amazon_user_id: str
    start_ms: int
    eid: str  # digest of the event's content, never of its requestId
    source: Source = "EVENT"
    status: str = PENDING
    account_id: str | None = None
    end_ms: int | None = None

    @property
    def sort_key(self) -> str:
        return f"{LINK}#{self.start_ms:013d}#{self.eid}"

    @property
    def id(self) -> str:
        """Amazon's ID column: unique, stable, says nothing."""
        content = f"{self.amazon_user_id}|{self.start_ms}|{self.eid}"
        return base64.b32encode(hashlib.sha256(content.encode()).digest())[:16].decode()


@dataclass(frozen=True)
class End:
    """At end_ms the skill was disabled, or the account unlinked."""

    amazon_user_id: str
    end_ms: int
    eid: str
    reason: str = "DISABLED"

    @property
    def sort_key(self) -> str:
        return f"{END}#{self.end_ms:013d}#{self.eid}"


def content_id(kind: str, amazon_user_id: str, time_ms: int, token_digest: str = "") -> str:
    """Equal for two deliveries of one event, whatever their requestId; different for two events."""
    return hashlib.sha256(f"{kind}|{amazon_user_id}|{time_ms}|{token_digest}".encode()).hexdigest()[:16]


def fold(items: Iterable[Link | End]) -> list[Link]:
    """The rows, in order: every link with the end that the set gives it, or its stored one if earlier (expiry deletes boundaries)."""
    counting, _ = part_overtaken(items)
    rows = []
    for position, item in enumerate(counting):
        if isinstance(item, Link) and item.status != ERASED:  # an erased link stays a boundary, so that no neighbour's row grows
            following = _time(counting[position + 1]) if position + 1 < len(counting) else None
            ends = [end for end in (item.end_ms, following) if end is not None]
            rows.append(replace(item, end_ms=min(ends, default=None)))
    return rows


def part_overtaken(items: Iterable[Link | End]) -> tuple[list[Link | End], list[Link]]:
    """What counts, in order, and the observed links that do not: requests lag, so in the 30 s after an end or a link they prove nothing."""
    ordered = sorted(items, key=lambda item: (_time(item), isinstance(item, End), item.eid))  # at one instant links come before ends
    facts = [_time(item) for item in ordered if not _is_observed(item)]
    counting: list[Link | End] = []
    overtaken: list[Link] = []
    for item in ordered:
        nearest = bisect_left(facts, _time(item) - OBSERVED_LAG_MS)
        if isinstance(item, Link) and _is_observed(item) and nearest < len(facts) and facts[nearest] <= item.start_ms:
            overtaken.append(item)
        else:
            counting.append(item)
    return counting, overtaken


def _time(item: Link | End) -> int:
    return item.end_ms if isinstance(item, End) else item.start_ms


def _is_observed(item: Link | End) -> bool:
    return isinstance(item, Link) and item.source == "OBSERVED"


def row_at(rows: Iterable[Link], when_ms: int) -> Link | None:
    """The one row with start <= when < end; None where there is none."""
    return next((row for row in rows if row.start_ms <= when_ms and (row.end_ms is None or when_ms < row.end_ms)), None)


def to_ms(when: datetime) -> int:
    """Epoch milliseconds of an aware datetime; raises ValueError for one without a zone."""
    if when.tzinfo is None:
        raise ValueError("a time without a zone names no instant")
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def to_iso(time_ms: int) -> str:
    """Amazon's form: UTC, whole seconds, Z; with milliseconds where the event had them."""
    whole = datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}Z" if time_ms % 1000 == 0 else f"{whole}.{time_ms % 1000:03d}Z"


def link_to_item(link: Link) -> Item:
    """As stored: Amazon's five columns and ours. An absent EndDatetime is an open row, an absent AccountID an account not known."""
    item = {
        **key_of(link),
        "ID": text(link.id),
        "StartDatetime": text(to_iso(link.start_ms)),
        "StartMs": number(link.start_ms),
        "Status": text(link.status),
        "Source": text(link.source),
    }
    return item if link.account_id is None else {**item, "AccountID": text(link.account_id)}


def end_to_item(end: End) -> Item:
    """As stored: it has none of Amazon's five columns but the user id, because it is no row."""
    return {**key_of(end), "Reason": text(end.reason)}


def item_to_entry(item: Item) -> Link | End:
    """What is stored, as it was meant."""
    user_id = item["AmazonUserID"]["S"]
    kind, time_ms, eid = item["SK"]["S"].split("#", 2)
    if kind == END:
        return End(user_id, int(time_ms), eid, text_of(item, "Reason") or "")
    return Link(
        user_id,
        int(time_ms),
        eid,
        source=item["Source"]["S"],
        status=item["Status"]["S"],
        account_id=text_of(item, "AccountID"),
        end_ms=int(item["EndMs"]["N"]) if "EndMs" in item else None,
    )


def erase_link(link: Link, account_id: str, erased_ms: int) -> Item:
    """The update that takes a link's account away and leaves a boundary without a row: deleted, a neighbour's row would grow over it.

    It leaves in the link when it was erased, so that the erasure of another account does not take what has been pending since.
    """
    return {
        "Key": key_of(link),
        "UpdateExpression": "SET #s = :x, ErasedMs = :m REMOVE AccountID, ID, StartDatetime, EndDatetime",
        "ConditionExpression": "AccountID = :a",
        "ExpressionAttributeNames": {"#s": "Status"},
        "ExpressionAttributeValues": {":x": text(ERASED), ":a": text(account_id), ":m": number(erased_ms)},
    }


def has_expired(item: Item, now: float) -> bool:
    """Whether time-to-live may delete the item any moment; DynamoDB does so days later and in no order. `now` in epoch seconds."""
    return "ExpiresAt" in item and int(item["ExpiresAt"]["N"]) <= now


def key_of(entry: Link | End) -> Item:
    """The primary key."""
    return {"AmazonUserID": text(entry.amazon_user_id), "SK": text(entry.sort_key)}


def text_of(item: Item, name: str) -> str | None:
    """An attribute of an item, None where it is absent."""
    return item[name]["S"] if name in item else None


def text(value: str) -> dict[str, str]:
    """DynamoDB's form of a text."""
    return {"S": value}


def number(value: int) -> dict[str, str]:
    """DynamoDB's form of a number."""
    return {"N": str(value)}
