"""The record: which account an Amazon user id stood for, from when to when.

Skill events arrive at least once, up to an hour late, in any order and twice at the same moment. So a row is never read, changed and
written back: a link or an end is inserted under a key made of the event alone, then the whole partition is read, and stored ends are
lowered to what the set of links and ends says (the fold). A larger set can only bring the next boundary nearer, so ends only fall, and
whoever wrote last has read everything: rows depend on the set of events, never on their order, repetition or interleaving.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from linked_profile.errors import LinkGoneError, TableUnavailableError
from linked_profile.fold import (
    END,
    ERASED,
    ERASURE,
    LINK,
    RESOLVED,
    UNRESOLVED,
    End,
    Link,
    end_to_item,
    erase_link,
    fold,
    has_expired,
    item_to_entry,
    key_of,
    link_to_item,
    number,
    part_overtaken,
    row_at,
    text,
    text_of,
    to_iso,
    to_ms,
)
from linked_profile.outbound import Deadline

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEAST_TIME_S = 1.5  # no call is begun with less of the deadline left: connect 0.5 s, read 1 s
TIME_FOR_TWO_S = 4.0  # two attempts, and botocore's pause of up to 1 s between them
DAY_S = 86_400
ENTRIES = (f"{LINK}#", f"{END}#")  # what else a later version or a hand may put into a partition is none of ours


@dataclass(frozen=True)
class Table:
    """One skill's table, and how it is kept."""

    name: str
    skill_id: str
    retention_days: int = 0  # a row expires so long after its end; 0 = never. An open row never does

    def erasure_key(self, account_id: str) -> dict[str, Any]:
        """Where an account's erasure is noted: under a digest, because the account itself is to be gone."""
        digest = hmac.new(self.skill_id.encode(), account_id.encode(), hashlib.sha256).hexdigest()[:32]
        return {"AmazonUserID": text(f"{ERASURE}#{digest}"), "SK": text(ERASURE)}

    def expiry(self, end_ms: int) -> dict[str, Any]:
        """The attribute that DynamoDB's time-to-live reads, in epoch seconds."""
        return {"ExpiresAt": number(end_ms // 1000 + self.retention_days * DAY_S)} if self.retention_days else {}


class AccountMappings:
    """The table, by what is done with it. Every method raises TableUnavailableError; no call begins with under 1.5 s left."""

    def __init__(
        self,
        table: Table,
        client: Callable[[], "DynamoDBClient"],
        clock: Callable[[], float] = time.time,
        late_client: Callable[[], "DynamoDBClient"] | None = None,
    ) -> None:
        """Clients are built at their first use: importing boto3 costs a voice request more than all of its own work.

        `late_client`, which tries once, takes over where there is no time left for a second attempt and the pause before it.
        """
        self._table, self._client, self._clock, self._late_client = table, client, clock, late_client or client

    def record_link(self, link: Link, deadline: Deadline) -> None:
        """Steps 1 to 3: the link stands, and every stored end is the fold's. Repeating it changes nothing."""
        self._insert(link_to_item(link), deadline)
        self._lower_ends(link.amazon_user_id, deadline)

    def record_observed_link(self, link: Link, deadline: Deadline) -> bool:
        """As record_link, for a link that a request proves; False, and nothing left of it, where its account was erased."""
        account_id = link.account_id
        if account_id and self._erased_ms(account_id, deadline) is not None:
            return False  # only a new SkillAccountLinked brings an erased account back
        self.record_link(link, deadline)
        return not (account_id and self._yield_to_erasure(link, account_id, deadline))

    def record_end(self, end: End, deadline: Deadline) -> None:
        """Steps 1 to 3 for a disable: the end stands, and the row it ends is closed."""
        self._insert({**end_to_item(end), **self._table.expiry(end.end_ms)}, deadline)
        self._lower_ends(end.amazon_user_id, deadline)

    def resolve_account(self, link: Link, account_id: str, deadline: Deadline) -> str | None:
        """Step 4: sets the account once; returns the one that stands, None where it was erased. Raises LinkGoneError: begin again."""
        refused = self._settle(link, "SET AccountID = :a, #s = :s", {":a": text(account_id), ":s": text(RESOLVED)}, deadline)
        standing = account_id if refused is None else text_of(refused, "AccountID")
        return None if standing is None or self._yield_to_erasure(link, standing, deadline) else standing

    def mark_unresolved(self, link: Link, why: str, deadline: Deadline) -> bool:
        """Step 4 where this token will never open an account; False where the link has one already. Raises LinkGoneError."""
        return self._settle(link, "SET #s = :s", {":s": text(f"{UNRESOLVED}:{why}")}, deadline) is None

    def account_at(self, amazon_user_id: str, when: datetime, deadline: Deadline) -> Link | None:
        """The row of that instant (aware datetime): None = not linked; a row without account_id = linked, account not known."""
        return row_at(self.history(amazon_user_id, deadline), to_ms(when))

    def history(self, amazon_user_id: str, deadline: Deadline) -> list[Link]:
        """All rows of a user id, folded: right also while an event is half done."""
        return fold(self.read(amazon_user_id, deadline))

    def read(self, amazon_user_id: str, deadline: Deadline) -> list[Link | End]:
        """Everything stored of a user id, but for what has expired: consistent, all pages."""
        now = self._clock()
        items = self._pages(amazon_user_id, deadline)
        return [item_to_entry(item) for item in items if item["SK"]["S"][:2] in ENTRIES and not has_expired(item, now)]

    def _insert(self, item: dict[str, Any], deadline: Deadline) -> None:
        """There already = a duplicate or our own retry; the caller goes on, because the first delivery may have died half way."""
        condition = "attribute_not_exists(SK)"
        self._ask("put_item", deadline, Item=item, ConditionExpression=condition)

    def _lower_ends(self, amazon_user_id: str, deadline: Deadline) -> None:
        """Steps 2 and 3: after the insert and never beside it, so that whoever inserted last sees everything."""
        stored = self.read(amazon_user_id, deadline)
        ends = {entry.sort_key: entry.end_ms for entry in stored if isinstance(entry, Link)}
        for row in _with_overtaken(stored):
            known = ends[row.sort_key]
            if row.end_ms is not None and (known is None or known > row.end_ms):
                self._lower_end(row, row.end_ms, deadline)

    def _lower_end(self, row: Link, end_ms: int, deadline: Deadline) -> None:
        """A failed condition is success: somebody who saw more has written a lower end."""
        expiry = self._table.expiry(end_ms)
        self._ask(
            "update_item",
            deadline,
            Key=key_of(row),
            UpdateExpression="SET EndMs = :e, EndDatetime = :d" + (", ExpiresAt = :t" if expiry else ""),
            ConditionExpression="attribute_exists(SK) AND #s <> :x AND (attribute_not_exists(EndMs) OR EndMs > :e)",
            ExpressionAttributeNames={"#s": "Status"},
            ExpressionAttributeValues={
                ":e": number(end_ms),
                ":d": text(to_iso(end_ms)),
                ":x": text(ERASED),
                **({":t": expiry["ExpiresAt"]} if expiry else {}),
            },
        )

    def _settle(self, link: Link, update: str, values: dict[str, Any], deadline: Deadline) -> dict[str, Any] | None:
        """Sets status and account of a link that has no account; None when done, else the item that has one or was erased."""
        refused = self._ask(
            "update_item",
            deadline,
            Key=key_of(link),
            UpdateExpression=update,
            ConditionExpression="attribute_exists(SK) AND attribute_not_exists(AccountID) AND #s <> :x",
            ExpressionAttributeNames={"#s": "Status"},
            ExpressionAttributeValues={**values, ":x": text(ERASED)},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        if refused is not None and not refused:
            raise LinkGoneError(link.sort_key)
        return refused

    def _yield_to_erasure(self, link: Link, account_id: str, deadline: Deadline) -> bool:
        """Looks after the last write, so that an erasure at the same moment and this link cannot miss each other."""
        erased_ms = self._erased_ms(account_id, deadline)
        if erased_ms is None or (link.source != "OBSERVED" and link.start_ms > erased_ms):
            return False
        self._ask("update_item", deadline, **erase_link(link, account_id, erased_ms))
        return True

    def _erased_ms(self, account_id: str, deadline: Deadline) -> int | None:
        """When the account was erased, if it was."""
        item = self._call("get_item", deadline, Key=self._table.erasure_key(account_id), ConsistentRead=True).get("Item")
        return int(item["ErasedMs"]["N"]) if item else None

    def _pages(self, amazon_user_id: str, deadline: Deadline) -> Iterator[dict[str, Any]]:
        query: dict[str, Any] = {
            "KeyConditionExpression": "AmazonUserID = :u",
            "ExpressionAttributeValues": {":u": text(amazon_user_id)},
            "ConsistentRead": True,
        }
        while True:
            page = self._call("query", deadline, **query)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _ask(self, operation: str, deadline: Deadline, **arguments: Any) -> dict[str, Any] | None:
        """A conditional write: None when it was done, else the item that stood against it (empty where there is none)."""
        answer = self._call(operation, deadline, **arguments)
        return answer.get("refused")

    def _call(self, operation: str, deadline: Deadline, **arguments: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (boto3 is loaded when the table is touched)

        if deadline.remaining() < LEAST_TIME_S:
            raise TableUnavailableError(f"{operation}: no time left")
        try:
            client = self._client() if deadline.remaining() > TIME_FOR_TWO_S else self._late_client()
            answer: dict[str, Any] = getattr(client, operation)(TableName=self._table.name, **arguments)
            return answer
        except ClientError as error:
            code = error.response["Error"]["Code"]
            refused = error.response.get("Item", {})
        except BotoCoreError as error:
            code, refused = type(error).__name__, {}
        if code == "ConditionalCheckFailedException":
            return {"refused": refused}
        # Raised out here, so that nothing of the library's own error hangs on to it: those quote keys and values.
        raise TableUnavailableError(f"{operation}: {code}")


def _with_overtaken(stored: list[Link | End]) -> list[Link]:
    """The rows, and the observed links that count for nothing: those are stored with no length, so that the console shows no open row."""
    _, overtaken = part_overtaken(stored)
    return fold(stored) + [replace(link, end_ms=link.start_ms) for link in overtaken if link.status != ERASED]
