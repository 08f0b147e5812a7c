"""What the rows must be, said without any of the code under test: a set of facts, sorted and folded in ten lines."""

from dataclasses import dataclass

LAG_MS = 30_000


@dataclass(frozen=True)
class Fact:
    """A link (kind 0) or an end (kind 1) of one user id; `tie` orders facts of one instant and kind, as the content id does."""

    time_ms: int
    kind: int
    tie: str
    account: str | None = None
    observed: bool = False
    erased_ms: int | None = None  # when the account of this link was erased


Row = tuple[str | None, int, int | None]  # account, start, end


def rows(facts: set[Fact]) -> list[Row]:
    """Each link with the time of the next fact. An observed link just after a fact counts for nothing; an erased one has no row."""
    firm = [fact.time_ms for fact in facts if not fact.observed]
    counting = [fact for fact in facts if not fact.observed or not any(0 <= fact.time_ms - time <= LAG_MS for time in firm)]
    counting.sort(key=lambda fact: (fact.time_ms, fact.kind, fact.tie))
    ends = [*(fact.time_ms for fact in counting[1:]), None]
    return [
        (fact.account, fact.time_ms, end) for fact, end in zip(counting, ends, strict=False) if fact.kind == 0 and fact.erased_ms is None
    ]


def account_at(facts: set[Fact], when_ms: int) -> tuple[bool, str | None]:
    """Whether the user id was linked then, and to which account as far as it is known."""
    for account, start, end in rows(facts):
        if start <= when_ms and (end is None or when_ms < end):
            return True, account
    return False, None
