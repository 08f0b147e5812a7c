"""The shapes of directives and of what answers them: smart home and video inside `directive`, music bare. Pure.

The ASK SDK takes a directive for an empty request and says nothing, so the raw event's shape decides before the SDK is asked. The headers
of an answer follow from the directive's and are nobody else's business; a customer's token is in none of them.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from linked_profile.envelopes import check_depth, parse_token, parse_user_id
from linked_profile.errors import TokenRejectedError, UnknownShapeError

LONGEST_ID = 256  # characters of an endpoint's id, and more than any part of a header has
LONGEST_CORRELATION_TOKEN = 16_384  # characters; opaque, and some are longer than an access token
SURROGATE = re.compile("[\ud800-\udfff]")  # JSON may escape one alone; UTF-8 has no bytes for it
AUTHORIZATION = "Alexa.Authorization"


@dataclass(frozen=True)
class Directive:
    """What a directive says; nothing in it is proven. Its secrets are in no text of it."""

    namespace: str
    name: str
    payload_version: str
    is_music: bool
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)  # holds the token, or AcceptGrant's code
    endpoint_id: str | None = None
    cookie: Mapping[str, Any] = field(default_factory=dict, repr=False)  # what Discover.Response gave the endpoint
    correlation_token: str | None = field(default=None, repr=False)
    amazon_user_id: str | None = field(default=None, repr=False)  # music alone says it
    access_token: str | None = field(default=None, repr=False)
    problem: str = ""  # why it cannot be answered: MALFORMED, NO_TOKEN, UNKNOWN_SCOPE or MALFORMED_TOKEN

    @property
    def kind(self) -> str:
        """As it is logged and as handlers are named."""
        return f"{self.namespace}.{self.name}"

    @property
    def is_accept_grant(self) -> bool:
        return (self.namespace, self.name, self.is_music) == (AUTHORIZATION, "AcceptGrant", False)


@dataclass(frozen=True)
class Property:
    """The state of one property of an endpoint, for `context.properties` and ChangeReport."""

    namespace: str
    name: str
    value: Any
    time_ms: int  # when it was found to be so
    uncertainty_ms: int = 0

    def to_json(self) -> dict[str, Any]:
        sampled = datetime.fromtimestamp(self.time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "namespace": self.namespace,
            "name": self.name,
            "value": self.value,
            "timeOfSample": sampled,
            "uncertaintyInMilliseconds": self.uncertainty_ms,
        }


@dataclass(frozen=True)
class Reply:
    """What a handler answers: a payload, the properties where the answer shows a state, and its name where that is not the usual."""

    payload: Mapping[str, Any] = field(default_factory=dict)
    properties: tuple[Property, ...] | None = None
    namespace: str = ""
    name: str = ""


def is_directive(event: object) -> bool:
    """Whether this is a directive's shape; what also has a request is one, so that nobody gets past the skill id by adding a directive."""
    return isinstance(event, dict) and "request" not in event and ("directive" in event or "header" in event)


def parse_directive(event: Mapping[str, Any]) -> Directive:
    """What the directive says. Raises RefusedRequestError only where there is no header that an answer could follow."""
    check_depth(event)
    is_music = "directive" not in event
    message = event if is_music else event["directive"]
    header = message.get("header") if isinstance(message, dict) else None
    if not isinstance(header, dict) or not all(_is_word(header.get(name)) for name in ("namespace", "name")):
        raise UnknownShapeError("not a directive")
    parts = {name: message.get(name) for name in ("payload", "endpoint")}
    problem = "MALFORMED" if any(part is not None and not isinstance(part, dict) for part in parts.values()) else ""
    payload, endpoint = (part if isinstance(part, dict) else {} for part in parts.values())
    correlation_token, endpoint_id = header.get("correlationToken"), endpoint.get("endpointId")
    if not _is_echo(correlation_token, LONGEST_CORRELATION_TOKEN) or not _is_echo(endpoint_id, LONGEST_ID):
        problem = "MALFORMED"
    access_token, token_problem = _read_token(payload, endpoint, is_music=is_music)
    version, cookie = header.get("payloadVersion"), endpoint.get("cookie")
    return Directive(
        namespace=header["namespace"],
        name=header["name"],
        payload_version=version if isinstance(version, str) and _is_echo(version, LONGEST_ID) else "",
        is_music=is_music,
        payload=payload,
        endpoint_id=endpoint_id if _is_echo(endpoint_id, LONGEST_ID) else None,
        cookie=cookie if isinstance(cookie, dict) else {},
        correlation_token=correlation_token if _is_echo(correlation_token, LONGEST_CORRELATION_TOKEN) else None,
        amazon_user_id=parse_user_id(_music_user(payload).get("id")) if is_music else None,
        access_token=access_token,
        problem=problem or token_problem,
    )


def answer(directive: Directive, reply: Reply) -> dict[str, Any]:
    """Alexa's form of a handler's reply."""
    namespace, name = usual_answer(directive)
    header = {
        "namespace": reply.namespace or namespace,
        "name": reply.name or name,
        "messageId": str(uuid.uuid4()),
        "payloadVersion": (directive.payload_version or "1.0") if directive.is_music else "3",
    }
    return _wrapped(directive, header, dict(reply.payload), reply.properties)


def error_answer(directive: Directive, payload: Mapping[str, Any], namespace: str = "Alexa") -> dict[str, Any]:
    """Alexa's form of a failure; `payload` has a type and a message."""
    version = "3"
    if directive.is_music:  # its general errors are 3.0, though its requests are 1.0
        version = "3.0" if namespace == "Alexa" else directive.payload_version or "1.0"
    header = {"namespace": namespace, "name": "ErrorResponse", "messageId": str(uuid.uuid4()), "payloadVersion": version}
    return _wrapped(directive, header, dict(payload), None)


def usual_answer(directive: Directive) -> tuple[str, str]:
    """Namespace and name of the answer to most directives of this kind; a Reply says it where it is another."""
    if directive.is_music or directive.namespace in {"Alexa.Discovery", AUTHORIZATION}:
        return directive.namespace, f"{directive.name}.Response"
    return "Alexa", "StateReport" if (directive.namespace, directive.name) == ("Alexa", "ReportState") else "Response"


def _wrapped(
    directive: Directive, header: dict[str, Any], payload: dict[str, Any], properties: tuple[Property, ...] | None
) -> dict[str, Any]:
    """Alexa refuses an answer with a correlation token or an endpoint that its directive had not, and one without those that it had."""
    if directive.is_music:
        return {"header": header, "payload": payload}
    if directive.correlation_token is not None:
        header["correlationToken"] = directive.correlation_token
    event: dict[str, Any] = {"header": header, "payload": payload}
    if directive.endpoint_id is not None:
        event["endpoint"] = {"endpointId": directive.endpoint_id}
    if properties is None:
        return {"event": event}
    return {"event": event, "context": {"properties": [state.to_json() for state in properties]}}


def _read_token(payload: Mapping[str, Any], endpoint: Mapping[str, Any], *, is_music: bool) -> tuple[str | None, str]:
    """The customer's token from whichever of the four places this kind of directive has it in, or why there is none."""
    if is_music:
        value = _music_user(payload).get("accessToken")
    else:
        places = (endpoint.get("scope"), payload.get("scope"), payload.get("grantee"))
        holder = next((place for place in places if place is not None), None)
        if not isinstance(holder, dict):
            return None, "NO_TOKEN" if holder is None else "MALFORMED"
        # DirectedUserId has no token of ours. BearerTokenWithPartition has one, and a partition (a hotel's room) that no handler
        # here would heed: to take it for a whole account's would let each room into every other.
        if holder.get("type") != "BearerToken":
            return None, "UNKNOWN_SCOPE"
        value = holder.get("token")
    if value is not None and not isinstance(value, str):
        return None, "MALFORMED"
    try:
        token = parse_token(value)
    except TokenRejectedError as error:
        return None, error.reason
    return token, "" if token else "NO_TOKEN"


def _music_user(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """`requestContext.user`, empty where it is not there."""
    context = payload.get("requestContext")
    user = context.get("user") if isinstance(context, dict) else None
    return user if isinstance(user, dict) else {}


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID


def _is_echo(value: object, longest: int) -> bool:
    """Absent, or text that can be sent back: half a surrogate pair cannot."""
    return value is None or (isinstance(value, str) and 0 < len(value) <= longest and SURROGATE.search(value) is None)
