"""A DynamoDB table in memory, behind the few client calls that the skill makes; it honours conditions and is checked against moto."""

import operator
import re
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, dict[str, Any]]
Key = tuple[str, ...]
KEY = ("AmazonUserID", "SK")
TOKEN = re.compile(r"\s*(attribute_exists|attribute_not_exists|AND\b|OR\b|NOT\b|<>|<=|>=|[<>=(),]|[:#]?\w+)")
COMPARE = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class InMemoryTable:
    """`before` is called with the name of each operation before it is done: it may raise, or hand over to another handler."""

    def __init__(self, before: Callable[[str], None] = lambda operation: None, page_size: int = 1000, key: Key = KEY) -> None:
        self.key = key
        self.items: dict[Key, Item] = {}
        self.stale_index: dict[Key, Item] | None = None  # a copy of `items` that the index still shows; None = it is up to date
        self.before, self.page_size = before, page_size
        self.calls: list[str] = []
        self._lock = threading.RLock()

    def put_item(self, **call: Any) -> dict[str, Any]:
        with self._operation("put_item"):
            key = self.key_of(call["Item"])
            self._check(call, self.items.get(key))
            before = self.items.get(key)
            self.items[key] = dict(call["Item"])
            return {"Attributes": before} if before and call.get("ReturnValues") == "ALL_OLD" else {}

    def update_item(self, **call: Any) -> dict[str, Any]:
        with self._operation("update_item"):
            key = self.key_of(call["Key"])
            self._check(call, self.items.get(key))
            item = dict(self.items.get(key) or call["Key"])  # as DynamoDB: an update of what is not there makes it
            update(item, call)
            self.items[key] = item
            return {}

    def delete_item(self, **call: Any) -> dict[str, Any]:
        with self._operation("delete_item"):
            key = self.key_of(call["Key"])
            self._check(call, self.items.get(key))
            self.items.pop(key, None)
            return {}

    def get_item(self, **call: Any) -> dict[str, Any]:
        with self._operation("get_item"):
            item = self.items.get(self.key_of(call["Key"]))
            return {"Item": dict(item)} if item else {}

    def query(self, **call: Any) -> dict[str, Any]:
        with self._operation("query"):
            partition, _, value = call["KeyConditionExpression"].split()  # "AmazonUserID = :u"
            wanted = call["ExpressionAttributeValues"][value]["S"]
            if call.get("IndexName") == "by-account":
                return self._index_page(call, partition, wanted)
            assert partition == self.key[0], "the only key that the skill queries by"
            return self._page(call, sorted(key for key in self.items if key[0] == wanted))

    def scan(self, **call: Any) -> dict[str, Any]:
        with self._operation("scan"):
            segments, segment = call.get("TotalSegments", 1), call.get("Segment", 0)
            page = self._page(call, [key for key in sorted(self.items) if sum(key[0].encode()) % segments == segment])
            condition = {"ConditionExpression": call.get("FilterExpression", ""), **call}
            kept = [item for item in page["Items"] if "FilterExpression" not in call or holds(condition, item)]
            return {**page, "Items": kept, "Count": len(kept)}  # as DynamoDB: it filters a page after reading it

    def rows(self) -> list[Item]:
        return [self.items[key] for key in sorted(self.items)]

    def key_of(self, item: Item) -> Key:
        return tuple(item[name]["S"] for name in self.key)

    def _page(self, call: dict[str, Any], keys: list[Key], items: dict[Key, Item] | None = None) -> dict[str, Any]:
        start = self.key_of(call["ExclusiveStartKey"]) if "ExclusiveStartKey" in call else ("",)
        rest = [key for key in keys if key > start]
        page = rest[: min(self.page_size, call.get("Limit", self.page_size))]
        last = (
            {"LastEvaluatedKey": {name: {"S": part} for name, part in zip(self.key, page[-1], strict=True)}}
            if len(page) < len(rest)
            else {}
        )
        held = self.items if items is None else items
        return {"Items": [dict(held[key]) for key in page], "Count": len(page), **last}

    def _index_page(self, call: dict[str, Any], partition: str, account_id: str) -> dict[str, Any]:
        """The index holds keys only, and is as old as `stale_index` says."""
        assert partition == "AccountID"
        assert not call.get("ConsistentRead"), "an index has no consistent reads"
        items = self.items if self.stale_index is None else self.stale_index
        found = sorted(key for key, item in items.items() if item.get("AccountID") == {"S": account_id} and "StartMs" in item)
        page = self._page(call, found, items)
        return {**page, "Items": [{name: item[name] for name in (*self.key, "AccountID", "StartMs")} for item in page["Items"]]}

    def _operation(self, name: str) -> Any:
        self.before(name)
        self.calls.append(name)
        return self._lock

    def _check(self, call: dict[str, Any], item: Item | None) -> None:
        if "ConditionExpression" in call and not holds(call, item or {}):
            returned = {"Item": dict(item)} if item and call.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" else {}
            error = {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"}
            raise ClientError({"Error": error, **returned}, "operation")  # type: ignore[typeddict-item]


def holds(call: dict[str, Any], item: Item) -> bool:
    """Whether the call's condition holds for the item; an absent item is an empty one."""
    test = compile_condition(call["ConditionExpression"])
    return test(item, call.get("ExpressionAttributeValues", {}), call.get("ExpressionAttributeNames", {}))


@cache
def compile_condition(expression: str) -> Callable[[Item, dict[str, Any], dict[str, str]], bool]:
    return Condition(expression).parse()


class Condition:
    """A recursive reader of condition expressions: OR, AND, NOT, parentheses, two functions, six comparisons."""

    def __init__(self, expression: str) -> None:
        self.tokens = TOKEN.findall(expression)
        assert "".join(self.tokens) == re.sub(r"\s", "", expression), expression

    def parse(self) -> Callable[..., bool]:
        test = self.either()
        assert not self.tokens, self.tokens
        return test

    def either(self) -> Callable[..., bool]:
        tests = [self.both()]
        while self.tokens[:1] == ["OR"]:
            self.tokens.pop(0)
            tests.append(self.both())
        return lambda *at: any(test(*at) for test in tests)

    def both(self) -> Callable[..., bool]:
        tests = [self.one()]
        while self.tokens[:1] == ["AND"]:
            self.tokens.pop(0)
            tests.append(self.one())
        return lambda *at: all(test(*at) for test in tests)

    def one(self) -> Callable[..., bool]:
        token = self.tokens.pop(0)
        if token == "NOT":
            test = self.one()
            return lambda *at: not test(*at)
        if token == "(":
            inner = self.either()
            self.tokens.pop(0)
            return inner
        if token.startswith("attribute_"):
            _, name, _ = self.tokens.pop(0), self.tokens.pop(0), self.tokens.pop(0)
            wanted = token == "attribute_exists"
            return lambda item, values, names: (names.get(name, name) in item) is wanted
        return comparison(token, self.tokens.pop(0), self.tokens.pop(0))


def comparison(left: str, sign: str, right: str) -> Callable[..., bool]:
    """As DynamoDB: with an absent attribute, and between types, only <> holds."""

    def test(item: Item, values: dict[str, Any], names: dict[str, str]) -> bool:
        sides = [values[side] if side.startswith(":") else item.get(names.get(side, side)) for side in (left, right)]
        if sign == "<>":
            return bool(sides[0] != sides[1])
        if None in sides or sides[0].keys() != sides[1].keys():
            return False
        return bool(COMPARE[sign](plain(sides[0]), plain(sides[1])))

    return test


def plain(value: dict[str, str]) -> str | int:
    return int(value["N"]) if "N" in value else value["S"]


def update(item: Item, call: dict[str, Any]) -> None:
    """SET a = :a, #b = :b REMOVE c, d."""
    names, values = call.get("ExpressionAttributeNames", {}), call.get("ExpressionAttributeValues", {})
    for clause, part in re.findall(r"(SET|REMOVE)\s+(.*?)(?=\s+(?:SET|REMOVE)\s|$)", call["UpdateExpression"]):
        for action in part.split(","):
            name, _, value = (word.strip() for word in action.partition("="))
            if clause == "SET":
                item[names.get(name, name)] = values[value]
            else:
                item.pop(names.get(name, name), None)
