"""By hand: `python -m tests.customers.lookup_at_scale 1000000` looks up so many rows and prints time, rate and peak memory.

What answers is the stand-in of fast_dynamodb.py on this machine, not DynamoDB: the rate is that of the command line and the stand-in on
shared processors, without a network between them.
"""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.customers.killed import fast_server, start, write_ids

MOST_MB = 256


def main(rows: int) -> int:
    """Exit 0 where the command ended well, with one query for each id and within 256 MB."""
    with tempfile.TemporaryDirectory() as name, fast_server() as server:
        folder = Path(name)
        distinct = write_ids(folder / "in.csv", rows, random.Random(rows))
        options = ("--at", "2026-03-20", "--rate", 1_000_000, "--audit-log", folder / "audit.jsonl")
        began = time.monotonic()
        process = start(server, "lookup", folder / "in.csv", folder / "out.csv", *options)
        _, status, used = os.wait4(process.pid, 0)
        seconds, peak_mb = time.monotonic() - began, used.ru_maxrss / 1024  # kilobytes on Linux
        served = server.close()
        with (folder / "out.csv").open() as file:
            answered = sum(1 for _ in file) - 1
    say(f"{answered:,} rows of {rows:,} answered, {distinct:,} different user ids, {served:,} queries")
    say(f"{seconds:,.0f} s, {distinct / seconds:,.0f} user ids a second, {used.ru_utime + used.ru_stime:,.0f} s of processor time")
    say(f"peak memory {peak_mb:,.0f} MB (limit {MOST_MB} MB)")
    say("answered by the stand-in tests/customers/fast_dynamodb.py on this machine, not by DynamoDB")
    return 0 if status == 0 and answered == rows and served == distinct and peak_mb < MOST_MB else 1


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
