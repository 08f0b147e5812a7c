"""Reads in parallel, within a rate over all threads; where DynamoDB throttles, all of them slow down and then recover."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004

K = TypeVar("K")
T = TypeVar("T")

THROTTLED = frozenset(
    {"ThrottlingException", "Throttling", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "TooManyRequestsException"}
)
FAULTS = frozenset({"InternalServerError", "InternalFailure", "ServiceUnavailable", "ServiceUnavailableException"})
MOST_TRIES = 9  # the last of them a minute after the first
LONGEST_WAIT_S = 20.0
GATHERED_S = 0.05  # what is read in this time is handed over together: one at a time, writing it down takes longer than reading it


class Stopped(Exception):  # noqa: N818  (no fault)
    """The work is over, elsewhere."""


class Rate:
    """A token bucket that holds a tenth of a second's worth of reads. Halved when DynamoDB throttles, it is whole again a minute later."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = per_second, clock
        self._now, self._at, self._tokens = per_second, clock(), 0.0
        self._lock, self._stopped = threading.Lock(), threading.Event()

    def take(self) -> None:
        """Waits for the next read's turn. Raises Stopped."""
        with self._lock:
            self._refill()
            self._tokens -= 1
            due_s = -self._tokens / self._now
        if due_s > 0 or self._stopped.is_set():
            self.pause(due_s)

    def pause(self, seconds: float) -> None:
        """Raises Stopped as soon as there is nothing to wait for."""
        if self._stopped.wait(seconds):
            raise Stopped

    def slow_down(self) -> None:
        with self._lock:
            self._refill()
            self._now = max(1.0, self._now / 2)

    def stop(self) -> None:
        self._stopped.set()

    def _refill(self) -> None:
        now = self._clock()
        passed, self._at = max(0.0, now - self._at), now
        self._tokens = min(self._tokens + passed * self._now, max(1.0, self._now / 10))
        self._now = min(self._most, self._now + self._most * passed / 60)


def patiently(read: Callable[[], T], rate: Rate) -> T:
    """What `read` gives, tried again after throttling and passing faults. Raises what AWS said last, and Stopped."""
    for attempt in range(MOST_TRIES):
        rate.take()
        try:
            return read()
        except (ClientError, BotoCoreError) as error:
            if attempt == MOST_TRIES - 1 or not may_pass(error):
                raise
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in THROTTLED:
                rate.slow_down()
        rate.pause(min(LONGEST_WAIT_S, 0.1 * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311  (spreads retries)
    raise AssertionError("the last attempt returns or raises")


def may_pass(error: Exception) -> bool:
    """Whether the same call may do better later."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"]["Code"] in THROTTLED | FAULTS or status >= 500
    return isinstance(error, ConnectionError | HTTPClientError)


def read_in_parallel(read: Callable[[K], T], keys: Iterable[K], per_second: float, threads: int) -> Iterator[list[tuple[K, T]]]:
    """What was read, some at a time, in no order; never more than a few reads are ahead of who takes them."""
    waiting, rate = iter(keys), Rate(per_second)
    with ThreadPoolExecutor(threads, thread_name_prefix="read") as pool:
        running: dict[Future[T], K] = {}
        try:
            while True:
                for key in islice(waiting, threads * 4 - len(running)):
                    running[pool.submit(patiently, lambda key=key: read(key), rate)] = key
                if not running:
                    return
                done, _ = wait(running, GATHERED_S)
                if done:
                    yield [(running.pop(future), future.result()) for future in done]
        finally:
            rate.stop()
            pool.shutdown(wait=True, cancel_futures=True)
