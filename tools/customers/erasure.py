"""Erasing an account: noted, then swept twice at least 65 minutes apart, because Alexa may bring an event again for an hour.

Between the sweeps an erased link stays as a boundary without a row, so that nobody else's answer changes, and a handler that was under
way finds the note and takes its own link back. What is left then is deleted with the user ids that had nobody else's row. Every step can
be repeated, so an interrupted erasure is simply run again. Nothing here sleeps: `clock` gives epoch seconds.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from linked_profile.account_mappings import Table
from linked_profile.fold import ERASED, LINK, PENDING, RESOLVED, Link, erase_link, item_to_entry
from tools.customers.erasure_notes import SETTLED_AFTER_MS, Erasure, list_erasures, note_done, note_erasure
from tools.customers.raw_table import Item, key_of, number, read_pages, read_partition, scan_items, text_of, write_if

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Scan = Callable[..., Iterator[Item]]


@dataclass
class Swept:
    """What a sweep did."""

    erased_ms: int = 0
    links_erased: int = 0
    links_later: int = 0  # of the account, started after the erasure: they stay
    partitions_deleted: int = 0
    erasures_done: int = 0
    waiting: dict[str, int] = field(default_factory=dict)  # user ids too young to be deleted, with the ErasedMs that waits for them
    waiting_until_ms: int = 0


def first_sweep(client: "DynamoDBClient", table: Table, account_id: str, clock: Callable[[], float], scan: Scan = scan_items) -> Swept:
    """Notes the erasure as of now, then makes every link of the account that started until now a boundary without a row."""
    return sweep_account(client, table, account_id, note_erasure(client, table, account_id, int(clock() * 1000)), scan)


def sweep_account(client: "DynamoDBClient", table: Table, account_id: str, erased_ms: int, scan: Scan = scan_items) -> Swept:
    """Erases the links of the account that the erasure covers; repeating it finds the rest of an interrupted one."""
    swept = Swept(erased_ms)
    for item in links_of_account(client, table, account_id, scan):
        if is_covered(item, erased_ms):
            swept.links_erased += _erase(client, table, item, erased_ms)
        else:
            swept.links_later += 1
    return swept


def links_of_account(client: "DynamoDBClient", table: Table, account_id: str, scan: Scan = scan_items) -> Iterator[Item]:
    """Each stored link of the account once: by the index, which is quick, and by a consistent scan, because an index lags."""
    values = {":a": {"S": account_id}}
    named = {"IndexName": "by-account", "KeyConditionExpression": "AccountID = :a", "ExpressionAttributeValues": values}
    seen = set()
    for page in read_pages(client, "query", TableName=table.name, **named):
        for key in page:  # and nothing more: the index holds keys only
            item = client.get_item(TableName=table.name, Key=key_of(key), ConsistentRead=True).get("Item", {})
            if item.get("AccountID") == values[":a"]:
                seen.add((item["AmazonUserID"]["S"], item["SK"]["S"]))
                yield dict(item)
    for item in scan(client, table.name, FilterExpression="AccountID = :a", ExpressionAttributeValues=values):
        if (item["AmazonUserID"]["S"], item["SK"]["S"]) not in seen:
            yield item


def is_covered(item: Item, erased_ms: int) -> bool:
    """Whether the erasure takes this link of its account. A link event after it is a new start; a request that was observed is not."""
    is_observed = text_of(item, "Source") == "OBSERVED" and "AccountSource" not in item  # an operator's word is a new start too
    return is_observed or time_of(item) <= erased_ms


def second_sweep(client: "DynamoDBClient", table: Table, clock: Callable[[], float], scan: Scan = scan_items) -> Swept:
    """What is due of every erasure: links that came back are erased again, then user ids without anybody else's row are deleted.

    It needs no account's name, because the digest of a link's account leads to the note. So it also mends a restored backup.
    """
    now_ms, swept = int(clock() * 1000), Swept()
    erasures = list_erasures(client, table)
    for amazon_user_id in sorted(_sweep_all(client, table, erasures, swept, scan)):
        _settle(client, table, amazon_user_id, now_ms, swept)
    for erasure in erasures.values():
        if erasure.is_due(now_ms) and erasure.done_ms is None and not any(at <= erasure.erased_ms for at in swept.waiting.values()):
            swept.erasures_done += note_done(client, table, erasure, now_ms)
    return swept


def erasure_of(item: Item, table: Table, erasures: Mapping[str, Erasure]) -> Erasure | None:
    """The erasure that should have taken this link's account and has not; None where all is well."""
    account_id = text_of(item, "AccountID")
    erasure = erasures.get(table.erasure_key(account_id)["AmazonUserID"]["S"]) if account_id else None
    return erasure if erasure and is_covered(item, erasure.erased_ms) else None


def state_of(items: list[Item], now_ms: int) -> Literal["living", "waiting", "dead"]:
    """What becomes of a user id with erased links: `dead` has nobody's row and nothing that could still change."""
    due = [at for at in erased_times(items) if at + SETTLED_AFTER_MS <= now_ms]
    if due and any(is_living(item, max(due)) for item in items):
        return "living"
    return "dead" if due and max(map(time_of, items)) + SETTLED_AFTER_MS <= now_ms else "waiting"


def is_living(item: Item, erased_ms: int) -> bool:
    """Whether it is somebody's row; one that is pending from before the erasure will never be resolved by anybody."""
    status = text_of(item, "Status")
    return status == RESOLVED or (status == PENDING and time_of(item) > erased_ms)


def erased_times(items: list[Item]) -> list[int]:
    """ErasedMs of the erasure of each erased link."""
    return [int(item["ErasedMs"]["N"]) for item in items if text_of(item, "Status") == ERASED]


def time_of(item: Item) -> int:
    """The instant of a link or an end, in epoch milliseconds, read off its key."""
    return int(item["SK"]["S"].split("#")[1])


def _sweep_all(client: "DynamoDBClient", table: Table, erasures: Mapping[str, Erasure], swept: Swept, scan: Scan) -> set[str]:
    """Erases the links that any erasure covers; returns the user ids that have erased links."""
    found = set()
    touched = {
        "FilterExpression": "attribute_exists(AccountID) OR #s = :x",
        "ExpressionAttributeNames": {"#s": "Status"},
        "ExpressionAttributeValues": {":x": {"S": ERASED}},
    }
    for item in scan(client, table.name, **touched):
        erasure = erasure_of(item, table, erasures)
        if erasure:
            swept.links_erased += _erase(client, table, item, erasure.erased_ms)
        if erasure or text_of(item, "Status") == ERASED:
            found.add(item["AmazonUserID"]["S"])
    return found


def _settle(client: "DynamoDBClient", table: Table, amazon_user_id: str, now_ms: int, swept: Swept) -> None:
    """Deletes a user id that is dead, notes one that is too young."""
    items = read_partition(client, table.name, amazon_user_id)
    times = erased_times(items)
    if not times:
        return  # deleted meanwhile
    state = state_of(items, now_ms)
    if state == "waiting":
        swept.waiting[amazon_user_id] = min(times)
        swept.waiting_until_ms = max(swept.waiting_until_ms, max(*map(time_of, items), *times) + SETTLED_AFTER_MS)
    if state == "dead":
        swept.partitions_deleted += _delete_partition(client, table, items, max(times))


def _delete_partition(client: "DynamoDBClient", table: Table, items: list[Item], erased_ms: int) -> bool:
    """Rows first and from the earliest, then their boundaries, so that no row grows and an interrupted deletion is found again."""
    for item in sorted(items, key=lambda item: (text_of(item, "Status") == ERASED, not item["SK"]["S"].startswith(LINK), time_of(item))):
        deleted = write_if(
            client,
            "delete_item",
            TableName=table.name,
            Key=key_of(item),
            ConditionExpression="attribute_not_exists(AccountID) AND (#s <> :p OR StartMs <= :e)",
            ExpressionAttributeNames={"#s": "Status"},
            ExpressionAttributeValues={":p": {"S": PENDING}, ":e": number(erased_ms)},
        )
        if not deleted:
            return False  # somebody's row by now, and the rest are its boundaries
    return True


def _erase(client: "DynamoDBClient", table: Table, item: Item, erased_ms: int) -> bool:
    """Takes the account out of a link, if it is there still."""
    update = erase_link(cast(Link, item_to_entry(item)), item["AccountID"]["S"], erased_ms)
    return write_if(client, "update_item", TableName=table.name, **update)
