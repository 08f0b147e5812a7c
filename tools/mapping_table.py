"""What stands in the account-mapping table, as a person sees it in the DynamoDB console."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tools.local_aws import LocalAws

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

COLUMNS = ("ID", "AmazonUserID", "AccountID", "StartDatetime", "EndDatetime", "Status", "Source")
StoredLink = dict[str, str]


def stored_links(aws: LocalAws, table: str, amazon_user_id: str) -> list[StoredLink]:
    """The rows of one user id in order of time: each item whose sort key says link, with an absent column left out."""
    client: DynamoDBClient = aws.client("dynamodb")
    items = client.query(
        TableName=table,
        KeyConditionExpression="AmazonUserID = :u AND begins_with(SK, :link)",
        ExpressionAttributeValues={":u": {"S": amazon_user_id}, ":link": {"S": "L#"}},
        ConsistentRead=True,
    )["Items"]
    return [as_row(item) for item in items]


def all_links(aws: LocalAws, table: str) -> list[StoredLink]:
    """The rows of all user ids, in order of time."""
    client: DynamoDBClient = aws.client("dynamodb")
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    rows = [as_row(item) for page in pages for item in page["Items"]]
    return sorted((row for row in rows if row["SK"].startswith("L#")), key=lambda row: row["SK"])


def as_row(item: "Mapping[str, AttributeValueTypeDef]") -> StoredLink:
    """Without DynamoDB's types: there are texts and numbers only."""
    return {name: value.get("S", value.get("N", "")) for name, value in item.items()}


def everything_stored(aws: LocalAws, table: str) -> str:
    """All items of all user ids, as text to search in."""
    client: DynamoDBClient = aws.client("dynamodb")
    return repr([page["Items"] for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)])
