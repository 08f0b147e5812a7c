"""What the customer does with devices, and whether the skill may send events."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from tools.simulator.desk import SimulationError
from tools.simulator.smart_home import UNLINKING, DirectiveError, SmartHome
from tools.simulator.stage import Stage, act


class SmartHomeActs(Stage):
    """Each is a directive to the skill, with the customer's token."""

    @act("switching Send Alexa Events")
    def set_send_alexa_events(self, on: bool) -> None:  # noqa: FBT001
        """The permission in the Alexa console: with it, AcceptGrant comes with every link from now on, and linking fails if it fails."""
        self.sends_alexa_events = on
        self.open_side()

    @act("looking for devices")
    def discover(self) -> list[dict[str, str]]:
        """What the skill says that this customer has."""
        with self._directing() as (home, token):
            return [asdict(device) for device in home.discover(token)]

    @act("switching the device")
    def switch_device(self, endpoint_id: str, on: bool) -> dict[str, str]:  # noqa: FBT001
        """As with the switch in the Alexa app."""
        with self._directing() as (home, token):
            return asdict(home.switch(endpoint_id, token, on=on))

    @act("asking the device")
    def report_state(self, endpoint_id: str) -> dict[str, str]:
        with self._directing() as (home, token):
            return asdict(home.report_state(endpoint_id, token))

    @contextmanager
    def _directing(self) -> Iterator[tuple[SmartHome, str]]:
        """The customer's smart home and a fresh token. An error in the skill's answer is a SimulationError: it is on the wire already."""
        home, token = self.household.smart_home, self.alexa.fresh_token()
        if home is None:
            raise SimulationError("directives come to this project's own skill in Lambda only")
        if not token:
            raise SimulationError("no account is linked: Alexa sends directives for linked customers only")
        try:
            yield home, token
        except DirectiveError as error:
            if error.kind in UNLINKING:
                self.alexa.drop_link(str(error))
            raise SimulationError(str(error)) from error
