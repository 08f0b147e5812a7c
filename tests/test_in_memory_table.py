"""The in-memory table answers as DynamoDB does: the same cases run against it, moto and (end to end) ministack."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.in_memory_table import InMemoryTable

TABLE = "account-mappings"
ATTRIBUTES = [("AmazonUserID", "S"), ("SK", "S"), ("AccountID", "S"), ("StartMs", "N")]
INDEX = {
    "IndexName": "by-account",
    "KeySchema": [{"AttributeName": "AccountID", "KeyType": "HASH"}, {"AttributeName": "StartMs", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}
USER = {"S": "amzn1.ask.account.AHVQ"}
OPEN = "attribute_exists(SK) AND #s <> :x AND (attribute_not_exists(EndMs) OR EndMs > :e)"
UNSET = "attribute_exists(SK) AND attribute_not_exists(AccountID) AND #s <> :x"


def item(key: str, **attributes: Any) -> dict[str, Any]:
    return {"AmazonUserID": USER, "SK": {"S": key}, **attributes}


def key(sort_key: str) -> dict[str, Any]:
    return {"AmazonUserID": USER, "SK": {"S": sort_key}}


def create_table(client: Any) -> None:
    """The template's table, as far as these cases need it."""
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in (("AmazonUserID", "HASH"), ("SK", "RANGE"))],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in ATTRIBUTES],
        GlobalSecondaryIndexes=[INDEX],
    )


@pytest.fixture(params=["memory", "moto"])
def table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param == "memory":
        yield InMemoryTable()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        create_table(client)
        yield client


def read(table: Any, sort_key: str) -> Any:
    return table.get_item(TableName=TABLE, Key=key(sort_key), ConsistentRead=True).get("Item")


def refused(call: Any, **arguments: Any) -> Any:
    """What stood against the write; None if it was done."""
    try:
        call(TableName=TABLE, ReturnValuesOnConditionCheckFailure="ALL_OLD", **arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return error.response.get("Item", {})
    return None


def lower(table: Any, sort_key: str, end: str) -> Any:
    names, values = {"#s": "Status"}, {":e": {"N": end}, ":x": {"S": "ERASED"}}
    arguments = {"ConditionExpression": OPEN, "ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
    return refused(table.update_item, Key=key(sort_key), UpdateExpression="SET EndMs = :e", **arguments)


def test_inserts_once(table: Any) -> None:
    once = {"ConditionExpression": "attribute_not_exists(SK)"}
    assert refused(table.put_item, Item=item("L#1", Status={"S": "PENDING"}), **once) is None
    assert refused(table.put_item, Item=item("L#1", Status={"S": "OTHER"}), **once) == item("L#1", Status={"S": "PENDING"})
    assert read(table, "L#1")["Status"] == {"S": "PENDING"}


def test_a_put_without_condition_replaces(table: Any) -> None:
    table.put_item(TableName=TABLE, Item=item("L#1", Status={"S": "PENDING"}))
    table.put_item(TableName=TABLE, Item=item("L#1", Source={"S": "EVENT"}))
    assert read(table, "L#1") == item("L#1", Source={"S": "EVENT"})


@pytest.mark.parametrize(
    ("stored", "new", "end"), [(None, "50", "50"), ("70", "50", "50"), ("50", "70", "50"), ("50", "50", "50"), ("9", "10", "9")]
)
def test_an_end_only_falls_and_compares_as_a_number(table: Any, stored: str | None, new: str, end: str) -> None:
    ends = {"EndMs": {"N": stored}} if stored else {}
    table.put_item(TableName=TABLE, Item=item("L#1", Status={"S": "PENDING"}, **ends))
    lower(table, "L#1", new)
    assert read(table, "L#1")["EndMs"] == {"N": end}


def test_no_conditional_update_makes_an_item_that_is_absent(table: Any) -> None:
    assert lower(table, "L#1", "50") == {}
    assert read(table, "L#1") is None


def test_an_update_without_condition_makes_it(table: Any) -> None:
    table.update_item(TableName=TABLE, Key=key("L#1"), UpdateExpression="SET EndMs = :e", ExpressionAttributeValues={":e": {"N": "5"}})
    assert read(table, "L#1") == item("L#1", EndMs={"N": "5"})


@pytest.mark.parametrize(("attributes", "done"), [({}, True), ({"AccountID": {"S": "first"}}, False), ({"Status": {"S": "ERASED"}}, False)])
def test_an_account_is_set_once_and_never_on_an_erased_link(table: Any, attributes: Any, done: bool) -> None:
    stored = item("L#1", **{"Status": {"S": "PENDING"}, **attributes})
    table.put_item(TableName=TABLE, Item=stored)
    against = refused(
        table.update_item,
        Key=key("L#1"),
        UpdateExpression="SET AccountID = :a, #s = :s",
        ConditionExpression=UNSET,
        ExpressionAttributeNames={"#s": "Status"},
        ExpressionAttributeValues={":a": {"S": "second"}, ":s": {"S": "RESOLVED"}, ":x": {"S": "ERASED"}},
    )
    assert against == (None if done else stored)
    assert (read(table, "L#1").get("AccountID") == {"S": "second"}) is done


def test_an_absent_attribute_differs_from_every_value(table: Any) -> None:
    table.put_item(TableName=TABLE, Item=item("E#1"))
    assert lower(table, "E#1", "5") is None


def test_removes_attributes_and_keeps_the_rest(table: Any) -> None:
    table.put_item(TableName=TABLE, Item=item("L#1", AccountID={"S": "a"}, ID={"S": "b"}, Status={"S": "RESOLVED"}))
    table.update_item(
        TableName=TABLE,
        Key=key("L#1"),
        UpdateExpression="SET #s = :x REMOVE AccountID, ID, EndMs",
        ExpressionAttributeNames={"#s": "Status"},
        ExpressionAttributeValues={":x": {"S": "ERASED"}},
    )
    assert read(table, "L#1") == item("L#1", Status={"S": "ERASED"})


def test_deletes_only_under_its_condition(table: Any) -> None:
    table.put_item(TableName=TABLE, Item=item("L#1", Status={"S": "PENDING"}))
    condition = {
        "ConditionExpression": "#s <> :p",
        "ExpressionAttributeNames": {"#s": "Status"},
        "ExpressionAttributeValues": {":p": {"S": "PENDING"}},
    }
    assert refused(table.delete_item, Key=key("L#1"), **condition) == item("L#1", Status={"S": "PENDING"})
    assert refused(table.delete_item, Key=key("L#1")) is None
    assert read(table, "L#1") is None


def test_a_query_gives_one_partition_in_order_and_in_pages(table: Any) -> None:
    for sort_key in ("L#3", "E#2", "L#1"):
        table.put_item(TableName=TABLE, Item=item(sort_key))
    table.put_item(TableName=TABLE, Item={**item("L#0"), "AmazonUserID": {"S": "somebody-else"}})
    query = {
        "TableName": TABLE,
        "KeyConditionExpression": "AmazonUserID = :u",
        "ExpressionAttributeValues": {":u": USER},
        "ConsistentRead": True,
        "Limit": 2,
    }
    first = table.query(**query)
    second = table.query(**query, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [[found["SK"]["S"] for found in page["Items"]] for page in (first, second)] == [["E#2", "L#1"], ["L#3"]]
    assert "LastEvaluatedKey" not in second


def test_a_query_of_the_index_gives_keys_of_one_account(table: Any) -> None:
    account = {"AccountID": {"S": "a"}, "Source": {"S": "EVENT"}}
    table.put_item(TableName=TABLE, Item=item("L#1", StartMs={"N": "1"}, **account))
    table.put_item(TableName=TABLE, Item=item("L#2", StartMs={"N": "2"}))
    table.put_item(TableName=TABLE, Item=item("L#3", StartMs={"N": "3"}, AccountID={"S": "b"}))
    by_account = {"IndexName": "by-account", "KeyConditionExpression": "AccountID = :a", "ExpressionAttributeValues": {":a": {"S": "a"}}}
    assert table.query(TableName=TABLE, **by_account)["Items"] == [item("L#1", StartMs={"N": "1"}, AccountID={"S": "a"})]


def test_a_stale_index_shows_what_was() -> None:
    table = InMemoryTable()
    table.put_item(Item=item("L#1", StartMs={"N": "1"}, AccountID={"S": "a"}))
    table.stale_index = dict(table.items)
    table.put_item(Item=item("L#2", StartMs={"N": "2"}, AccountID={"S": "a"}))
    table.delete_item(Key=key("L#1"))
    by_account = {"IndexName": "by-account", "KeyConditionExpression": "AccountID = :a", "ExpressionAttributeValues": {":a": {"S": "a"}}}
    assert [found["SK"]["S"] for found in table.query(TableName=TABLE, **by_account)["Items"]] == ["L#1"]


def test_a_scan_is_cut_into_pages_before_it_is_filtered(table: Any) -> None:
    for sort_key, status in (("L#1", "PENDING"), ("L#2", "PENDING"), ("L#3", "ERASED")):
        table.put_item(TableName=TABLE, Item=item(sort_key, Status={"S": status}))
    names, values = {"#s": "Status"}, {":x": {"S": "ERASED"}}
    scan = {"TableName": TABLE, "FilterExpression": "#s = :x", "ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
    first = table.scan(**scan, Limit=2)
    second = table.scan(**scan, Limit=2, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [[found["SK"]["S"] for found in page["Items"]] for page in (first, second)] == [[], ["L#3"]]


def test_the_segments_of_a_scan_are_the_table(table: Any) -> None:
    for number in range(20):
        table.put_item(TableName=TABLE, Item={**item("L#1"), "AmazonUserID": {"S": f"user-{number}"}})
    parts = [table.scan(TableName=TABLE, Segment=segment, TotalSegments=3)["Items"] for segment in range(3)]
    assert sorted(found["AmazonUserID"]["S"] for part in parts for found in part) == sorted(f"user-{number}" for number in range(20))
