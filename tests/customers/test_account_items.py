"""An erased account's grants and lamp go with its rows, whatever was under way, and nobody else's do."""

from typing import Any

import pytest

from linked_profile.aws_calls import AwsCalls
from linked_profile.grants_table import Grant, GrantsTable
from linked_profile.virtual_lamps import VirtualLamps
from tests.customers.conftest import ANNA, BEN, FOREVER, TABLE, Desk, FakeCloudFormation
from tests.in_memory_table import InMemoryTable

TABLES = ("--grants-table=grants", "--lamps-table=lamps")
LATER = "2026-03-20T13:05:00Z"


class Tables:
    """DynamoDB: the tables by their names."""

    def __init__(self, mappings: Any) -> None:
        self.grants, self.lamps = InMemoryTable(key=("AccountID", "GrantID"), page_size=1), InMemoryTable(key=("AccountID",))
        self._named = {TABLE.name: mappings, "skill-table": mappings, "grants": self.grants, "lamps": self.lamps}

    def __getattr__(self, operation: str) -> Any:
        return lambda **call: getattr(self._named[call["TableName"]], operation)(**call)


class StackWithGrants(FakeCloudFormation):
    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        described = super().describe_stacks(StackName)
        named = {"AlexaGrantsTable": "grants", "VirtualLampsTable": "lamps"}
        described["Stacks"][0]["Outputs"] += [{"OutputKey": key, "OutputValue": value} for key, value in named.items()]
        return described


class Skill:
    """What the function stores beside the record."""

    def __init__(self, desk: Desk) -> None:
        self.tables = Tables(desk.table)
        desk.clients |= {"dynamodb": self.tables, "cloudformation": StackWithGrants()}
        aws = AwsCalls(lambda service, attempts: self.tables)
        self.grants, self.lamps = GrantsTable("grants", aws, lambda: desk.now_ms / 1000), VirtualLamps("lamps", aws)

    def grant(self, account_id: str, number: int = 1) -> None:
        self.grants.insert(Grant(account_id, f"NA#{number}", "1", b"sealed", b"sealed", 0), FOREVER)

    def accounts(self) -> list[str]:
        """Whose items there are."""
        return sorted(item["AccountID"]["S"] for table in (self.tables.grants, self.tables.lamps) for item in table.rows())


@pytest.fixture
def skill(desk: Desk) -> Skill:
    """Of acme: a row, two grants (one dead), a lamp. Of bolt the same, but one grant."""
    made = Skill(desk)
    for account, user in (("acme", ANNA), ("bolt", BEN)):
        desk.link(user, account, "2026-01-01T00:00:00Z")
        made.grant(account)
        made.lamps.switch(account, on=True, deadline=FOREVER)
    made.grant("acme", 2)
    made.grants.bury(Grant("acme", "NA#2", "1", b"", b"", 0), "SKILL_DISABLED_EXCEPTION", FOREVER)
    return made


@pytest.mark.parametrize("where", [(*TABLES,), ("--stack=skill",)], ids=["options", "stack"])
def test_no_grant_and_no_lamp_is_left_when_an_account_is_erased(desk: Desk, skill: Skill, where: tuple[str, ...]) -> None:
    stands_in = {"table": None, "skill_id": None} if where == ("--stack=skill",) else {}
    planned = desk("erase", "acme", "--json", *where, **stands_in)
    assert (planned.json["beside"], skill.accounts()) == (3, ["acme"] * 3 + ["bolt"] * 2)
    ran = desk("erase", "acme", "--yes", "1", "--json", *where, **stands_in)
    assert (ran.code, ran.json["beside"], skill.accounts()) == (0, 3, ["bolt", "bolt"])
    desk.now = LATER
    assert desk("repair", "--apply", *where, **stands_in).code == 0
    assert "acme" not in repr(desk.table.items)
    assert skill.accounts() == ["bolt", "bolt"]


def test_people_are_told_what_goes_beside_the_rows_when_they_plan(desk: Desk, skill: Skill) -> None:
    assert "Grants to send events and virtual lamps, which would go, too: 3." in desk("erase", "acme", *TABLES).out
    assert "Grants and lamps deleted: 3." in desk("erase", "acme", "--yes", "1", *TABLES).out


def test_they_go_when_the_account_has_no_row_any_more(desk: Desk, skill: Skill) -> None:
    skill.grant("cord")
    assert desk("erase", "cord", *TABLES).code == 0
    assert desk("erase", "cord", "--yes", "0", *TABLES).code == 0
    assert "cord" not in skill.accounts()


@pytest.mark.parametrize("finish", [("repair", "--apply"), ("erase", "acme", "--yes", "1")])
def test_what_was_under_way_is_found_when_the_second_sweep_comes(desk: Desk, skill: Skill, finish: tuple[str, ...]) -> None:
    desk("erase", "acme", "--yes", "1", *TABLES)
    desk.now = "2026-03-20T12:00:05Z"
    skill.grant("acme", 3)
    skill.lamps.switch("acme", on=True, deadline=FOREVER)
    desk.now = LATER
    assert desk("repair", *TABLES).code == 1
    assert desk(*finish, *TABLES).code == 0
    assert skill.accounts() == ["bolt", "bolt"]
    assert desk("repair", *TABLES).code == 0


def test_new_grant_and_lamp_stay_when_the_account_was_linked_anew(desk: Desk, skill: Skill) -> None:
    desk("erase", "acme", "--yes", "1", *TABLES)
    desk.now = LATER
    desk("repair", "--apply", *TABLES)
    desk.now = "2026-03-21T00:00:00Z"
    desk.link("cara", "acme", desk.now)
    skill.grant("acme", 4)
    skill.lamps.switch("acme", on=True, deadline=FOREVER)
    assert desk("repair", "--apply", *TABLES).code == 0
    assert skill.accounts() == ["acme", "acme", "bolt", "bolt"]


def test_grants_of_a_backup_go_when_it_brings_them_back(desk: Desk, skill: Skill) -> None:
    backup = dict(skill.tables.grants.items)
    desk("erase", "acme", "--yes", "1", *TABLES)
    desk.now = LATER
    desk("repair", "--apply", *TABLES)
    skill.tables.grants.items = backup
    assert "2 an erased account's grant or lamp" in desk("repair", *TABLES).out
    assert desk("repair", "--apply", *TABLES).code == 0
    assert skill.accounts() == ["bolt", "bolt"]


def test_refresh_that_was_under_way_does_not_bring_a_grant_back(desk: Desk, skill: Skill) -> None:
    (grant,) = skill.grants.query("acme", FOREVER)
    desk("erase", "acme", "--yes", "1", *TABLES)
    assert skill.grants.claim(grant, FOREVER) is None
    assert skill.grants.replace_tokens(grant, grant, FOREVER) is False
    assert skill.grants.bury(grant, "SKILL_DISABLED_EXCEPTION", FOREVER) is False
    assert skill.accounts() == ["bolt", "bolt"]


def test_erasing_needs_no_such_table_when_there_is_none(desk: Desk) -> None:
    desk.link(ANNA, "acme", "2026-01-01T00:00:00Z")
    assert desk("erase", "acme", "--yes", "1", "--json").json["beside"] == 0
