"""What goes wrong on demand, and time that passes: faults, mistakes, deliveries, the clock."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from tools.simulator import faults, providers
from tools.simulator.clock import MOST_AHEAD
from tools.simulator.customers import CUSTOMERS
from tools.simulator.delivery import MODES, DeliveryPlan
from tools.simulator.desk import Household, SimulationError
from tools.simulator.envelopes import iso
from tools.simulator.login_with_amazon.behavior import MISCONFIGURATIONS, WORKING
from tools.simulator.stage import Stage, act, one_of
from tools.simulator.wire import ALEXA, SKILL, Message

TICK_S = 1.0
LONGEST_TICK_S = 30.0  # where bringing itself fails time and again


class DisturbanceActs(Stage):
    """They hold for all customers of the desk."""

    @act("injecting the fault")
    def set_fault(self, name: str) -> None:
        """One of tools.simulator.faults, for all customers of this provider."""
        fault, provider = faults.fault_named(one_of("fault", name, [each.name for each in faults.FAULTS])), self.side.provider
        if provider is None:
            raise SimulationError("faults are for the identity providers of this desk, and this skill has its own")
        provider.front.inject(fault)
        for key, household in self.side.households.items():
            is_stolen = fault == faults.OTHER_CLIENT
            household.alexa.presented_token = provider.token_of_another_client(CUSTOMERS[key]) if is_stolen else ""
        self.side.start_cold()

    @act("setting Login with Amazon up")
    def set_linking_setup(self, name: str) -> None:
        """As it should be, or with one mistake that developers make."""
        if self.provider != "lwa" or self.side.provider is None:
            raise SimulationError("mistakes can be made with Login with Amazon only: choose it as the identity provider")
        behaviors = {providers.CORRECT: WORKING} | {each.name: each.behavior for each in MISCONFIGURATIONS}
        self.desk.amazon.login.behavior, self.linking_setup = behaviors[one_of("set-up", name, behaviors)], name

    @act("bringing the events that are due")
    def move_clock(self, by: timedelta | float) -> None:
        """Alexa's clock and that of Login with Amazon; `by` in seconds where it is a number. AWS keeps its own time."""
        self.clock.move_on(self._checked(by))
        self.hear(self.customer, Message(ALEXA, ALEXA, "moves the clock on", {"to": iso(self.clock.now())}))
        for customer, household in self.homes():
            with self.on_behalf_of(customer):
                household.alexa.deliveries.run_due()

    @act("planning deliveries")
    def plan_delivery(self, mode: str) -> None:
        """How skill events are brought from now on."""
        self.delivery = next(each for each in MODES if each == one_of("delivery", mode, MODES))
        for alexa in self.alexas():
            alexa.deliveries.plan = DeliveryPlan(self.delivery)

    @act("bringing the events that wait")
    def deliver_held(self) -> int:
        """How many still wait; reordered ones come the newest first."""
        for customer, household in self.homes():
            with self.on_behalf_of(customer):
                household.alexa.deliveries.flush(reordered=self.delivery == "reordered")
        return sum(len(alexa.deliveries.pending) for alexa in self.alexas())

    @contextmanager
    def ticking(self, tick_s: float = TICK_S) -> Iterator[None]:
        """Real time passes: what is due is brought again each second, as Alexa does; more seldom after failures of the desk's own."""
        is_over = threading.Event()

        def tick() -> None:
            pause_s = tick_s
            while not is_over.wait(pause_s):
                brought = [self._bring_if_due(customer, home) for customer, home in self.homes() if not is_over.is_set()]
                pause_s = tick_s if all(brought) else min(2 * pause_s, LONGEST_TICK_S)

        ticker = threading.Thread(target=tick)
        ticker.start()
        try:
            yield
        finally:
            is_over.set()
            ticker.join()

    def _bring_if_due(self, customer: str, household: Household) -> bool:
        """False when it failed for a reason that is not the skill's: an emulator that does not start, for one."""
        deliveries = household.alexa.deliveries
        if not is_due(deliveries.next_due, self.clock.now()):
            return True
        try:
            with self.acting("bringing the events that are due"), self.on_behalf_of(customer):
                deliveries.run_due()
        except Exception as error:  # noqa: BLE001  (whatever it was: the next tick comes)
            reason = f"{type(error).__name__}: {error}"
            self.hear(customer, Message(ALEXA, SKILL, "cannot bring the events that are due", verdict="failed", reason=reason))
            return False
        return True

    def _checked(self, by: timedelta | float) -> timedelta:
        """Raises SimulationError for what no clock can be moved by."""
        farthest = f"the clock goes {MOST_AHEAD.days} days ahead of the real one at most"
        try:
            by = by if isinstance(by, timedelta) else timedelta(seconds=by)
        except (OverflowError, ValueError) as error:  # infinite, no number, or more than a timedelta holds
            raise SimulationError(farthest) from error
        if by < timedelta(0):
            raise SimulationError("the clock goes forward only")
        if by > MOST_AHEAD - self.clock.now_ahead():
            raise SimulationError(farthest)
        return by


def is_due(next_due: datetime | None, now: datetime) -> bool:
    return next_due is not None and next_due <= now
