"""Composition root: builds everything once per container, and routes the raw event by its shape."""

import functools
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ask_sdk_core.serialize import DefaultSerializer
from ask_sdk_core.skill import CustomSkill
from ask_sdk_core.skill_builder import SkillBuilder
from ask_sdk_model import RequestEnvelope

from linked_profile import envelopes, intents, logs, skill_events
from linked_profile.account_mappings import AccountMappings, Table
from linked_profile.envelopes import Invocation, OtherRequest, SkillEvent, VoiceRequest
from linked_profile.errors import ProviderError, ProviderUnavailableError, RefusedRequestError, TableUnavailableError
from linked_profile.identity_providers import IdentityProvider, ProfileCache, build_identity_provider
from linked_profile.logs import OutcomeLog
from linked_profile.observed_links import ObservedLinks
from linked_profile.outbound import Deadline, Outbound
from linked_profile.settings import Settings
from linked_profile.speech import Prompts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Handler = Callable[[Any, object], dict[str, Any]]
ACKNOWLEDGED: Mapping[str, Any] = {"version": "1.0", "response": {}}
PROMPTS = Path(__file__).parent / "prompts"


def build_handler(
    settings: Settings,
    *,
    dynamodb: "Callable[[int], DynamoDBClient] | None" = None,
    outbound: Outbound | None = None,
    clock: Callable[[], float] = time.time,
) -> Handler:
    """The Lambda handler: `handler(event, context)` returns Alexa's answer, or raises to refuse an event or to have it brought again.

    `dynamodb` makes a client from a number of attempts, `clock` gives epoch seconds; both are for tests and for other hosts than Lambda.
    """
    logs.configure(settings.log_level)
    log = OutcomeLog(settings.skill_id)
    client = dynamodb or dynamodb_client
    provider = build_identity_provider(settings, outbound or Outbound(), clock)
    table = Table(settings.account_mappings_table, settings.skill_id, settings.retention_days)
    # A request is observed with one attempt at the table, because a customer is waiting; an event has time for two.
    observed = ObservedLinks(AccountMappings(table, lambda: client(1), clock), log, enabled=settings.observe_requests)
    voice = build_voice(settings, log, provider, observed)
    record = skill_events.EventRecord(
        mappings=AccountMappings(table, lambda: client(2), clock, late_client=lambda: client(1)),
        fetch_account_id=lambda token, deadline: provider.fetch_profile(token, deadline).account_id,
        log=log,
        account_linking=settings.account_linking,
        now_ms=lambda: int(clock() * 1000),
    )
    skill = build_skill(voice, record)
    return functools.partial(handle, skill, settings.skill_id, log)


def handle(skill: CustomSkill, skill_id: str, log: OutcomeLog, event: Any, context: object) -> dict[str, Any]:
    """One invocation, with one line about what became of it."""
    started = time.monotonic()
    deadline = Deadline.of(context)
    try:
        request = envelopes.parse_request(event, skill_id)
    except RefusedRequestError as error:
        log.record("Invocation", "request_refused", reason=type(error).__name__)
        raise
    if isinstance(request, OtherRequest):
        log.record(request.kind, "request_ignored")
        return dict(ACKNOWLEDGED)
    try:
        answer = invoke(skill, skill_id, log, event, Invocation(request, deadline, context))
    except Exception as error:
        outcome = "provider_unavailable" if isinstance(error, ProviderUnavailableError) else "unexpected_error"
        outcome = "table_unavailable" if isinstance(error, TableUnavailableError) else outcome
        reason = error.reason if isinstance(error, ProviderError) else type(error).__name__
        log.record(request.kind, outcome, amazon_user_id=request.amazon_user_id, reason=reason)
        raise
    log.record(request.kind, "answered", amazon_user_id=request.amazon_user_id, duration_ms=int((time.monotonic() - started) * 1000))
    return answer


def build_voice(settings: Settings, log: OutcomeLog, provider: IdentityProvider, observed: ObservedLinks) -> intents.Voice:
    """What the voice handlers share."""
    return intents.Voice(
        prompts=Prompts(PROMPTS),
        profiles=ProfileCache(provider),
        observed=observed,
        log=log,
        account_linking=settings.account_linking,
        identity_provider=settings.identity_provider,
        never_shares=provider.never_shares,
    )


def build_skill(voice: intents.Voice, record: skill_events.EventRecord) -> CustomSkill:
    """The ASK SDK's skill with every handler; the first that can handle a request does."""
    builder = SkillBuilder()
    for handler in (
        intents.LaunchRequestHandler(voice),
        intents.SayHelloIntentHandler(voice),
        intents.RequestInfoIntentHandler(voice),
        intents.HelpIntentHandler(voice),
        intents.StopIntentHandler(voice),
        intents.CancelIntentHandler(voice),
        intents.NavigateHomeIntentHandler(voice),
        intents.SessionEndedRequestHandler(voice),
        intents.FallbackIntentHandler(voice),
        skill_events.SkillAccountLinkedHandler(record),
        skill_events.SkillDisabledHandler(record),
        skill_events.SkillEnabledHandler(record),
        skill_events.OtherSkillEventHandler(record),
    ):
        builder.add_request_handler(handler)
    builder.add_global_request_interceptor(intents.ObserveEveryRequest(voice))
    builder.add_exception_handler(intents.SpokenErrorHandler(voice))
    return builder.create()


def invoke(skill: CustomSkill, skill_id: str, log: OutcomeLog, event: Mapping[str, Any], invocation: Invocation) -> dict[str, Any]:
    """Through the SDK's dispatcher; a skill event never meets the SDK's reader."""
    if isinstance(invocation.request, SkillEvent):
        envelope = envelopes.skill_event_envelope(invocation.request, skill_id)
    else:
        envelope = read_voice_envelope(skill.serializer, log, event, invocation.request)
    answer: dict[str, Any] = skill.serializer.serialize(skill.invoke(request_envelope=envelope, context=invocation))
    return answer


def read_voice_envelope(serializer: DefaultSerializer, log: OutcomeLog, event: Mapping[str, Any], request: VoiceRequest) -> RequestEnvelope:
    """The SDK's envelope of as much as its reader can read."""
    for readable in envelopes.for_sdk(event, request):
        try:
            return serializer.deserialize(json.dumps(readable), RequestEnvelope)
        except Exception as error:  # noqa: BLE001  (its own, AttributeError, TypeError, ValueError: all mean that it could not read)
            log.record(request.kind, "request_unreadable", reason=type(error).__name__)
    return envelopes.bare_envelope(event, request)


@functools.cache
def dynamodb_client(attempts: int) -> "DynamoDBClient":
    """A client whose attempts last 1.5 s at most (botocore's own limits are minutes); credentials from the environment."""
    import boto3.session  # noqa: PLC0415  (voice never waits for it)
    from botocore.config import Config  # noqa: PLC0415

    limits = Config(connect_timeout=0.5, read_timeout=1, retries={"mode": "standard", "total_max_attempts": attempts})
    return boto3.session.Session().client("dynamodb", config=limits)
