"""`make prove`: the long run of the proof, on all cores, with its seeds and what it counted. Exit 0 if nothing diverged or survived.

`--long` does five times as much, `--short` a fifth. What diverges is printed with the seed or the events that show it again.
"""

import argparse
import concurrent.futures
import itertools
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tests.proof import mutants
from tests.proof.erasing import History
from tests.proof.explorer import Run, Scenario, scenarios
from tests.proof.refreshing import RENEWALS, random_meetings

CRASH_POINTS = range(6)
HISTORY_SHARDS, EVENTS = 20, 10_000


@dataclass
class Counted:
    """What a part of the proof went through."""

    cases: int = 0
    distinct: int = 0
    steps: int = 0
    divergences: list[str] = field(default_factory=list)

    def __add__(self, other: "Counted") -> "Counted":
        found = self.divergences + other.divergences
        return Counted(self.cases + other.cases, self.distinct + other.distinct, self.steps + other.steps, found)


def count(label: str, runs: Iterable[Run]) -> Counted:
    counted, seen = Counted(), set()
    for run in runs:
        counted.cases += 1
        counted.steps += run.steps
        seen.add(tuple(run.choices))
        counted.divergences += [f"{label} {run.choices}: {wrong}" for wrong in run.divergences]
    counted.distinct = len(seen)
    return counted


def pair(number: int) -> Counted:
    scenario = scenarios(2)[number]
    return count(str(scenario), scenario.all_schedules())


def pair_with_a_death(number: int) -> Counted:
    scenario = scenarios(2)[number]
    deaths = itertools.product((0, 1), CRASH_POINTS)
    return sum((count(f"{scenario} death {death}", scenario.all_schedules(crash=death)) for death in deaths), Counted())


def triple(number: int, schedules: int) -> Counted:
    scenario = scenarios(3)[number]
    return count(f"{scenario} seed {number}", scenario.random_schedules(schedules, seed=number))


def triple_with_a_death(number: int, schedules: int) -> Counted:
    scenario: Scenario = scenarios(3)[number]
    return count(f"{scenario} seed {number}", scenario.random_schedules(schedules, seed=number, crashing=True))


def refreshers(number: int, schedules: int) -> Counted:
    kinds = RENEWALS[number]
    both = (random_meetings(kinds, schedules, seed=number, jumps=jumps) for jumps in (False, True))
    return sum((count(f"{' '.join(kinds)} seed {number}", runs) for runs in both), Counted())


def erasures(first_seed: int, histories: int) -> Counted:
    counted = Counted(histories, histories)
    for seed in range(first_seed, first_seed + histories):
        history = History(seed, page_size=(1, 3, 1000)[seed % 3]).play()
        counted.steps += history.steps
        counted.divergences += [f"seed {seed}: {wrong}" for wrong in history.wrong]
    return counted


def pytest(path: str, cases: int, *options: str, **environ: str) -> Counted:
    """A part that hypothesis or pytest runs, in a process of its own."""
    command = [sys.executable, "-m", "pytest", path, "--show-capture=no", "--tb=short", "-p", "no:randomly", *options]
    done = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    steps = sum(int(found) for found in re.findall(r"(\d+) steps", done.stdout))
    return Counted(cases, cases, steps, [] if done.returncode == 0 else [f"{path} {' '.join(options)}\n{done.stdout[-3000:]}"])


def histories(seed: int, examples: int) -> Counted:
    return pytest("tests/proof/test_histories.py", examples, f"--hypothesis-seed={seed}", PROOF_HISTORIES=str(examples))


def faults() -> Counted:
    return pytest("tests/proof/test_faults.py", EVENTS, PROOF_EVENTS=str(EVENTS))


def parts(factor: int) -> Iterator[tuple[str, list[tuple[Callable[..., Counted], tuple[int, ...]]]]]:
    """Every part by name, in pieces that can run side by side."""
    pairs, triples = range(len(scenarios(2))), range(len(scenarios(3)))
    yield "faults on every outside call: events", [(faults, ())]
    yield (
        f"histories against a model, seeds 0 to {HISTORY_SHARDS - 1}",
        [(histories, (seed, 2000 * factor // HISTORY_SHARDS)) for seed in range(HISTORY_SHARDS)],
    )
    yield "three handlers, schedules drawn at random", [(triple, (number, 800 * factor)) for number in triples]
    yield "three handlers, one dies: schedules", [(triple_with_a_death, (number, 60 * factor)) for number in triples]
    yield "two handlers, every schedule", [(pair, (number,)) for number in pairs]
    yield "two handlers, a death before each call: schedules", [(pair_with_a_death, (number,)) for number in pairs]
    yield "three functions refresh one grant: schedules", [(refreshers, (number, 1000 * factor)) for number in range(len(RENEWALS))]
    yield (
        f"erasures that meet handlers, seeds 0 to {1000 * factor - 1}",
        [(erasures, (first, 250)) for first in range(0, 1000 * factor, 250)],
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--long", dest="factor", action="store_const", const=25, default=5, help="five times as many schedules and histories"
    )
    parser.add_argument("--short", dest="factor", action="store_const", const=1, help="a fifth of them")
    factor = parser.parse_args().factor
    started, total = time.monotonic(), Counted()
    with concurrent.futures.ProcessPoolExecutor(initializer=logging.disable, initargs=(logging.CRITICAL,)) as pool:
        planned = [(name, [pool.submit(work, *arguments) for work, arguments in pieces]) for name, pieces in parts(factor)]
        for name, pieces in planned:
            counted = sum((piece.result() for piece in pieces), Counted())
            total += counted
            distinct = f" ({counted.distinct:,} distinct)" if counted.distinct != counted.cases else ""
            steps = f", {counted.steps:,} steps" if counted.steps else ""
            print(f"{name}: {counted.cases:,}{distinct}{steps}, {len(counted.divergences)} divergences", flush=True)
            print("".join(f"  {wrong}\n" for wrong in counted.divergences[:5]), end="", flush=True)
    print(f"in all {total.cases:,} cases, {total.steps:,} steps, {len(total.divergences)} divergences", flush=True)
    survived = mutants.main()
    print(f"took {time.monotonic() - started:.0f} s on {os.cpu_count()} cores")
    return 1 if survived or total.divergences else 0


if __name__ == "__main__":
    sys.exit(main())
