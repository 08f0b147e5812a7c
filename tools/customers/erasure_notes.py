"""The note that an account was erased: it stands before any link is touched, and every handler looks for it after its last write.

It names no account, only a digest, and it is kept as long as backups are, because a restored backup brings the account back.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from linked_profile.account_mappings import Table
from linked_profile.fold import ERASURE
from tools.customers.raw_table import Item, number, scan_items, write_if

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SETTLED_AFTER_MS = 65 * 60 * 1000  # Alexa brings an event again for up to an hour; a handler under way and two clocks have the rest


@dataclass(frozen=True)
class Erasure:
    """Which links of the account are to go: those that started until erased_ms."""

    partition: str
    erased_ms: int
    done_ms: int | None = None  # when nothing of it was left; from then on only a restored backup can bring anything back

    def is_due(self, now_ms: int) -> bool:
        """Whether nothing from before it can be delivered any more."""
        return self.erased_ms + SETTLED_AFTER_MS <= now_ms


def note_erasure(client: "DynamoDBClient", table: Table, account_id: str, erased_ms: int) -> int:
    """Returns the time that counts: it only rises, since a second erasure has more to cover."""
    _raise_note(client, table, table.erasure_key(account_id), erased_ms)
    standing = find_erasure(client, table, account_id)
    return standing.erased_ms if standing else note_erasure(client, table, account_id, erased_ms)


def carry_over(client: "DynamoDBClient", old_table_name: str, table: Table) -> int:
    """Brings the notes of another table into this one, which is its restored backup; how many of them were new or later."""
    notes = list_erasures(client, replace(table, name=old_table_name)).values()
    keys = [({"AmazonUserID": {"S": note.partition}, "SK": {"S": ERASURE}}, note.erased_ms) for note in notes]
    return sum(_raise_note(client, table, key, erased_ms) for key, erased_ms in keys)


def note_done(client: "DynamoDBClient", table: Table, erasure: Erasure, now_ms: int) -> bool:
    """False where the account was erased anew meanwhile."""
    return write_if(
        client,
        "update_item",
        TableName=table.name,
        Key={"AmazonUserID": {"S": erasure.partition}, "SK": {"S": ERASURE}},
        UpdateExpression="SET DoneMs = :d",
        ConditionExpression="ErasedMs = :e",
        ExpressionAttributeValues={":d": number(now_ms), ":e": number(erasure.erased_ms)},
    )


def find_erasure(client: "DynamoDBClient", table: Table, account_id: str) -> Erasure | None:
    """The account's note, if it was ever erased."""
    item = client.get_item(TableName=table.name, Key=table.erasure_key(account_id), ConsistentRead=True).get("Item")
    return to_erasure(dict(item)) if item else None


def list_erasures(client: "DynamoDBClient", table: Table) -> dict[str, Erasure]:
    """All notes, by partition."""
    notes = scan_items(client, table.name, FilterExpression="SK = :x", ExpressionAttributeValues={":x": {"S": ERASURE}})
    return {item["AmazonUserID"]["S"]: to_erasure(item) for item in notes}


def to_erasure(item: Item) -> Erasure:
    """What is stored, as it was meant."""
    return Erasure(item["AmazonUserID"]["S"], int(item["ErasedMs"]["N"]), int(item["DoneMs"]["N"]) if "DoneMs" in item else None)


def _raise_note(client: "DynamoDBClient", table: Table, key: Item, erased_ms: int) -> bool:
    return write_if(
        client,
        "put_item",
        TableName=table.name,
        Item={**key, "ErasedMs": number(erased_ms)},
        ConditionExpression="attribute_not_exists(ErasedMs) OR ErasedMs < :e",
        ExpressionAttributeValues={":e": number(erased_ms)},
    )
