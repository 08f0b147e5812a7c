"""The table as it is stored: all pages of a call, a partition, the whole table, a write under a condition. Every read is consistent."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]


def read_pages(client: "DynamoDBClient", operation: str, **call: Any) -> Iterator[list[Item]]:
    """The pages of a query or scan, empty ones too: a filter may leave nothing of a page that is not the last."""
    while True:
        page = getattr(client, operation)(**call)
        yield page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        call["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def read_partition(client: "DynamoDBClient", table_name: str, amazon_user_id: str) -> list[Item]:
    """Everything stored of a user id, what has expired too."""
    query = {
        "TableName": table_name,
        "KeyConditionExpression": "AmazonUserID = :u",
        "ExpressionAttributeValues": {":u": {"S": amazon_user_id}},
        "ConsistentRead": True,
    }
    return [item for page in read_pages(client, "query", **query) for item in page]


def scan_items(client: "DynamoDBClient", table_name: str, **narrowed: Any) -> Iterator[Item]:
    """Every item of the table, or those that a filter or a segment leaves."""
    for page in read_pages(client, "scan", TableName=table_name, ConsistentRead=True, **narrowed):
        yield from page


def by_partition(items: Iterable[Item]) -> Iterator[tuple[str, list[Item]]]:
    """User ids with all their items: a scan gives those of one partition one after the other, over several pages if need be."""
    for amazon_user_id, group in groupby(items, lambda item: str(item["AmazonUserID"]["S"])):
        yield amazon_user_id, list(group)


def write_if(client: "DynamoDBClient", operation: str, **call: Any) -> bool:
    """A write under a condition; False where it did not hold, which is no fault: somebody was there before."""
    try:
        getattr(client, operation)(**call)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def key_of(item: Item) -> Item:
    """The primary key."""
    return {name: item[name] for name in ("AmazonUserID", "SK")}


def text_of(item: Item, name: str) -> str | None:
    """The attribute's string; None where it is absent."""
    return item[name]["S"] if name in item else None


def number(value: int) -> dict[str, str]:
    """As DynamoDB takes it."""
    return {"N": str(value)}
