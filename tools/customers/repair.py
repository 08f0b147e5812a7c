"""What is wrong or waiting in the record, and its mending: one pass over the table, a user id at a time."""

import json
from collections import Counter

import click

from linked_profile.account_mappings import AccountMappings
from linked_profile.fold import ERASED, to_iso
from linked_profile.outbound import Deadline
from tools.customers.account_items import delete_items, erased_items, with_account_tables
from tools.customers.answers import counted
from tools.customers.erasure import Swept, second_sweep
from tools.customers.erasure_notes import SETTLED_AFTER_MS, carry_over, list_erasures
from tools.customers.errors import WrongUseError
from tools.customers.findings import END_TOO_LATE, ERASED_BESIDE, ERASED_IS_BACK, ERASED_REST, MENDABLE, NO_EXPIRY, Examination, Finding
from tools.customers.progress import progress
from tools.customers.raw_table import Item, by_partition, number, scan_items, write_if
from tools.customers.session import Session, with_session

PATIENCE_S = 60.0  # for one user id


@click.command(short_help="List what is wrong or waiting, and mend it.")
@click.option("--apply", is_flag=True, help="Mend what can be mended. Without it nothing is written.")
@click.option(
    "--unseen-days", type=click.IntRange(1, 36_500), default=None, metavar="N", help="List open rows without any event for N days."
)
@click.option(
    "--retention-days",
    type=click.IntRange(0, 36_500),
    envvar="RETENTION_DAYS",
    default=0,
    metavar="N",
    help="Rows expire N days after their end; 0 = never. [env: RETENTION_DAYS]",
)
@click.option("--erasures-from", metavar="TABLE", default=None, help="Take the notes of erasures over from the table before a restore.")
@with_account_tables
@with_session
def repair(
    session: Session,
    *,
    apply: bool,
    unseen_days: int | None,
    retention_days: int,
    erasures_from: str | None,
    grants_table: str,
    lamps_table: str,
) -> int:
    """Go through the record and list what is wrong or waiting; with --apply, mend it.

    \b
      python -m tools.customers repair --stack my-skill
      python -m tools.customers repair --apply --reason "after the outage of 14 March"
      python -m tools.customers repair --apply --table restored --erasures-from account-mappings --skill-id amzn1.ask.skill.…

    Mended are: stored ends that differ from the fold (an event was dropped half way; reading was right all the time), erasures whose
    second sweep is due, erased accounts that a backup brought back or that something under way has left a grant or a lamp of, and missing
    expiries. Listed only: rows whose account is pending or unresolved (see assign), and with --unseen-days open rows of user ids that no
    event and no observed request came from for N days. More the table does not know: the requests of a customer whose row stands leave no
    trace, so an unseen one may talk to the skill daily.

    Exit code 1 where there is something that --apply would mend.
    """
    access, table = session.access, session.access.table_with_skill_id
    if erasures_from and not apply:
        raise WrongUseError("--erasures-from needs --apply")
    if erasures_from:
        session.note(f"new here: {counted(carry_over(access.client, erasures_from, table), 'note')} of erasures")
    session.audit.dry_run = not apply
    now_ms = int(access.clock() * 1000)
    erasures = list_erasures(access.client, table)
    found = examine(session, Examination(table, erasures, now_ms, unseen_days), apply=apply)
    due = [erasure for erasure in erasures.values() if erasure.done_ms is None and erasure.is_due(now_ms)]
    later = sorted(erasure.erased_ms for erasure in erasures.values() if erasure.done_ms is None and not erasure.is_due(now_ms))
    beside = list(erased_items(access.client, table, access.account_tables(grants_table, lamps_table), erasures))
    if beside:
        found[ERASED_BESIDE] = len(beside)
    swept = Swept()
    if apply:
        delete_items(access.client, iter(beside))
    if apply and (due or found[ERASED_IS_BACK] or found[ERASED_REST]):
        swept = second_sweep(access.client, table, access.clock)
    sums = {"found": dict(found), "erasures_due": len(due), "erasures_later": len(later), "applied": apply, **sums_of(swept)}
    session.audit.rows = sum(found.values())
    if session.as_json:
        click.echo(f"], {json.dumps(sums)[1:]}")
    say_sums(session, found, due=len(due), next_due_ms=later[0] + SETTLED_AFTER_MS if later else None, swept=swept if apply else None)
    return 0 if apply or not (due or any(found[what] for what in MENDABLE)) else 1


def examine(session: Session, examination: Examination, *, apply: bool) -> Counter[str]:
    """Shows every finding as it comes; how many there are of each kind."""
    found: Counter[str] = Counter()
    if session.as_json:
        click.echo('{"findings": [', nl=False)
    client, table = session.access.client, examination.table
    mapped = (item for item in scan_items(client, table.name) if item["SK"]["S"].startswith(("L#", "E#")))
    with progress("user ids") as advance:
        for amazon_user_id, items in by_partition(mapped):
            findings = list(examination.examine(amazon_user_id, items))
            for finding in findings:
                show(session, finding, is_first=not found)
                found[finding.what] += 1
            if apply:
                mend(session, findings)
            advance(1)
    return found


def show(session: Session, finding: Finding, *, is_first: bool) -> None:
    """A line for people, or an element of one JSON document that is written as it grows: there may be a million of them."""
    at, user = to_iso(finding.time_ms), finding.amazon_user_id
    if session.as_json:
        element = json.dumps({"finding": finding.what, "AmazonUserID": user, "at": at, "detail": finding.detail})
        click.echo(element if is_first else f", {element}", nl=False)
    session.say(f"{finding.what}  {at}  {finding.detail or '-'}  {user}")


def mend(session: Session, findings: list[Finding]) -> None:
    """Ends and expiries, the ends first: an expiry counts from them. Raises TableUnavailableError."""
    access, table = session.access, session.access.table_with_skill_id
    if any(finding.what == END_TOO_LATE for finding in findings):
        mappings = AccountMappings(table, lambda: access.client, access.clock)
        mappings._lower_ends(findings[0].amazon_user_id, Deadline(PATIENCE_S))
    for finding in findings:
        if finding.what == NO_EXPIRY:
            write_if(
                access.client, "update_item", TableName=table.name, **expiry_update(finding, table.expiry(finding.value_ms)["ExpiresAt"])
            )


def expiry_update(finding: Finding, expires_at: Item) -> Item:
    """Under the condition that it is the end which the expiry counts from."""
    is_end = finding.sort_key.startswith("E#")
    return {
        "Key": {"AmazonUserID": {"S": finding.amazon_user_id}, "SK": {"S": finding.sort_key}},
        "UpdateExpression": "SET ExpiresAt = :t",
        "ConditionExpression": "attribute_exists(SK)" if is_end else "EndMs = :e AND #s <> :x",
        "ExpressionAttributeValues": {":t": expires_at} | ({} if is_end else {":e": number(finding.value_ms), ":x": {"S": ERASED}}),
        **({} if is_end else {"ExpressionAttributeNames": {"#s": "Status"}}),
    }


def sums_of(swept: Swept) -> dict[str, int]:
    """What the second sweep did."""
    return {"links_erased": swept.links_erased, "user_ids_deleted": swept.partitions_deleted, "erasures_done": swept.erasures_done}


def say_sums(session: Session, found: Counter[str], *, due: int, next_due_ms: int | None, swept: Swept | None) -> None:
    """What was found, what was done, what is to be done later."""
    for what, count in sorted(found.items()):
        session.say(f"{count:,} {what}", bold=True)
    if due:
        session.say(f"{counted(due, 'erasure')} due for the second sweep", bold=True)
    if next_due_ms:
        session.say(f"The next erasure is due at {to_iso(next_due_ms)}.")
    if swept is None:
        mendable = due + sum(found[what] for what in MENDABLE)
        session.say("Nothing is written. To mend: --apply" if mendable else "Nothing to mend.", fg="yellow" if mendable else "green")
        return
    session.say(f"Mended. Erasures done: {swept.erasures_done}; user ids deleted: {swept.partitions_deleted}.", fg="green")
    if swept.waiting:
        session.say(
            f"Too young to be deleted: {counted(len(swept.waiting), 'user id')}. Run it again at {to_iso(swept.waiting_until_ms)}.",
            fg="yellow",
        )
