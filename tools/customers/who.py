"""The questions about one customer: who was this user id then, what is its history, which user ids had this account."""

from typing import Any

import click

from linked_profile.fold import to_iso
from tools.customers.answers import EXIT_CODES, Period, answer_of, counted, join_periods
from tools.customers.raw_table import read_pages
from tools.customers.session import Session, with_session
from tools.customers.times import Span, TimeType

COLOURS = {"known": "green", "none": "red", "account not known": "yellow"}


@click.command(short_help="Which account a user id stood for at a time.")
@click.argument("amazon_user_id", metavar="USER_ID")
@click.option("--at", type=TimeType(), default=None, help="A date is the whole UTC day, a time names its zone. [default: now]")
@with_session
def who(session: Session, amazon_user_id: str, at: Span | None) -> int:
    """Which account USER_ID stood for at a time: account, start, end, status, source.

    A date asks for the whole UTC day and may have several answers. Three answers are different: known (exit code 0), none (1),
    linked but account not known (3). Adjacent periods of one account are shown as one.

    \b
      python -m tools.customers who amzn1.ask.account.AHVQ… --at 2026-03-14 --stack my-skill
      python -m tools.customers who amzn1.ask.account.AHVQ… --at 2026-03-14T09:00:00+01:00 --json
    """
    now_ms = int(session.access.clock() * 1000)
    span = at or Span(now_ms, now_ms)
    periods = [period for period in join_periods(session.access.history(amazon_user_id)) if span.touches(period)]
    return show(session, amazon_user_id, periods, {"at": str(span)})


@click.command(short_help="All periods of a user id.")
@click.argument("amazon_user_id", metavar="USER_ID")
@with_session
def history(session: Session, amazon_user_id: str) -> int:
    """All periods of USER_ID, in order.

    Exit code 0 where one of them has a known account, 3 where none has, 1 where there are no periods.

    \b
      python -m tools.customers history amzn1.ask.account.AHVQ… --stack my-skill
    """
    return show(session, amazon_user_id, join_periods(session.access.history(amazon_user_id)), {})


@click.command(short_help="All user ids of an account, past and present.")
@click.argument("account_id", metavar="ACCOUNT_ID")
@with_session
def account(session: Session, account_id: str) -> int:
    """All user ids of ACCOUNT_ID, past and present. Exit code 0, or 1 where there are none.

    User ids are found by the index by-account, which a link reaches within about a second.

    \b
      python -m tools.customers account 7f2c9d1e-4b60-4d3a-9c58-2e0a1b6d8f47 --stack my-skill
    """
    found = [(user, period) for user in user_ids_of(session, account_id) for period in periods_of(session, user, account_id)]
    found.sort(key=lambda entry: (entry[1].start_ms, entry[0]))
    session.audit.rows = len(found)
    session.result({"AccountID": account_id, "rows": [{"AmazonUserID": user, **period.columns} for user, period in found]})
    session.say("none" if not found else counted(len({user for user, _ in found}), "user id"), fg="green" if found else "red", bold=True)
    session.table([(*shown(period)[1:], user) for user, period in found])
    return 0 if found else 1


def user_ids_of(session: Session, account_id: str) -> list[str]:
    """By the index; each once."""
    call = {"IndexName": "by-account", "KeyConditionExpression": "AccountID = :a", "ExpressionAttributeValues": {":a": {"S": account_id}}}
    pages = read_pages(session.access.client, "query", TableName=session.access.table.name, **call) if account_id else []
    return sorted({item["AmazonUserID"]["S"] for page in pages for item in page})


def periods_of(session: Session, amazon_user_id: str, account_id: str) -> list[Period]:
    """Those of the account, out of the whole history: the index does not know when a period ended."""
    return [period for period in join_periods(session.access.history(amazon_user_id)) if period.account_id == account_id]


def show(session: Session, amazon_user_id: str, periods: list[Period], asked: dict[str, Any]) -> int:
    """The answer in one word, then a line for each period."""
    answer = answer_of(periods)
    session.audit.rows = len(periods)
    rows = [period.columns for period in periods]
    session.result({"AmazonUserID": amazon_user_id, **asked, "answer": answer, "rows": rows})
    session.say("linked, account not known" if answer == "account not known" else answer, fg=COLOURS[answer], bold=True)
    session.table(shown(period) for period in periods)
    return EXIT_CODES[answer]


def shown(period: Period) -> tuple[str, ...]:
    """Account, from, until, how it is known."""
    until = "still open" if period.end_ms is None else to_iso(period.end_ms)
    return (period.account_id or "-", to_iso(period.start_ms), until, period.status, period.source)
