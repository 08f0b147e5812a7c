"""An erasure takes one account out of the table, and the user ids that had only it; nobody else's answer changes at any step."""

import random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from linked_profile.account_mappings import AccountMappings, Table
from linked_profile.fold import End, Link, content_id, row_at
from linked_profile.outbound import Deadline
from tests.in_memory_table import InMemoryTable
from tools.customers.erasure import first_sweep, second_sweep
from tools.customers.erasure_notes import find_erasure
from tools.customers.raw_table import read_pages

SKILL_ID = "amzn1.ask.skill.5a7c2f0e-3b1d-4c8e-9f6a-0d2b4e6f8a1c"
TABLE = Table("account-mappings", SKILL_ID)
T0 = 1_773_480_000_000
MINUTE = 60_000
DUE = 66 * MINUTE
FOREVER = Deadline(10**9)
Answer = tuple[str | None, str] | None


class World:
    """A table that handlers and an operator write to, on a clock that is set by hand."""

    def __init__(self, **settings: Any) -> None:
        self.table: Any = InMemoryTable(**settings)
        self.now_ms = T0
        self.mappings = AccountMappings(TABLE, lambda: self.table, self.clock)

    def clock(self) -> float:
        return self.now_ms / 1000

    def link(self, user: str, account: str | None, minute: int, source: Any = "EVENT") -> None:
        """A link event, its account known or (None) not yet; an OBSERVED one has it in its put."""
        time_ms = T0 + minute * MINUTE
        link = Link(user, time_ms, content_id("L", user, time_ms, account or ""), source=source)
        if source == "OBSERVED":
            self.mappings.record_observed_link(Link(user, time_ms, link.eid, source, "RESOLVED", account), FOREVER)
            return
        self.mappings.record_link(link, FOREVER)
        if account:
            self.mappings.resolve_account(link, account, FOREVER)

    def end(self, user: str, minute: int) -> None:
        time_ms = T0 + minute * MINUTE
        self.mappings.record_end(End(user, time_ms, content_id("E", user, time_ms)), FOREVER)

    def first(self, account: str, minute: int) -> Any:
        self.now_ms = T0 + minute * MINUTE
        return first_sweep(self.table, TABLE, account, self.clock)

    def second(self, minute: int) -> Any:
        self.now_ms = T0 + minute * MINUTE
        return second_sweep(self.table, TABLE, self.clock)

    def answer(self, user: str, minute: float) -> Answer:
        row = row_at(self.mappings.history(user, FOREVER), int(T0 + minute * MINUTE))
        return (row.account_id, row.status) if row else None

    def holds(self, *texts: str) -> bool:
        return any(text in repr(self.table.items) for text in texts)


def test_nothing_is_left_when_the_account_had_the_user_id_alone() -> None:
    world = World()
    world.link("anna", "acme", -300)
    world.end("anna", -200)
    world.link("anna", "acme", -100)
    assert world.first("acme", 0).links_erased == 2
    assert not world.holds("acme")
    assert world.answer("anna", -50) is None
    swept = world.second(66)
    assert (swept.partitions_deleted, swept.erasures_done) == (1, 1)
    assert not world.holds("acme", "anna")


def test_the_neighbours_rows_stay_as_they_were_when_a_user_id_is_shared() -> None:
    world = World()
    for account, minute in (("first", -400), ("acme", -300), ("last", -200)):
        world.link("anna", account, minute)
    world.first("acme", 0)
    world.second(66)
    assert [world.answer("anna", minute) for minute in (-301, -300, -201, -200)] == [
        ("first", "RESOLVED"), None, None, ("last", "RESOLVED"),
    ]  # fmt: skip
    assert not world.holds("acme")


def test_nothing_is_deleted_when_the_hour_of_redelivery_is_not_over() -> None:
    world = World()
    world.link("anna", "acme", -300)
    world.first("acme", 0)
    swept = world.second(64)
    assert (swept.partitions_deleted, swept.erasures_done, swept.waiting_until_ms) == (0, 0, T0 + 65 * MINUTE)
    assert world.holds("anna")


def test_the_erasure_is_not_done_when_a_user_id_has_something_younger_than_65_minutes() -> None:
    world = World()
    world.link("anna", "acme", -300)
    world.first("acme", 0)
    world.end("anna", 30)
    swept = world.second(66)
    assert (swept.partitions_deleted, swept.erasures_done, swept.waiting_until_ms) == (0, 0, T0 + 95 * MINUTE)
    swept = world.second(95)
    assert (swept.partitions_deleted, swept.erasures_done) == (1, 1)
    assert not world.holds("anna")


def test_a_link_is_erased_when_its_handler_died_before_it_looked_for_the_note() -> None:
    world = World()
    world.link("anna", None, -1)
    world.first("acme", 0)
    key = next(key for key in world.table.items if key[0] == "anna")
    world.table.items[key] |= {"AccountID": {"S": "acme"}, "Status": {"S": "RESOLVED"}}  # set, and killed
    swept = world.second(66)
    assert (swept.links_erased, swept.partitions_deleted, swept.erasures_done) == (1, 1, 1)
    assert not world.holds("acme", "anna")


@pytest.mark.parametrize(("minute", "is_left"), [(-1, False), (0, False), (1, True)])
def test_a_pending_row_is_nobodys_when_it_is_from_before_the_erasure(minute: int, is_left: bool) -> None:
    world = World()
    world.link("anna", "acme", -300)
    world.link("anna", None, minute)
    world.first("acme", 0)
    world.second(200)
    assert world.holds("anna") is is_left


def test_a_pending_row_stays_when_only_another_accounts_erasure_came_after_it() -> None:
    world = World()
    world.link("anna", "acme", -300)
    world.link("ben", "other", -300)
    world.first("acme", 0)
    world.link("anna", None, 10)
    world.first("other", 20)
    world.second(200)
    assert world.answer("anna", 15) == (None, "PENDING")
    assert not world.holds("acme", "other", "ben")


def test_links_are_found_by_the_scan_when_the_index_lags() -> None:
    world = World(page_size=2)
    world.table.stale_index = {}
    for number in range(5):
        world.link(f"user-{number}", "acme", -300)
    assert world.first("acme", 0).links_erased == 5
    assert not world.holds("acme")


def test_an_observed_link_goes_whatever_its_start_and_a_link_event_after_the_erasure_stays() -> None:
    world = World()
    world.link("anna", "acme", 2, "OBSERVED")  # its handler had looked for the note before there was one
    world.link("ben", "acme", 2)
    swept = world.first("acme", 0)
    assert (swept.links_erased, swept.links_later) == (1, 1)
    assert world.answer("anna", 3) is None
    assert world.answer("ben", 3) == ("acme", "RESOLVED")


def test_a_new_link_works_and_a_late_redelivery_does_not_when_the_account_was_erased() -> None:
    world = World()
    world.link("anna", "acme", -10)
    world.first("acme", 0)
    world.link("anna", "acme", -10)
    world.link("ben", "acme", -5)
    assert not world.holds("acme")
    world.link("anna", "acme", 10)
    world.second(200)
    assert world.answer("anna", 11) == ("acme", "RESOLVED")
    assert not world.holds("ben")


def test_a_second_erasure_covers_more_and_an_older_one_changes_nothing() -> None:
    world = World()
    world.first("acme", 0)
    world.link("anna", "acme", 10)
    assert world.first("acme", 20).links_erased == 1
    assert world.first("acme", 5).erased_ms == T0 + 20 * MINUTE
    noted = find_erasure(world.table, TABLE, "acme")
    assert noted is not None
    assert (noted.erased_ms, noted.done_ms) == (T0 + 20 * MINUTE, None)


def test_a_restored_backup_is_swept_again_when_its_notes_are_there() -> None:
    world = World()
    for user, account in (("anna", "acme"), ("ben", "other")):
        world.link(user, account, -300)
    backup = dict(world.table.items)
    world.first("acme", 0)
    world.second(66)
    after = dict(world.table.items)
    world.table.items |= backup
    world.second(2000)
    assert world.table.items == after


def test_a_partition_is_kept_when_somebody_gets_a_row_in_it_while_it_is_deleted() -> None:
    world = World()
    world.link("anna", "acme", -300)
    world.link("anna", None, -200)
    world.first("acme", 0)
    pending = next(key for key, item in world.table.items.items() if item.get("Status") == {"S": "PENDING"})

    def assign(operation: str) -> None:
        if operation == "delete_item":
            world.table.items[pending] |= {"AccountID": {"S": "other"}, "Status": {"S": "RESOLVED"}}

    world.table.before = assign
    assert world.second(66).partitions_deleted == 0
    assert world.answer("anna", -100) == ("other", "RESOLVED")


@pytest.mark.parametrize("died_at", range(1, 40))
def test_an_erasure_is_done_when_it_is_run_again_after_dying_at_any_call(died_at: int) -> None:
    world = World(page_size=2)
    for user, account in (("anna", "acme"), ("anna", "other"), ("ben", "acme"), ("ben", None)):
        world.link(user, account, -300 + len(world.table.items))
    last = len(world.table.calls) + died_at

    def die(operation: str) -> None:
        if len(world.table.calls) == last:
            world.table.before = lambda operation: None
            raise ClientError({"Error": {"Code": "InternalServerError", "Message": "died"}}, operation)

    world.table.before = die
    for step in (lambda: world.first("acme", 0), lambda: world.second(70)):
        try:
            step()
        except ClientError:
            step()
    world.table.before = lambda operation: None
    assert not world.holds("acme", "ben")
    assert world.answer("anna", 0) == ("other", "RESOLVED")


def random_history(world: World, chance: random.Random) -> dict[str, set[str | None]]:
    """Links and disables of three user ids; the accounts that each had, None where one is not known."""
    had: dict[str, set[str | None]] = {user: set() for user in "uvw"}
    for _ in range(chance.randint(1, 12)):
        user, minute = chance.choice("uvw"), chance.randrange(-300, 0, 10)
        if chance.random() < 0.3:
            world.end(user, minute)
        else:
            account = chance.choice(["acme", "bolt", "cord", None])
            world.link(user, account, minute)
            had[user].add(account)
    return had


@pytest.mark.parametrize("seed", range(300))
def test_other_accounts_answers_never_change_when_histories_are_random(seed: int) -> None:
    chance = random.Random(seed)
    world = World(page_size=chance.choice([1, 3, 1000]))
    had = random_history(world, chance)
    answers = {(user, at): world.answer(user, at) for user in "uvw" for at in range(-305, 10, 5)}
    others = {place: answer for place, answer in answers.items() if answer and answer[0] in ("bolt", "cord")}

    def check(operation: str) -> None:
        world.table.before = lambda operation: None
        assert {place: world.answer(*place) for place in others} == others
        world.table.before = check

    world.table.before = check
    world.first("acme", 0)
    world.second(70)
    check("at the end")
    assert not world.holds("acme")
    assert not any(world.holds(f"'{user}'") for user in "uvw" if "acme" in had[user] <= {"acme", None})


def test_pages_are_all_read_when_some_are_empty() -> None:
    table: Any = InMemoryTable(page_size=1)
    for user in "abc":
        table.put_item(Item={"AmazonUserID": {"S": user}, "SK": {"S": "L#1#x"}})
    found = read_pages(table, "scan", TableName="t", FilterExpression="AmazonUserID = :c", ExpressionAttributeValues={":c": {"S": "c"}})
    assert [len(page) for page in found] == [0, 0, 1]
