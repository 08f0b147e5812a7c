"""Alexa's side of a smart home skill: the grant when the account is linked, discovery, and directives to the customer's devices."""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from tools.simulator.answers import ANSWER_WITHIN_S
from tools.simulator.known_secrets import KnownSecrets
from tools.simulator.linking_diagnosis import accept_grant_failed
from tools.simulator.linking_errors import quoted
from tools.simulator.skill import Skill, SkillFailedError
from tools.simulator.wire import ALEXA, SKILL, Listener, Message, redacted

T = TypeVar("T")
SWITCHING = re.compile(
    r"(?:alexa )?(?:turn|switch) (?:(?P<before>on|off) (?:the |my )?(?P<name>.+)|(?:the |my )?(?P<named>.+) (?P<after>on|off))"
)
MALFORMED = "MALFORMED_ANSWER"
UNLINKING = {"EXPIRED_AUTHORIZATION_CREDENTIAL", "INVALID_AUTHORIZATION_CREDENTIAL"}
UNLINKS = "At Alexa, this answer deletes the customer's tokens: only linking again brings the devices back."


class DirectiveError(Exception):
    """The skill answered a directive with an error, or not at all; `kind` is Alexa's error type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind, self.message = kind, message


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
        self._known = KnownSecrets()
        self._skill, self._issue_grant_code, self._listener = skill, issue_grant_code, self._known.kept_from(listener)
        self.devices: tuple[Device, ...] = ()

    def accept_grant(self, access_token: str) -> None:
        """Comes before the link counts. Raises AccountLinkingError: at Alexa, linking fails with it."""
        grant = {"type": "OAuth2.AuthorizationCode", "code": self._issue_grant_code()}
        payload = {"grant": grant, "grantee": {"type": "BearerToken", "token": access_token}}
        try:
            self._direct("Alexa.Authorization", "AcceptGrant", payload, expected="AcceptGrant.Response", read=lambda answer: None)
        except DirectiveError as error:
            raise accept_grant_failed(str(error)) from error

    def discover(self, access_token: str) -> tuple[Device, ...]:
        """What the skill says that the customer has. Raises DirectiveError."""
        payload = {"scope": {"type": "BearerToken", "token": access_token}}
        found = self._direct("Alexa.Discovery", "Discover", payload, expected="Discover.Response", read=read_devices)
        self.devices = found
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
        power = self._direct(namespace, name, {}, expected=expected, read=read_power, endpoint=endpoint)
        known = next((each for each in self.devices if each.endpoint_id == endpoint_id), Device(endpoint_id, endpoint_id, ""))
        device = replace(known, power=power)
        self.devices = tuple(device if each.endpoint_id == endpoint_id else each for each in self.devices)
        return device

    def _direct(
        self,
        namespace: str,
        name: str,
        payload: Mapping[str, Any],
        *,
        expected: str,
        read: Callable[[Mapping[str, Any]], T],
        endpoint: Mapping[str, Any] | None = None,
    ) -> T:
        """What the answer says, if it is the one that this directive wants. Raises DirectiveError."""
        header = {"namespace": namespace, "name": name, "payloadVersion": "3", "messageId": str(uuid.uuid4())}
        if endpoint:
            header["correlationToken"] = f"simulator-{uuid.uuid4().hex}"
        directive = {"header": header, **({"endpoint": dict(endpoint)} if endpoint else {}), "payload": dict(payload)}
        self._known.add_from(directive)
        self._listener(Message(ALEXA, SKILL, f"{namespace}.{name}", body=redacted({"directive": directive})))
        started = time.monotonic()
        try:
            answer = self._skill.invoke({"directive": directive})
            check(answer, expected, header.get("correlationToken"), time.monotonic() - started)
            said = read(answer)
        except (SkillFailedError, DirectiveError) as error:
            failed = self._in_a_line(error)
            self._listener(Message(SKILL, ALEXA, "fails", {}, "failed", str(failed), UNLINKS if failed.kind in UNLINKING else ""))
            raise failed from error
        took = {"took": f"{time.monotonic() - started:.2f} s"}
        self._listener(Message(SKILL, ALEXA, f"answers with {expected}", took, "ok", body=redacted(answer)))
        return said

    def _in_a_line(self, error: SkillFailedError | DirectiveError) -> DirectiveError:
        """The skill's own words may repeat the directive, token and all."""
        if isinstance(error, SkillFailedError):
            return DirectiveError("the skill failed", self._known.in_a_line(error))
        return DirectiveError(quoted(self._known.hide(error.kind)), quoted(self._known.hide(error.message)))


def check(answer: object, expected: str, correlation_token: str | None, took_s: float) -> None:
    """Raises DirectiveError unless Alexa would take it."""
    event = answer.get("event") if isinstance(answer, Mapping) else None
    header = event.get("header") if isinstance(event, Mapping) else None
    if not isinstance(event, Mapping) or not isinstance(header, Mapping) or not isinstance(event.get("payload"), Mapping):
        raise DirectiveError(MALFORMED, "there is no event with header and payload")
    if took_s > ANSWER_WITHIN_S:
        raise DirectiveError("SKILL_RESPONSE_TIMEOUT_EXCEPTION", f"the skill took {took_s:.1f} s; Alexa waits {ANSWER_WITHIN_S:.0f}")
    if header.get("name") == "ErrorResponse":
        raise DirectiveError(str(event["payload"].get("type")), str(event["payload"].get("message")))
    if header.get("name") != expected:
        raise DirectiveError(MALFORMED, f"{expected} was expected, and {header.get('name')} came")
    if header.get("correlationToken") != correlation_token:
        raise DirectiveError(MALFORMED, "correlationToken is not the directive's")


def read_devices(answer: Mapping[str, Any]) -> tuple[Device, ...]:
    """The endpoints of a Discover.Response; none where it names none. Raises DirectiveError."""
    endpoints = answer["event"]["payload"].get("endpoints", [])
    if not isinstance(endpoints, list) or not all(isinstance(each, Mapping) for each in endpoints):
        raise DirectiveError(MALFORMED, "endpoints is no list of objects")
    return tuple(read_device(each) for each in endpoints)


def read_device(endpoint: Mapping[str, Any]) -> Device:
    """Raises DirectiveError."""
    texts = [endpoint.get("endpointId"), endpoint.get("friendlyName", ""), endpoint.get("description", "")]
    if not texts[0] or not all(isinstance(text, str) for text in texts):
        raise DirectiveError(MALFORMED, "an endpoint has no endpointId, or one of endpointId, friendlyName and description is no string")
    return Device(*map(str, texts))


def read_power(answer: Mapping[str, Any]) -> str:
    """ON or OFF as the answer's context reports it; empty where it does not. Raises DirectiveError."""
    context = answer.get("context", {})
    properties = context.get("properties", []) if isinstance(context, Mapping) else None
    if not isinstance(properties, list) or not all(isinstance(each, Mapping) for each in properties):
        raise DirectiveError(MALFORMED, "context holds no list of properties")
    values = [each.get("value") for each in properties if each.get("name") == "powerState"]
    if not all(value in ("ON", "OFF") for value in values):
        raise DirectiveError(MALFORMED, "powerState is neither ON nor OFF")
    return str(values[0]) if values else ""
