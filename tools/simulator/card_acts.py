"""The skill's card in the Alexa app: enable, link, permissions, disable."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from tools.simulator.alexa import Alexa
from tools.simulator.customers import CUSTOMERS
from tools.simulator.desk import Household
from tools.simulator.linking_diagnosis import explain_page, explain_unreachable_page
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.login_page import CustomersBrowser
from tools.simulator.stage import Stage, act, one_of


class CardActs(Stage):
    """What the customer does there; linking raises AccountLinkingError."""

    @act("enabling the skill")
    def enable(self) -> str:
        """The Amazon user id."""
        return self.alexa.enable()

    @act("disabling the skill")
    def disable(self) -> None:
        self.household.link_problem = None
        self.alexa.disable()
        if self.household.smart_home:
            self.household.smart_home.forget()

    @act("opening the sign-in page")
    def begin_link(self) -> str:
        """The page to sign in on, for a real browser; what is wrong with it is known here, not when the browser shows it."""
        with self._linking():
            url = self.alexa.begin_link()
            look_at_page(url, self.alexa)
            return url

    @act("exchanging the code for tokens")
    def finish_link(self, landed_url: str) -> None:
        """`landed_url` is the redirect URL with its code, as the browser was sent to it; the customer may be another one by now."""
        waiting = [each for each in self.households() if each.alexa.pending_link and each.alexa.pending_link.state in landed_url]
        with self._linking(waiting[0] if waiting else self.household) as household:
            household.alexa.finish_link(landed_url)

    @act("linking the account")
    def link(self, account: str = "", password: str | None = None) -> None:
        """As `account` (a customer's key; their own by default) signs in on the page, without a browser."""
        customer = CUSTOMERS[one_of("account", account or self.customer, CUSTOMERS)]
        password = customer.password if password is None else password
        with self._linking(), self._landing(None):
            self.alexa.link(CustomersBrowser(customer.email, password, functools.partial(self.hear, self.customer)))

    @act("telling the skill")
    def set_permission(self, scope: str, granted: bool) -> None:  # noqa: FBT001  (as JSON from the page)
        self.alexa.set_permission(scope, granted=granted)

    @act("noting the purchase")
    def set_purchases(self, on: bool) -> None:  # noqa: FBT001
        """A customer with purchases keeps the user id over disabling and enabling."""
        self.alexa.has_purchases = on

    @contextmanager
    def _linking(self, household: Household | None = None) -> Iterator[Household]:
        """Keeps why it failed, for the card."""
        household = household or self.household
        household.link_problem = None
        try:
            yield household
        except AccountLinkingError as error:
            household.link_problem = {"step": error.step, "cause": error.cause, "mend": error.mend}
            raise

    @contextmanager
    def _landing(self, url: str | None) -> Iterator[None]:
        """The headless browser reads Amazon's own address in the redirect."""
        front = self.side.provider.front if self.side.provider else None
        if front is None:
            yield
            return
        front.landing_url = url
        try:
            yield
        finally:
            front.landing_url = self.landing_url


def look_at_page(url: str, alexa: Alexa) -> None:
    """Opens the sign-in page as a browser would. Raises AccountLinkingError when it shows an error, which only the customer would see."""
    if alexa.linking is None:
        return
    try:
        with requests.Session() as session:
            session.trust_env = False
            shown = session.get(url, timeout=20, allow_redirects=False)
    except requests.RequestException as error:
        raise explain_unreachable_page(error, alexa.linking.configuration) from error
    if shown.status_code >= 400:
        raise explain_page(shown.status_code, shown.text, alexa.linking.configuration)
