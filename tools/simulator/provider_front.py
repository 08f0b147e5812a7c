"""The way to an identity provider on this machine: everything goes through as it is, but for what a chosen fault does to it.

Where the provider sends the customer's browser back to Alexa, the front turns it to a page of this machine instead.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlsplit

from tools.simulator import faults
from tools.simulator.faults import Fault
from tools.simulator.http_relay import HttpAnswer, HttpRequest, RelayError, RelayHandler, relay
from tools.simulator.loopback_server import LoopbackHttpServer
from tools.simulator.provider_calls import MAINTENANCE, Kind, ProviderCall, html_page

DELAYS_S = {faults.SLOW: 5.0, faults.SLOWER: 9.0}
REFUSALS: dict[Fault, Callable[[ProviderCall], HttpAnswer]] = {
    faults.THROTTLED: ProviderCall.refused_as_throttled,
    faults.HTML: lambda call: html_page(200, MAINTENANCE),
    faults.EXPIRED: ProviderCall.refused_as_expired,
    faults.REVOKED: ProviderCall.refused_as_revoked,
}
TO_ALEXA = re.compile(r"https://(pitangui\.amazon\.com|layla\.amazon\.com|alexa\.amazon\.co\.jp)(/api/skill/link/.*)")
LANDED = re.compile(r".*/landed/([^/]+)(/api/skill/link/.*)")

OnCall = Callable[[str, str, int | None, float, str], None]  # method, path without query, status, seconds, the fault that met it or "none"


def tell_nobody(method: str, path: str, status: int | None, took_s: float, fault: str) -> None:
    """For who wants to hear nothing."""


def amazons_url(landed: str) -> str:
    """The URL at Amazon that stands behind one at the landing page, query and all. Raises ValueError."""
    parts = urlsplit(landed)
    found = LANDED.fullmatch(parts.path)
    if found is None:
        raise ValueError("a sign-in page sends nobody to this address")
    return f"https://{found[1]}{found[2]}" + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True)
class _Chosen:
    """A fault, and the kinds of calls that it is for; None is all that it can meet."""

    fault: Fault = faults.NONE
    scope: frozenset[Kind] | None = None

    def meets(self, call: ProviderCall) -> bool:
        if self.fault in {faults.NONE, faults.OTHER_CLIENT}:  # another client's token comes from the provider itself
            return False
        if self.scope is not None and call.kind not in self.scope:
            return False
        is_about_tokens = self.fault in {faults.EXPIRED, faults.REVOKED}
        return not is_about_tokens or call.carries_access_token or (self.fault == faults.REVOKED and call.is_refresh)


class ProviderFront:
    """In front of the provider at `provider_url` until the end of the `with` block, on a port of its own."""

    def __init__(self, provider_url: str, *, landing_url: str | None = None, on_call: OnCall = tell_nobody) -> None:
        """Both may be set later. Without `landing_url` Alexa's URLs stay as they are; `on_call` runs in each call's own thread."""
        self.provider_url, self.landing_url, self.on_call = provider_url.rstrip("/"), landing_url, on_call
        self._chosen = _Chosen()

    def __enter__(self) -> Self:
        front = self

        class Handler(RelayHandler):
            def answer_for(self, request: HttpRequest) -> HttpAnswer | None:
                return front._answer(ProviderCall(request))

        self._server = LoopbackHttpServer(("127.0.0.1", 0), Handler).__enter__()
        self.url = self._server.url
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(*error)

    @property
    def fault(self) -> Fault:
        """The one that is chosen."""
        return self._chosen.fault

    def inject(self, fault: Fault, scope: Iterable[Kind] | None = None) -> None:
        """From the next call on, for calls of these kinds: the function's (api), tokens (token), pages (login); without any, for all."""
        self._chosen = _Chosen(fault, None if scope is None else frozenset(scope))

    def heal(self) -> None:
        self._chosen = _Chosen()

    def _answer(self, call: ProviderCall) -> HttpAnswer | None:
        """None where the connection is to end without one."""
        chosen, started = self._chosen, time.monotonic()
        fault = chosen.fault if chosen.meets(call) else faults.NONE
        answer = self._answer_under(fault, call)
        self.on_call(call.request.method, call.label, answer.status if answer else None, time.monotonic() - started, fault.name)
        return answer

    def _answer_under(self, fault: Fault, call: ProviderCall) -> HttpAnswer | None:
        if fault in REFUSALS:
            return REFUSALS[fault](call)
        if fault == faults.DOWN or not self._server.pause(DELAYS_S.get(fault, 0.0)):
            return None
        try:
            answer = relay(call.request, self.provider_url, self._server.ending_too)
        except RelayError:
            return None
        return replace(answer, headers=tuple((name, self._turned(name, value)) for name, value in answer.headers))

    def _turned(self, name: str, value: str) -> str:
        """A redirect to Alexa goes to the landing page, one within the provider comes back through the front."""
        if name.casefold() != "location":
            return value
        to_alexa = TO_ALEXA.fullmatch(value)
        if to_alexa and self.landing_url is not None:
            return f"{self.landing_url.rstrip('/')}/landed/{to_alexa[1]}{to_alexa[2]}"
        own = re.fullmatch(rf"{re.escape(self.provider_url)}([/?#].*)?", value)
        return self.url + (own[1] or "") if own else value
