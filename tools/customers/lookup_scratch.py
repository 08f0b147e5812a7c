"""What a batch look-up has read so far: each user id once, with its periods, on disk."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.customers.answers import Period, fold_items, join_periods
from tools.customers.errors import WrongUseError
from tools.customers.parallel_reads import read_in_parallel
from tools.customers.raw_table import read_partition
from tools.customers.scratch import Scratch

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLES = "CREATE TABLE IF NOT EXISTS ids (place INTEGER PRIMARY KEY, digest BLOB UNIQUE, amazon_user_id TEXT, periods TEXT)"
BATCH = 1000


class Histories(Scratch):
    """The scratch file of a look-up."""

    def __init__(self, output: Path, identity: Mapping[str, Any]) -> None:
        super().__init__(output, identity, TABLES)

    def stage(self, amazon_user_ids: Iterable[str], advance: Callable[[int], None]) -> None:
        """Notes which ids are asked for, each once."""
        rows, ids = 0, iter(amazon_user_ids)
        while batch := list(islice(ids, BATCH)):
            self.db.execute("BEGIN")
            digests = [(digest_of(amazon_user_id), amazon_user_id) for amazon_user_id in batch]
            self.db.executemany("INSERT OR IGNORE INTO ids (digest, amazon_user_id) VALUES (?, ?)", digests)
            self.db.execute("COMMIT")
            rows += len(batch)
            advance(len(batch))
        self.fact("staged", rows)

    def counts(self) -> tuple[int, int]:
        """How many ids there are, and how many of them are read."""
        total, done = self.db.execute("SELECT count(*), count(periods) FROM ids").fetchone()
        return total, done

    def read_missing(
        self,
        client: "DynamoDBClient",
        table_name: str,
        clock: Callable[[], float],
        rate: float,
        threads: int,
        advance: Callable[[int], None],
    ) -> None:
        """One Query for each id that has no periods yet; every answer is on disk before more than a few others are asked for."""

        def read(missing: tuple[int, str]) -> str:
            rows = fold_items(read_partition(client, table_name, missing[1]), clock())
            return json.dumps(
                [[period.account_id, period.start_ms, period.end_ms, period.status, period.source] for period in join_periods(rows)]
            )

        for some in read_in_parallel(read, self._missing(), rate, threads):
            self.db.execute("BEGIN")
            self.db.executemany("UPDATE ids SET periods = ? WHERE place = ?", [(periods, place) for (place, _), periods in some])
            self.db.execute("COMMIT")
            advance(len(some))

    def find(self, amazon_user_id: str) -> list[Period]:
        """Raises WrongUseError for an id that was not asked for."""
        found = self.db.execute("SELECT periods FROM ids WHERE digest = ?", (digest_of(amazon_user_id),)).fetchone()
        if found is None or found[0] is None:
            raise WrongUseError("IN.csv has changed while it was looked up: run the command again")
        return [Period(*period) for period in json.loads(found[0])]

    def _missing(self) -> Iterator[tuple[int, str]]:
        """By place, a batch at a time, because the same connection writes meanwhile."""
        last = 0
        query = "SELECT place, amazon_user_id FROM ids WHERE place > ? AND periods IS NULL ORDER BY place LIMIT ?"
        while batch := self.db.execute(query, (last, BATCH)).fetchall():
            last = batch[-1][0]
            yield from batch


def digest_of(amazon_user_id: str) -> bytes:
    """Short, because a user id has 200 characters and the index of a million of them should fit into memory."""
    return hashlib.sha256(amazon_user_id.encode()).digest()[:16]


def digest_of_file(path: Path) -> str:
    """Of its bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
