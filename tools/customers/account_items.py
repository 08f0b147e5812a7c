"""What is kept of an account beside the record: its grants to send events to Alexa, and its virtual lamp. An erasure takes them, too.

They are in tables of their own with the account in the key. Nothing brings them back by itself, as events do with links; what was under
way when the account was erased is found by the sweep after it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from linked_profile.account_mappings import Table
from tools.customers.erasure_notes import Erasure
from tools.customers.raw_table import Item, read_pages, scan_items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = ("AccountID", "GrantID")  # a lamp has the first of them only
UNDER_WAY_MS = 60_000  # a function that was at work may have stored a grant so long after; two clocks are among it

OPTIONS = [
    click.option(
        "--grants-table", envvar="GRANTS_TABLE", default="", metavar="NAME", help="The grants' table. [env: GRANTS_TABLE, or --stack]"
    ),
    click.option(
        "--lamps-table",
        envvar="VIRTUAL_LAMPS_TABLE",
        default="",
        metavar="NAME",
        help="The lamps' table. [env: VIRTUAL_LAMPS_TABLE, or --stack]",
    ),
]


def with_account_tables(command: Callable[..., int]) -> Callable[..., int]:
    """Gives a command the options that name these tables; under --stack they are found without."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def items_of_account(client: "DynamoDBClient", tables: Sequence[str], account_id: str) -> Iterator[tuple[str, Item]]:
    """Each item of the account, with its table: consistent, so a lamp just switched is among them."""
    for table in tables:
        query: dict[str, Any] = {
            "TableName": table,
            "KeyConditionExpression": "AccountID = :a",
            "ExpressionAttributeValues": {":a": {"S": account_id}},
            "ConsistentRead": True,
        }
        for page in read_pages(client, "query", **query):
            yield from ((table, item) for item in page)


def erased_items(
    client: "DynamoDBClient", table: Table, tables: Sequence[str], erasures: Mapping[str, Erasure]
) -> Iterator[tuple[str, Item]]:
    """Items of erased accounts: stored by what was under way, or back with a backup. The digest of an item's account leads to the note."""
    for name in tables if erasures else ():
        for item in scan_items(client, name):
            erasure = erasures.get(table.erasure_key(item["AccountID"]["S"])["AmazonUserID"]["S"])
            if erasure and is_covered(item, erasure):
                yield name, item


def is_covered(item: Item, erasure: Erasure) -> bool:
    """Whether it is of the time before; what says no time is, until the erasure is done."""
    if "GrantedMs" not in item:
        return erasure.done_ms is None
    return int(item["GrantedMs"]["N"]) <= erasure.erased_ms + UNDER_WAY_MS


def delete_items(client: "DynamoDBClient", found: Iterator[tuple[str, Item]]) -> int:
    """How many there were."""
    number = 0
    for table, item in found:
        client.delete_item(TableName=table, Key={name: item[name] for name in KEY if name in item})
        number += 1
    return number
