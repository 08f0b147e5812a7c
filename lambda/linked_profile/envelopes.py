"""Strict reading of Alexa's raw JSON, before the ASK SDK sees it.

The SDK raises on an unknown event type, a numeric time or an unknown enum before any handler runs, and Alexa then redelivers the
event for an hour and drops it. So what decides anything is read here, by hand; what cannot be read is refused by name or left out,
and never guessed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ask_sdk_model import Context, Intent, IntentRequest, Request, RequestEnvelope, User
from ask_sdk_model.application import Application
from ask_sdk_model.interfaces.system import SystemState

from linked_profile.errors import MalformedRequestError, TokenRejectedError, UnknownShapeError, WrongSkillError
from linked_profile.outbound import Deadline

DEEPEST = 64  # levels of nesting; Alexa's own messages stay below 20
LONGEST_USER_ID = 2048  # bytes of UTF-8: DynamoDB's limit for a partition key
LONGEST_TOKEN = 16_384  # characters; LWA's are below 2,048, Cognito's about 1,000
LONGEST_CODE = 4096  # characters; those seen are 20
SKILL_EVENT = "AlexaSkillEvent."
GRANT = "Alexa.Authorization.Grant"
VOICE_TYPES = frozenset({"LaunchRequest", "IntentRequest", "SessionEndedRequest"})
EARLIEST_NUMBER_MS, LATEST_MS = 10**12, 10**13  # thirteen digits: September 2001 to November 2286
ISO_8601 = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)", re.ASCII)


@dataclass(frozen=True)
class SkillEvent:
    """What a skill event says; None where it does not say it in a form that can be relied on."""

    kind: str  # the request type without its prefix: SkillEnabled, SkillAccountLinked, …
    amazon_user_id: str | None
    time_ms: int | None
    access_token: str | None
    token_problem: str = ""  # why there is no token: NO_TOKEN or MALFORMED_TOKEN


@dataclass(frozen=True)
class VoiceRequest:
    """What voice needs besides the SDK's envelope."""

    kind: str
    locale: str
    amazon_user_id: str | None
    time_ms: int | None
    is_new_session: bool
    account_token: str | None  # the account holder's; the mapping uses no other
    person_token: str | None  # the recognised speaker's own, where that person linked an account


@dataclass(frozen=True)
class GrantRequest:
    """A custom skill's AcceptGrant: Alexa.Authorization.Grant. Without linking it has no token, and so no account to keep the grant for."""

    kind: str
    amazon_user_id: str | None
    access_token: str | None = field(repr=False)
    code: str | None = field(repr=False)
    problem: str = ""  # why the token or the code is None: NO_TOKEN, MALFORMED_TOKEN or NO_CODE


@dataclass(frozen=True)
class OtherRequest:
    """A request type that this skill has no use for; it is acknowledged."""

    kind: str


@dataclass(frozen=True)
class Invocation:
    """Handed to the handlers as the SDK's `handler_input.context`: what was read, and until when to answer."""

    request: SkillEvent | VoiceRequest
    deadline: Deadline
    lambda_context: object = None  # for handlers of your own


def parse_request(event: object, skill_id: str) -> SkillEvent | VoiceRequest | GrantRequest | OtherRequest:
    """Raises a kind of RefusedRequestError: an unknown shape, another skill's request, a part of the wrong type."""
    if not isinstance(event, dict) or "request" not in event:
        raise UnknownShapeError("not a request")
    check_depth(event)
    check_skill_id(event, skill_id)
    kind = _object(event, "request").get("type")
    if not isinstance(kind, str) or not kind:
        raise MalformedRequestError("request.type is not text")
    if kind.startswith(SKILL_EVENT):
        return parse_skill_event(event, kind.removeprefix(SKILL_EVENT))
    if kind == GRANT:
        return parse_grant_request(event)
    return parse_voice_request(event, kind) if kind in VOICE_TYPES else OtherRequest(kind)


def check_depth(event: object) -> None:
    """Raises MalformedRequestError for what would make a recursive reader run out of stack."""
    level, depth = [event], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise MalformedRequestError(f"nested over {DEEPEST} levels")
        containers = [item for item in level if isinstance(item, dict | list)]
        level = [child for item in containers for child in (item.values() if isinstance(item, dict) else item)]


def check_skill_id(event: Mapping[str, Any], skill_id: str) -> None:
    """Every place that names a skill names this one, and at least one does. Raises WrongSkillError."""
    systems = [_object(_object(event, "context"), "System"), _object(event, "session")]
    named = [_object(system, "application").get("applicationId") for system in systems if "application" in system]
    if not named or any(name != skill_id for name in named):
        raise WrongSkillError("another skill's request, or none's")


def parse_skill_event(event: Mapping[str, Any], kind: str) -> SkillEvent:
    """What the event says; its user id, time and token are None where they cannot be relied on: a retry would not mend them."""
    request, body, user = _object(event, "request"), event["request"].get("body"), _object(_object(event, "context"), "System").get("user")
    token, problem = None, ""
    try:
        token = parse_token(body.get("accessToken") if isinstance(body, dict) else body)
        problem = "" if token and isinstance(body, dict) else "NO_TOKEN"
    except TokenRejectedError as error:
        problem = error.reason
    user_id = parse_user_id(user.get("userId")) if isinstance(user, dict) else None
    return SkillEvent(kind, user_id, event_time_ms(request), None if problem else token, problem)


def parse_voice_request(event: Mapping[str, Any], kind: str) -> VoiceRequest:
    """Raises MalformedRequestError."""
    system, session, request = _object(_object(event, "context"), "System"), _object(event, "session"), _object(event, "request")
    user = _object(system, "user") or _object(session, "user")
    locale = request.get("locale")
    return VoiceRequest(
        kind=kind,
        locale=locale if isinstance(locale, str) else "",
        amazon_user_id=parse_user_id(user.get("userId")),
        time_ms=parse_time_ms(request.get("timestamp")),
        is_new_session=session.get("new") is True,
        account_token=_token_or_none(user.get("accessToken")),
        person_token=_token_or_none(_object(system, "person").get("accessToken")),
    )


def parse_grant_request(event: Mapping[str, Any]) -> GrantRequest:
    """Raises MalformedRequestError."""
    user = _object(_object(_object(event, "context"), "System"), "user")
    token, problem = None, ""
    try:
        token = parse_token(user.get("accessToken"))
        problem = "" if token else "NO_TOKEN"
    except TokenRejectedError as error:
        problem = error.reason
    code = parse_grant_code(event["request"].get("body"))
    return GrantRequest(GRANT, parse_user_id(user.get("userId")), token, code, problem or ("" if code else "NO_CODE"))


def parse_grant_code(holder: object) -> str | None:
    """The code of `grant`, as AcceptGrant's payload and a grant request's body hold it; None where it is not an OAuth 2 code."""
    grant = holder.get("grant") if isinstance(holder, dict) else None
    code = grant.get("code") if isinstance(grant, dict) and grant.get("type") == "OAuth2.AuthorizationCode" else None
    return code if isinstance(code, str) and 0 < len(code) <= LONGEST_CODE and code.isascii() and code.isprintable() else None


def parse_token(value: object) -> str | None:
    """The token, or None where there is none; absent, null and empty are the same. Raises TokenRejectedError for what cannot be one."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TOKEN or not value.isascii() or not value.isprintable() or " " in value:
        raise TokenRejectedError("MALFORMED_TOKEN")
    return value


def parse_user_id(value: object) -> str | None:
    """The Amazon user id if it can be a table's key; None for anything else (a retry would not mend it)."""
    if not isinstance(value, str) or not value.isprintable() or value.isspace() or value.startswith("X#"):
        return None  # X# begins the keys of erasures; what is printable has no lone surrogates, so it encodes
    return value if 0 < len(value.encode()) <= LONGEST_USER_ID else None


def event_time_ms(request: Mapping[str, Any]) -> int | None:
    """When the thing happened. The publishing time comes last: it may differ from delivery to delivery."""
    times = (parse_time_ms(request.get(name)) for name in ("eventCreationTime", "timestamp", "eventPublishingTime"))
    return next((time for time in times if time is not None), None)


def parse_time_ms(value: object) -> int | None:
    """Epoch milliseconds of an ISO 8601 date-time with its zone, or of epoch milliseconds; None for every other form."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and re.fullmatch(r"\d{13}", value, re.ASCII):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if EARLIEST_NUMBER_MS <= value < LATEST_MS else None  # fewer digits would be seconds: which, is a guess
    match = ISO_8601.fullmatch(value) if isinstance(value, str) else None
    return _iso_to_ms(*match.groups()) if match else None


def _iso_to_ms(day: str, minute: str, second: str, fraction: str | None, zone: str) -> int | None:
    leap = second == "60"  # a leap second is the instant that begins the next minute, as POSIX has it
    try:
        whole = datetime.fromisoformat(f"{day}T{minute}:{'59' if leap else second}{zone}")
        since_epoch = whole - datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=leap)
    except (ValueError, OverflowError):
        return None
    ms = since_epoch // timedelta(milliseconds=1) + int(f"{fraction or '':0<3}"[:3])
    return ms if 0 <= ms < LATEST_MS else None


class PlainRequest(Request):  # type: ignore[misc]  # the SDK has no types
    """A request that says only its type: the SDK's own classes know six skill events, and its reader raises on the rest."""

    def __init__(self, object_type: str) -> None:
        super().__init__(object_type=object_type)


def skill_event_envelope(event: SkillEvent, skill_id: str) -> RequestEnvelope:
    """The SDK's envelope of an event that was read here."""
    system = SystemState(application=Application(application_id=skill_id), user=User(user_id=event.amazon_user_id))
    return RequestEnvelope(version="1.0", context=Context(system=system), request=PlainRequest(SKILL_EVENT + event.kind))


def for_sdk(event: Mapping[str, Any], request: VoiceRequest) -> Iterator[dict[str, Any]]:
    """The envelope as the SDK may be able to read it: whole, then with nothing but what decides the answer.

    It raises on one enum value that it does not know, wherever it stands (a new screen's shape), and on a numeric timestamp.
    """
    time = datetime.fromtimestamp((request.time_ms or 0) / 1000, UTC).isoformat()
    yield {**event, "request": {**event["request"], "timestamp": time}}
    essential = {"type": request.kind, "timestamp": time, "intent": _essential_intent(event["request"])}
    yield {"version": "1.0", "request": {name: value for name, value in essential.items() if value}}


def _essential_intent(request: Mapping[str, Any]) -> dict[str, Any] | None:
    """The intent's name, and of its slots the words and what they resolved to."""
    intent = request.get("intent")
    if not isinstance(intent, dict) or not isinstance(intent.get("name"), str):
        return None
    slots = intent["slots"] if isinstance(intent.get("slots"), dict) else {}
    kept = ("name", "value", "resolutions")
    return {
        "name": intent["name"],
        "slots": {name: {key: slot[key] for key in kept if key in slot} for name, slot in slots.items() if isinstance(slot, dict)},
    }


def bare_envelope(event: Mapping[str, Any], request: VoiceRequest) -> RequestEnvelope:
    """The last resort: the request's type, and the intent's name."""
    intent = _essential_intent(event["request"])
    if request.kind == "IntentRequest" and intent:
        return RequestEnvelope(version="1.0", request=IntentRequest(intent=Intent(name=intent["name"])))
    return RequestEnvelope(version="1.0", request=PlainRequest(request.kind))


def _token_or_none(value: object) -> str | None:
    """For voice, what cannot be a token is no link: the customer is asked to link again."""
    try:
        return parse_token(value)
    except TokenRejectedError:
        return None


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object at this key, empty where there is none. Raises MalformedRequestError where something else stands there."""
    value = parent.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedRequestError(f"{key} is not an object")
    return value
