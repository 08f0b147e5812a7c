"""A customer's browser, as far as a login page needs one: cookies, a form with hidden fields, and redirects."""

from collections.abc import Collection
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from requests.utils import requote_uri

from tools.simulator.addresses import Origin, is_open_to, origin, split_address
from tools.simulator.linking_configuration import REDIRECT_HOSTS
from tools.simulator.linking_errors import AccountLinkingError, SignInPageError, quoted
from tools.simulator.provider_front import LANDED
from tools.simulator.wire import CUSTOMER, PROVIDER, Listener, Message, ignore

MOST_PAGES = 10
REAL_BROWSER = "Sign in with a real browser for this step."
SHOWN_ERRORS = ("error", "errorMessage", "alert")  # classes of what a login page tells the customer


class CustomersBrowser:
    """Signs one customer in; makes a `Browse` for AccountLinking."""

    def __init__(self, username: str, password: str, listener: Listener = ignore, *, allowed_hosts: Collection[str] = ()) -> None:
        """It signs in on this machine, and at `allowed_hosts`."""
        self._username, self._password, self._listener, self._allowed_hosts = username, password, listener, allowed_hosts

    def __call__(self, url: str) -> str:
        """The redirect that ends the sign-in, wherever it leads; it is read, not opened. Raises AccountLinkingError."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url, timeout=10, allow_redirects=False)
            has_signed_in = False
            for _ in range(MOST_PAGES):
                if answer.is_redirect:
                    target = joined(answer.url, answer.headers["Location"])
                    own = {origin(urlsplit(each)) for each in (url, answer.url)}
                    if self._is_the_end(target, own, has_signed_in=has_signed_in):
                        return target
                    answer = session.get(target, timeout=10, allow_redirects=False)
                    continue
                form = read_form(answer, has_signed_in=has_signed_in)
                answer, has_signed_in = self._submit(session, answer.url, form), True
        raise AccountLinkingError(f"the sign-in did not end after {MOST_PAGES} pages")

    def _is_the_end(self, target: str, own: Collection[Origin], *, has_signed_in: bool) -> bool:
        """False for a page to go on with: the authorization server may have its login page elsewhere. Raises AccountLinkingError."""
        parts = split_address(target)
        if leads_to_alexa(target) or parts is None:
            return True
        if origin(parts) in own:
            return False
        if carries_an_outcome(target):
            return True
        if is_open_to(parts, self._allowed_hosts):
            return False
        if has_signed_in:
            return True
        raise AccountLinkingError(f"the sign-in goes on at another host: {quoted(site(target))}", mend=REAL_BROWSER)

    def _submit(self, session: requests.Session, url: str, form: "LoginForm") -> requests.Response:
        target = joined(url, form.action)
        if split_address(target) is None or origin(urlsplit(target)) != origin(urlsplit(url)):
            raise AccountLinkingError(
                f"the login form sends the password to another host: {quoted(site(target))}",
                mend="Let the form lead to the authorization server's own host; or sign in with a real browser.",
            )
        self._listener(Message(PROVIDER, CUSTOMER, "shows the login form", {"page": url.partition("?")[0]}))
        self._listener(Message(CUSTOMER, PROVIDER, "signs in", {"username": self._username, "password": "•" * 8}))
        fields = form.hidden | {form.username_field or "username": self._username, form.password_field: self._password}
        return session.post(target, data=fields, timeout=10, allow_redirects=False)


class LoginForm(HTMLParser):
    """The form with the password field, and what the page says went wrong."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.username_field, self.password_field, self.complaint = "", "", "", ""
        self.hidden: dict[str, str] = {}
        self._is_complaint = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self._is_complaint = any(name in attributes.get("class", "").split() for name in SHOWN_ERRORS)
        if tag == "form" and not self.password_field:
            self.action, self.hidden = attributes.get("action", ""), {}
        elif tag == "input":
            self._read_input(attributes.get("type", "text"), attributes.get("name", ""), attributes.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._is_complaint:
            self.complaint += data.strip()

    def _read_input(self, kind: str, name: str, value: str) -> None:
        if kind == "hidden":
            self.hidden[name] = value
        elif kind == "password":
            self.password_field = name
        elif kind in {"text", "email"}:
            self.username_field = name


def read_form(answer: requests.Response, *, has_signed_in: bool) -> LoginForm:
    """Raises AccountLinkingError in the page's own words when it is no form, or the form again after the customer signed in."""
    form = LoginForm(answer.text)
    if answer.status_code != 200:
        raise SignInPageError(answer.status_code, answer.text)
    if not form.password_field and form.username_field and not has_signed_in:
        raise AccountLinkingError(
            "this browser signs in on a form with both fields, and the login page has none yet for the password", mend=REAL_BROWSER
        )
    if not form.password_field:
        raise SignInPageError(200, answer.text)
    if has_signed_in:
        raise AccountLinkingError(f"the login page did not let the customer in: {form.complaint or 'it shows the form again'}")
    return form


def joined(url: str, reference: str) -> str:
    """Where a redirect or a form on that page leads, encoded as it will be sent. Raises AccountLinkingError."""
    try:
        return requote_uri(urljoin(url, reference))
    except ValueError as error:
        raise AccountLinkingError(f"the sign-in page leads to what is no address: {quoted(reference.partition('?')[0])}") from error


def site(url: str) -> str:
    """Scheme and host for a person to read, without user name and values."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def leads_to_alexa(url: str) -> bool:
    """To Amazon, or to the page of this machine that stands for it."""
    return site(url) in REDIRECT_HOSTS.values() or LANDED.fullmatch(urlsplit(url).path) is not None


def carries_an_outcome(url: str) -> bool:
    """Whether it is the answer to an authorization request, in the query or, where it is wrong, after a #."""
    parts = urlsplit(url)
    values = parse_qs(parts.query) | parse_qs(parts.fragment)
    return "code" in values or "error" in values
