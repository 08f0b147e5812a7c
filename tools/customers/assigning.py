"""An operator says whose account a row is, where no event could: set once, and never for an account that was erased."""

from typing import Any

import click

from linked_profile.fold import ERASED, RESOLVED, Link, erase_link, key_of, to_iso
from tools.customers.erasure_notes import find_erasure
from tools.customers.errors import WrongUseError
from tools.customers.raw_table import write_if
from tools.customers.session import Session, with_session
from tools.customers.times import Span, TimeType


@click.command(short_help="Set the account of a row whose account is not known.")
@click.argument("amazon_user_id", metavar="USER_ID")
@click.argument("account_id", metavar="ACCOUNT_ID")
@click.option("--at", type=TimeType(), default=None, help="Which row, by a time at which it held. [default: now]")
@click.option("--replace", is_flag=True, help="Also where another account is known. Needs --reason.")
@with_session
def assign(session: Session, *, amazon_user_id: str, account_id: str, at: Span | None, replace: bool) -> int:
    """Set the account of USER_ID's row whose account is not known: of skills without account linking, or after an outage.

    \b
      python -m tools.customers assign amzn1.ask.account.AHVQ… 7f2c9d1e-… --at 2026-03-14 --stack my-skill --skill-id amzn1.ask.skill.…
      python -m tools.customers assign amzn1.ask.account.AHVQ… 7f2c9d1e-… --replace --reason "case 4711: wrong household"

    The row keeps its times and its Source; AccountSource says OPERATOR. It is set once: an account that is known stays, unless --replace
    says otherwise. A date must leave no doubt which row is meant. An account that was erased is refused, unless the row started later.
    Exit code 1 where there is no row.
    """
    if replace and not session.audit.reason:
        raise WrongUseError("--replace needs --reason")
    if not account_id.strip() or account_id != account_id.strip():
        raise WrongUseError("ACCOUNT_ID is empty, or has blanks around it")
    row = row_of(session, amazon_user_id, at)
    if row is None:
        session.result({"answer": "none"})
        session.say("none: there is no row at that time", fg="red", bold=True)
        return 1
    if row.account_id != account_id:
        refuse_erased(session, row, account_id)
        set_account(session, row, account_id, replace=replace)
        session.audit.rows = 1
    session.result(
        {"answer": "known", "AccountID": account_id, "StartDatetime": to_iso(row.start_ms), "changed": row.account_id != account_id}
    )
    session.say(
        f"{'it was so already' if row.account_id == account_id else 'done'}: the row from {to_iso(row.start_ms)}", fg="green", bold=True
    )
    return 0


def row_of(session: Session, amazon_user_id: str, at: Span | None) -> Link | None:
    """The one row of that time. Raises WrongUseError where a day has several."""
    now_ms = int(session.access.clock() * 1000)
    span = at or Span(now_ms, now_ms)
    rows = [row for row in session.access.history(amazon_user_id) if span.touches(row) and row.end_ms != row.start_ms]
    if len(rows) > 1:
        starts = ", ".join(to_iso(row.start_ms) for row in rows)
        raise WrongUseError(f"{span} has {len(rows)} rows: name one by its start, --at TIME ({starts})")
    return rows[0] if rows else None


def refuse_erased(session: Session, row: Link, account_id: str) -> None:
    """Raises WrongUseError."""
    erasure = find_erasure(session.access.client, session.access.table_with_skill_id, account_id)
    if erasure and row.start_ms <= erasure.erased_ms:
        raise WrongUseError(f"this account was erased at {to_iso(erasure.erased_ms)}: only a row that started later may have it")


def set_account(session: Session, row: Link, account_id: str, *, replace: bool) -> None:
    """One conditional write, then a look whether the account was erased at the same moment. Raises WrongUseError."""
    if row.account_id is not None and not replace:
        raise WrongUseError("the row has another account already: --replace (and --reason) if it is wrong")
    client, table = session.access.client, session.access.table_with_skill_id
    known = "AccountID = :b" if row.account_id is not None else "attribute_not_exists(AccountID)"
    values: dict[str, Any] = {":a": {"S": account_id}, ":s": {"S": RESOLVED}, ":o": {"S": "OPERATOR"}, ":x": {"S": ERASED}}
    done = write_if(
        client,
        "update_item",
        TableName=table.name,
        Key=key_of(row),
        UpdateExpression="SET AccountID = :a, #s = :s, AccountSource = :o",
        ConditionExpression=f"attribute_exists(SK) AND #s <> :x AND {known}",
        ExpressionAttributeNames={"#s": "Status"},
        ExpressionAttributeValues=values if row.account_id is None else {**values, ":b": {"S": row.account_id}},
    )
    if not done:
        raise WrongUseError("the row has changed at this very moment: look at its history, then run the command again if it is still right")
    erasure = find_erasure(client, table, account_id)
    if erasure and row.start_ms <= erasure.erased_ms:
        write_if(client, "update_item", TableName=table.name, **erase_link(row, account_id, erasure.erased_ms))
        raise WrongUseError("this account is being erased at this very moment; the row is erased with it")
