"""The JSON that a skill receives: requests with their session and context, and skill events (FACTS: custom requests and skill events)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from tools.simulator.interaction_model import Resolution, SlotMatch

API_ENDPOINTS = {"NA": "https://api.amazonalexa.com", "EU": "https://api.eu.amazonalexa.com", "FE": "https://api.fe.amazonalexa.com"}
EndReason = Literal["USER_INITIATED", "ERROR", "EXCEEDED_MAX_REPROMPTS"]
ErrorType = Literal["INVALID_RESPONSE", "ENDPOINT_TIMEOUT"]


@dataclass(frozen=True)
class Enablement:
    """A customer's enablement of a skill, as every message shows it."""

    skill_id: str
    amazon_user_id: str
    device_id: str
    locale: str = "en-US"
    region: str = "EU"
    access_token: str | None = field(default=None, repr=False)  # of the linked account


@dataclass
class Session:
    """What Alexa keeps between two requests of one conversation."""

    session_id: str = field(default_factory=lambda: f"amzn1.echo-api.session.{uuid.uuid4()}")
    is_new: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)


def launch_request(enablement: Enablement, session: Session, at: datetime) -> dict[str, Any]:
    """ "Alexa, open …"."""
    return _request(enablement, session, at, {"type": "LaunchRequest", "shouldLinkResultBeReturned": False})


def intent_request(enablement: Enablement, session: Session, at: datetime, resolution: Resolution) -> dict[str, Any]:
    """An intent with its slots, and for each what entity resolution made of it."""
    slots = {name: _slot(enablement.skill_id, name, slot) for name, slot in resolution.slots.items()}
    intent: dict[str, Any] = {"name": resolution.intent, "confirmationStatus": "NONE"}
    return _request(enablement, session, at, {"type": "IntentRequest", "intent": intent | ({"slots": slots} if slots else {})})


@dataclass(frozen=True)
class SessionError:
    """What was wrong with an answer, as the skill is told."""

    type: ErrorType
    message: str


def session_ended_request(
    enablement: Enablement, session: Session, at: datetime, reason: EndReason, error: SessionError | None = None
) -> dict[str, Any]:
    """The end of a session that the skill did not end itself; nothing that it answers is spoken."""
    request: dict[str, Any] = {"type": "SessionEndedRequest", "reason": reason}
    if error:
        request["error"] = {"type": error.type, "message": error.message}
    return _request(enablement, session, at, request)


def skill_event(enablement: Enablement, kind: str, at: datetime, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """AlexaSkillEvent.<kind>: neither session nor device nor locale; the token, where there is one, is in the body."""
    request: dict[str, Any] = {
        "type": f"AlexaSkillEvent.{kind}",
        "requestId": str(uuid.uuid4()),
        "timestamp": iso(at),
        "eventCreationTime": iso(at),
        "eventPublishingTime": iso(at),
    }
    system = {
        "application": {"applicationId": enablement.skill_id},
        "user": {"userId": enablement.amazon_user_id},
        "apiEndpoint": API_ENDPOINTS[enablement.region],
    }
    return {"version": "1.0", "context": {"System": system}, "request": request | ({"body": dict(body)} if body else {})}


def redelivered(event: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The same event, brought again: only the delivery's own id and time are new."""
    request = event["request"] | {"requestId": str(uuid.uuid4()), "eventPublishingTime": iso(at)}
    return {**event, "request": request}


def iso(at: datetime) -> str:
    """As Alexa writes times: UTC, whole seconds, Z."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _request(enablement: Enablement, session: Session, at: datetime, request: Mapping[str, Any]) -> dict[str, Any]:
    application = {"applicationId": enablement.skill_id}
    user = {"userId": enablement.amazon_user_id}
    if enablement.access_token:
        user["accessToken"] = enablement.access_token
    system = {
        "application": application,
        "user": user,
        "device": {"deviceId": enablement.device_id, "supportedInterfaces": {}},
        "apiEndpoint": API_ENDPOINTS[enablement.region],
        "apiAccessToken": uuid.uuid4().hex,
    }
    named = {"requestId": f"amzn1.echo-api.request.{uuid.uuid4()}", "locale": enablement.locale, "timestamp": iso(at)}
    talk = {"new": session.is_new, "sessionId": session.session_id, "application": application, "attributes": dict(session.attributes)}
    return {"version": "1.0", "session": talk | {"user": user}, "context": {"System": system}, "request": {**request, **named}}


def _slot(skill_id: str, name: str, slot: SlotMatch | None) -> dict[str, Any]:
    """Alexa says it twice: in the slot itself, and in slotValue, which came later with lists of values."""
    if slot is None:
        return {"name": name, "confirmationStatus": "NONE"}
    resolved = {"resolutions": {"resolutionsPerAuthority": [_authority(skill_id, slot)]}} if slot.is_looked_up else {}
    value = {"type": "Simple", "value": slot.value, **resolved}
    return {"name": name, "value": slot.value, **resolved, "confirmationStatus": "NONE", "source": "USER", "slotValue": value}


def _authority(skill_id: str, slot: SlotMatch) -> dict[str, Any]:
    authority = {"authority": f"amzn1.er-authority.echo-sdk.{skill_id}.{slot.type_name}"}
    if slot.value_id is None:
        return authority | {"status": {"code": "ER_SUCCESS_NO_MATCH"}}
    value = {"name": slot.value_name, "id": slot.value_id}
    return authority | {"status": {"code": "ER_SUCCESS_MATCH"}, "values": [{"value": value}]}
