"""What a warm directive costs when the provider's keys are here, beside one bare RSA-2048 verification.

All are measured in turns in one run, so that whatever else the machine does falls on all. "Whose token" is the proof alone; the directive
goes through the handler that Lambda calls, from Alexa's JSON to the answer, its log line left out and its device doing nothing.
"""

import argparse
import base64
import json
import logging
import statistics
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from linked_profile.account_proofs import build_account_proof
from linked_profile.directive_envelopes import Reply
from linked_profile.outbound import Deadline, Outbound
from tests.directive_skill import DirectiveSkill, directive
from tests.loopback_provider import LoopbackProvider
from tests.token_signer import signer

ROUNDS, CALLS = 100, 20
UNASKED: Any = None  # the identity provider itself has nothing to do with a token that its keys prove


def bare_verification(token: str) -> Callable[[], Any]:
    """RS256 as cryptography does it, on the bytes of the same token."""
    signed, _, signature = token.rpartition(".")
    message, raw, key = signed.encode(), base64.urlsafe_b64decode(signature + "=="), signer().private.public_key()
    return lambda: key.verify(raw, message, padding.PKCS1v15(), hashes.SHA256())


def median_us(timed: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Microseconds per call, the median of all calls of each, taken in turns."""
    taken: dict[str, list[int]] = {name: [] for name in timed}
    for _ in range(ROUNDS):
        for name, call in timed.items():
            for _ in range(CALLS):
                started = time.perf_counter_ns()
                call()
                taken[name].append(time.perf_counter_ns() - started)
    return {name: statistics.median(times) / 1000 for name, times in taken.items()}


def measure() -> dict[str, Any]:
    """The medians, their ratio, and how many calls the provider got in all of it."""
    provider = LoopbackProvider()
    try:
        skill = DirectiveSkill(provider, handlers={("Alexa.PowerController", "TurnOn"): lambda *_: Reply()})
        token = signer().access_token()
        event = directive("turn_on", token)
        skill(event)  # fetches the keys, loads the libraries
        logging.getLogger("linked_profile").setLevel(logging.CRITICAL)
        prove = build_account_proof(skill.settings, UNASKED, Outbound(), time.time)
        prove(token, Deadline(5))
        timed = {
            "bare": bare_verification(token),
            "proof": lambda: prove(token, Deadline(5)),
            "directive": lambda: skill.handler(event, None),
        }
        calls_before = len(provider.requests)
        medians = median_us(timed)
        ratios = {name: medians[name] / medians["bare"] for name in ("proof", "directive")}
        return {
            "median_us": medians,
            "ratio": ratios,
            "directives": ROUNDS * CALLS,
            "provider_calls": len(provider.requests) - calls_before,
        }
    finally:
        provider.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    as_json = parser.parse_args().json
    found = measure()
    if as_json:
        print(json.dumps(found))
        return
    median, ratio = found["median_us"], found["ratio"]
    print(f"{'RSA-2048 verification, bare':32} {median['bare']:.0f} µs")
    print(f"{'whose token, keys at hand':32} {median['proof']:.0f} µs, {ratio['proof']:.1f} x bare")
    print(f"{'whole directive':32} {median['directive']:.0f} µs, {ratio['directive']:.1f} x bare")
    print(f"{'calls to the provider':32} {found['provider_calls']} in {found['directives']:,} directives")


if __name__ == "__main__":
    main()
