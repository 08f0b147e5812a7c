"""A small world on a simulated clock: the real handler, a table and a provider that fail at random, and Alexa's hour of redelivery."""

import heapq
import itertools
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from linked_profile.access_tokens import unverified_claims
from linked_profile.account_mappings import AccountMappings, Table
from linked_profile.bootstrap import build_handler
from linked_profile.errors import ProviderUnavailableError, TableUnavailableError
from linked_profile.outbound import Answer, Deadline, parse_answer
from linked_profile.settings import Settings
from tests.in_memory_table import InMemoryTable
from tests.loopback_provider import CLIENT_ID, POOL_ID, cognito_token

SKILL_ID = "amzn1.ask.skill.5a7c2f0e-3b1d-4c8e-9f6a-0d2b4e6f8a1c"
ENVIRON = {
    "SKILL_ID": SKILL_ID,
    "ACCOUNT_MAPPINGS_TABLE": "table",
    "COGNITO_USER_POOL_ID": POOL_ID,
    "COGNITO_CLIENT_ID": CLIENT_ID,
    "LOG_LEVEL": "CRITICAL",
}
START_S = 1_773_480_000
HOUR_S = 3600
BACKOFF_S = (0, 60, 300, 1200, 3590)  # after the event: how often Alexa brings it, until it is acknowledged
FOREVER = Deadline(10**9)


class Clock:
    """Epoch seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = float(START_S)

    def __call__(self) -> float:
        return self.now


class Provider:
    """Stands where Outbound does: Cognito's GetUser, answering whose a token is unless it is down or has a bad moment."""

    def __init__(self, chance: random.Random, fault_rate: float = 0.0) -> None:
        self.down = False
        self._chance, self._fault_rate = chance, fault_rate

    def fetch(self, method: str, url: str, *, headers: Any, read: Any, deadline: Any, body: bytes = b"") -> Any:
        if self.down or self._chance.random() < self._fault_rate:
            bad_days: list[Any] = [
                lambda: parse_answer(503, b""),
                lambda: parse_answer(429, b"{}"),
                self._time_out,
                lambda: parse_answer(200, b'{"Use'),
            ]
            self._chance.choice(bad_days)()
        account = unverified_claims(json.loads(body)["AccessToken"])["sub"]
        return read(Answer(200, {"Username": account, "UserAttributes": [{"Name": "sub", "Value": account}]}))

    def _time_out(self) -> None:
        raise ProviderUnavailableError("no answer in time")


class FaultyTable:
    """An InMemoryTable whose calls fail: before they are done, after, or after with the client's own second try behind them."""

    def __init__(self, table: InMemoryTable, chance: random.Random, fault_rate: float = 0.3) -> None:
        self._table, self._chance, self._fault_rate = table, chance, fault_rate

    def __getattr__(self, operation: str) -> Any:
        return lambda **call: self._call(operation, call)

    def _call(self, operation: str, call: dict[str, Any]) -> Any:
        done = getattr(self._table, operation)
        if self._chance.random() >= self._fault_rate:
            return done(**call)
        kind = self._chance.choice(["refused", "applied", "retried"])
        if kind != "refused":
            done(**call)
        if kind == "retried":
            return done(**call)  # the first answer was lost, so a condition now fails against our own write
        throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, operation)
        raise self._chance.choice([throttled, ReadTimeoutError(endpoint_url="table"), ConnectTimeoutError(endpoint_url="table")])


class Simulation:
    """The skill, with as many containers as are wanted, over one table."""

    def __init__(self, seed: int, *, table_faults: float = 0.0, provider_faults: float = 0.0, **environ: str) -> None:
        self.chance = random.Random(seed)
        self.clock, self.table = Clock(), InMemoryTable()
        self.provider = Provider(self.chance, provider_faults)
        self.client: Any = FaultyTable(self.table, self.chance, table_faults) if table_faults else self.table
        self.settings = Settings.from_environ({**ENVIRON, **environ})
        retention = self.settings.retention_days
        self.mappings = AccountMappings(Table("table", SKILL_ID, retention), lambda: self.table, self.clock)  # type: ignore[arg-type,return-value]
        self.handler = self.container()

    def container(self) -> Any:
        """A handler that has seen nobody yet."""
        return build_handler(self.settings, dynamodb=lambda attempts: self.client, outbound=self.provider, clock=self.clock)  # type: ignore[arg-type]

    def deliver(self, event: dict[str, Any]) -> bool:
        """One delivery; whether it was acknowledged."""
        try:
            self.handler(event, None)
        except (ProviderUnavailableError, TableUnavailableError):
            return False
        return True

    def deliver_for_an_hour(self, events: list[tuple[float, dict[str, Any]]]) -> list[dict[str, Any]]:
        """Each event from its time on, again and again until it is acknowledged or its hour is over; returns those acknowledged."""
        number = itertools.count()
        queue = [(time, next(number), 0, time, event) for time, event in events]
        heapq.heapify(queue)
        acknowledged = []
        while queue:
            self.clock.now, _, tries, first, event = heapq.heappop(queue)
            if self.deliver(event):
                acknowledged.append(event)
            elif tries + 1 < len(BACKOFF_S):
                heapq.heappush(queue, (first + BACKOFF_S[tries + 1], next(number), tries + 1, first, event))
        return acknowledged


def skill_event(kind: str, user_id: str, time_s: float, account: str | None = None) -> dict[str, Any]:
    """As Alexa sends it."""
    body = {"body": {"accessToken": cognito_token(account)}} if account else {}
    request = {"type": f"AlexaSkillEvent.{kind}", "requestId": "r", "timestamp": iso(time_s), "eventCreationTime": iso(time_s), **body}
    return {
        "version": "1.0",
        "context": {"System": {"application": {"applicationId": SKILL_ID}, "user": {"userId": user_id}}},
        "request": request,
    }


def launch(user_id: str, time_s: float, account: str) -> dict[str, Any]:
    """A linked customer opens the skill."""
    system = {"application": {"applicationId": SKILL_ID}, "user": {"userId": user_id, "accessToken": cognito_token(account)}}
    session = {"new": True, "sessionId": "s", "application": system["application"], "user": system["user"]}
    request = {"type": "LaunchRequest", "requestId": "r", "timestamp": iso(time_s), "locale": "en-US"}
    return {"version": "1.0", "session": session, "context": {"System": system}, "request": request}


def iso(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def spread(chance: random.Random, count: int, users: int, accounts: int) -> Iterator[tuple[float, dict[str, Any]]]:
    """So many events over a day, each with the time it is first delivered: mostly at once, sometimes late."""
    for _ in range(count):
        user_id, time_s = f"amzn1.ask.account.U{chance.randrange(users):05d}", START_S + chance.randrange(24 * HOUR_S)
        account = f"account-{chance.randrange(accounts)}" if chance.random() < 0.6 else None
        late = chance.choice([0, 0, 0, 1, 10, 900])
        yield time_s + late, skill_event("SkillAccountLinked" if account else "SkillDisabled", user_id, time_s, account)
