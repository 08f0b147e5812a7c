"""Reads in parallel stay within their rate, slow down when DynamoDB throttles, and give up on what will not pass."""

import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from tools.customers import parallel_reads
from tools.customers.parallel_reads import Rate, Stopped, may_pass, patiently, read_in_parallel


def refusal(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Query")  # type: ignore[typeddict-item]


MAY_PASS = [refusal("ThrottlingException"), refusal("InternalServerError", 500), EndpointConnectionError(endpoint_url="x")]
WILL_NOT_PASS = [refusal("AccessDeniedException"), refusal("ResourceNotFoundException"), NoCredentialsError(), ValueError()]


def test_every_key_is_read_once_when_threads_share_the_work() -> None:
    asked: list[int] = []
    read = [pair for some in read_in_parallel(lambda key: asked.append(key) or key * 2, range(500), 1e6, 8) for pair in some]  # type: ignore[func-returns-value]
    assert sorted(read) == [(key, key * 2) for key in range(500)]
    assert sorted(asked) == list(range(500))


def test_the_rate_is_kept_over_all_threads_when_there_are_many() -> None:
    began = time.monotonic()
    assert sum(len(some) for some in read_in_parallel(lambda key: key, range(60), 100, 16)) == 60
    assert 0.45 <= time.monotonic() - began < 5


def test_it_stops_at_once_when_one_read_fails() -> None:
    asked: list[int] = []

    def read(key: int) -> int:
        asked.append(key)
        if key == 3:
            raise refusal("AccessDeniedException")
        return key

    with pytest.raises(ClientError, match="AccessDenied"):
        list(read_in_parallel(read, range(10_000), 200, 2))
    assert len(asked) < 100


def test_the_rate_halves_and_recovers_within_a_minute_when_throttled() -> None:
    now = [0.0]
    rate = Rate(100, lambda: now[0])
    rate.slow_down()
    rate.slow_down()
    assert rate._now == 25
    now[0] = 30.0
    rate._refill()
    assert rate._now == 75
    now[0] = 300.0
    rate._refill()
    assert rate._now == 100


def test_a_waiting_read_gives_up_when_the_work_is_stopped() -> None:
    rate = Rate(0.1)
    threading.Timer(0.05, rate.stop).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        [rate.take() for _ in range(5)]  # type: ignore[func-returns-value]
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("error", MAY_PASS)
def test_the_read_is_tried_again_when_the_fault_may_pass(error: Exception) -> None:
    outcomes: list[Any] = [error, error, 7]

    def read() -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return int(outcome)

    assert patiently(read, Rate(1000)) == 7


def test_the_last_fault_is_raised_when_it_never_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel_reads, "LONGEST_WAIT_S", 0.001)
    asked = []

    def read() -> None:
        asked.append(1)
        raise refusal("ThrottlingException")

    with pytest.raises(ClientError):
        patiently(read, Rate(1000))
    assert len(asked) == parallel_reads.MOST_TRIES


@pytest.mark.parametrize("error", WILL_NOT_PASS)
def test_nothing_is_tried_again_when_it_cannot_help(error: Exception) -> None:
    assert not may_pass(error)
