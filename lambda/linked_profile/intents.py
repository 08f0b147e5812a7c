"""Voice: launch and hello, the questions about the profile, the built-ins, and what is said when there is no account or no answer.

One handler per request or intent, named after it. Help, Stop, Cancel, NavigateHome, Fallback and SessionEnded work without an account.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ask_sdk_core.dispatch_components import AbstractExceptionHandler, AbstractRequestHandler, AbstractRequestInterceptor
from ask_sdk_core.handler_input import HandlerInput
from ask_sdk_core.utils import is_intent_name, is_request_type
from ask_sdk_model import Response
from ask_sdk_model.slu.entityresolution import StatusCode
from ask_sdk_model.ui import LinkAccountCard

from linked_profile.envelopes import Invocation, VoiceRequest
from linked_profile.errors import ProviderError, ProviderMisconfiguredError, ProviderUnavailableError, TokenRejectedError
from linked_profile.identity_providers import Profile, ProfileCache
from linked_profile.logs import OutcomeLog
from linked_profile.observed_links import ObservedLinks
from linked_profile.speech import Prompts, Sentences

# The ids of the slot type infoType, in the order of the full profile: sentence, and the attribute of Profile that it says.
INFO_TYPES = {
    "fullName": ("NAME", "name"),
    "phoneNumber": ("PHONE_NUMBER", "phone_number"),
    "emailAddress": ("EMAIL_ADDRESS", "email"),
    "streetAddress": ("STREET_ADDRESS", "street_address"),
}
FULL_PROFILE = "fullProfile"
INFO_SLOT = "infoTypeRequested"


class AccountNeededError(Exception):
    """The customer asked for what only a linked account can answer."""


OUTCOMES: dict[type[Exception], str] = {
    AccountNeededError: "link_asked",
    TokenRejectedError: "token_rejected",
    ProviderUnavailableError: "provider_unavailable",
    ProviderMisconfiguredError: "provider_misconfigured",
}


@dataclass(frozen=True)
class Voice:
    """What the handlers share."""

    prompts: Prompts
    profiles: ProfileCache
    observed: ObservedLinks
    log: OutcomeLog
    account_linking: str
    identity_provider: str
    never_shares: frozenset[str]

    def sentences(self, handler_input: HandlerInput) -> Sentences:
        return self.prompts.for_locale(voice_request(handler_input).locale)

    def fetch_profile(self, handler_input: HandlerInput) -> Profile:
        """The speaker's own profile where Alexa knows the voice, else the account's. Raises AccountNeededError and the provider's three."""
        request, deadline = voice_request(handler_input), handler_input.context.deadline
        token = request.person_token or request.account_token
        if token is None:
            raise AccountNeededError
        # Another person's token says nothing about the account that the user id stands for.
        finish = self.observed.start(request, deadline) if token == request.account_token else None
        profile = self.profiles.fetch_profile(token, deadline)
        if finish:
            finish(profile.account_id)
        return profile

    def answer(self, handler_input: HandlerInput, speech: str, question: str) -> Response:
        """Says it, asks what next, and keeps the session; who stays silent is told what there is to ask."""
        return handler_input.response_builder.speak(f"{speech} {question}").ask(self.follow_up(handler_input)).response

    def follow_up(self, handler_input: HandlerInput) -> str:
        """What there is to ask."""
        sentences = self.sentences(handler_input)
        return sentences.say("FOLLOW_UP_WITHOUT_ACCOUNTS") if self.account_linking == "none" else sentences.say("FOLLOW_UP")

    def ask_to_link(self, handler_input: HandlerInput) -> Response:
        """The one answer that makes Alexa offer the sign-in; it ends the session, which would have no token even afterwards."""
        sentences = self.sentences(handler_input)
        speech = sentences.say("LINK_ACCOUNT", skill=sentences.say("SKILL_NAME"))
        return handler_input.response_builder.speak(speech).set_card(LinkAccountCard()).set_should_end_session(True).response

    def note(self, handler_input: HandlerInput, error: Exception) -> None:
        """The error as a log line, by its outcome and its reason."""
        request = voice_request(handler_input)
        reason = error.reason if isinstance(error, ProviderError) else type(error).__name__
        outcome = next((outcome for kind, outcome in OUTCOMES.items() if isinstance(error, kind)), "unexpected_error")
        self.log.record(request.kind, outcome, amazon_user_id=request.amazon_user_id, reason=reason)

    def trouble(self, handler_input: HandlerInput) -> Response:
        """Never a card: the link may be perfectly good."""
        sentences = self.sentences(handler_input)
        return handler_input.response_builder.speak(sentences.say("TROUBLE")).ask(self.follow_up(handler_input)).response


def voice_request(handler_input: HandlerInput) -> VoiceRequest:
    """What was read of this request before the SDK saw it."""
    invocation: Invocation = handler_input.context
    if not isinstance(invocation.request, VoiceRequest):
        raise TypeError("a voice handler was given a skill event")
    return invocation.request


class _VoiceHandler(AbstractRequestHandler):  # type: ignore[misc]  # the SDK has no types
    """Answers one kind of request; `answers` is the SDK's test for it."""

    answers: Callable[[HandlerInput], bool]

    def __init__(self, voice: Voice) -> None:
        self.voice = voice

    def can_handle(self, handler_input: HandlerInput) -> bool:
        return type(self).answers(handler_input)


class LaunchRequestHandler(_VoiceHandler):
    """Greets by given name."""

    answers = is_request_type("LaunchRequest")

    def handle(self, handler_input: HandlerInput) -> Response:
        sentences = self.voice.sentences(handler_input)
        name = self._name(handler_input)
        greeting = sentences.say("GREETING", name=name) if name else sentences.say("GREETING_WITHOUT_NAME")
        return self.voice.answer(handler_input, greeting, self.voice.follow_up(handler_input))

    def _name(self, handler_input: HandlerInput) -> str | None:
        """Where linking is optional, a greeting needs no account and no provider."""
        if self.voice.account_linking == "none":
            return None
        try:
            return first_name(self.voice.fetch_profile(handler_input))
        except (AccountNeededError, ProviderError) as error:
            if self.voice.account_linking == "required":
                raise
            self.voice.note(handler_input, error)
            return None


class SayHelloIntentHandler(LaunchRequestHandler):
    """Hello to a skill is what launch is."""

    answers = is_intent_name("SayHelloIntent")


class RequestInfoIntentHandler(_VoiceHandler):
    """Answers the questions about the profile."""

    answers = is_intent_name("RequestInfoIntent")

    def handle(self, handler_input: HandlerInput) -> Response:
        sentences = self.voice.sentences(handler_input)
        if self.voice.account_linking == "none":
            speech = sentences.say("NO_ACCOUNTS", skill=sentences.say("SKILL_NAME"))
            return handler_input.response_builder.speak(speech).set_should_end_session(True).response
        asked = asked_info_type(handler_input)
        profile = self.voice.fetch_profile(handler_input)
        preface = [] if asked else [sentences.say("WHOLE_PROFILE_INSTEAD")]
        info_types = [asked] if asked in INFO_TYPES else list(INFO_TYPES)
        said = [self._say(info_type, profile, sentences) for info_type in info_types]
        return self.voice.answer(handler_input, " ".join(preface + said), sentences.say("WHAT_ELSE"))

    def _say(self, info_type: str, profile: Profile, sentences: Sentences) -> str:
        """The attribute, or in plain words why there is none."""
        sentence, attribute = INFO_TYPES[info_type]
        value = full_name(profile) if attribute == "name" else getattr(profile, attribute)
        if value:
            return sentences.say(sentence, value=value)
        wanted = sentences.say(f"ATTRIBUTE_{sentence}")
        if attribute not in self.voice.never_shares:
            return sentences.say("NOT_SHARED", attribute=wanted)
        provider = sentences.say(f"PROVIDER_{self.voice.identity_provider.upper()}")
        said = sentences.say("NEVER_SHARED", provider=provider, attribute=wanted)
        has_postal_code = attribute == "street_address" and profile.postal_code
        return f"{said} {sentences.say('POSTAL_CODE', value=profile.postal_code)}" if has_postal_code and profile.postal_code else said


class HelpIntentHandler(_VoiceHandler):
    """AMAZON.HelpIntent."""

    answers = is_intent_name("AMAZON.HelpIntent")

    def handle(self, handler_input: HandlerInput) -> Response:
        has_accounts = self.voice.account_linking != "none"
        help_text = self.voice.sentences(handler_input).say("HELP") if has_accounts else self.voice.follow_up(handler_input)
        return handler_input.response_builder.speak(help_text).ask(help_text).response


class StopIntentHandler(_VoiceHandler):
    """AMAZON.StopIntent: goodbye, by name only if the name is here already."""

    answers = is_intent_name("AMAZON.StopIntent")

    def handle(self, handler_input: HandlerInput) -> Response:
        request, sentences = voice_request(handler_input), self.voice.sentences(handler_input)
        token = request.person_token or request.account_token
        profile = self.voice.profiles.peek(token) if token else None
        name = first_name(profile) if profile else None
        goodbye = sentences.say("GOODBYE_NAME", name=name) if name else sentences.say("GOODBYE")
        return handler_input.response_builder.speak(goodbye).set_should_end_session(True).response


class CancelIntentHandler(StopIntentHandler):
    """AMAZON.CancelIntent: there is nothing else to cancel."""

    answers = is_intent_name("AMAZON.CancelIntent")


class NavigateHomeIntentHandler(StopIntentHandler):
    """AMAZON.NavigateHomeIntent: the way home leads out of the skill."""

    answers = is_intent_name("AMAZON.NavigateHomeIntent")


class SessionEndedRequestHandler(_VoiceHandler):
    """SessionEndedRequest: nothing may be said any more."""

    answers = is_request_type("SessionEndedRequest")

    def handle(self, handler_input: HandlerInput) -> Response:
        return handler_input.response_builder.response


class FallbackIntentHandler(_VoiceHandler):
    """AMAZON.FallbackIntent, and any intent of a model newer than this code."""

    answers = is_request_type("IntentRequest")

    def handle(self, handler_input: HandlerInput) -> Response:
        sentences = self.voice.sentences(handler_input)
        return handler_input.response_builder.speak(sentences.say("FALLBACK")).ask(self.voice.follow_up(handler_input)).response


class SpokenErrorHandler(AbstractExceptionHandler):  # type: ignore[misc]
    """The one place where an error becomes an answer by voice. Launch and intents only: an event must fail, or it is lost."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice

    def can_handle(self, handler_input: HandlerInput, exception: Exception) -> bool:
        request = handler_input.context.request
        return isinstance(request, VoiceRequest) and request.kind in {"LaunchRequest", "IntentRequest"}

    def handle(self, handler_input: HandlerInput, exception: Exception) -> Response:
        self.voice.note(handler_input, exception)
        is_unlinked = isinstance(exception, AccountNeededError | TokenRejectedError)
        return self.voice.ask_to_link(handler_input) if is_unlinked else self.voice.trouble(handler_input)


class ObserveEveryRequest(AbstractRequestInterceptor):  # type: ignore[misc]
    """For a skill without account linking: whoever speaks is a customer, whatever is asked."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice

    def process(self, handler_input: HandlerInput) -> None:
        request = handler_input.context.request
        if self.voice.account_linking == "none" and isinstance(request, VoiceRequest):
            self.voice.observed.start(request, handler_input.context.deadline)(None)


def first_name(profile: Profile) -> str | None:
    """What to greet by; Login with Amazon has no given name, only a name."""
    return profile.given_name or profile.name


def full_name(profile: Profile) -> str | None:
    """Given and family name, or the name as the provider has it."""
    return " ".join(part for part in (profile.given_name, profile.family_name) if part) or profile.name


def asked_info_type(handler_input: HandlerInput) -> str | None:
    """The id that the slot resolved to, from whichever authority matched it; None where none did."""
    for value_id in _matched_ids(handler_input.request_envelope.request.intent):
        if value_id in INFO_TYPES or value_id == FULL_PROFILE:
            return value_id
    return None


def _matched_ids(intent: Any) -> Iterator[str]:
    slot = (intent.slots or {}).get(INFO_SLOT)
    authorities = slot.resolutions.resolutions_per_authority if slot and slot.resolutions else None
    for authority in authorities or []:
        if authority.status and authority.status.code == StatusCode.ER_SUCCESS_MATCH:
            yield from (wrapper.value.id for wrapper in authority.values or [] if wrapper.value)
