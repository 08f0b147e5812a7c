"""The rows of an import on their way: in a temporary file of sqlite's own, checked there, and written from there."""

import sqlite3
from collections.abc import Callable, Iterator
from itertools import chain, groupby
from typing import Any

from linked_profile.account_mappings import Table
from linked_profile.fold import End, Link, erase_link, has_expired, item_to_entry, link_to_item, to_iso
from tools.customers.erasure_notes import Erasure, find_erasure
from tools.customers.import_rows import Complaint, Numbered, conflicts_with_stored, overlaps_in_file
from tools.customers.parallel_reads import read_in_parallel
from tools.customers.raw_table import Item, number, read_partition, write_if
from tools.customers.table_access import TableAccess

TABLES = """
    CREATE TABLE links (line INTEGER PRIMARY KEY, amazon_user_id TEXT, start_ms INTEGER, eid TEXT, status TEXT, account_id TEXT,
                        end_ms INTEGER, UNIQUE (amazon_user_id, start_ms, eid));
    CREATE INDEX by_account ON links (account_id);
    CREATE TABLE present (line INTEGER PRIMARY KEY);
    CREATE TABLE complaints (line INTEGER, complaint TEXT);
"""
COLUMNS = "line, amazon_user_id, start_ms, eid, status, account_id, end_ms"
Advance = Callable[[int], None]


class ImportStaging:
    """Nothing of it is left when it is closed, or when the process dies."""

    def __init__(self, access: TableAccess, rate: float, threads: int) -> None:
        self._access, self._rate, self._threads = access, rate, threads
        self._table: Table = access.table_with_skill_id
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(TABLES)

    def stage(self, rows: Iterator[Numbered | Complaint]) -> None:
        """A row that stands in the file twice is one row."""
        self._db.execute("BEGIN")
        for line, read in rows:
            if isinstance(read, Link):
                values = (line, read.amazon_user_id, read.start_ms, read.eid, read.status, read.account_id, read.end_ms)
                self._db.execute("INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            else:
                self._complain([(line, read)])
        self._db.execute("COMMIT")

    def check_periods(self, advance: Advance) -> None:
        """Against each other and against the record: one Query for each user id."""

        def read_stored(group: tuple[str, list[Numbered]]) -> list[Link | End]:
            items = read_partition(self._access.client_without_retries, self._table.name, group[0])
            return [item_to_entry(item) for item in items if not has_expired(item, self._access.clock())]

        for some in read_in_parallel(read_stored, self._by_user_id(), self._rate, self._threads):
            for (_, links), stored in some:
                keys = {entry.sort_key for entry in stored}
                self._db.executemany("INSERT INTO present VALUES (?)", [(line,) for line, link in links if link.sort_key in keys])
                self._complain(chain(overlaps_in_file(links), conflicts_with_stored(stored, links)))
                advance(len(links))

    def check_erased(self) -> None:
        """No row of an erased account comes back by an old file."""
        for line, link, erasure in self._erased():
            self._complain(
                [(line, f"the account was erased at {to_iso(erasure.erased_ms)}: the row from {to_iso(link.start_ms)} may not return")]
            )

    def complaints(self, most: int) -> tuple[int, list[Complaint]]:
        """How many there are, and the first of them by line."""
        (count,) = self._db.execute("SELECT count(*) FROM complaints").fetchone()
        return count, self._db.execute("SELECT line, complaint FROM complaints ORDER BY line LIMIT ?", (most,)).fetchall()

    def counts(self) -> dict[str, int]:
        """All rows, and how many of them are there already or past their retention."""
        (rows,) = self._db.execute("SELECT count(*) FROM links").fetchone()
        (present,) = self._db.execute("SELECT count(*) FROM present").fetchone()
        new = sum(1 for _ in self._items())
        return {"rows": rows, "new": new, "present": present, "expired": rows - present - new}

    def write(self, advance: Advance) -> int:
        """Puts what is not there; then looks whether an account was erased meanwhile, as every writer does after its last write."""

        def put(item: Item) -> bool:
            once = {"ConditionExpression": "attribute_not_exists(SK)"}
            return write_if(self._access.client_without_retries, "put_item", TableName=self._table.name, Item=item, **once)

        written = 0
        for some in read_in_parallel(put, self._items(), self._rate, self._threads):
            written += sum(done for _, done in some)
            advance(len(some))
        for _, link, erasure in self._erased():
            update = erase_link(link, link.account_id or "", erasure.erased_ms)
            write_if(self._access.client, "update_item", TableName=self._table.name, **update)
        return written

    def close(self) -> None:
        self._db.close()

    def _complain(self, complaints: Any) -> None:
        self._db.executemany("INSERT INTO complaints VALUES (?, ?)", complaints)

    def _by_user_id(self) -> Iterator[tuple[str, list[Numbered]]]:
        rows = map(to_numbered, self._db.execute(f"SELECT {COLUMNS} FROM links ORDER BY amazon_user_id, start_ms, line"))  # noqa: S608  (a constant)
        for amazon_user_id, group in groupby(rows, lambda row: row[1].amazon_user_id):
            yield amazon_user_id, list(group)

    def _items(self) -> Iterator[Item]:
        """What is to be written."""
        for row in self._db.execute(f"SELECT {COLUMNS} FROM links WHERE line NOT IN (SELECT line FROM present)"):  # noqa: S608
            item = closed_item(to_numbered(row)[1], self._table)
            if not has_expired(item, self._access.clock()):
                yield item

    def _erased(self) -> Iterator[tuple[int, Link, Erasure]]:
        """Rows of erased accounts that started before that."""

        def find(account_id: str) -> Erasure | None:
            return find_erasure(self._access.client_without_retries, self._table, account_id)

        accounts = (account_id for (account_id,) in self._db.execute("SELECT DISTINCT account_id FROM links WHERE account_id NOT NULL"))
        for some in read_in_parallel(find, accounts, self._rate, self._threads):
            for account_id, erasure in some:
                query = f"SELECT {COLUMNS} FROM links WHERE account_id = ? AND start_ms <= ?"  # noqa: S608
                if erasure:
                    for row in self._db.execute(query, (account_id, erasure.erased_ms)):
                        yield (*to_numbered(row), erasure)


def to_numbered(row: tuple[Any, ...]) -> Numbered:
    line, amazon_user_id, start_ms, eid, status, account_id, end_ms = row
    return line, Link(amazon_user_id, start_ms, eid, "OPERATOR", status, account_id, end_ms)


def closed_item(link: Link, table: Table) -> Item:
    """As stored, with its end and its expiry."""
    item = link_to_item(link)
    if link.end_ms is None:
        return item
    return {**item, "EndMs": number(link.end_ms), "EndDatetime": {"S": to_iso(link.end_ms)}, **table.expiry(link.end_ms)}
