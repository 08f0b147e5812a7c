"""What is killed without warning and started again ends with the file of an undisturbed run, and never shows half a line."""

import random
from pathlib import Path

import pytest

from tests.customers.killed import after, fast_server, kill_when, run, start, write_ids

THREADS = 8


def killed_lookup(folder: Path, rows: int, kills: int, longest_s: float) -> None:
    """Looks up twice: once undisturbed, once killed `kills` times while it reads, then at some byte of what it writes."""
    chance = random.Random(rows)
    distinct = write_ids(folder / "in.csv", rows, chance)
    options = ("--at", "2026-03-20", "--threads", THREADS, "--audit-log", folder / "audit.jsonl", "--rate")
    slow, quick = distinct / (kills * longest_s), 100_000  # so slow that it cannot end before the last kill
    killed, partial, killed_times = folder / "killed.csv", folder / "killed.csv.partial", 0
    with fast_server() as server:
        run(server, "lookup", folder / "in.csv", folder / "whole.csv", *options, quick)
        moments = [after] * kills + [lambda _: lambda: partial.exists() and partial.stat().st_size > chance.randrange(rows * 100)] * 3
        for moment in moments:
            process = start(server, "lookup", folder / "in.csv", killed, *options, slow if killed_times < kills else quick)
            if not kill_when(process, moment(chance.uniform(0.1, longest_s))):
                break
            killed_times += 1
            assert not killed.exists()
        else:
            run(server, "lookup", folder / "in.csv", killed, *options, quick)
        served = server.close()
    assert killed_times >= kills
    assert killed.read_bytes() == (folder / "whole.csv").read_bytes()
    assert 2 * distinct <= served <= 2 * distinct + killed_times * THREADS * 5
    assert {path.name for path in folder.iterdir()} == {"in.csv", "whole.csv", "killed.csv", "audit.jsonl"}


def test_the_file_is_the_same_when_the_look_up_was_killed(tmp_path: Path) -> None:
    killed_lookup(tmp_path, 1_000, 3, 1.2)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_file_of_50000_rows_is_the_same_when_the_look_up_was_killed_20_times(tmp_path: Path) -> None:
    killed_lookup(tmp_path, 50_000, 20, 3.0)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_file_is_the_same_when_the_export_was_killed(tmp_path: Path, kind: str) -> None:
    chance, broken = random.Random(kind), tmp_path / f"broken.{kind}"
    options = ("--segments", 3, "--audit-log", tmp_path / "audit.jsonl", "--rate")
    with fast_server() as server:
        run(server, "export", tmp_path / f"whole.{kind}", *options, 1000)
        for _ in range(3):
            assert kill_when(start(server, "export", broken, *options, 30), after(chance.uniform(0.3, 1.6)))
            assert not broken.exists()
        run(server, "export", broken, *options, 1000)
    assert broken.read_bytes() == (tmp_path / f"whole.{kind}").read_bytes()
    assert broken.read_bytes().count(b"\n") > 3_700
