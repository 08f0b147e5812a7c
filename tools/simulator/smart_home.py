"""Alexa's side of a smart home skill: the grant when the account is linked, discovery, and directives to the customer's devices."""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tools.simulator.answers import ANSWER_WITHIN_S
from tools.simulator.linking_diagnosis import accept_grant_failed
from tools.simulator.skill import Skill, SkillFailedError
from tools.simulator.wire import ALEXA, SKILL, Listener, Message, redacted

SWITCHING = re.compile(
    r"(?:alexa )?(?:turn|switch) (?:(?P<before>on|off) (?:the |my )?(?P<name>.+)|(?:the |my )?(?P<named>.+) (?P<after>on|off))"
)
UNLINKING = {"EXPIRED_AUTHORIZATION_CREDENTIAL", "INVALID_AUTHORIZATION_CREDENTIAL"}
UNLINKS = "At Alexa, this answer deletes the customer's tokens: only linking again brings the devices back."


class DirectiveError(Exception):
    """The skill answered a directive with an error, or not at all; `kind` is Alexa's error type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


@dataclass(frozen=True)
class Device:
    """An endpoint that the skill said the customer has; `power` is ON, OFF, or empty where it is not known."""

    endpoint_id: str
    name: str
    description: str
    power: str = ""


class SmartHome:
    """The devices of one customer."""

    def __init__(self, skill: Skill, issue_grant_code: Callable[[], str], listener: Listener) -> None:
        self._skill, self._issue_grant_code, self._listener = skill, issue_grant_code, listener
        self.devices: tuple[Device, ...] = ()

    def accept_grant(self, access_token: str) -> None:
        """Comes before the link counts. Raises AccountLinkingError: at Alexa, linking fails with it."""
        grant = {"type": "OAuth2.AuthorizationCode", "code": self._issue_grant_code()}
        payload = {"grant": grant, "grantee": {"type": "BearerToken", "token": access_token}}
        try:
            self._direct("Alexa.Authorization", "AcceptGrant", payload, expected="AcceptGrant.Response")
        except DirectiveError as error:
            raise accept_grant_failed(str(error)) from error

    def discover(self, access_token: str) -> tuple[Device, ...]:
        """What the skill says that the customer has. Raises DirectiveError."""
        payload = {"scope": {"type": "BearerToken", "token": access_token}}
        answer = self._direct("Alexa.Discovery", "Discover", payload, expected="Discover.Response")
        endpoints = answer["event"]["payload"].get("endpoints", [])
        found = [Device(each["endpointId"], each.get("friendlyName", ""), each.get("description", "")) for each in endpoints]
        self.devices = tuple(found)
        self.devices = tuple(self.report_state(each.endpoint_id, access_token) for each in found)
        return self.devices

    def switch(self, endpoint_id: str, access_token: str, *, on: bool) -> Device:
        """Raises DirectiveError."""
        return self._ask_device(endpoint_id, access_token, "Alexa.PowerController", "TurnOn" if on else "TurnOff", "Response")

    def report_state(self, endpoint_id: str, access_token: str) -> Device:
        """Raises DirectiveError."""
        return self._ask_device(endpoint_id, access_token, "Alexa", "ReportState", "StateReport")

    def device_meant(self, utterance: str) -> tuple[Device, bool] | None:
        """The device and whether it is to be on, if the customer speaks of one: such words need no skill's name."""
        said = SWITCHING.fullmatch(" ".join(re.findall(r"\w+", utterance.casefold())))
        name = (said["name"] or said["named"]) if said else ""
        meant = [device for device in self.devices if device.name.casefold() == name]
        return (meant[0], (said["before"] or said["after"]) == "on") if said and meant else None

    def forget(self) -> None:
        """The skill was disabled."""
        self.devices = ()

    def _ask_device(self, endpoint_id: str, access_token: str, namespace: str, name: str, expected: str) -> Device:
        endpoint = {"endpointId": endpoint_id, "scope": {"type": "BearerToken", "token": access_token}, "cookie": {}}
        answer = self._direct(namespace, name, {}, expected=expected, endpoint=endpoint)
        properties = answer.get("context", {}).get("properties", [])
        power = next((str(each["value"]) for each in properties if each.get("name") == "powerState"), "")
        known = next((each for each in self.devices if each.endpoint_id == endpoint_id), Device(endpoint_id, endpoint_id, ""))
        device = replace(known, power=power)
        self.devices = tuple(device if each.endpoint_id == endpoint_id else each for each in self.devices)
        return device

    def _direct(
        self, namespace: str, name: str, payload: Mapping[str, Any], *, expected: str, endpoint: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The answer, if it is the one that this directive wants."""
        header = {"namespace": namespace, "name": name, "payloadVersion": "3", "messageId": str(uuid.uuid4())}
        if endpoint:
            header["correlationToken"] = f"simulator-{uuid.uuid4().hex}"
        directive = {"header": header, **({"endpoint": dict(endpoint)} if endpoint else {}), "payload": dict(payload)}
        self._listener(Message(ALEXA, SKILL, f"{namespace}.{name}", body=redacted({"directive": directive})))
        started = time.monotonic()
        try:
            answer = self._skill.invoke({"directive": directive})
            check(answer, expected, header.get("correlationToken"), time.monotonic() - started)
        except (SkillFailedError, DirectiveError) as error:
            failed = error if isinstance(error, DirectiveError) else DirectiveError("the skill failed", str(error))
            self._listener(Message(SKILL, ALEXA, "fails", {}, "failed", str(failed), UNLINKS if failed.kind in UNLINKING else ""))
            raise failed from error
        took = {"took": f"{time.monotonic() - started:.2f} s"}
        self._listener(Message(SKILL, ALEXA, f"answers with {expected}", took, "ok", body=redacted(answer)))
        return answer


def check(answer: Mapping[str, Any], expected: str, correlation_token: str | None, took_s: float) -> None:
    """Raises DirectiveError unless Alexa would take it."""
    event = answer.get("event")
    header = event.get("header") if isinstance(event, Mapping) else None
    if not isinstance(event, Mapping) or not isinstance(header, Mapping) or not isinstance(event.get("payload"), Mapping):
        raise DirectiveError("MALFORMED_ANSWER", "there is no event with header and payload")
    if took_s > ANSWER_WITHIN_S:
        raise DirectiveError("SKILL_RESPONSE_TIMEOUT_EXCEPTION", f"the skill took {took_s:.1f} s; Alexa waits {ANSWER_WITHIN_S:.0f}")
    if header.get("name") == "ErrorResponse":
        raise DirectiveError(str(event["payload"].get("type")), str(event["payload"].get("message")))
    if header.get("name") != expected:
        raise DirectiveError("MALFORMED_ANSWER", f"{expected} was expected, and {header.get('name')} came")
    if header.get("correlationToken") != correlation_token:
        raise DirectiveError("MALFORMED_ANSWER", "correlationToken is not the directive's")
