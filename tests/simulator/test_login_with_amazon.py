"""The stand-in refuses what Login with Amazon refuses, and gives what it gives, in the same forms."""

import base64
import hashlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tools.simulator.account_linking import AccountLinking, AccountLinkingError
from tools.simulator.linking_configuration import LinkingConfiguration, redirect_urls
from tools.simulator.login_page import CustomersBrowser, LoginForm
from tools.simulator.login_with_amazon.behavior import MISCONFIGURATIONS, Behavior
from tools.simulator.login_with_amazon.ledger import Client, Customer
from tools.simulator.login_with_amazon.server import LoginWithAmazon

REDIRECTS = redirect_urls("M2UNIT0VENDOR")
REDIRECT = REDIRECTS["EU"]
LINKING = Client("Link Demo & Co", tuple(REDIRECTS.values()))
OTHER = Client("Skill messaging")  # registered as well, with no redirect URL
CARLOS = Customer("carlos@example.org", "Carlos-2026", "Carlos Núñez", "28013")
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Desk:
    """The stand-in, its clock, and one customer's browser."""

    site: LoginWithAmazon
    clock: list[float]
    browser: requests.Session = field(default_factory=requests.Session)

    def page(self, **changes: str | None) -> requests.Response:
        """The authorization page, asked for with something otherwise than usual; None leaves a parameter out."""
        usual = {"response_type": "code", "client_id": LINKING.client_id, "redirect_uri": REDIRECT, "scope": "profile", "state": "s=&7"}
        query = {**usual, "code_challenge": CHALLENGE, "code_challenge_method": "S256", **changes}
        return self.get("/ap/oa", params={name: value for name, value in query.items() if value is not None})

    def submit(self, page: requests.Response, **changes: str) -> requests.Response:
        fields = {**LoginForm(page.text).hidden, "email": CARLOS.email, "password": CARLOS.password, **changes}
        return self.browser.post(page.url, data=fields, allow_redirects=False, timeout=10)

    def redirected(self, **changes: str | None) -> dict[str, str]:
        """What the redirect says once the customer has signed in."""
        return read_redirect(self.submit(self.page(**changes)))

    def ask(self, client: Client | None = LINKING, *, basic: bool = False, **form: str | None) -> requests.Response:
        """The token endpoint, as this client."""
        sent = {name: value for name, value in form.items() if value is not None}
        body = {"client_id": client.client_id, "client_secret": client.client_secret} if client and not basic else {}
        headers = {"Authorization": "Basic " + encoded(client)} if client and basic else {}
        return self.browser.post(f"{self.site.url}/auth/o2/token", data={**sent, **body}, headers=headers, timeout=10)

    def exchange(self, issued: str, client: Client | None = LINKING, *, basic: bool = False, **changes: str | None) -> requests.Response:
        usual = {"grant_type": "authorization_code", "code": issued, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return self.ask(client, basic=basic, **{**usual, **changes})

    def tokens(self, **changes: str | None) -> dict[str, Any]:
        answer: dict[str, Any] = self.exchange(self.redirected(**changes)["code"]).json()
        return answer

    def refresh(self, refresh_token: str, client: Client = LINKING) -> requests.Response:
        return self.ask(client, grant_type="refresh_token", refresh_token=refresh_token)

    def info(self, token: str) -> requests.Response:
        return self.get("/auth/O2/tokeninfo", params={"access_token": token})

    def profile(self, token: str) -> requests.Response:
        return self.get("/user/profile", headers={"Authorization": f"Bearer {token}"})

    def get(self, path: str, **named: Any) -> requests.Response:
        return self.browser.get(self.site.url + path, allow_redirects=False, timeout=10, **named)

    def linking(self) -> AccountLinking:
        urls = (f"{self.site.url}/ap/oa", f"{self.site.url}/auth/o2/token")
        return AccountLinking(LinkingConfiguration(*urls, LINKING.client_id, LINKING.client_secret, ("profile",), REDIRECTS))


@pytest.fixture
def desk() -> Iterator[Desk]:
    clock = [1_790_000_000.0]
    with LoginWithAmazon(LINKING, OTHER, [CARLOS], clock=lambda: clock[0]) as site:
        desk = Desk(site, clock)
        with desk.browser:
            yield desk


def encoded(client: Client) -> str:
    return base64.b64encode(f"{client.client_id}:{client.client_secret}".encode()).decode()


def read_redirect(answer: requests.Response) -> dict[str, str]:
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, REDIRECT), answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Status and error; the body has Amazon's three fields and no more."""
    body = answer.json()
    assert set(body) == {"error", "error_description", "request_id"}
    assert body["error_description"]
    return answer.status_code, body["error"]


class TestThePage:
    def test_sends_the_customer_back_with_code_state_and_scope_when_they_sign_in(self, desk: Desk) -> None:
        back = desk.redirected(scope="profile postal_code")
        assert (set(back), back["state"], back["scope"]) == ({"code", "state", "scope"}, "s=&7", "profile postal_code")

    def test_shows_the_form_with_the_reason_when_the_password_is_wrong(self, desk: Desk) -> None:
        again = desk.submit(desk.page(), password="wrong")
        form = LoginForm(again.text)
        assert (again.status_code, form.password_field) == (200, "password")
        assert "no account with this email" in form.complaint
        assert f'value="{CARLOS.email}"' in again.text
        assert read_redirect(desk.submit(again))["code"]

    @pytest.mark.parametrize(
        "changes", [{"email": "nobody@example.org"}, {"password": ""}, {"email": "", "password": ""}, {"email": "ü\ud83d\ude00"}]
    )
    def test_lets_nobody_in_with_what_is_no_account(self, changes: dict[str, str], desk: Desk) -> None:
        sent = {name: value.encode("utf-16", "surrogatepass").decode("utf-16") for name, value in changes.items()}
        assert desk.submit(desk.page(), **sent).status_code == 200

    def test_says_access_denied_when_the_customer_cancels(self, desk: Desk) -> None:
        back = read_redirect(desk.submit(desk.page(), decision="cancel", email="", password=""))
        assert (back["error"], back["state"]) == ("access_denied", "s=&7")

    @pytest.mark.parametrize(
        ("scope", "shared"),
        [
            ("profile", {"name", "email"}),
            ("profile postal_code", {"name", "email", "postal code"}),
            ("postal_code", {"postal code"}),
            ("profile:user_id", set()),
        ],
    )
    def test_lists_what_is_shared_and_asks_no_consent_for_the_user_id_alone(self, scope: str, shared: set[str], desk: Desk) -> None:
        page = desk.page(scope=scope).text
        listed = {words.removeprefix("email ") if "email" not in words else "email" for words in re.findall(r"<li>Your ([^<]+)</li>", page)}
        assert listed == shared
        assert ("will receive" in page, "Sign in and allow" in page) == (bool(shared), bool(shared))

    @pytest.mark.parametrize("changes", [{"csrf": "made-up"}, {"csrf": ""}, {"csrf": "é"}])
    def test_takes_no_form_that_it_did_not_make(self, changes: dict[str, str], desk: Desk) -> None:
        answer = desk.submit(desk.page(), **changes)
        assert (answer.status_code, "Location" in answer.headers) == (400, False)
        assert "Please sign in again" in LoginForm(answer.text).complaint

    def test_takes_no_form_from_another_browser(self, desk: Desk) -> None:
        page = desk.page()
        desk.browser.cookies.clear()
        assert desk.submit(page).status_code == 400

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"redirect_uri": "https://layla.amazon.com/api/skill/link/M0OTHER"}, "redirect_uri"),
            ({"redirect_uri": f"{REDIRECT}/"}, "redirect_uri"),
            ({"redirect_uri": f"{REDIRECT}?x=1"}, "redirect_uri"),
            ({"redirect_uri": REDIRECT.upper()}, "redirect_uri"),
            ({"redirect_uri": "javascript:alert(1)"}, "redirect_uri"),
            ({"redirect_uri": None}, "redirect_uri"),
            ({"client_id": "unknown"}, "client"),
            ({"client_id": None}, "client_id"),
            ({"client_id": OTHER.client_id}, "redirect_uri"),
        ],
    )
    def test_shows_an_error_and_redirects_nowhere_when_it_cannot_trust_the_address(
        self, changes: dict[str, str | None], words: str, desk: Desk
    ) -> None:
        page = desk.page(**changes)
        assert (page.status_code, "Location" in page.headers) == (400, False)
        assert words in page.text

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"scope": "openid"}, "invalid_scope"),
            ({"scope": "profile phone"}, "invalid_scope"),
            ({"scope": None}, "invalid_scope"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
        ],
    )
    def test_tells_the_client_by_the_redirect_what_is_wrong(self, changes: dict[str, str | None], error: str, desk: Desk) -> None:
        back = read_redirect(desk.page(**changes))
        assert (back["error"], back["state"]) == (error, "s=&7")

    def test_holds_nothing_from_elsewhere_and_names_itself_a_stand_in(self, desk: Desk) -> None:
        page = desk.page()
        policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
        assert (policy["default-src"], policy["style-src"], policy["frame-ancestors"]) == ("'none'", "'self'", "'none'")
        assert "https://layla.amazon.com" in policy["form-action"]
        assert "<script" not in page.text
        assert not re.search(r"""(src|href)=["']?(https?:)?//""", page.text)
        assert "Stand-in for Login with Amazon" in page.text
        assert "Link Demo &amp; Co" in page.text
        assert 'name="viewport"' in page.text
        assert desk.get("/stand-in/page.css").headers["Content-Type"].startswith("text/css")

    def test_keeps_its_cookie_from_scripts_and_from_other_sites(self, desk: Desk) -> None:
        cookie = desk.page().headers["Set-Cookie"]
        assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))

    def test_is_closed_to_a_host_name_of_somebody_else(self, desk: Desk) -> None:
        assert desk.get("/stand-in/page.css", headers={"Host": "rebound.example.com"}).status_code == 400


class TestTheTokenEndpoint:
    @pytest.mark.parametrize("basic", [True, False], ids=["basic", "body"])
    def test_gives_tokens_in_amazons_form(self, desk: Desk, *, basic: bool) -> None:
        answer = desk.exchange(desk.redirected()["code"], basic=basic)
        tokens = answer.json()
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert set(tokens) == {"access_token", "refresh_token", "token_type", "expires_in"}
        assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 3600)
        assert re.fullmatch(r"Atza\|[\w-]{345,2043}", tokens["access_token"])
        assert re.fullmatch(r"Atzr\|[\w-]{345,2043}", tokens["refresh_token"])

    @pytest.mark.parametrize(
        ("client", "changes", "refused"),
        [
            (LINKING, {"redirect_uri": REDIRECTS["NA"]}, (400, "invalid_grant")),
            (LINKING, {"redirect_uri": None}, (400, "invalid_grant")),
            (LINKING, {"code_verifier": VERIFIER[::-1]}, (400, "invalid_grant")),
            (LINKING, {"code_verifier": CHALLENGE}, (400, "invalid_grant")),
            (LINKING, {"code_verifier": None}, (400, "invalid_request")),
            (LINKING, {"code": "ANUNKNOWN"}, (400, "invalid_grant")),
            (LINKING, {"code": None}, (400, "invalid_request")),
            (LINKING, {"grant_type": "password"}, (400, "unsupported_grant_type")),
            (OTHER, {}, (400, "invalid_grant")),
            (Client("Link Demo", (), LINKING.client_id), {}, (401, "invalid_client")),
            (None, {"client_id": LINKING.client_id}, (401, "invalid_client")),
            (None, {}, (401, "invalid_client")),
        ],
    )
    def test_refuses_what_is_not_as_it_was_asked_for(
        self, client: Client | None, changes: dict[str, str | None], refused: tuple[int, str], desk: Desk
    ) -> None:
        assert refusal(desk.exchange(desk.redirected()["code"], client, **changes)) == refused

    def test_refuses_a_verifier_where_no_challenge_was_sent(self, desk: Desk) -> None:
        code = desk.redirected(code_challenge=None, code_challenge_method=None)["code"]
        assert refusal(desk.exchange(code)) == (400, "invalid_request")

    def test_works_without_pkce(self, desk: Desk) -> None:
        code = desk.redirected(code_challenge=None, code_challenge_method=None)["code"]
        assert desk.exchange(code, code_verifier=None).status_code == 200

    @pytest.mark.parametrize(("age_s", "status"), [(299, 200), (300, 400)])
    def test_takes_a_code_for_five_minutes(self, age_s: int, status: int, desk: Desk) -> None:
        code = desk.redirected()["code"]
        desk.clock[0] += age_s
        assert desk.exchange(code).status_code == status

    def test_refuses_a_code_that_comes_again_and_ends_the_tokens_that_were_made_of_it(self, desk: Desk) -> None:
        code, other = desk.redirected()["code"], desk.tokens()
        tokens = desk.exchange(code).json()
        assert desk.info(tokens["access_token"]).status_code == 200
        assert refusal(desk.exchange(code)) == (400, "invalid_grant")
        assert refusal(desk.info(tokens["access_token"])) == (400, "invalid_token")
        assert refusal(desk.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
        assert desk.info(other["access_token"]).status_code == 200

    def test_leaves_the_tokens_alone_when_another_client_brings_their_code(self, desk: Desk) -> None:
        code = desk.redirected()["code"]
        tokens = desk.exchange(code).json()
        assert refusal(desk.exchange(code, OTHER)) == (400, "invalid_grant")
        assert desk.info(tokens["access_token"]).status_code == 200

    def test_lets_at_most_one_through_when_a_code_comes_many_times_at_once(self, desk: Desk) -> None:
        code, barrier = desk.redirected()["code"], threading.Barrier(8)

        def exchange(_: int) -> int:
            barrier.wait()
            form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
            headers = {"Authorization": "Basic " + encoded(LINKING)}
            return requests.post(f"{desk.site.url}/auth/o2/token", data=form, headers=headers, timeout=10).status_code

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(exchange, range(8))) == [200] + [400] * 7


class TestRefreshing:
    @pytest.mark.parametrize(
        ("on_refresh", "given", "old_still_works"),
        [("same refresh token", "same", True), ("new refresh token", "new", False), ("no refresh token", "none", True)],
    )
    def test_gives_a_refresh_token_by_the_behavior(self, on_refresh: Any, given: str, *, old_still_works: bool, desk: Desk) -> None:
        desk.site.behavior = Behavior(on_refresh=on_refresh)
        first = desk.tokens()
        second = desk.refresh(first["refresh_token"]).json()
        fate = "none" if "refresh_token" not in second else "same" if second["refresh_token"] == first["refresh_token"] else "new"
        assert (fate, second["access_token"] != first["access_token"], second["expires_in"]) == (given, True, 3600)
        assert desk.profile(second["access_token"]).json()["email"] == CARLOS.email
        assert (desk.refresh(first["refresh_token"]).status_code == 200) is old_still_works

    def test_ends_everything_when_a_replaced_refresh_token_comes_again(self, desk: Desk) -> None:
        desk.site.behavior = Behavior(on_refresh="new refresh token")
        first = desk.tokens()
        second = desk.refresh(first["refresh_token"]).json()
        assert refusal(desk.refresh(first["refresh_token"])) == (400, "invalid_grant")
        assert refusal(desk.refresh(second["refresh_token"])) == (400, "invalid_grant")
        assert desk.info(second["access_token"]).status_code == 400

    def test_refuses_another_clients_refresh_token(self, desk: Desk) -> None:
        tokens = desk.tokens()
        assert refusal(desk.refresh(tokens["refresh_token"], OTHER)) == (400, "invalid_grant")
        assert desk.refresh(tokens["refresh_token"]).status_code == 200

    def test_refuses_an_access_token_in_its_place(self, desk: Desk) -> None:
        assert refusal(desk.refresh(desk.tokens()["access_token"])) == (400, "invalid_grant")

    def test_never_ends_by_time(self, desk: Desk) -> None:
        tokens = desk.tokens()
        desk.clock[0] += 10 * 365 * 86_400
        assert desk.refresh(tokens["refresh_token"]).status_code == 200


class TestTheProfile:
    @pytest.mark.parametrize(
        ("scope", "keys"),
        [
            ("profile", {"user_id", "name", "email"}),
            ("profile:user_id", {"user_id"}),
            ("postal_code", {"user_id", "postal_code"}),
            ("profile postal_code", {"user_id", "name", "email", "postal_code"}),
        ],
    )
    def test_holds_what_the_scope_shares(self, scope: str, keys: set[str], desk: Desk) -> None:
        profile = desk.profile(desk.tokens(scope=scope)["access_token"]).json()
        assert set(profile) == keys
        assert profile["user_id"] == CARLOS.user_id
        assert re.fullmatch(r"amzn1\.account\.[A-Z2-7]{28}", CARLOS.user_id)

    def test_takes_the_token_in_three_places(self, desk: Desk) -> None:
        token = desk.tokens()["access_token"]
        headers = ({"Authorization": f"bearer {token}"}, {"x-amz-access-token": token})
        answers = [
            *(desk.get("/user/profile", headers=each) for each in headers),
            desk.get("/user/profile", params={"access_token": token}),
        ]
        assert [answer.json().get("email") for answer in answers] == [CARLOS.email] * 3
        assert refusal(desk.get("/user/profile")) == (400, "invalid_request")

    def test_is_told_by_tokeninfo_with_the_seconds_that_remain(self, desk: Desk) -> None:
        token = desk.tokens()["access_token"]
        desk.clock[0] += 1000
        told = desk.info(token).json()
        assert (told["exp"], told["iat"], told["aud"]) == (2600, 1_790_000_000, LINKING.client_id)
        assert (told["user_id"], told["iss"]) == (CARLOS.user_id, "https://www.amazon.com")
        assert told["app_id"].startswith("amzn1.application.")

    @pytest.mark.parametrize("end", ["time", "revocation", "nonsense"])
    def test_is_closed_when_the_token_has_ended(self, end: str, desk: Desk) -> None:
        tokens = desk.tokens()
        token = tokens["access_token"] + ("x" if end == "nonsense" else "")
        if end == "time":
            desk.clock[0] += 3600
        if end == "revocation":
            desk.site.revoke_all()
        assert refusal(desk.info(token)) == (400, "invalid_token")
        assert refusal(desk.profile(token)) == (400, "invalid_token")
        assert (desk.refresh(tokens["refresh_token"]).status_code == 200) is (end != "revocation")

    def test_is_open_again_when_the_customer_links_after_revoking(self, desk: Desk) -> None:
        desk.tokens()
        desk.site.revoke_all()
        assert desk.profile(desk.tokens()["access_token"]).status_code == 200

    def test_is_given_to_another_clients_token_which_says_so(self, desk: Desk) -> None:
        token = desk.site.token_of_another_client(CARLOS.user_id)
        assert desk.profile(token).json()["user_id"] == CARLOS.user_id
        assert desk.info(token).json()["aud"] not in {LINKING.client_id, OTHER.client_id}
        with pytest.raises(LookupError):
            desk.site.token_of_another_client("amzn1.account.NOBODY")


class TestAlexasGrant:
    def grant(self, desk: Desk, client: Client, **changes: str) -> requests.Response:
        form = {"grant_type": "authorization_code", "code": desk.site.issue_grant_code(CARLOS), **changes}
        return desk.ask(client, **form)

    def test_is_exchanged_without_redirect_uri_and_refreshed(self, desk: Desk) -> None:
        tokens = self.grant(desk, OTHER).json()
        assert tokens["expires_in"] == 3600
        assert desk.info(tokens["access_token"]).json()["aud"] == OTHER.client_id
        again = desk.refresh(tokens["refresh_token"], OTHER).json()
        assert re.match(r"Atza\|", again["access_token"])
        assert refusal(desk.profile(again["access_token"])) == (401, "insufficient_scope")

    def test_is_refused_to_the_client_of_account_linking(self, desk: Desk) -> None:
        assert refusal(self.grant(desk, LINKING)) == (400, "invalid_grant")

    def test_is_untouched_by_a_mistake_with_account_linking(self, desk: Desk) -> None:
        desk.site.behavior = Behavior(knows_client_secret=False, access_token_life_s=300, gives_refresh_token=False)
        tokens = self.grant(desk, OTHER).json()
        assert (tokens["expires_in"], "refresh_token" in tokens) == (3600, True)

    def test_needs_a_messaging_client(self) -> None:
        with LoginWithAmazon(LINKING) as site, pytest.raises(ValueError, match="messaging"):
            site.issue_grant_code(CARLOS)


class TestAlexaLinking:
    """The whole way, as Alexa goes it; the words are Alexa's, and belong to the tests of its diagnosis."""

    def browse(self, desk: Desk, url: str) -> str:
        return CustomersBrowser(CARLOS.email, CARLOS.password)(url)

    @pytest.mark.parametrize("region", list(REDIRECTS))
    def test_ends_in_tokens_for_each_region(self, region: str, desk: Desk) -> None:
        tokens = desk.linking().link(lambda url: self.browse(desk, url), region)
        assert desk.profile(tokens.access_token).json()["name"] == "Carlos Núñez"

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("redirect-url", "redirect_uri"),
            ("secret", "invalid_client"),
            ("five-minute-tokens", "300 seconds"),
            ("no-refresh-token", "refresh_token"),
            ("pkce", "code_verifier"),
            ("state", "state"),
            ("expires-in", "expires_in"),
        ],
    )
    def test_is_refused_with_the_cause_when_the_server_is_set_up_wrongly(self, name: str, words: str, desk: Desk) -> None:
        desk.site.behavior = next(each.behavior for each in MISCONFIGURATIONS if each.name == name)
        with pytest.raises(AccountLinkingError, match=words) as refused:
            desk.linking().link(lambda url: self.browse(desk, url))
        assert LINKING.client_secret not in str(refused.value)

    def test_gets_the_refusal_of_pkce_by_the_redirect_when_the_page_makes_it(self, desk: Desk) -> None:
        desk.site.behavior = Behavior(pkce="refused by the page")
        assert read_redirect(desk.page())["error"] == "invalid_request"

    def test_waits_in_vain_when_the_token_endpoint_is_slow(self, desk: Desk) -> None:
        desk.site.behavior = Behavior(token_endpoint_takes_s=60.0)
        linking = AccountLinking(desk.linking().configuration, limit_s=0.2)
        with pytest.raises(AccountLinkingError, match=r"did not answer|took"):
            linking.link(lambda url: self.browse(desk, url))


def test_it_ends_at_once_when_somebody_is_idle_and_somebody_waits_for_tokens() -> None:
    request = b"POST /auth/o2/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
    before = set(threading.enumerate())  # other tests' servers and starters may have left some
    with LoginWithAmazon(LINKING, behavior=Behavior(token_endpoint_takes_s=60.0)) as site:
        idle, waiting = (socket.create_connection(("127.0.0.1", urlsplit(site.url).port)) for _ in range(2))
        waiting.sendall(request)
        started = time.monotonic()
    with idle, waiting:
        assert (time.monotonic() - started < 20, set(threading.enumerate()) - before) == (True, set())
