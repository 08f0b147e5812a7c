"""The skill's card in the Alexa app: enable, link, permissions, disable."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import requests

from tools.simulator import faults
from tools.simulator.alexa import Alexa
from tools.simulator.customers import CUSTOMERS
from tools.simulator.desk import Household
from tools.simulator.linking_diagnosis import explain_page, explain_unreachable_page
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.login_page import CustomersBrowser
from tools.simulator.provider_front import amazons_url
from tools.simulator.stage import Stage, act, one_of
from tools.simulator.state import PERMISSIONS


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
        self.desk.amazon.end_grants(self.customer)
        if self.household.smart_home:
            self.household.smart_home.forget()

    @act("opening the sign-in page")
    def begin_link(self) -> str:
        """The page to sign in on, for a real browser; what is wrong with it is known here, not when the browser shows it."""
        with self._linking():
            url = self.alexa.begin_link()
            try:
                look_at_page(url, self.alexa)
            except AccountLinkingError as error:
                self.alexa.cancel_link(error)
                raise
            return url

    @act("exchanging the code for tokens")
    def finish_link(self, landed_url: str) -> None:
        """`landed_url` is the redirect URL with its code, as the browser was sent to it; the customer may be another one by now."""
        waiting = [home for home in self.homes() if home[1].alexa.has_begun(landed_url)]
        customer, household = waiting[0] if waiting else (self.customer, self.household)
        with self._linking(household), self.on_behalf_of(customer):
            household.alexa.finish_link(landed_url)

    @act("linking the account")
    def link(self, account: str = "", password: str | None = None) -> None:
        """As `account` (a customer's key; their own by default) signs in on the page, without a browser."""
        customer = CUSTOMERS[one_of("account", account or self.customer, CUSTOMERS)]
        password = customer.password if password is None else password
        browser = CustomersBrowser(
            customer.email, password, functools.partial(self.hear, self.customer), allowed_hosts=self.options.allowed_hosts
        )
        with self._linking():
            self.alexa.link(lambda url: self._at_amazon(browser(url)))

    @act("telling the skill")
    def set_permission(self, scope: str, granted: bool) -> None:  # noqa: FBT001  (as JSON from the page)
        self.alexa.set_permission(one_of("permission", scope, PERMISSIONS), granted=granted)

    @act("noting the purchase")
    def set_purchases(self, on: bool) -> None:  # noqa: FBT001
        """A customer with purchases keeps the user id over disabling and enabling."""
        self.alexa.has_purchases = on

    @contextmanager
    def _linking(self, household: Household | None = None) -> Iterator[None]:
        """Keeps why it failed, for the card."""
        household = household or self.household
        household.link_problem = None
        try:
            yield
        except AccountLinkingError as error:
            household.link_problem = {"step": error.step, "cause": error.cause, "mend": self._in_spite_of_fault(error.mend)}
            raise

    def _in_spite_of_fault(self, mend: str) -> str:
        """Where a fault is switched on, that comes first: nothing may be wrong with the configuration."""
        fault = faults.fault_named(self.fault)
        return mend if fault == faults.NONE else f'Switch the fault "{fault.label}" off, and try again. Without it: {mend}'

    def _at_amazon(self, landed_url: str) -> str:
        """The redirect as Alexa gets it: where real browsers come back to this desk, the front has turned it to there."""
        if self.landing_url is not None and landed_url.startswith(f"{self.landing_url.rstrip('/')}/landed/"):
            with suppress(ValueError):  # somebody's own redirect to there, which Alexa would not know either
                return amazons_url(landed_url)
        return landed_url


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
