"""Histories of four user ids and three accounts, drawn by hypothesis, against a model that folds a set.

Links, disables, ties, late and repeated deliveries, requests that are observed, an identity provider that goes and comes back, and
erasures with their second sweep: after every step each user id's history is the model's, and what is stored is what is folded.
"""

import json
import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from linked_profile import access_tokens
from linked_profile.account_mappings import Table
from linked_profile.fold import content_id
from tests.loopback_provider import cognito_token
from tests.proof.model import LAG_MS, Fact, account_at, rows
from tests.proof.simulation import FOREVER, SKILL_ID, Simulation, launch, skill_event
from tools.customers.erasure import first_sweep, second_sweep

HISTORIES = int(os.environ.get("PROOF_HISTORIES", "200"))
MOST_EVENTS = 12
USERS = [f"amzn1.ask.account.U{number}" for number in range(4)]
ACCOUNTS = ["account-a", "account-b", "account-c"]
TABLE = Table("table", SKILL_ID)
SETTLED_S = 65 * 60

users, accounts = st.sampled_from(USERS), st.sampled_from(ACCOUNTS)
lateness = st.sampled_from([0, 0, 0, 10, 20, 600, 3590])


class Histories(RuleBasedStateMachine):
    """The system is a Simulation; the model is a set of facts per user id, and the instant of each account's erasure."""

    @initialize()
    def begin(self) -> None:
        self.simulation = Simulation(seed=0)
        self.facts: dict[str, dict[str, Fact]] = {user_id: {} for user_id in USERS}
        self.erased_ms: dict[str, int] = {}
        self.sent: list[tuple[float, str, str | None]] = []

    @property
    def now(self) -> float:
        return self.simulation.clock.now

    # ---- what happens

    @precondition(lambda self: len(self.sent) < MOST_EVENTS)
    @rule(user_id=users, account=st.one_of(st.none(), accounts), late=lateness)
    def an_event_comes(self, user_id: str, account: str | None, late: int) -> None:
        self.sent.append((self.now - late, user_id, account))
        self._deliver(*self.sent[-1])

    @precondition(lambda self: any(time >= self.now - 3600 for time, _, _ in self.sent))
    @rule(data=st.data())
    def an_event_comes_again(self, data: Any) -> None:
        self._deliver(*data.draw(st.sampled_from([sent for sent in self.sent if sent[0] >= self.now - 3600])))

    @rule(user_id=users, account=accounts, lag=st.sampled_from([0, 5]))
    def a_linked_customer_speaks(self, user_id: str, account: str, lag: int) -> None:
        time_ms = int((self.now - lag) * 1000)
        self.simulation.container()(launch(user_id, self.now - lag, account), None)
        eid = content_id("OBSERVED", user_id, time_ms, account)
        facts = set(self.facts[user_id].values())
        is_known = account_at(facts, time_ms) == (True, account)
        lags = any(0 <= time_ms - fact.time_ms <= LAG_MS for fact in facts if not fact.observed)
        is_proven = not self.simulation.provider.down and account not in self.erased_ms
        if is_proven and not (is_known or lags or eid in self.facts[user_id]):
            self.facts[user_id][eid] = Fact(time_ms, 0, eid, account, observed=True)

    @rule()
    def the_provider_goes_or_comes_back(self) -> None:
        self.simulation.provider.down = not self.simulation.provider.down

    @rule(seconds=st.sampled_from([10, 60, 900, SETTLED_S]))
    def time_passes(self, seconds: int) -> None:
        self.simulation.clock.now += seconds

    @rule(account=accounts)
    def an_account_is_erased(self, account: str) -> None:
        first_sweep(self.simulation.table, TABLE, account, self.simulation.clock)  # type: ignore[arg-type]
        self.erased_ms[account] = int(self.now * 1000)
        for facts in self.facts.values():
            facts.update({eid: self._after_erasure(fact) for eid, fact in facts.items()})

    @precondition(lambda self: self.erased_ms)
    @rule()
    def the_second_sweep_runs(self) -> None:
        self.simulation.clock.now += SETTLED_S
        second_sweep(self.simulation.table, TABLE, self.simulation.clock)  # type: ignore[arg-type]
        for user_id, facts in self.facts.items():
            if any(fact.erased_ms for fact in facts.values()) and not self._has_living_link(facts):
                self.facts[user_id] = {}

    # ---- the model

    def _deliver(self, time_s: float, user_id: str, account: str | None) -> None:
        time_ms, kind = int(time_s * 1000), "SkillAccountLinked" if account else "SkillDisabled"
        acknowledged = self.simulation.deliver(skill_event(kind, user_id, time_s, account))
        assert acknowledged is (account is None or not self.simulation.provider.down)
        token_digest = access_tokens.digest(cognito_token(account)) if account else ""
        eid = content_id(kind, user_id, time_ms, token_digest)
        known = self.facts[user_id].setdefault(eid, Fact(time_ms, int(account is None), eid))
        if account and acknowledged and known.erased_ms is None:
            self.facts[user_id][eid] = self._after_erasure(replace(known, account=account))

    def _after_erasure(self, fact: Fact) -> Fact:
        gone = fact.account in self.erased_ms and (fact.observed or fact.time_ms <= self.erased_ms[fact.account or ""])
        return replace(fact, account=None, erased_ms=self.erased_ms[fact.account or ""]) if gone else fact

    def _has_living_link(self, facts: dict[str, Fact]) -> bool:
        """A row with an account, or one that is pending and younger than the last erasure of this user id."""
        last = max(fact.erased_ms or 0 for fact in facts.values())
        return any(fact.kind == 0 and fact.erased_ms is None and (fact.account or fact.time_ms > last) for fact in facts.values())

    # ---- what must hold

    @invariant()
    def every_history_is_the_models(self) -> None:
        for user_id, facts in self.facts.items():
            history = self.simulation.mappings.history(user_id, FOREVER)
            assert [(row.account_id, row.start_ms, row.end_ms) for row in history] == rows(set(facts.values())), user_id

    @invariant()
    def what_is_stored_is_what_is_folded(self) -> None:
        for user_id, facts in self.facts.items():
            stored = self.simulation.mappings.read(user_id, FOREVER)
            ends = {entry.sort_key: entry.end_ms for entry in stored}
            assert all(ends[row.sort_key] == row.end_ms for row in self.simulation.mappings.history(user_id, FOREVER))
            assert {entry.eid for entry in stored} == set(facts)

    @invariant()
    def nothing_is_left_of_an_erased_account_but_what_was_linked_anew(self) -> None:
        anew = {fact.account for facts in self.facts.values() for fact in facts.values()}
        text = json.dumps(self.simulation.table.rows())
        assert [account for account in ACCOUNTS if account in text] == [account for account in ACCOUNTS if account in anew]


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=24,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
TestHistories.pytestmark = [pytest.mark.timeout(3600)]
