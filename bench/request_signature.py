"""What proving a request costs, beside the bare arithmetic that nobody can do without; and what gunicorn takes in of signed requests.

The baseline is one RSA-2048 verification with the hash of the body. Both are measured in turns, block by block, so that whatever else
the machine does falls on both; a ratio over the limit is exit 1.
"""

import argparse
import base64
import http.client
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificates

from linked_profile.request_signature import RequestVerifier
from tools.local_stack import LocalStack
from tools.simulator.https_skill import HttpsSkill
from tools.simulator.request_signing import SigningAuthority

LIMIT = 3.0  # times the baseline
ROUNDS, BLOCK = 40, 100
WORKERS, CONNECTIONS, REQUESTS = 4, 16, 4000
MESSAGE = Path(__file__).parent.parent / "tests" / "messages" / "request_info.json"
SKILL = {"ACCOUNT_MAPPINGS_TABLE": "none", "ACCOUNT_LINKING": "none", "OBSERVE_REQUESTS": "false", "LOG_LEVEL": "WARNING"}

Figures = dict[str, float]


def main() -> int:
    """Exit 0 within the limit, 1 beyond it or when a request of the load was not answered."""
    parser = argparse.ArgumentParser(prog="python -m bench.request_signature", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    parser.add_argument("--no-load", action="store_true", help="leave gunicorn out")
    chosen = parser.parse_args()
    figures = measure_cost() | ({} if chosen.no_load else measure_load())
    print(json.dumps(figures) if chosen.json else table(figures))
    return int(figures["ratio"] > LIMIT or figures.get("failed", 0) > 0)


def measure_cost() -> Figures:
    """Microseconds each, medians of blocks; `ratio` is the median of the rounds' ratios."""
    authority, body = SigningAuthority(), recorded()
    headers = {**other_headers(), **authority.headers(body)}
    verifier = RequestVerifier(lambda _: authority.certificates, authority.roots)
    key: Any = load_pem_x509_certificates(authority.certificates)[0].public_key()
    signature = base64.b64decode(headers["Signature-256"])
    contenders: dict[str, Callable[[], object]] = {
        "baseline_us": lambda: key.verify(signature, body, PKCS1v15(), SHA256()),
        "signature_us": lambda: verifier.check_signature(headers, body),
        "verify_us": lambda: verifier.verify(headers, body),
    }
    rounds = [{name: block_us(contender) for name, contender in contenders.items()} for _ in range(ROUNDS + 5)][
        5:
    ]  # the first ones warm up
    medians = {name: statistics.median(each[name] for each in rounds) for name in contenders}
    ratios = [each["verify_us"] / each["baseline_us"] for each in rounds]
    return {**medians, "ratio": statistics.median(ratios), "body_bytes": len(body)}


def block_us(call: Callable[[], object]) -> float:
    begun = time.perf_counter_ns()
    for _ in range(BLOCK):
        call()
    return (time.perf_counter_ns() - begun) / BLOCK / 1000


def measure_load() -> Figures:
    """Signed requests over kept connections to gunicorn on loopback; the skill answers without a table and a provider."""
    stack = LocalStack({}, {**SKILL, "SKILL_ID": skill_id()}, role_arn="", timeout_s=8, memory_mb=512)
    with HttpsSkill(stack, workers=WORKERS, threads=CONNECTIONS // WORKERS) as skill:
        bodies = [recorded() for _ in range(REQUESTS // 40)]
        signed = [(body, skill.authority.headers(body)) for body in bodies]
        with ThreadPoolExecutor(CONNECTIONS) as clients:
            list(clients.map(lambda part: send(skill.url, part), [signed[:20]] * CONNECTIONS))  # each worker fetches the certificates first
            share = [(signed * (40 // CONNECTIONS + 1))[: REQUESTS // CONNECTIONS]] * CONNECTIONS
            begun = time.perf_counter()
            answers = [answer for each in clients.map(lambda part: send(skill.url, part), share) for answer in each]
        seconds = time.perf_counter() - begun
    latencies = sorted(latency for _, latency in answers)
    return {
        "workers": WORKERS,
        "requests": len(answers),
        "failed": sum(status != 200 for status, _ in answers),
        "requests_per_s": len(answers) / seconds,
        "p50_ms": latencies[len(latencies) // 2],
        "p99_ms": latencies[len(latencies) * 99 // 100],
    }


def send(url: str, requests: list[tuple[bytes, dict[str, str]]]) -> list[tuple[int, float]]:
    """Status and milliseconds of each, one after the other over one connection."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        return list(answers(connection, requests))
    finally:
        connection.close()


def answers(connection: http.client.HTTPConnection, requests: list[tuple[bytes, dict[str, str]]]) -> Iterator[tuple[int, float]]:
    for body, headers in requests:
        begun = time.perf_counter()
        connection.request("POST", "/", body, headers)
        with connection.getresponse() as response:
            response.read()
            yield response.status, (time.perf_counter() - begun) * 1000


def recorded() -> bytes:
    """A recorded request as of now, without an account."""
    event: dict[str, Any] = json.loads(MESSAGE.read_text())
    event["request"]["timestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for user in (event["session"]["user"], event["context"]["System"]["user"]):
        user.pop("accessToken", None)
    return json.dumps(event).encode()


def skill_id() -> str:
    found: str = json.loads(MESSAGE.read_text())["session"]["application"]["applicationId"]
    return found


def other_headers() -> dict[str, str]:
    """What a proxy adds: the verifier has to find its own two among them."""
    names = ("Host", "User-Agent", "Accept", "Accept-Charset", "Content-Length", "X-Forwarded-For", "X-Forwarded-Proto", "X-Amzn-Trace-Id")
    return dict.fromkeys(names, "some value")


def table(figures: Figures) -> str:
    lines = [
        ("RSA-2048 and hash, bare", f"{figures['baseline_us']:.0f} µs"),
        ("signature, certificates kept", f"{figures['signature_us']:.0f} µs"),
        ("whole verification, body parsed", f"{figures['verify_us']:.0f} µs, {figures['ratio']:.2f} x bare (limit {LIMIT:.0f})"),
    ]
    if "requests" in figures:
        load = f"{figures['requests_per_s']:.0f} requests/s, p50 {figures['p50_ms']:.1f} ms, p99 {figures['p99_ms']:.1f} ms"
        lines.append(
            (f"gunicorn, {figures['workers']:.0f} workers, {figures['requests']:.0f} requests", f"{load}, {figures['failed']:.0f} failed")
        )
    return "\n".join(f"{name:40} {value}" for name, value in lines)


if __name__ == "__main__":
    sys.exit(main())
