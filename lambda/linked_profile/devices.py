"""Where device logic goes: one handler per (namespace, name) of a directive. Ships with one example, a lamp for each linked account.

A handler gets the account, proven, and the directive; it returns what the answer says, or raises DeviceError with one of Alexa's error
types. Correlation tokens, headers, versions and every other failure are `directives.py`'s business. To add a device, write its handlers
beside the lamp's and name them in `build_handlers`; smart home, video and music directives are all looked up there.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from linked_profile.directive_envelopes import Directive, Property, Reply
from linked_profile.errors import DeviceError
from linked_profile.logs import OutcomeLog
from linked_profile.outbound import Deadline
from linked_profile.virtual_lamps import VirtualLamps

TIME_TO_ANSWER_S = 0.5  # what is left of the deadline after telling Alexa's event gateway
MOST_REPORT_S = 2.0  # a customer who said "on" is waiting for the answer

SendEvent = Callable[[str, Mapping[str, Any], Deadline], object]


class DirectiveHandler(Protocol):
    """Answers one kind of directive.

    `deadline` is when the answer has to be on its way. Nothing stops a handler that does not heed it, and Alexa waits for eight seconds
    only: give it to whatever the handler calls. May raise DeviceError; anything else that it raises is answered as INTERNAL_ERROR.
    """

    def __call__(self, account_id: str, directive: Directive, deadline: Deadline) -> Reply: ...


Handlers = Mapping[tuple[str, str], DirectiveHandler]


def build_handlers(lamp: "VirtualLamp | None") -> dict[tuple[str, str], DirectiveHandler]:
    """Every handler by namespace and name; what is not here is answered as INVALID_DIRECTIVE."""
    if lamp is None:
        return {}
    return {
        ("Alexa.Discovery", "Discover"): lamp.discover,
        ("Alexa", "ReportState"): lamp.report_state,
        ("Alexa.PowerController", "TurnOn"): lamp.turn_on,
        ("Alexa.PowerController", "TurnOff"): lamp.turn_off,
    }


class VirtualLamp:
    """The example: a lamp that is nowhere but in a table, one per account."""

    def __init__(
        self, lamps: VirtualLamps, skill_id: str, send_event: SendEvent | None, log: OutcomeLog, now_ms: Callable[[], int]
    ) -> None:
        """`send_event` tells Alexa of changes; None where the skill sends no events."""
        self._lamps, self._key, self._send_event, self._log, self._now_ms = lamps, skill_id.encode(), send_event, log, now_ms

    def endpoint_id(self, account_id: str) -> str:
        """The lamp's name at Alexa: another one for each account, so that one customer's is nothing at all to another's token."""
        return f"virtual-lamp-{hmac.new(self._key, account_id.encode(), hashlib.sha256).hexdigest()[:24]}"

    def discover(self, account_id: str, directive: Directive, deadline: Deadline) -> Reply:
        """The customer's one lamp."""
        power = {
            "type": "AlexaInterface",
            "interface": "Alexa.PowerController",
            "version": "3",
            "properties": {
                "supported": [{"name": "powerState"}],
                "proactivelyReported": self._send_event is not None,
                "retrievable": True,
            },
        }
        lamp = {
            "endpointId": self.endpoint_id(account_id),
            "manufacturerName": "Linked Profile",
            "friendlyName": "Virtual lamp",
            "description": "A lamp to try the skill with",
            "displayCategories": ["LIGHT"],
            "cookie": {},
            "capabilities": [{"type": "AlexaInterface", "interface": "Alexa", "version": "3"}, power],
        }
        return Reply({"endpoints": [lamp]})

    def report_state(self, account_id: str, directive: Directive, deadline: Deadline) -> Reply:
        """Whether it is on."""
        self._check_endpoint(account_id, directive)
        return Reply(properties=(self._power_state(on=self._lamps.is_on(account_id, deadline)),))

    def turn_on(self, account_id: str, directive: Directive, deadline: Deadline) -> Reply:
        return self._turn(account_id, directive, deadline, on=True)

    def turn_off(self, account_id: str, directive: Directive, deadline: Deadline) -> Reply:
        return self._turn(account_id, directive, deadline, on=False)

    def switch_lamp(self, account_id: str, *, on: bool, cause: str, deadline: Deadline) -> Property:
        """Switches it, and tells Alexa if that changed anything; for code of your own too: a web page's `cause` is APP_INTERACTION.

        Raises TableUnavailableError. That Alexa could not be told is logged and no more: the lamp is switched all the same.
        """
        has_changed = self._lamps.switch(account_id, on=on, deadline=deadline)
        state = self._power_state(on=on)
        if has_changed and self._send_event is not None:
            self._report_change(self._send_event, account_id, state, cause, deadline)
        return state

    def _turn(self, account_id: str, directive: Directive, deadline: Deadline, *, on: bool) -> Reply:
        self._check_endpoint(account_id, directive)
        return Reply(properties=(self.switch_lamp(account_id, on=on, cause="VOICE_INTERACTION", deadline=deadline),))

    def _check_endpoint(self, account_id: str, directive: Directive) -> None:
        if directive.endpoint_id != self.endpoint_id(account_id):
            raise DeviceError("NO_SUCH_ENDPOINT", "This account has no such device.")

    def _power_state(self, *, on: bool) -> Property:
        return Property("Alexa.PowerController", "powerState", "ON" if on else "OFF", self._now_ms())

    def _report_change(self, send_event: SendEvent, account_id: str, state: Property, cause: str, deadline: Deadline) -> None:
        report = {
            "header": {"namespace": "Alexa", "name": "ChangeReport", "payloadVersion": "3"},
            "endpoint": {"endpointId": self.endpoint_id(account_id)},
            "payload": {"change": {"cause": {"type": cause}, "properties": [state.to_json()]}},
            "context": {"properties": []},
        }
        try:
            send_event(account_id, report, deadline.earlier_by(max(TIME_TO_ANSWER_S, deadline.remaining() - MOST_REPORT_S)))
        except Exception as error:  # noqa: BLE001  (whatever the gateway or the grants have, the customer's lamp is on)
            self._log.record("ChangeReport", "event_not_sent", reason=type(error).__name__)
