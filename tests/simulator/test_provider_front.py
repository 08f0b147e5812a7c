"""What goes through the front unchanged, what is turned, and what the skill makes of each fault."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from linked_profile.errors import ProviderUnavailableError
from tests.conftest import Skill, message, request_info
from tests.loopback_provider import LoopbackProvider, send_json
from tools.simulator import faults, provider_front
from tools.simulator.account_linking import AccountLinking, RefreshRefusedError
from tools.simulator.faults import FAULTS, fault_named
from tools.simulator.linking_configuration import LinkingConfiguration, redirect_urls
from tools.simulator.login_page import CustomersBrowser
from tools.simulator.login_with_amazon.ledger import Client, Customer
from tools.simulator.login_with_amazon.server import LoginWithAmazon
from tools.simulator.loopback_server import LoopbackHttpServer
from tools.simulator.provider_front import ProviderFront, amazons_url

REDIRECTS = redirect_urls("M2UNIT0VENDOR")
LINKING = Client("Link Demo", tuple(REDIRECTS.values()))
EMI = Customer("emi@example.jp", "Emi-2026", "Emi Tanaka", "150-0001")
LANDING = "http://127.0.0.1:1"  # nothing is there, and nobody goes there


class Echo(BaseHTTPRequestHandler):
    """Keeps what it is sent, and answers with `answer`, as it stands."""

    received: list[bytes]
    answer: bytes

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n") and (line := self.rfile.readline()):
            head += line
        length = next((int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length:")), 0)
        type(self).received.append(head + self.rfile.read(length))
        self.wfile.write(type(self).answer)


@pytest.fixture
def echo() -> Iterator[tuple[type[Echo], ProviderFront]]:
    mine = type("Mine", (Echo,), {"received": [], "answer": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"})
    with LoopbackHttpServer(("127.0.0.1", 0), mine) as server, ProviderFront(server.url) as front:
        yield mine, front


def exchange(url: str, request: bytes) -> bytes:
    """Bytes there, bytes back, until the connection ends."""
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


class TestPassingOn:
    @pytest.mark.parametrize(
        ("request_", "passed_on"),
        [
            (
                b"GET /ap/oa?a=%2F&a=b+c&x=Atza%7C&empty= HTTP/1.1\r\nHost: front\r\nCookie: a=1; b=2\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n",
                (b"GET /ap/oa?a=%2F&a=b+c&x=Atza%7C&empty= HTTP/1.1", {b"Cookie: a=1; b=2", b"X-Twice: 1", b"X-Twice: 2"}, b""),
            ),
            (
                b"POST / HTTP/1.1\r\nHost: front\r\nContent-Length: 4\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\n\r\n\x00\xff\r\n",
                (b"POST / HTTP/1.1", {b"Content-Length: 4"}, b"\x00\xff\r\n"),
            ),
            (
                b"POST /t HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
                (b"POST /t HTTP/1.1", {b"Content-Length: 13"}, b"abc0123456789"),
            ),
            (b"DELETE /x HTTP/1.0\r\nHost: front\r\n\r\n", (b"DELETE /x HTTP/1.1", set(), b"")),
        ],
        ids=["query", "body", "chunks", "old"],
    )
    def test_a_request_arrives_as_it_was_sent(
        self, request_: bytes, passed_on: tuple[bytes, set[bytes], bytes], echo: tuple[type[Echo], ProviderFront]
    ) -> None:
        handler, front = echo
        assert exchange(front.url, request_).startswith(b"HTTP/1.1 200 ")
        head, _, body = handler.received[0].partition(b"\r\n\r\n")
        line, *headers = head.split(b"\r\n")
        host = f"Host: {front.provider_url.removeprefix('http://')}".encode()
        assert (line, set(headers), body) == (passed_on[0], passed_on[1] | {host, b"Connection: close"}, passed_on[2])

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (
                b"HTTP/1.1 418 Tea\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\nContent-Length: 3\r\nKeep-Alive: 5\r\n\r\n\x00\xff\n",
                (418, [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/"), ("Content-Length", "3")], b"\x00\xff\n"),
            ),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                (200, [("Content-Length", "5")], b"abcde"),
            ),
            (
                b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\nraw",
                (200, [("Content-Encoding", "gzip"), ("Content-Length", "3")], b"raw"),
            ),
            (b"HTTP/1.1 204 No Content\r\n\r\n", (204, [], b"")),
        ],
        ids=["cookies", "chunks", "until it closes", "empty"],
    )
    def test_an_answer_comes_back_as_it_was_given(self, answer: bytes, expected: Any, echo: tuple[type[Echo], ProviderFront]) -> None:
        handler, front = echo
        handler.answer = answer
        head, _, body = exchange(front.url, b"GET / HTTP/1.1\r\nHost: front\r\n\r\n").partition(b"\r\n\r\n")
        line, *headers = head.decode().split("\r\n")
        status, listed, content = expected
        assert (int(line.split()[1]), body) == (status, content)
        assert [tuple(header.split(": ", 1)) for header in headers] == [*listed, ("Connection", "close")]

    def test_an_answer_to_head_keeps_the_length_that_it_names(self, echo: tuple[type[Echo], ProviderFront]) -> None:
        handler, front = echo
        handler.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4711\r\n\r\n"
        answer = exchange(front.url, b"HEAD / HTTP/1.1\r\nHost: front\r\n\r\n")
        assert answer == b"HTTP/1.1 200 OK\r\nContent-Length: 4711\r\nConnection: close\r\n\r\n"

    @pytest.mark.parametrize(
        "request_",
        [
            b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        ],
    )
    def test_a_request_that_is_no_http_is_refused_here(self, request_: bytes, echo: tuple[type[Echo], ProviderFront]) -> None:
        handler, front = echo
        assert exchange(front.url, request_).startswith(b"HTTP/1.1 400 ")
        assert handler.received == []

    def test_the_connection_ends_when_the_provider_is_not_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
        with ProviderFront(f"http://127.0.0.1:{port}") as front, pytest.raises(requests.ConnectionError):
            requests.get(front.url, timeout=10)


class TestRedirects:
    @pytest.mark.parametrize(
        ("location", "landing", "turned"),
        [
            *((f"{url}?code=a%2Fb&state=s%3D", LANDING, f"{LANDING}/landed/{url[8:]}?code=a%2Fb&state=s%3D") for url in REDIRECTS.values()),
            (f"{REDIRECTS['EU']}#x", f"{LANDING}/", f"{LANDING}/landed/layla.amazon.com/api/skill/link/M2UNIT0VENDOR#x"),
            (REDIRECTS["EU"], None, REDIRECTS["EU"]),
            ("https://layla.amazon.com/other", LANDING, "https://layla.amazon.com/other"),
            ("http://layla.amazon.com/api/skill/link/M1", LANDING, "http://layla.amazon.com/api/skill/link/M1"),
            ("https://layla.amazon.com.example.org/api/skill/link/M1", LANDING, "https://layla.amazon.com.example.org/api/skill/link/M1"),
            ("/login?a=b", LANDING, "/login?a=b"),
            ("{provider}/login?a=b", LANDING, "{front}/login?a=b"),
            ("{provider}", LANDING, "{front}"),
            ("{provider}0/login", LANDING, "{provider}0/login"),
        ],
    )
    def test_lead_to_this_machine(self, location: str, landing: str | None, turned: str, echo: tuple[type[Echo], ProviderFront]) -> None:
        handler, front = echo
        urls = {"{provider}": front.provider_url, "{front}": front.url}
        for name, url in urls.items():
            location, turned = location.replace(name, url), turned.replace(name, url)
        handler.answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
        front.landing_url = landing
        assert requests.get(front.url, allow_redirects=False, timeout=10).headers["Location"] == turned

    def test_are_known_again_as_amazons_url(self) -> None:
        landed = f"{LANDING}/landed/alexa.amazon.co.jp/api/skill/link/M1?code=a%2Fb&state=s%3D"
        assert amazons_url(landed) == "https://alexa.amazon.co.jp/api/skill/link/M1?code=a%2Fb&state=s%3D"
        assert amazons_url("/landed/layla.amazon.com/api/skill/link/M1") == "https://layla.amazon.com/api/skill/link/M1"
        with pytest.raises(ValueError, match="sends nobody"):
            amazons_url(f"{LANDING}/landing?code=1")


class Desk:
    """Login with Amazon behind a front, a skill that asks it, and a customer whose account is linked."""

    def __init__(self, stack: ExitStack, build_skill: Any) -> None:
        self.calls: list[tuple[str, str, int | None, str]] = []
        self.site = stack.enter_context(LoginWithAmazon(LINKING, None, [EMI]))
        self.front = stack.enter_context(ProviderFront(self.site.url, on_call=self._keep))
        urls = (f"{self.front.url}/ap/oa", f"{self.front.url}/auth/o2/token")
        scopes = ("profile", "postal_code")
        self.linking = AccountLinking(LinkingConfiguration(*urls, LINKING.client_id, LINKING.client_secret, scopes, REDIRECTS))
        self.tokens = self.linking.link(CustomersBrowser(EMI.email, EMI.password))
        environ = {"IDENTITY_PROVIDER": "lwa", "LWA_API_URL": self.front.url, "LWA_CLIENT_ID": LINKING.client_id}
        self.skill: Skill = build_skill(**environ)
        self.calls.clear()

    def _keep(self, method: str, path: str, status: int | None, took_s: float, fault: str) -> None:
        self.calls.append((method, path, status, fault))

    def asked(self, token: str | None = None) -> str:
        """What a customer hears who asks for their email address."""
        return self.skill.speech(request_info("emailAddress", token or self.tokens.access_token))


@pytest.fixture
def desk(build_skill: Any) -> Iterator[Desk]:
    with ExitStack() as stack:
        yield Desk(stack, build_skill)


class TestFaultsAsTheSkillMeetsThem:
    def test_the_profile_is_read_when_there_is_none(self, desk: Desk) -> None:
        assert EMI.email in desk.asked()
        assert desk.calls == [("GET", "/auth/o2/tokeninfo", 200, "none"), ("GET", "/user/profile", 200, "none")]

    @pytest.mark.parametrize(
        ("fault", "heard", "calls"),
        [
            ("down", "cannot reach your account", [(None, "down")] * 2),
            ("throttled", "cannot reach your account", [(429, "throttled")] * 2),
            ("html", "cannot reach your account", [(200, "html")] * 2),
            ("expired", "sent a card", [(400, "expired")]),
            ("revoked", "sent a card", [(400, "revoked")]),
            ("other-client", "emi@example.jp", [(200, "none")] * 2),
        ],
    )
    def test_nobody_is_told_to_link_again_unless_the_token_is_bad(
        self, fault: str, heard: str, calls: list[tuple[int | None, str]], desk: Desk
    ) -> None:
        desk.front.inject(fault_named(fault))
        assert heard in desk.asked()
        assert [call[2:] for call in desk.calls] == calls
        desk.front.heal()
        assert EMI.email in desk.asked()

    @pytest.mark.parametrize("fault", [faults.SLOW, faults.SLOWER])
    def test_the_skill_speaks_in_time_when_the_provider_is_slow(self, fault: Any, desk: Desk) -> None:
        desk.front.inject(fault)
        started = time.monotonic()
        assert "cannot reach your account" in desk.asked()
        assert time.monotonic() - started < 8

    def test_another_clients_token_is_refused(self, desk: Desk) -> None:
        assert "sent a card" in desk.asked(desk.site.token_of_another_client(EMI.user_id))

    def test_a_link_stands_and_waits_for_its_account_when_the_provider_is_down(self, desk: Desk) -> None:
        desk.front.inject(faults.DOWN)
        event = message("skill_account_linked", token=desk.tokens.access_token)
        with pytest.raises(ProviderUnavailableError):
            desk.skill(event)
        desk.front.heal()
        desk.skill(event)
        assert [account for account, _, _ in desk.skill.periods()] == [EMI.user_id]


class TestFaultsByTheirScope:
    def page(self, desk: Desk) -> requests.Response:
        return requests.get(desk.linking.begin().url, timeout=20)

    @pytest.mark.parametrize("fault", ["expired", "revoked"])
    def test_a_customer_can_link_again_while_tokens_are_refused(self, fault: str, desk: Desk) -> None:
        desk.front.inject(fault_named(fault))
        assert desk.linking.link(CustomersBrowser(EMI.email, EMI.password)).refresh_token

    def test_a_refresh_brings_a_good_token_when_the_access_token_has_expired(self, desk: Desk) -> None:
        desk.front.inject(faults.EXPIRED)
        assert desk.linking.refresh(desk.tokens).access_token != desk.tokens.access_token

    def test_no_refresh_is_given_when_the_access_was_revoked(self, desk: Desk) -> None:
        desk.front.inject(faults.REVOKED)
        with pytest.raises(RefreshRefusedError, match="invalid_grant"):
            desk.linking.refresh(desk.tokens)

    @pytest.mark.parametrize(
        ("scope", "met"),
        [
            (["api"], {"api"}),
            (["token"], {"token"}),
            (["login"], {"login"}),
            (["api", "login"], {"api", "login"}),
            (None, {"api", "token", "login"}),
        ],
    )
    def test_only_the_calls_of_the_scope_meet_the_fault(self, scope: Any, met: set[str], desk: Desk) -> None:
        desk.front.inject(faults.THROTTLED, scope)
        paths = {"api": "/auth/o2/tokeninfo", "token": "/auth/o2/token", "login": "/ap/oa"}
        statuses = {kind: requests.get(desk.front.url + path, timeout=10).status_code for kind, path in paths.items()}
        assert {kind for kind, status in statuses.items() if status == 429} == met

    def test_a_page_answers_in_html_when_too_much_was_asked_of_it(self, desk: Desk) -> None:
        desk.front.inject(faults.THROTTLED)
        page = self.page(desk)
        assert (page.status_code, page.headers["Content-Type"]) == (429, "text/html; charset=utf-8")


GET_USER = {"X-Amz-Target": "AWSCognitoIdentityProviderService.GetUser", "Content-Type": "application/x-amz-json-1.1"}


class TestCognito:
    """As Cognito refuses; its own answers are for the end-to-end tests."""

    @pytest.fixture
    def front(self, provider: LoopbackProvider) -> Iterator[ProviderFront]:
        provider.misbehave = lambda request: send_json(request, 200, {})
        with ProviderFront(provider.url) as front:
            yield front

    @pytest.mark.parametrize(
        ("fault", "status", "body"),
        [
            ("throttled", 400, {"__type": "TooManyRequestsException", "message": "Too many requests"}),
            ("expired", 400, {"__type": "NotAuthorizedException", "message": "Access Token has expired"}),
            ("revoked", 400, {"__type": "NotAuthorizedException", "message": "Access Token has been revoked"}),
        ],
    )
    def test_get_user_is_refused_in_its_words(self, fault: str, status: int, body: dict[str, str], front: ProviderFront) -> None:
        calls: list[str] = []
        front.on_call = lambda method, path, status, took_s, fault: calls.append(f"{method} {path} {status} {fault}")
        front.inject(fault_named(fault))
        answer = requests.post(f"{front.url}/", json={"AccessToken": "a.b.c"}, headers=GET_USER, timeout=10)
        assert (answer.status_code, answer.json()) == (status, body)
        assert calls == [f"POST / (GetUser) 400 {fault}"]

    @pytest.mark.parametrize("fault", ["expired", "revoked"])
    def test_userinfo_is_refused_with_a_challenge(self, fault: str, front: ProviderFront) -> None:
        front.inject(fault_named(fault))
        answer = requests.get(f"{front.url}/oauth2/userInfo", headers={"Authorization": "Bearer a.b.c"}, timeout=10)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith('error="invalid_token"')

    @pytest.mark.parametrize(
        ("method", "path", "form"),
        [
            ("GET", "/oauth2/authorize?client_id=1", None),
            ("POST", "/login", {"username": "a"}),
            ("POST", "/oauth2/token", {"grant_type": "authorization_code", "code": "1"}),
            ("GET", "/eu-west-1_Q7rT2mXa9/.well-known/jwks.json", None),
        ],
    )
    @pytest.mark.parametrize("fault", ["expired", "revoked"])
    def test_what_carries_no_access_token_goes_through(
        self, fault: str, method: str, path: str, form: dict[str, str] | None, front: ProviderFront
    ) -> None:
        front.inject(fault_named(fault))
        assert requests.request(method, front.url + path, data=form, timeout=10).status_code == 200

    def test_a_refresh_is_refused_when_the_access_was_revoked(self, front: ProviderFront) -> None:
        front.inject(faults.REVOKED)
        answer = requests.post(f"{front.url}/oauth2/token", data={"grant_type": "refresh_token", "refresh_token": "x"}, timeout=10)
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


class TestEnding:
    def test_those_who_wait_for_a_slow_provider_are_let_go_at_once(
        self, provider: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(provider_front.DELAYS_S, faults.SLOWER, 60.0)
        started = time.monotonic()
        with ThreadPoolExecutor(3) as pool:
            with ProviderFront(provider.url) as front:
                front.inject(faults.SLOWER)
                waiting = [pool.submit(exchange_or_nothing, front.url) for _ in range(3)]
            assert [each.result() for each in waiting] == [b""] * 3
        assert time.monotonic() - started < 20

    def test_an_upstream_call_is_cut(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
            started = time.monotonic()
            with ProviderFront(f"http://127.0.0.1:{silent.getsockname()[1]}") as front:
                waiting = pool.submit(exchange_or_nothing, front.url)
                connection, _ = silent.accept()  # from here on the front waits for an answer
            with connection:
                assert waiting.result() == b""
            assert time.monotonic() - started < 20

    def test_the_query_of_a_call_is_told_to_nobody(self, provider: LoopbackProvider) -> None:
        told: list[Any] = []
        with ProviderFront(provider.url, on_call=lambda *call: told.append(call)) as front:
            requests.get(f"{front.url}/user/profile?access_token=Atza%7Csecret", timeout=10)
            front.inject(faults.DOWN)
            with pytest.raises(requests.ConnectionError):
                requests.get(f"{front.url}/auth/o2/tokeninfo?access_token=Atza%7Csecret", timeout=10)
        assert [call[1:3] for call in told] == [("/user/profile", 401), ("/auth/o2/tokeninfo", None)]
        assert "secret" not in json.dumps(told)


def exchange_or_nothing(url: str) -> bytes:
    try:
        return exchange(url, b"GET /user/profile HTTP/1.1\r\nHost: x\r\n\r\n")
    except OSError:
        return b""


def test_every_fault_is_found_by_its_name_and_described_in_one_sentence() -> None:
    assert [fault_named(fault.name) for fault in FAULTS] == list(FAULTS)
    assert all(fault.description.count(".") == 1 and fault.description.endswith(".") for fault in FAULTS)
    with pytest.raises(LookupError, match="none, down, slow"):
        fault_named("broken")
