"""Skill events that are not acknowledged yet, and when each is brought next."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

PAUSES_S = (10, 30, 60, 120, 300, 600, 1200)  # the last one from then on; how long Alexa really pauses is not documented
GIVES_UP_AFTER = timedelta(hours=1)


@dataclass
class WaitingEvent:
    """An event as first sent."""

    event: Mapping[str, Any]
    first_sent: datetime
    next_try: datetime
    because: str = "not brought yet"
    attempts: int = 0
    is_on_its_way: bool = True  # some thread is bringing it just now
    is_newest_first: bool = False  # of several that are held, the youngest goes first

    @property
    def kind(self) -> str:
        return str(self.event["request"]["type"])

    def put_off(self, at: datetime) -> bool:
        """After a try at that time that failed; whether there is another within the hour."""
        self.is_newest_first = False
        self.next_try = at + timedelta(seconds=PAUSES_S[min(self.attempts, len(PAUSES_S)) - 1])
        return self.next_try <= self.first_sent + GIVES_UP_AFTER


class WaitingEvents:
    """In the order in which they were sent; one thread at a time brings an event."""

    def __init__(self) -> None:
        self._events: list[WaitingEvent] = []
        self._lock = threading.Lock()

    def all(self) -> list[WaitingEvent]:
        with self._lock:
            return list(self._events)

    def add(self, waiting: WaitingEvent) -> None:
        with self._lock:
            self._events.append(waiting)

    def remove(self, waiting: WaitingEvent) -> None:
        with self._lock:
            self._events = [each for each in self._events if each is not waiting]

    def release(self, waiting: Iterable[WaitingEvent]) -> None:
        """They are on their way no longer."""
        with self._lock:
            for each in waiting:
                each.is_on_its_way = False

    def next_due(self) -> datetime | None:
        """The earliest try of those that no thread is bringing."""
        with self._lock:
            return min((each.next_try for each in self._idle()), default=None)

    def take_due(self, now: datetime) -> tuple[WaitingEvent, datetime] | None:
        """The one to bring next and the time of its try; None when nothing is due."""
        with self._lock:
            first = min(self._idle(), key=lambda each: each.next_try, default=None)
            if first is None or first.next_try > now:
                return None
            youngest = [each for each in self._idle() if each.is_newest_first][-1] if first.is_newest_first else first
            youngest.is_on_its_way = True
            return youngest, first.next_try

    def take_all(self) -> list[WaitingEvent]:
        with self._lock:
            taken = self._idle()
            for each in taken:
                each.is_on_its_way = True
            return taken

    def _idle(self) -> list[WaitingEvent]:
        return [each for each in self._events if not each.is_on_its_way]
