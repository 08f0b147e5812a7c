"""What goes wrong on demand, and time that passes: faults, mistakes, deliveries, the clock."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from tools.simulator import faults, providers
from tools.simulator.customers import CUSTOMERS
from tools.simulator.delivery import MODES, DeliveryPlan
from tools.simulator.desk import SimulationError
from tools.simulator.envelopes import iso
from tools.simulator.login_with_amazon.behavior import MISCONFIGURATIONS, WORKING
from tools.simulator.stage import Stage, act, one_of
from tools.simulator.wire import ALEXA, Message

TICK_S = 1.0


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

    @property
    def fault(self) -> str:
        """The name of the one that is in force."""
        return self.side.provider.front.fault.name if self.side.provider else faults.NONE.name

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
        by = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if by < timedelta(0):
            raise SimulationError("the clock goes forward only")
        self.clock.move_on(by)
        self.hear(self.customer, Message(ALEXA, ALEXA, "moves the clock on", {"to": iso(self.clock.now())}))
        self._bring_due()

    @act("planning deliveries")
    def plan_delivery(self, mode: str) -> None:
        """How skill events are brought from now on."""
        self.delivery = next(each for each in MODES if each == one_of("delivery", mode, MODES))
        for alexa in self.alexas():
            alexa.deliveries.plan = DeliveryPlan(self.delivery)

    @act("bringing the events that wait")
    def deliver_held(self) -> int:
        """How many still wait; reordered ones come the newest first."""
        for alexa in self.alexas():
            alexa.deliveries.flush(reordered=self.delivery == "reordered")
        return sum(len(alexa.deliveries.pending) for alexa in self.alexas())

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Real time passes: what is due is brought again each second, as Alexa does."""
        is_over = threading.Event()

        def tick() -> None:
            while not is_over.wait(TICK_S):
                if any(alexa.deliveries.next_due for alexa in self.alexas()):
                    with self._acting:
                        self._bring_due()

        ticker = threading.Thread(target=tick)
        ticker.start()
        try:
            yield
        finally:
            is_over.set()
            ticker.join()

    def _bring_due(self) -> None:
        for alexa in self.alexas():
            alexa.deliveries.run_due()
