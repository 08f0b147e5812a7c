"""Erasing an account: nobody else's answers change at any step, and after the second sweep nothing of it is left or comes back."""

import copy
import json
from typing import Any

import pytest

from linked_profile.access_tokens import digest
from linked_profile.fold import content_id, fold, item_to_entry
from tests.loopback_provider import cognito_token
from tests.proof.erasing import GONE, OTHER, SETTLED_S, TABLE, History
from tests.proof.simulation import FOREVER, START_S, Simulation, launch, skill_event
from tools.customers.erasure import first_sweep, second_sweep

U1, U2 = "amzn1.ask.account.U1", "amzn1.ask.account.U2"


@pytest.mark.parametrize("page_size", [1, 3, 1000])
@pytest.mark.parametrize("block", range(2))
def test_random_histories_leave_nothing_and_change_nobody_elses_answers(block: int, page_size: int) -> None:
    histories = [History(seed, page_size).play() for seed in range(1000 * block, 1000 * block + 150)]
    assert [(history.seed, wrong) for history in histories for wrong in history.wrong] == []
    assert sum(history.deaths for history in histories) > 50, "if nobody died, the test tested little"


@pytest.fixture
def shared() -> Simulation:
    """U1 was `gone`, then `other`, then `gone` again; U2 is `other`."""
    simulation = Simulation(seed=3)
    links = [(0, U1, GONE), (100, U1, OTHER), (200, U1, GONE), (50, U2, OTHER)]
    simulation.deliver_for_an_hour([(START_S + s, skill_event("SkillAccountLinked", u, START_S + s, a)) for s, u, a in links])
    simulation.clock.now = START_S + 3000
    return simulation


def erase(simulation: Simulation, account: str) -> None:
    first_sweep(simulation.table, TABLE, account, simulation.clock)  # type: ignore[arg-type]


def sweep(simulation: Simulation) -> None:
    simulation.clock.now += SETTLED_S
    second_sweep(simulation.table, TABLE, simulation.clock)  # type: ignore[arg-type]


def answers(simulation: Simulation, account: str) -> list[tuple[str, int, int | None]]:
    rows = [row for user_id in (U1, U2) for row in simulation.mappings.history(user_id, FOREVER)]
    return [(row.amazon_user_id, row.start_ms, row.end_ms) for row in rows if row.account_id == account]


def test_two_erasures_of_accounts_that_share_a_user_id_leave_the_others_as_they_were(shared: Simulation) -> None:
    third = skill_event("SkillAccountLinked", U1, START_S + 300, "account-third")
    shared.handler(third, None)
    before = answers(shared, "account-third") + answers(shared, OTHER)
    erase(shared, GONE)
    assert answers(shared, "account-third") + answers(shared, OTHER) == before
    sweep(shared)
    assert answers(shared, "account-third") + answers(shared, OTHER) == before
    assert GONE not in json.dumps(shared.table.rows())
    kept = answers(shared, "account-third")
    erase(shared, OTHER)
    sweep(shared)
    text = json.dumps(shared.table.rows())
    assert answers(shared, "account-third") == kept
    assert (GONE in text, OTHER in text, U2 in text, U1 in text) == (False, False, False, True)


def test_neither_redelivery_nor_a_request_brings_an_erased_account_back_but_a_new_link_does(shared: Simulation) -> None:
    erase(shared, GONE)
    shared.handler(skill_event("SkillAccountLinked", U1, START_S + 200, GONE), None)
    shared.container()(launch(U1, shared.clock.now, GONE), None)
    assert GONE not in json.dumps(shared.table.rows())
    shared.handler(skill_event("SkillAccountLinked", U1, shared.clock.now + 1, GONE), None)
    assert answers(shared, GONE) == [(U1, int(shared.clock.now + 1) * 1000, None)]
    sweep(shared)
    assert len(answers(shared, GONE)) == 1


def test_a_link_that_comes_late_still_ends_where_the_erased_one_began(shared: Simulation) -> None:
    erase(shared, GONE)
    shared.handler(skill_event("SkillAccountLinked", U1, START_S + 150, "account-late"), None)
    assert answers(shared, "account-late") == [(U1, (START_S + 150) * 1000, (START_S + 200) * 1000)]


def test_a_link_of_the_same_millisecond_keeps_its_row_when_the_other_is_erased() -> None:
    simulation = Simulation(seed=4)
    accounts = sorted((f"account-{n}" for n in range(6)), key=lambda account: eid_of(U1, START_S, account))
    for account in accounts:
        simulation.handler(skill_event("SkillAccountLinked", U1, START_S, account), None)
    simulation.clock.now = START_S + 10
    last = answers(simulation, accounts[-1])
    assert last[0][2] is None, "the one that sorts last is the open one"
    erase(simulation, accounts[0])
    simulation.handler(skill_event("SkillAccountLinked", U1, START_S, accounts[-1]), None)
    assert answers(simulation, accounts[-1]) == last


def eid_of(user_id: str, time_s: float, account: str) -> str:
    return content_id("SkillAccountLinked", user_id, int(time_s * 1000), digest(cognito_token(account)))


def test_a_pending_link_that_is_resolved_after_the_erasure_takes_itself_back(shared: Simulation) -> None:
    shared.provider.down = True
    late = skill_event("SkillAccountLinked", U2, START_S + 2900, GONE)
    assert not shared.deliver(late)
    erase(shared, GONE)
    shared.provider.down = False
    assert shared.deliver(late)
    assert GONE not in json.dumps(shared.table.rows())


def test_an_interrupted_erasure_is_simply_run_again(shared: Simulation) -> None:
    before, calls = copy.deepcopy(shared.table.items), len(shared.table.calls)
    erase(shared, GONE)
    whole, calls = shared.table.rows(), len(shared.table.calls) - calls
    for call in range(calls):
        shared.table.items = copy.deepcopy(before)
        shared.table.before = stop_at(call)
        with pytest.raises(KeyboardInterrupt):
            erase(shared, GONE)
        shared.table.before = lambda operation: None
        erase(shared, GONE)
        assert shared.table.rows() == whole, call


def stop_at(call: int) -> Any:
    remaining = iter(range(call))

    def before(operation: str) -> None:
        if next(remaining, None) is None:
            raise KeyboardInterrupt

    return before


@pytest.mark.parametrize("notes_survive", [True, False])
def test_a_restored_backup_swept_again_gives_the_same(shared: Simulation, notes_survive: bool) -> None:
    backup = copy.deepcopy(shared.table.items)
    erase(shared, GONE)
    sweep(shared)
    expected = {key: item for key, item in shared.table.items.items() if not key[0].startswith("X#")}
    notes = {key: item for key, item in shared.table.items.items() if key[0].startswith("X#")}
    shared.table.items = {**backup, **(notes if notes_survive else {})}
    if not notes_survive:
        erase(shared, GONE)
    sweep(shared)
    assert rows_of(shared.table.items) == rows_of(expected)
    assert GONE not in json.dumps(shared.table.rows())


def rows_of(items: Any) -> list[Any]:
    entries = [item_to_entry(item) for key, item in sorted(items.items()) if not key[0].startswith("X#")]
    return [fold(entry for entry in entries if entry.amazon_user_id == user_id) for user_id in (U1, U2)]


def test_a_lagging_index_hides_nothing_from_the_sweep(shared: Simulation) -> None:
    shared.table.stale_index = {}
    erase(shared, GONE)
    assert GONE not in json.dumps(shared.table.rows())
