"""A customer's browser, as far as a login page needs one: cookies, a form with hidden fields, and redirects."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

from tools.simulator.linking_errors import AccountLinkingError, SignInPageError
from tools.simulator.wire import CUSTOMER, PROVIDER, Listener, Message, ignore

MOST_PAGES = 10
SHOWN_ERRORS = ("error", "errorMessage", "alert")  # classes of what a login page tells the customer


class CustomersBrowser:
    """Signs one customer in; makes a `Browse` for AccountLinking."""

    def __init__(self, username: str, password: str, listener: Listener = ignore) -> None:
        self._username, self._password, self._listener = username, password, listener

    def __call__(self, url: str) -> str:
        """The URL on another host that the page at last redirects to; it is read, not opened. Raises AccountLinkingError."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url, timeout=10, allow_redirects=False)
            has_signed_in = False
            for _ in range(MOST_PAGES):
                target = urljoin(answer.url, answer.headers.get("Location", ""))
                if answer.is_redirect and urlsplit(target).netloc != urlsplit(url).netloc:
                    return target
                if answer.is_redirect:
                    answer = session.get(target, timeout=10, allow_redirects=False)
                    continue
                form = read_form(answer, has_signed_in=has_signed_in)
                answer, has_signed_in = self._submit(session, answer.url, form), True
        raise AccountLinkingError(f"the sign-in did not end after {MOST_PAGES} pages")

    def _submit(self, session: requests.Session, url: str, form: "LoginForm") -> requests.Response:
        self._listener(Message(PROVIDER, CUSTOMER, "shows the login form", {"page": url.partition("?")[0]}))
        self._listener(Message(CUSTOMER, PROVIDER, "signs in", {"username": self._username, "password": "•" * 8}))
        fields = form.hidden | {form.username_field: self._username, form.password_field: self._password}
        return session.post(urljoin(url, form.action), data=fields, timeout=10, allow_redirects=False)


class LoginForm(HTMLParser):
    """The form with the password field, and what the page says went wrong."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.username_field, self.password_field, self.complaint = "", "username", "", ""
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
    if not form.password_field:
        raise SignInPageError(200, answer.text)
    if has_signed_in:
        raise AccountLinkingError(f"the login page did not let the customer in: {form.complaint or 'it shows the form again'}")
    return form
