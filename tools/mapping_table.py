"""What stands in the account-mapping table, as a person sees it in the DynamoDB console."""

from typing import TYPE_CHECKING

from tools.local_aws import LocalAws

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

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
    return [{name: text for name, value in item.items() for text in (value.get("S", value.get("N", "")),)} for item in items]


def everything_stored(aws: LocalAws, table: str) -> str:
    """All items of all user ids, as text to search in."""
    client: DynamoDBClient = aws.client("dynamodb")
    return repr([page["Items"] for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)])
