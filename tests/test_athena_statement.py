"""README's Athena statement answers as the look-up does: translated to DuckDB's dialect and run over the same table."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import sqlglot

from linked_profile.fold import row_at
from tests.proof.simulation import FOREVER, HOUR_S, START_S, Simulation, launch, spread

README = Path(__file__).parent.parent / "README.md"
TEXTS, NUMBERS = ("AmazonUserID", "SK", "AccountID", "Status", "Source"), ("EndMs", "ExpiresAt")


def statement() -> str:
    (sql,) = re.findall(r"```sql\n(.*?)```", README.read_text(), re.S)
    return sqlglot.transpile(sql[sql.index("WITH") :], read="athena", write="duckdb")[0]


def as_exported(item: dict[str, Any]) -> dict[str, Any]:
    texts = {name: item.get(name) for name in TEXTS}
    return texts | {name: {"N": int(item[name]["N"])} if name in item else None for name in NUMBERS}


def test_the_statement_gives_the_account_of_every_instant() -> None:
    simulation = Simulation(seed=9)
    simulation.deliver_for_an_hour(list(spread(simulation.chance, 300, users=30, accounts=8)))
    users = sorted({user_id for user_id, _ in simulation.table.items})
    for number, user_id in enumerate(users):
        simulation.container()(launch(user_id, START_S + number * HOUR_S / 2, f"account-{number % 8}"), None)
    asked = [(user_id, START_S + simulation.chance.randrange(26 * HOUR_S)) for user_id in users for _ in range(8)]
    answered = {(user_id, at): accounts for user_id, at, accounts in run(simulation, asked)}
    for user_id, at in asked:
        row = row_at(simulation.mappings.history(user_id, FOREVER), at * 1000)
        assert answered[user_id, at] == [row.account_id if row else None]
    assert 0.2 < sum(accounts != [None] for accounts in answered.values()) / len(answered) < 0.9, "some known, some not"


def run(simulation: Simulation, asked: list[tuple[str, int]]) -> list[tuple[str, int, list[str | None]]]:
    """User id, instant, and the accounts that the statement gives."""
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    fields = ", ".join([f"{name} struct(S varchar)" for name in TEXTS] + [f"{name} struct(N bigint)" for name in NUMBERS])
    database.execute(f"CREATE TABLE items (Item struct({fields})); CREATE TABLE asked (amazonuserid varchar, asked_at timestamp)")
    database.executemany("INSERT INTO items VALUES (?)", [[as_exported(item)] for item in simulation.table.rows()])
    database.executemany(
        "INSERT INTO asked VALUES (?, ?)", [[user, datetime.fromtimestamp(at, UTC).replace(tzinfo=None)] for user, at in asked]
    )
    answers: dict[tuple[str, int], set[str | None]] = {}
    for user_id, at, account in database.execute(f"SELECT amazonuserid, asked_at, accountid FROM ({statement()})").fetchall():
        answers.setdefault((user_id, int(at.replace(tzinfo=UTC).timestamp())), set()).add(account)
    return [(user_id, at, sorted(accounts, key=str)) for (user_id, at), accounts in answers.items()]
