"""The command that erases an account: shows what would go, and goes on only with its number."""

from collections.abc import Sequence
from dataclasses import dataclass

import click

from linked_profile.fold import PENDING, RESOLVED, to_iso
from tools.customers.account_items import delete_items, erased_items, items_of_account, with_account_tables
from tools.customers.answers import counted
from tools.customers.erasure import first_sweep, is_covered, links_of_account, second_sweep, sweep_account, time_of
from tools.customers.erasure_notes import SETTLED_AFTER_MS, Erasure, find_erasure, list_erasures
from tools.customers.errors import WrongUseError
from tools.customers.raw_table import Item, key_of, read_partition, text_of
from tools.customers.session import Session, with_session


@dataclass(frozen=True)
class Plan:
    """What erasing the account means now; `under_way` is an erasure that has begun, is not done and covers all there is."""

    going: list[Item]
    later: int
    under_way: Erasure | None
    beside: int = 0  # grants to send events, a virtual lamp


@click.command(short_help="Take an account out of the record for good.")
@click.argument("account_id", metavar="ACCOUNT_ID")
@click.option("--yes", "count", type=click.IntRange(min=0), default=None, metavar="N", help="Go on, if it is N rows as the dry run showed.")
@with_account_tables
@with_session
def erase(session: Session, account_id: str, count: int | None, grants_table: str, lamps_table: str) -> int:
    """Take ACCOUNT_ID out of the record for good, with the user ids that had nobody else's row. Without --yes nothing is written.

    \b
      python -m tools.customers erase 7f2c9d1e-… --stack my-skill
      python -m tools.customers erase 7f2c9d1e-… --stack my-skill --yes 3 --reason "case 4711"

    Its rows are gone at once. Because Alexa may bring an event again for an hour, what is left of the user ids (times, without an
    account) goes 65 minutes later, with `repair --apply` or this command once more; only then it is reported as done. Interrupted, run
    it again. While an erasure is not done, this command continues it; where the account was linked since, it begins anew from now, and a
    link event after it is a new start. The account's grants to send events to Alexa and its virtual lamp go, too, where --stack or the two
    options name their tables. Only a backup brings the account back. Laws on keeping records may forbid all this: ask first.

    Exit code 1 where there was nothing to erase in the dry run.
    """
    if not account_id.strip():
        raise WrongUseError("ACCOUNT_ID is empty")
    beside = session.access.account_tables(grants_table, lamps_table)
    plan = plan_erasure(session, account_id, beside)
    session.audit.rows, session.audit.dry_run = len(plan.going), count is None
    if count is None:
        return show(session, plan)
    if count != len(plan.going) and not (plan.under_way and len(plan.going) < count):
        raise WrongUseError(f"it is {counted(len(plan.going), 'row')} now, not {count}: look again, then --yes {len(plan.going)}")
    client, table, clock = session.access.client, session.access.table_with_skill_id, session.access.clock
    if plan.under_way:
        sweep_account(client, table, account_id, plan.under_way.erased_ms)
    else:
        first_sweep(client, table, account_id, clock)
    delete_items(client, items_of_account(client, beside, account_id))  # after the note, which covers what is stored meanwhile
    return finish(session, account_id, plan, beside)


def plan_erasure(session: Session, account_id: str, beside: Sequence[str]) -> Plan:
    """Reads only. Raises WrongUseError where this machine's clock is wrong."""
    client, table, now_ms = session.access.client, session.access.table_with_skill_id, int(session.access.clock() * 1000)
    session.access.check_clock(client.get_item(TableName=table.name, Key=table.erasure_key(account_id)))
    begun = find_erasure(client, table, account_id)
    number = sum(1 for _ in items_of_account(client, beside, account_id))
    links = list(links_of_account(client, table, account_id))
    if begun and begun.done_ms is None and all(is_covered(item, begun.erased_ms) for item in links):
        return Plan(links, 0, begun, number)
    going = [item for item in links if is_covered(item, now_ms)]
    return Plan(going, len(links) - len(going), None, number)


def show(session: Session, plan: Plan) -> int:
    """The dry run."""
    users = sorted({item["AmazonUserID"]["S"] for item in plan.going})
    shared = [user for user in users if is_shared(session, user, plan.going)]
    session.result(
        {
            "dry_run": True,
            "rows": [{"AmazonUserID": item["AmazonUserID"]["S"], "StartDatetime": to_iso(time_of(item))} for item in plan.going],
            "count": len(plan.going),
            "user_ids": len(users),
            "user_ids_shared": len(shared),
            "later": plan.later,
            "beside": plan.beside,
            "under_way_since": to_iso(plan.under_way.erased_ms) if plan.under_way else None,
        }
    )
    session.table((to_iso(time_of(item)), text_of(item, "EndDatetime") or "still open", item["AmazonUserID"]["S"]) for item in plan.going)
    session.say(f"{counted(len(plan.going), 'row')} of {counted(len(users), 'user id')} would go.")
    session.say(f"User ids with another account's row, which stays: {len(shared)}.")
    if plan.beside:
        session.say(f"Grants to send events and virtual lamps, which would go, too: {plan.beside}.")
    if plan.later:
        session.say(f"{counted(plan.later, 'more row')} in the future: not covered.", fg="yellow")
    if plan.under_way:
        session.say(f"It is under way since {to_iso(plan.under_way.erased_ms)}; its second sweep is due at {due_at(plan.under_way)}.")
    session.say(f"Nothing is written. To go on: --yes {len(plan.going)}", bold=True)
    return 0 if plan.going or plan.under_way or plan.beside else 1


def is_shared(session: Session, amazon_user_id: str, going: list[Item]) -> bool:
    """Whether somebody else has a row of this user id."""
    keys = [key_of(item) for item in going]
    items = read_partition(session.access.client, session.access.table.name, amazon_user_id)
    return any(text_of(item, "Status") in (RESOLVED, PENDING) and key_of(item) not in keys for item in items)


def finish(session: Session, account_id: str, plan: Plan, beside: Sequence[str]) -> int:
    """The second sweep, if it is due; and what is still to be done."""
    client, table, clock = session.access.client, session.access.table_with_skill_id, session.access.clock
    noted = find_erasure(client, table, account_id)
    waiting_until_ms = noted.erased_ms + SETTLED_AFTER_MS if noted else 0
    rows = len(plan.going)
    if noted and noted.is_due(int(clock() * 1000)):
        delete_items(client, erased_items(client, table, beside, list_erasures(client, table)))
        waiting_until_ms = second_sweep(client, table, clock).waiting_until_ms
        noted = find_erasure(client, table, account_id)
    done = noted is not None and noted.done_ms is not None
    session.result(
        {"dry_run": False, "count": rows, "beside": plan.beside, "done": done, "again_at": None if done else to_iso(waiting_until_ms)}
    )
    session.say(f"Erased: {counted(rows, 'row')}.", fg="green", bold=True)
    if plan.beside:
        session.say(f"Grants and lamps deleted: {plan.beside}.", fg="green", bold=True)
    if done:
        session.say(
            "The erasure is done: nothing of it is left in the table. Backups have it until they are deleted.", fg="green", bold=True
        )
    else:
        session.say(f"It is not done yet. From {to_iso(waiting_until_ms)} on: this command again, or repair --apply.", fg="yellow")
    return 0


def due_at(erasure: Erasure) -> str:
    """When nothing from before it can be delivered any more."""
    return to_iso(erasure.erased_ms + SETTLED_AFTER_MS)
