"""DynamoDB's Query and Scan and STS's GetCallerIdentity over HTTP, quick: for look-ups by the hundred thousand.

Rows are made up from the user id, so that a million customers need no memory: one id in twenty is unknown. `python -m
tests.customers.fast_dynamodb` prints its URL and serves until its standard input is closed.
"""

import asyncio
import json
import sys
import zlib
from collections.abc import Callable
from typing import Any

T0_MS = 1_773_480_000_000
SCANNED = 37  # items a page
CALLER = (
    b"<GetCallerIdentityResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><GetCallerIdentityResult>"
    b"<Arn>arn:aws:iam::123456789012:user/olga</Arn><UserId>AIDA</UserId><Account>123456789012</Account>"
    b"</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
)


def items_of(amazon_user_id: str) -> list[dict[str, Any]]:
    """What is stored of a user id: nothing, or one link."""
    number = zlib.crc32(amazon_user_id.encode())
    if number % 20 == 0:
        return []
    start_ms = T0_MS + number % 1_000_000
    key = {"AmazonUserID": {"S": amazon_user_id}, "SK": {"S": f"L#{start_ms:013d}#{number:016x}"}}
    account = {"AccountID": {"S": f"account-{number % 100_000}"}, "Status": {"S": "RESOLVED"}, "Source": {"S": "EVENT"}}
    return [{**key, **account, "StartMs": {"N": str(start_ms)}}]


def scan(call: dict[str, Any]) -> dict[str, Any]:
    """One page of a segment of a table of 4,000 user ids, two items each, so that a page ends within a partition."""
    total, segment = call["TotalSegments"], call["Segment"]
    ids = [f"user-{number:05d}" for number in range(segment, 4_000, total)]
    items = [item for amazon_user_id in ids for item in [end_of(amazon_user_id), *items_of(amazon_user_id)]]
    keys = [(item["AmazonUserID"]["S"], item["SK"]["S"]) for item in items]
    start = call.get("ExclusiveStartKey")
    first = keys.index((start["AmazonUserID"]["S"], start["SK"]["S"])) + 1 if start else 0
    page = items[first : first + SCANNED]
    more = {"LastEvaluatedKey": {name: page[-1][name] for name in ("AmazonUserID", "SK")}} if first + SCANNED < len(items) else {}
    return {"Items": page, **more}


def end_of(amazon_user_id: str) -> dict[str, Any]:
    """A disable after whatever the user id had."""
    key = {"AmazonUserID": {"S": amazon_user_id}, "SK": {"S": f"E#{T0_MS + 1_000_000:013d}#0123456789abcdef"}}
    return {**key, "Reason": {"S": "DISABLED"}}


class FastDynamoDb(asyncio.Protocol):
    """One connection; `served` counts the queries of all."""

    served = 0

    def connection_made(self, transport: Any) -> None:
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (answered := self.next_request()) is not None:
            kind, body = answered
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind, len(body), body))

    def next_request(self) -> tuple[bytes, bytes] | None:
        head, separator, rest = self.received.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        if not separator or len(rest) < length:
            return None
        self.received = rest[length:]
        target = next((line for line in lines if line.startswith(b"x-amz-target:")), b"")
        return (b"application/x-amz-json-1.0", self.answer(target, json.loads(rest[:length]))) if target else (b"text/xml", CALLER)

    def answer(self, target: bytes, call: dict[str, Any]) -> bytes:
        if target.endswith(b".query"):
            type(self).served += 1
            return json.dumps({"Items": items_of(call["ExpressionAttributeValues"][":u"]["S"])}).encode()
        return json.dumps(scan(call)).encode()


def announce(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def serve(announce: Callable[[str], None]) -> None:
    """Until standard input is closed; then says how many queries there were."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(FastDynamoDb, "127.0.0.1", 0)
    announce(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    announce(str(FastDynamoDb.served))


if __name__ == "__main__":
    asyncio.run(serve(announce))
