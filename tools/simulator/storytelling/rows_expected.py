"""What may be expected of the mapping table, and of what an operator is told of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tools.simulator.customers import CUSTOMERS
from tools.simulator.storytelling.seen import Check, Seen, unless
from tools.simulator.storytelling.story_text import Part

NONE, UNKNOWN = "none", "unknown"
STATUSES = ("RESOLVED", "PENDING", "UNRESOLVED", "ERASED")
SOURCES = ("EVENT", "OBSERVED", "OPERATOR")


def rows(part: Part) -> Check:
    """All rows of the table in order of time, each with what is to be seen of it."""
    wanted = [read_row(item) for item in part.items()]

    def check(seen: Seen) -> list[str]:
        found = seen.rows
        is_so = len(found) == len(wanted) and all(fits(row, wish) for row, wish in zip(found, wanted, strict=True))
        return unless(is_so, described(wanted), described([told_row(row) for row in found]))

    return check


def read_row(part: Part) -> Mapping[str, object]:
    read: Mapping[str, Callable[[Part], object]] = {
        "account": lambda each: each.choice((*CUSTOMERS, UNKNOWN), "account"),
        "customer": lambda each: each.choice(tuple(CUSTOMERS), "customer"),
        "open": lambda each: each.flag(),
        "status": lambda each: each.text(),
        "source": lambda each: each.choice(SOURCES, "source"),
    }
    return {name: read[name](value) for name, value in part.named(read, "a row").items()}


def told_row(row: Mapping[str, Any]) -> dict[str, object]:
    """A row in a story's own words."""
    return {
        "account": row.get("account") or UNKNOWN,
        "customer": row.get("customer") or UNKNOWN,
        "open": bool(row.get("open")),
        "status": str(row.get("Status", "")),
        "source": str(row.get("Source", "")),
    }


def fits(row: Mapping[str, Any], wish: Mapping[str, object]) -> bool:
    """UNRESOLVED stands for every reason of being so."""
    said = told_row(row) | ({"status": str(row.get("Status", "")).partition(":")[0]} if wish.get("status") in STATUSES else {})
    return all(said[name] == value for name, value in wish.items())


def described(each: Sequence[Mapping[str, object]]) -> str:
    """No row; 2 rows (account anna, open; account carlos, closed)."""
    if not each:
        return "no row"
    told_rows = (", ".join(word(name, value) for name, value in row.items()) or "any" for row in each)
    return f"{len(each)} row{'' if len(each) == 1 else 's'} ({'; '.join(told_rows)})"


def word(name: str, value: object) -> str:
    if name == "open":
        return "open" if value else "closed"
    return str(value) if name in {"status", "source"} else f"{name} {value}"


def user_ids(part: Part) -> Check:
    """How many different Amazon user ids the table knows."""
    wanted = part.number()

    def check(seen: Seen) -> list[str]:
        found = len({row["AmazonUserID"] for row in seen.rows})
        return unless(found == wanted, f"{wanted} user id{'' if wanted == 1 else 's'} in the table", found)

    return check


# ---- of the operator's look-up


def code(part: Part) -> Check:
    wanted = part.number()
    return lambda seen: unless(
        seen.looked_up is not None and seen.looked_up.returncode == wanted,
        f"exit code {wanted}",
        f"{seen.looked_up.returncode if seen.looked_up else 'no answer'} {seen.looked_up_text}",
    )


def account(part: Part) -> Check:
    """Whose account the look-up names; none: nobody's."""
    wanted = part.choice((*CUSTOMERS, NONE), "account")

    def check(seen: Seen) -> list[str]:
        named = {row["account"] for row in seen.rows if row.get("AccountID") and row["AccountID"] in seen.looked_up_text}
        expected = "no account" if wanted == NONE else f"the account of {wanted}"
        return unless(named == ({wanted} - {NONE}), expected, seen.looked_up_text)

    return check


def says(part: Part) -> Check:
    wanted = part.texts()
    return lambda seen: [
        complaint
        for text in wanted
        for complaint in unless(text in seen.looked_up_text, f"the command to say {text!r}", seen.looked_up_text)
    ]
