"""Times mean the same on every machine."""

import time

import pytest

from tools.customers.times import parse_time


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/St_Johns", "Pacific/Kiritimati", "Europe/Budapest"])
@pytest.mark.parametrize(
    ("text", "first_ms", "length_ms"),
    [
        ("2026-03-14", 1_773_446_400_000, 86_399_999),
        ("2026-03-29", 1_774_742_400_000, 86_399_999),
        ("2026-03-14T09:00:00Z", 1_773_478_800_000, 0),
        ("2026-03-14t09:00:00z", 1_773_478_800_000, 0),
        ("2026-03-14 09:00Z", 1_773_478_800_000, 0),
        ("2026-03-14T10:00:00.123+01:00", 1_773_478_800_123, 0),
        ("2026-03-14T05:30:00.123999-03:30", 1_773_478_800_123, 0),
    ],
)
def test_it_is_the_same_instant_when_the_machine_is_elsewhere(
    monkeypatch: pytest.MonkeyPatch, zone: str, text: str, first_ms: int, length_ms: int
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    span = parse_time(text)
    monkeypatch.undo()
    time.tzset()
    assert (span.first_ms, span.last_ms - span.first_ms) == (first_ms, length_ms)


def test_it_reads_as_it_was_written_when_shown() -> None:
    assert [str(parse_time(text)) for text in ("2026-03-14", "2026-03-14T10:00:00.5+01:00")] == ["2026-03-14", "2026-03-14T09:00:00.500Z"]
