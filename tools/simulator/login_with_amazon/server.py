"""The stand-in, from the outside: a server on a loopback port, and what a developer or a test does to it."""

import time
from collections.abc import Callable, Iterable
from typing import Self

from werkzeug.serving import WSGIRequestHandler

from tools.simulator.login_with_amazon.authorization_server import MESSAGING_SCOPE
from tools.simulator.login_with_amazon.behavior import WORKING, Behavior
from tools.simulator.login_with_amazon.ledger import Client, Consent, Customer, Ledger
from tools.simulator.login_with_amazon.site import build_site
from tools.simulator.loopback_server import LoopbackWebServer

ANOTHER_CLIENT = Client("Another site that uses Login with Amazon")


class LoginWithAmazon:
    """Runs until the end of the `with` block. `behavior` may be replaced at any time, and holds from the next request on."""

    def __init__(
        self,
        linking: Client,
        messaging: Client | None = None,
        customers: Iterable[Customer] = (),
        *,
        clock: Callable[[], float] = time.time,
        behavior: Behavior = WORKING,
    ) -> None:
        """`clock` gives epoch seconds: codes and tokens live by it. `messaging` is the client of the skill's permissions page."""
        self.linking, self.messaging, self.behavior = linking, messaging, behavior
        self._clock, self._ledger = clock, Ledger(clock)
        self._ledger.clients = {client.client_id: client for client in (linking, messaging) if client}
        for customer in customers:
            self.add_customer(customer)

    def __enter__(self) -> Self:
        site = build_site(self._ledger, lambda: self.behavior, self._clock, self._pause)
        self._server = LoopbackWebServer("127.0.0.1", 0, site, _SilentHandler).__enter__()
        self.url = self._server.url
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)

    def _pause(self, seconds: float) -> bool:
        return self._server.pause(seconds)

    def add_customer(self, customer: Customer) -> None:
        self._ledger.add_customer(customer)

    def revoke_all(self) -> None:
        """Every code and token so far is worth nothing: as if all customers had removed the clients from their accounts."""
        self._ledger.revoke_all()

    def token_of_another_client(self, user_id: str) -> str:
        """A good access token of this customer, given to somebody else's site. Raises LookupError."""
        consent = Consent(ANOTHER_CLIENT.client_id, self._ledger.customer(user_id), "profile")
        return self._ledger.add_access_token(consent, WORKING.access_token_life_s)

    def issue_grant_code(self, customer: Customer) -> str:
        """The code that Alexa brings to the skill with AcceptGrant. Raises ValueError where there is no messaging client."""
        if self.messaging is None:
            raise ValueError("this stand-in was given no messaging client")
        return self._ledger.add_code(Consent(self.messaging.client_id, customer, MESSAGING_SCOPE))


class _SilentHandler(WSGIRequestHandler):
    """Keeps requests, whose addresses hold codes and tokens, out of the log; one request to a connection."""

    protocol_version = "HTTP/1.0"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...
