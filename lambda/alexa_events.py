"""For code of your own that has news of a device: `from alexa_events import send_event`. Reads the same environment as the function."""

import functools
from collections.abc import Mapping
from typing import Any

from linked_profile import logs
from linked_profile.event_gateway import Delivery, EventGateway, build_event_gateway
from linked_profile.logs import OutcomeLog
from linked_profile.outbound import Deadline, Outbound
from linked_profile.settings import Settings, SettingsError


def send_event(account_id: str, event: Mapping[str, Any], seconds: float = 10.0) -> list[Delivery]:
    """Sends an event to every home that granted it, within so many seconds; one delivery for each of them.

    `event` has Alexa's header, payload, and endpoint and context where it has them; token and messageId are put in. Raises SettingsError,
    and TableUnavailableError or ProviderMisconfiguredError where nobody could be asked for a fault on our side.
    """
    return build_gateway().send_event(account_id, event, Deadline(seconds))


@functools.cache
def build_gateway() -> EventGateway:
    """One for the whole process: it keeps tokens and connections."""
    settings = Settings.from_environ()
    logs.configure(settings.log_level)
    gateway = build_event_gateway(settings, Outbound(), OutcomeLog(settings.skill_id))
    if gateway is None:
        raise SettingsError("GRANTS_TABLE, GRANTS_KEY_ID and SKILL_MESSAGING_SECRET_ARN are missing: this skill sends no events")
    return gateway
