"""The measurements fail when they should; how fast this machine is, they do not judge here."""

import json

import pytest

from bench import request_signature


@pytest.mark.parametrize(("limit", "status"), [(0.5, 1), (1000.0, 0)])
def test_the_measurement_fails_when_a_verification_costs_more_than_the_limit(
    limit: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(request_signature, "LIMIT", limit)
    monkeypatch.setattr(request_signature, "ROUNDS", 2)
    monkeypatch.setattr("sys.argv", ["bench", "--json", "--no-load"])
    assert request_signature.main() == status
    figures = json.loads(capsys.readouterr().out)
    assert figures["ratio"] > 0.5
    assert figures["baseline_us"] < figures["verify_us"], "a verification contains the bare one"
