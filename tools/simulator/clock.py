"""Alexa's clock, which can be moved on so that an hour passes in no time."""

from datetime import UTC, datetime, timedelta

MOST_AHEAD = timedelta(days=3650)  # what a person may ask for: far beyond every life that a token has, and far from where dates end


class SimulatedClock:
    """Runs like the real one, so much before or after it."""

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC) + self._ahead

    def now_ahead(self) -> timedelta:
        """How much it is before the real one."""
        return self._ahead

    def move_on(self, by: timedelta) -> None:
        self._ahead += by
