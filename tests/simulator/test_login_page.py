"""Where the customer's browser types the password in, and where it does not."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.loopback_provider import send
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.login_page import CustomersBrowser
from tools.simulator.loopback_server import LoopbackHttpServer

PASSWORD = "Anna-2026-and-nobody-elses"
LANDED = "https://layla.amazon.com/api/skill/link/M1?code=abc&state=xyz"
Page = Callable[[Any], None]


class Site(LoopbackHttpServer):
    """Answers each path as it is told to, and keeps the passwords that were sent to it."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.passwords: list[str] = []
        self.forms: list[dict[str, list[str]]] = []
        super().__init__(("127.0.0.1", 0), SiteRequest)


class SiteRequest(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.pages.get(self.path.partition("?")[0], shows("nothing", 404))(self)

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.forms.append(form)
        self.server.passwords += form.get("password", [])
        self.do_GET()

    def log_message(self, *arguments: object) -> None: ...


def shows(html: str, status: int = 200) -> Page:
    return lambda request: send(request, status, html.encode(), "text/html")


def leads_to(url: str) -> Page:
    return lambda request: send(request, 302, b"", Location=url)


def form(action: str = "/in", fields: str = '<input name="user"><input type="password" name="password">') -> Page:
    return shows(f'<form method="post" action="{action}">{fields}</form>')


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.pages = {"/": form(), "/in": leads_to(LANDED)}
        yield running


@pytest.fixture
def other() -> Iterator[Site]:
    """Another port of this machine, which is another site as well."""
    with Site() as running:
        running.pages = {"/": form(), "/in": leads_to(LANDED)}
        yield running


def sign_in(site: Site, **options: Any) -> str:
    return CustomersBrowser("anna", PASSWORD, **options)(f"{site.url}/?redirect_uri=https%3A%2F%2Flayla.amazon.com")


def test_the_redirect_to_alexa_is_read_and_not_opened(site: Site) -> None:
    assert (sign_in(site), site.forms) == (LANDED, [{"user": ["anna"], "password": [PASSWORD]}])


@pytest.mark.parametrize("action", ["{other}/in", "//{host}/in", "ftp://127.0.0.1/in", "http://127.0.0.1:1\\@{host}/in", "http://[/in"])
def test_the_password_is_kept_back_when_the_form_leads_to_another_site(action: str, site: Site, other: Site) -> None:
    site.pages["/"] = form(action.format(other=other.url, host=other.url.removeprefix("http://")))
    with pytest.raises(AccountLinkingError) as refused:
        sign_in(site)
    assert (site.passwords, other.passwords, PASSWORD in str(refused.value)) == ([], [], False)


def test_the_other_host_is_named_when_the_form_leads_there(site: Site) -> None:
    site.pages["/"] = form("https://user:pass@elsewhere.example/in?to=somebody")
    with pytest.raises(AccountLinkingError) as refused:
        sign_in(site)
    assert refused.value.cause == "the login form sends the password to another host: https://elsewhere.example"
    assert "own host" in refused.value.mend


def test_it_signs_in_there_when_the_login_page_is_at_another_port(site: Site, other: Site) -> None:
    site.pages |= {"/": leads_to(f"{other.url}/?client_id=a&code_challenge=b&state=c"), "/back": leads_to(LANDED)}
    other.pages["/in"] = leads_to(f"{site.url}/back?code=of-the-login-page&state=c")
    assert (sign_in(site), site.passwords, other.passwords) == (LANDED, [], [PASSWORD])


def test_a_real_browser_is_asked_for_when_the_sign_in_goes_on_at_a_host_that_was_not_allowed(site: Site) -> None:
    site.pages["/"] = leads_to("https://login.example.com/authorize?client_id=a&state=b")
    with pytest.raises(AccountLinkingError) as refused:
        sign_in(site, allowed_hosts=("other.example.com",))
    assert refused.value.cause == "the sign-in goes on at another host: https://login.example.com"
    assert "real browser" in refused.value.mend


@pytest.mark.parametrize(
    "landed",
    [
        "https://layla.amazon.com/api/skill/link/M1",
        "https://pitangui.amazon.com/elsewhere",
        "https://elsewhere.example/callback?code=a&state=b",
        "https://elsewhere.example/callback#error=access_denied",
        "com.example.app:/callback?code=a",
        "{other}/callback?error=access_denied&state=b",
        "{other}/landed/layla.amazon.com/api/skill/link/M1?state=b",
    ],
)
def test_what_ends_the_sign_in_is_for_alexa_to_judge(landed: str, site: Site, other: Site) -> None:
    landed = landed.format(other=other.url)
    site.pages["/"] = leads_to(landed)
    assert sign_in(site) == landed


def test_a_redirect_elsewhere_is_for_alexa_to_judge_when_the_customer_has_signed_in(site: Site) -> None:
    site.pages["/in"] = leads_to("https://elsewhere.example/welcome")
    assert sign_in(site) == "https://elsewhere.example/welcome"


def test_a_real_browser_is_asked_for_when_the_page_wants_the_e_mail_first(site: Site) -> None:
    site.pages["/"] = form(fields='<input type="email" name="user">')
    with pytest.raises(AccountLinkingError, match="form with both fields") as refused:
        sign_in(site)
    assert ("real browser" in refused.value.mend, site.forms) == (True, [])


def test_it_gives_up_when_the_redirects_go_round(site: Site) -> None:
    site.pages["/"] = leads_to("/")
    with pytest.raises(AccountLinkingError, match="did not end after 10 pages"):
        sign_in(site)
