"""Composition root: builds everything once per container, and routes the raw event by its shape."""

import functools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ask_sdk_core.serialize import DefaultSerializer
from ask_sdk_core.skill import CustomSkill
from ask_sdk_core.skill_builder import SkillBuilder
from ask_sdk_model import RequestEnvelope

from linked_profile import directive_envelopes, envelopes, intents, logs, skill_events
from linked_profile.account_mappings import AccountMappings, Table
from linked_profile.account_proofs import ProveAccount, build_account_proof
from linked_profile.aws_calls import AwsCalls, Client, aws_client
from linked_profile.devices import Handlers, VirtualLamp, build_handlers
from linked_profile.directives import Directives
from linked_profile.envelopes import GrantRequest, Invocation, OtherRequest, SkillEvent, VoiceRequest
from linked_profile.errors import ProviderError, ProviderUnavailableError, RefusedRequestError, TableUnavailableError
from linked_profile.event_gateway import EventGateway
from linked_profile.grants import build_grants
from linked_profile.identity_providers import IdentityProvider, ProfileCache, build_identity_provider
from linked_profile.logs import OutcomeLog
from linked_profile.observed_links import ObservedLinks
from linked_profile.outbound import Deadline, Outbound
from linked_profile.settings import Settings
from linked_profile.speech import Prompts
from linked_profile.virtual_lamps import VirtualLamps

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Handler = Callable[[Any, object], dict[str, Any]]
ACKNOWLEDGED: Mapping[str, Any] = {"version": "1.0", "response": {}}
PROMPTS = Path(__file__).parent / "prompts"


@dataclass(frozen=True)
class Routes:
    """What answers each shape of event."""

    skill: CustomSkill
    directives: Directives
    skill_id: str
    log: OutcomeLog


def build_handler(
    settings: Settings,
    *,
    dynamodb: "Callable[[int], DynamoDBClient] | None" = None,
    aws: Client | None = None,
    outbound: Outbound | None = None,
    clock: Callable[[], float] = time.time,
    handlers: Handlers | None = None,
) -> Handler:
    """The Lambda handler: `handler(event, context)` returns Alexa's answer, or raises to refuse an event or to have it brought again.

    `dynamodb` makes a client from a number of attempts, `aws` one of any service, `clock` gives epoch seconds; they are for tests and for
    other hosts than Lambda. `handlers` are directive handlers beside those of devices.py.
    """
    logs.configure(settings.log_level)
    log = OutcomeLog(settings.skill_id)
    client: Callable[[int], DynamoDBClient] = dynamodb or functools.partial(aws or aws_client, "dynamodb")
    any_client: Client = aws or (lambda service, attempts: client(attempts) if service == "dynamodb" else aws_client(service, attempts))
    outbound = outbound or Outbound()
    provider = build_identity_provider(settings, outbound, clock)
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
    proof = build_account_proof(settings, provider, outbound, clock)
    directives = build_directives(settings, log, proof, observed, outbound, any_client, clock, handlers or {})
    return functools.partial(handle, Routes(build_skill(voice, record), directives, settings.skill_id, log))


def handle(routes: Routes, event: Any, context: object) -> dict[str, Any]:
    """One invocation, with one line about what became of it."""
    started, log = time.monotonic(), routes.log
    deadline = Deadline.of(context)
    try:
        if directive_envelopes.is_directive(event):
            return routes.directives.answer(directive_envelopes.parse_directive(event), deadline)
        request = envelopes.parse_request(event, routes.skill_id)
    except RefusedRequestError as error:
        log.record("Invocation", "request_refused", reason=type(error).__name__)
        raise
    if isinstance(request, OtherRequest):
        log.record(request.kind, "request_ignored")
        return dict(ACKNOWLEDGED)
    try:
        answer = answer_request(routes, event, request, deadline, context)
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


def build_directives(
    settings: Settings,
    log: OutcomeLog,
    proof: ProveAccount,
    observed: ObservedLinks,
    outbound: Outbound,
    client: Client,
    clock: Callable[[], float],
    handlers: Handlers,
) -> Directives:
    """With what the settings name: a table of grants, a table of lamps, both or neither."""
    grants = build_grants(settings, outbound, clock, client)
    gateway = EventGateway(settings.alexa_event_gateway_url, grants, outbound, log) if grants else None
    lamp = build_virtual_lamp(settings, log, gateway, client, clock)
    return Directives(
        proof,
        {**build_handlers(lamp), **handlers},
        grants.accept if grants else None,
        observed,
        log,
        links_accounts=settings.account_linking != "none",
        now_ms=lambda: int(clock() * 1000),
    )


def build_virtual_lamp(
    settings: Settings, log: OutcomeLog, gateway: EventGateway | None, client: Client, clock: Callable[[], float]
) -> VirtualLamp | None:
    """The example device; None where the settings name no table for it."""
    if not settings.virtual_lamps_table:
        return None
    lamps = VirtualLamps(settings.virtual_lamps_table, AwsCalls(client))
    return VirtualLamp(lamps, settings.skill_id, gateway.send_event if gateway else None, log, lambda: int(clock() * 1000))


def answer_request(
    routes: Routes, event: Mapping[str, Any], request: SkillEvent | VoiceRequest | GrantRequest, deadline: Deadline, context: object
) -> dict[str, Any]:
    """Through the SDK's dispatcher, but for a grant, which it would only carry past; a skill event never meets the SDK's reader."""
    if isinstance(request, GrantRequest):
        routes.directives.keep_grant(request, deadline)
        return dict(ACKNOWLEDGED)
    serializer = routes.skill.serializer
    if isinstance(request, SkillEvent):
        envelope = envelopes.skill_event_envelope(request, routes.skill_id)
    else:
        envelope = read_voice_envelope(serializer, routes.log, event, request)
    invocation = Invocation(request, deadline, context)
    answer: dict[str, Any] = serializer.serialize(routes.skill.invoke(request_envelope=envelope, context=invocation))
    return answer


def read_voice_envelope(serializer: DefaultSerializer, log: OutcomeLog, event: Mapping[str, Any], request: VoiceRequest) -> RequestEnvelope:
    """The SDK's envelope of as much as its reader can read."""
    for readable in envelopes.for_sdk(event, request):
        try:
            return serializer.deserialize(json.dumps(readable), RequestEnvelope)
        except Exception as error:  # noqa: BLE001  (its own, AttributeError, TypeError, ValueError: all mean that it could not read)
            log.record(request.kind, "request_unreadable", reason=type(error).__name__)
    return envelopes.bare_envelope(event, request)
