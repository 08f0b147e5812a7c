"""Breaks the code on purpose, one way at a time, and demands that a test notices: `python -m tests.proof.mutants`.

Each mutant is a mistake that somebody could make in good faith, and most pass a test that is not strong enough: the first one survives
every order of events and every schedule of two handlers. Exit 0 if every mutant is killed, 1 if one survives.
"""

import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MAPPINGS, FOLD = "lambda/linked_profile/account_mappings.py", "lambda/linked_profile/fold.py"
ERASURE, EVENTS = "tools/customers/erasure.py", "lambda/linked_profile/skill_events.py"
GRANTS_TABLE, REFRESHING = "lambda/linked_profile/grants_table.py", "tests/proof/test_refreshing.py"
SCHEDULES, HISTORIES, ERASING = "tests/proof/test_schedules.py", "tests/proof/test_histories.py", "tests/proof/test_erasure.py"
SKILL_EVENTS, RETENTION, OBSERVED = "tests/test_skill_events.py", "tests/proof/test_retention.py", "tests/test_observed_links.py"


@dataclass(frozen=True)
class Mutant:
    """A file with some text replaced, and the tests that must fail then."""

    name: str
    file: str
    edits: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]


MUTANTS = [
    Mutant(
        "an end is written without its condition",
        MAPPINGS,
        ((" AND (attribute_not_exists(EndMs) OR EndMs > :e)", ""),),
        (f"{SCHEDULES}::test_three_handlers_agree_under_random_schedules",),
    ),
    Mutant(
        "the query comes before the put",
        MAPPINGS,
        (
            (
                "        self._insert(link_to_item(link), deadline)\n        self._lower_ends(link.amazon_user_id, deadline)",
                """\
        stored = self.read(link.amazon_user_id, deadline)
        self._insert(link_to_item(link), deadline)
        self._lower_ends(link.amazon_user_id, deadline, [*stored, link])""",
            ),
            (
                "def _lower_ends(self, amazon_user_id: str, deadline: Deadline) -> None:",
                "def _lower_ends(self, amazon_user_id, deadline, stored=None):",
            ),
            ("        stored = self.read(amazon_user_id, deadline)\n", "        stored = stored or self.read(amazon_user_id, deadline)\n"),
        ),
        (f"{SCHEDULES}::test_two_handlers_agree_under_every_schedule",),
    ),
    Mutant(
        "a disable closes the open row instead of folding",
        MAPPINGS,
        (
            (
                "        self._lower_ends(end.amazon_user_id, deadline)\n",
                """\
        for row in self.read(end.amazon_user_id, deadline):
            if isinstance(row, Link) and row.end_ms is None:
                self._lower_end(row, end.end_ms, deadline)
""",
            ),
        ),
        (SKILL_EVENTS, "tests/test_account_mappings.py"),
    ),
    Mutant(
        "at one instant a disable comes before a link",
        FOLD,
        (("(_time(item), isinstance(item, End), item.eid)", "(_time(item), not isinstance(item, End), item.eid)"),),
        ("tests/test_account_mappings.py",),
    ),
    Mutant(
        "a duplicate returns at once",
        MAPPINGS,
        (
            (
                "        self._insert(link_to_item(link), deadline)\n",
                "        if self._insert(link_to_item(link), deadline) is not None:\n            return\n",
            ),
            ('        self._ask("put_item", deadline, Item=item', '        return self._ask("put_item", deadline, Item=item'),
        ),
        (f"{SCHEDULES}::test_redelivery_completes_whatever_call_a_handler_died_before",),
    ),
    Mutant(
        "the account is overwritten",
        MAPPINGS,
        (("attribute_exists(SK) AND attribute_not_exists(AccountID) AND #s <> :x", "attribute_exists(SK) AND #s <> :x"),),
        (f"{SKILL_EVENTS}::test_the_first_account_stays_when_two_answers_disagree",),
    ),
    Mutant(
        "UNRESOLVED is written over RESOLVED",
        MAPPINGS,
        (
            (
                'ConditionExpression="attribute_exists(SK) AND attribute_not_exists(AccountID) AND #s <> :x"',
                'ConditionExpression="#s <> :x" + (" AND attribute_not_exists(AccountID)" if "AccountID" in update else "")',
            ),
        ),
        (SKILL_EVENTS,),
    ),
    Mutant(
        "an update makes an item that is gone",
        MAPPINGS,
        (("attribute_exists(SK) AND attribute_not_exists(AccountID)", "attribute_not_exists(AccountID)"),),
        (SKILL_EVENTS,),
    ),
    Mutant(
        "an erased link is no boundary",
        FOLD,
        (
            (
                "    ordered = sorted(items,",
                "    ordered = sorted((item for item in items if not (isinstance(item, Link) and item.status == ERASED)),",
            ),
        ),
        ("tests/test_account_mappings.py",),
    ),
    Mutant(
        "the stored end is ignored by the fold",
        FOLD,
        (("for end in (item.end_ms, following) if", "for end in (following,) if"),),
        (RETENTION,),
    ),
    Mutant(
        "a request counts although a disable was just before it",
        FOLD,
        (("OBSERVED_LAG_MS = 30_000", "OBSERVED_LAG_MS = -1"),),
        (OBSERVED,),
    ),
    Mutant(
        "the erased link is deleted",
        ERASURE,
        (
            (
                'return write_if(client, "update_item", TableName=table.name, **update)',
                'return write_if(client, "delete_item", TableName=table.name, Key=update["Key"])',
            ),
        ),
        (ERASING,),
    ),
    Mutant(
        "the erased link is replaced by an end",
        ERASURE,
        (
            (
                '    return write_if(client, "update_item", TableName=table.name, **update)',
                """\
    end = {**update["Key"], "SK": {"S": "E" + update["Key"]["SK"]["S"][1:]}, "Reason": {"S": ""}, "Status": {"S": "ERASED"}}
    client.put_item(TableName=table.name, Item=end)
    return write_if(client, "delete_item", TableName=table.name, Key=update["Key"])""",
            ),
        ),
        (ERASING,),
    ),
    Mutant(
        "a user id is deleted without conditions",
        ERASURE,
        (
            (
                'ConditionExpression="attribute_not_exists(AccountID) AND (#s <> :p OR StartMs <= :e)"',
                'ConditionExpression="attribute_exists(SK)"',
            ),
        ),
        (ERASING,),
    ),
    Mutant(
        "the erasure is noted last",
        ERASURE,
        (
            (
                "    return sweep_account(client, table, account_id, note_erasure(client, table, account_id, int(clock() * 1000)), scan)",
                """\
    swept = sweep_account(client, table, account_id, int(clock() * 1000), scan)
    note_erasure(client, table, account_id, int(clock() * 1000))
    return swept""",
            ),
        ),
        (ERASING,),
    ),
    Mutant(
        "a user id is deleted although something in it is young",
        ERASURE,
        (('"dead" if due and max(map(time_of, items)) + SETTLED_AFTER_MS <= now_ms else', '"dead" if due else'),),
        (ERASING, "tests/customers/test_erasure.py"),
    ),
    Mutant(
        "nobody looks for an erasure after the last write",
        MAPPINGS,
        (("return None if standing is None or self._yield_to_erasure(link, standing, deadline) else standing", "return standing"),),
        (ERASING,),
    ),
    Mutant(
        "a request brings an erased account back",
        MAPPINGS,
        (
            ("if account_id and self._erased_ms(account_id, deadline) is not None:", "if False:"),
            ("return not (account_id and self._yield_to_erasure(link, account_id, deadline))", "return True"),
        ),
        (ERASING,),
    ),
    Mutant(
        "refreshed tokens are written without the condition on the version",
        GRANTS_TABLE,
        (('"TokensVersion = :v AND (#s = :live OR Reason = :g)"', '"(TokensVersion = :v OR #s = :live OR Reason = :g)"'),),
        (REFRESHING,),
    ),
    Mutant(
        "everybody who wants to refresh a grant may",
        GRANTS_TABLE,
        (
            (
                'AND TokensVersion = :v AND (attribute_not_exists(ClaimedUntilMs) OR ClaimedUntilMs < :n)"',
                'OR TokensVersion = :v OR ClaimedUntilMs < :n"',
            ),
        ),
        (REFRESHING,),
    ),
    Mutant(
        "a refused refresh token buries its successor",
        GRANTS_TABLE,
        (('"#s = :live AND TokensVersion = :v" if is_refused', '"#s = :live OR TokensVersion = :v" if is_refused'),),
        (REFRESHING,),
    ),
    Mutant(
        "a refresh that ends late brings a disabled skill's grant back",
        GRANTS_TABLE,
        (("(#s = :live OR Reason = :g)", "(#s = :live OR attribute_exists(Reason) OR Reason = :g)"),),
        (REFRESHING,),
    ),
    Mutant(
        "new tokens are lost where the old ones were found dead meanwhile",
        GRANTS_TABLE,
        (('"TokensVersion = :v AND (#s = :live OR Reason = :g)"', '"TokensVersion = :v AND (#s = :live AND #s <> :g)"'),),
        (REFRESHING,),
    ),
]


def killed_by(mutant: Mutant) -> str | None:
    """The first test that fails with the mutant in place; None if it survives."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("lambda", "tests", "tools", "pyproject.toml", "template.yaml", "README.md"):
            source = ROOT / name
            shutil.copytree(source, copy / name) if source.is_dir() else shutil.copy(source, copy / name)
        apply(mutant, copy / mutant.file)
        command = [sys.executable, "-m", "pytest", "-x", "--show-capture=no", "--tb=no", "-rf", *mutant.tests]
        environment = {**os.environ, "PROOF_HISTORIES": "300", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED")]
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"{mutant.name}: pytest could not run\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed[0] if failed else None


def apply(mutant: Mutant, path: Path) -> None:
    """Raises ValueError where the text to replace is no longer there: then the mutant has to be written anew."""
    text = path.read_text()
    for old, new in mutant.edits:
        if old not in text:
            raise ValueError(f"{mutant.name}: {path.name} no longer contains {old!r}")
        text = text.replace(old, new)
    path.write_text(text)


def main() -> int:
    survivors = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for mutant, killer in zip(MUTANTS, pool.map(killed_by, MUTANTS), strict=True):
            survivors += killer is None
            print(
                f"{'SURVIVES' if killer is None else 'killed  '}  {mutant.name}" + (f"  by {killer.rpartition('/')[2]}" if killer else ""),
                flush=True,
            )
    print(f"{len(MUTANTS) - survivors} of {len(MUTANTS)} mutants killed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
