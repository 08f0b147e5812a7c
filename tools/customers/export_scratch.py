"""What an export has read so far: the lines of each segment of the scan in order, and where each segment goes on."""

import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linked_profile.fold import Link
from tools.customers.answers import fold_items
from tools.customers.parallel_reads import Rate, Stopped, patiently
from tools.customers.raw_table import Item, by_partition, key_of
from tools.customers.scratch import Scratch

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLES = """
    CREATE TABLE IF NOT EXISTS lines (segment INTEGER, place INTEGER, line BLOB, PRIMARY KEY (segment, place)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS segments (segment INTEGER PRIMARY KEY, start TEXT, items INTEGER, lines INTEGER, done INTEGER)
"""


@dataclass(frozen=True)
class Page:
    """Whole partitions of a segment, as lines; `start` is the key after which the segment goes on, None at its end."""

    segment: int
    lines: list[bytes]
    items: int
    start: Item | None


class Lines(Scratch):
    """The scratch file of an export."""

    def __init__(self, output: Path, identity: Mapping[str, Any], segments: int) -> None:
        super().__init__(output, identity, TABLES)
        self.segments = segments
        self.db.executemany("INSERT OR IGNORE INTO segments VALUES (?, NULL, 0, 0, 0)", [(segment,) for segment in range(segments)])

    def starts(self) -> dict[int, Item | None]:
        """Where the segments that are not done go on."""
        rows = self.db.execute("SELECT segment, start FROM segments WHERE NOT done")
        return {segment: json.loads(start) if start else None for segment, start in rows}

    def add(self, page: Page) -> None:
        """The lines and where to go on from, in one transaction."""
        self.db.execute("BEGIN")
        (first,) = self.db.execute("SELECT lines FROM segments WHERE segment = ?", (page.segment,)).fetchone()
        numbered = [(page.segment, first + place, line) for place, line in enumerate(page.lines)]
        self.db.executemany("INSERT INTO lines VALUES (?, ?, ?)", numbered)
        self.db.execute(
            "UPDATE segments SET start = ?, items = items + ?, lines = lines + ?, done = ? WHERE segment = ?",
            (json.dumps(page.start), page.items, len(page.lines), page.start is None, page.segment),
        )
        self.db.execute("COMMIT")

    def items(self) -> int:
        return int(self.db.execute("SELECT sum(items) FROM segments").fetchone()[0])

    def count(self) -> int:
        return int(self.db.execute("SELECT sum(lines) FROM segments").fetchone()[0])

    def in_order(self) -> Iterator[bytes]:
        """Segment after segment: the same for an interrupted export as for an undisturbed one, on a table at rest."""
        for (line,) in self.db.execute("SELECT line FROM lines ORDER BY segment, place"):
            yield line


class SegmentReader:
    """Scans segments at the same time, each in a thread; only whole partitions leave it, because a row's end is in the rest of its own."""

    def __init__(
        self, client: "DynamoDBClient", table_name: str, segments: int, write: Callable[[Link], bytes | None], now: float, rate: float
    ) -> None:
        self._client, self._table_name, self._segments, self._write, self._now = client, table_name, segments, write, now
        self._rate = Rate(rate)
        self._pages: queue.Queue[Page | Exception] = queue.Queue(maxsize=2 * segments)

    def read(self, starts: Mapping[int, Item | None]) -> Iterator[Page]:
        """Pages as they come. Raises what a segment raised."""
        threads = [threading.Thread(target=self._scan, args=start, daemon=True) for start in starts.items()]
        for thread in threads:
            thread.start()
        try:
            going = len(threads)
            while going:
                page = self._pages.get()
                if isinstance(page, Exception):
                    raise page
                going -= page.start is None
                yield page
        finally:
            self._rate.stop()

    def _scan(self, segment: int, start: Item | None) -> None:
        try:
            for page in self._whole_partitions(segment, start):
                self._pages.put(page)
        except Stopped:
            pass
        except Exception as error:  # noqa: BLE001  (raised again by read, in the thread of whoever waits)
            self._pages.put(error)

    def _whole_partitions(self, segment: int, start: Item | None) -> Iterator[Page]:
        call: dict[str, Any] = {"TableName": self._table_name, "Segment": segment, "TotalSegments": self._segments, "ConsistentRead": True}
        if start:
            call["ExclusiveStartKey"] = start
        begun: list[Item] = []
        while True:
            answer = patiently(lambda: self._client.scan(**call), self._rate)
            items = [*begun, *(dict(item) for item in answer["Items"])]
            is_last = "LastEvaluatedKey" not in answer
            last_id = items[-1]["AmazonUserID"] if items and not is_last else None
            begun = [item for item in items if item["AmazonUserID"] == last_id]
            whole = items[: len(items) - len(begun)]
            if is_last:
                yield Page(segment, self._lines(whole), len(whole), None)
                return
            if whole:
                yield Page(segment, self._lines(whole), len(whole), key_of(whole[-1]))
            call["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _lines(self, items: list[Item]) -> list[bytes]:
        rows = (row for _, partition in by_partition(items) for row in fold_items(partition, self._now))
        return [line for row in rows if (line := self._write(row)) is not None]
