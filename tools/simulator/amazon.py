"""Amazon's own services that a skill talks to, as stand-ins: Login with Amazon and the event gateway."""

from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from tools.simulator.clock import SimulatedClock
from tools.simulator.customers import CUSTOMERS
from tools.simulator.event_gateway import EventGateway, OnEvent
from tools.simulator.linking_configuration import redirect_urls
from tools.simulator.login_with_amazon.ledger import Client, Customer
from tools.simulator.login_with_amazon.server import LoginWithAmazon


class AmazonsLogin(LoginWithAmazon):
    """Knows, too, who has disabled the skill: the event gateway answers its messages in other words then."""

    def end_grants(self, customer: Customer) -> None:
        """The skill may send nothing more for this customer, until another AcceptGrant."""
        if self.messaging:
            self._ledger.revoke(self.messaging.client_id, customer)

    def has_ended(self, access_token: str) -> bool:
        """Whether it was good until the customer took back what it stands for."""
        return self._ledger.has_ended(access_token)


class Amazon:
    """Runs until the end of the `with` block; every customer of the desk has an Amazon account."""

    def __init__(self, vendor_id: str, clock: SimulatedClock, on_event: OnEvent) -> None:
        self.linking_client = Client("Linked Profile", tuple(redirect_urls(vendor_id).values()))
        self.messaging_client = Client("Skill messaging")
        self.customers = {key: Customer(each.email, each.password, each.name, each.postal_code) for key, each in CUSTOMERS.items()}
        self.login = AmazonsLogin(
            self.linking_client, self.messaging_client, self.customers.values(), clock=lambda: clock.now().timestamp()
        )
        self._on_event, self._exit = on_event, ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.login)
            gateway = EventGateway(self.login.url, self.messaging_client.client_id, self._on_event, self.login.has_ended)
            self.gateway_url = stack.enter_context(gateway).url
            self._exit = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exit.close()

    def end_grants(self, customer: str) -> None:
        """This customer, by their key, has disabled the skill."""
        self.login.end_grants(self.customers[customer])

    @property
    def messaging_secret(self) -> dict[str, Any]:
        """What belongs in the secret of the stack, from the Permissions page of the Alexa console."""
        return {"client_id": self.messaging_client.client_id, "client_secret": self.messaging_client.client_secret}

    @property
    def environment(self) -> dict[str, str]:
        """Where the function finds them."""
        return {"LWA_API_URL": self.login.url, "ALEXA_EVENT_GATEWAY_URL": self.gateway_url}
