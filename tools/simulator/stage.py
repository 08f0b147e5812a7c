"""Whose turn it is and what stands where: what all acts on the desk share."""

import functools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from tools.simulator import faults, providers
from tools.simulator.alexa import Alexa, AlexaError
from tools.simulator.clock import SimulatedClock
from tools.simulator.customers import CUSTOMERS
from tools.simulator.delivery import MODES, DeliveryPlan
from tools.simulator.desk import Desk, Household, Options, Side, SimulationError, no_progress
from tools.simulator.envelopes import iso
from tools.simulator.linking_configuration import REDIRECT_HOSTS
from tools.simulator.options import NO_ALEXA_EVENTS
from tools.simulator.wire import GATEWAY, PROVIDER, SKILL, Message, Verdict, Wire, redacted

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="Stage")
MOST_EVENTS = 50
CALLS_OF_THE_SKILL = {"/ (GetUser)", "/oauth2/userInfo", "/auth/o2/tokeninfo", "/user/profile"}


def act(busy: str) -> Callable[[Callable[Concatenate[S, P], T]], Callable[Concatenate[S, P], T]]:
    """A method that changes something: one at a time, with `busy` to be shown meanwhile; what Alexa cannot do now is a SimulationError."""

    def decorate(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
        def wrapped(self: S, /, *arguments: P.args, **named: P.kwargs) -> T:
            with self.acting(busy):
                return method(self, *arguments, **named)

        functools.update_wrapper(wrapped, method)
        return wrapped

    return decorate


class Stage:
    """Everything runs from the start of the `with` block to its end."""

    def __init__(
        self,
        options: Options | None = None,
        *,
        wire: Wire | None = None,
        listener: Callable[[str, Message], None] = lambda customer, message: None,
        progress: Callable[[str], AbstractContextManager[None]] = no_progress,
    ) -> None:
        """`listener` hears every message with the key of its customer, `progress` what is being started."""
        self.options, self.wire = options or Options(), wire or Wire()
        self.clock = SimulatedClock(self.options.starts)
        self._listener, self._progress = listener, progress
        self._acting, self._changed = threading.RLock(), threading.Condition()
        self.version, self.busy = 0, ""
        self.provider: providers.ProviderName = self.options.provider
        self.customer = next(iter(CUSTOMERS))
        self.locale, self.region = self.options.locale, self.options.region
        self.linking_setup, self.delivery = providers.CORRECT, MODES[0]
        self.sends_alexa_events = self.options.send_alexa_events
        self.gateway_events: deque[dict[str, Any]] = deque(maxlen=MOST_EVENTS)
        self.landing_url: str | None = None  # where a real browser lands after signing in
        self._numbers = 0
        self._on_behalf_of = ""  # a customer for whom something happens now, where it is not the chosen one

    def __enter__(self) -> Self:
        """Raises what starting the parts raises."""
        self._exit = ExitStack()  # the desk adds to it later, too
        try:
            self.desk = Desk(self.options, self._exit, self.clock, self.hear, self._hear_event, self._progress)
            one_of("locale", self.locale, self.desk.models)
            one_of("region", self.region, REDIRECT_HOSTS)
            self.open_side()
        except BaseException:  # an interruption, too: what has been started is stopped
            self._exit.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exit.close()

    @property
    def side(self) -> Side:
        return self.desk.side(self.provider)

    @property
    def household(self) -> Household:
        return self.side.households[self.customer]

    @property
    def fault(self) -> str:
        """The name of the provider's fault that is in force."""
        return self.side.provider.front.fault.name if self.side.provider else faults.NONE.name

    @property
    def alexa(self) -> Alexa:
        return self.household.alexa

    def homes(self) -> list[tuple[str, Household]]:
        """All of them, each with the key of its customer."""
        return [home for side in self.desk.sides for home in side.households.items()]

    def alexas(self) -> list[Alexa]:
        return [household.alexa for _, household in self.homes()]

    @property
    def sends_alexa_events(self) -> bool:
        """Whether the skill has the permission "Send Alexa Events"."""
        return self._sends_alexa_events

    @sends_alexa_events.setter
    def sends_alexa_events(self, on: bool) -> None:
        """Raises SimulationError where AcceptGrant never comes."""
        if on and not self.options.takes_directives:
            raise SimulationError(NO_ALEXA_EVENTS)
        self._sends_alexa_events = on

    def open_side(self) -> None:
        """With this provider, and as everything was chosen so far."""
        side = self.side
        if side.provider:
            side.provider.front.landing_url = self.landing_url
            side.provider.front.on_call = self._hear_call
        for household in side.households.values():
            alexa = household.alexa
            alexa.locale, alexa.region, alexa.model = self.locale, self.region, self.desk.models[self.locale]
            alexa.deliveries.plan = DeliveryPlan(self.delivery)
            alexa.accept_grant = household.smart_home.accept_grant if self.sends_alexa_events and household.smart_home else None

    def land_on(self, url: str) -> None:
        """Real browsers come back to this address after signing in."""
        self.landing_url = url
        for side in self.desk.sides:
            if side.provider:
                side.provider.front.landing_url = url

    @contextmanager
    def acting(self, busy: str) -> Iterator[None]:
        """Alexa's own complaints become SimulationError."""
        with self._acting:
            before, self.busy = self.busy, busy
            self.change()
            try:
                yield
            except AlexaError as error:
                raise SimulationError(str(error)) from error
            finally:
                self.busy = before
                self.change()

    @contextmanager
    def on_behalf_of(self, customer: str) -> Iterator[None]:
        """What the skill asks and sends meanwhile is about this customer; for acts only, of which there is one at a time."""
        before, self._on_behalf_of = self._on_behalf_of, customer
        try:
            yield
        finally:
            self._on_behalf_of = before

    def hear(self, customer: str, message: Message) -> None:
        self.wire.add(message, iso(self.clock.now()), customer)
        self._listener(customer, message)
        self.change()

    def _hear_call(self, method: str, path: str, status: int | None, took_s: float, fault: str) -> None:
        """What the skill asks of the provider; the customer's own pages and Alexa's calls are told elsewhere."""
        if path not in CALLS_OF_THE_SKILL and not path.endswith("/jwks.json"):
            return
        details = {"call": f"{method} {path}", "answer": str(status or "none"), "took": f"{took_s:.2f} s"}
        text = "fetches the keys that tokens are signed with" if path.endswith("/jwks.json") else "asks who the customer is"
        self.hear(self._on_behalf_of or self.customer, Message(SKILL, PROVIDER, text, details, *judge_call(status, fault)))

    def _hear_event(self, event: dict[str, Any], status: int, code: str) -> None:
        """What the skill sent to Alexa's event gateway."""
        inner = event.get("event", {})
        name = str(inner.get("header", {}).get("name", "an event"))
        self.gateway_events.append({"at": iso(self.clock.now()), "name": name, "status": status, "code": code, "body": redacted(event)})
        verdict: Verdict = "failed" if code else "ok"
        customer = self._on_behalf_of or self.customer
        self.hear(customer, Message(SKILL, GATEWAY, f"sends {name}", {"answer": str(status)}, verdict, code, "", redacted(event)))

    def change(self) -> None:
        with self._changed:
            self.version += 1
            self._changed.notify_all()


def judge_call(status: int | None, fault: str) -> tuple[Verdict, str]:
    """A call that failed on demand is the fault's, any other is the provider's own answer."""
    if fault != faults.NONE.name:
        return "failed", faults.fault_named(fault).description
    if status is None:
        return "warning", "the identity provider gave no answer"
    return ("warning", f"the identity provider refused with HTTP {status}") if status >= 400 else ("", "")


def one_of(what: str, value: str, known: Iterable[str]) -> str:
    """The value. Raises SimulationError with what there is."""
    if value not in known:
        raise SimulationError(f"there is no {what} {value!r}; there are {', '.join(known)}")
    return value
