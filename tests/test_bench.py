"""The measurements fail when they should; how fast this machine is, they do not judge here."""

import json

import pytest

from bench import request_signature


@pytest.mark.parametrize(("limit", "status"), [(0.0, 1), (1e9, 0)])
def test_the_measurement_fails_when_a_verification_costs_more_than_the_limit(
    limit: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(request_signature, "LIMIT", limit)
    monkeypatch.setattr(request_signature, "ROUNDS", 2)
    monkeypatch.setattr("sys.argv", ["bench", "--json", "--no-load"])
    assert request_signature.main() == status
    figures = json.loads(capsys.readouterr().out)
    assert {"baseline_us", "signature_us", "verify_us", "ratio"} <= set(figures)
