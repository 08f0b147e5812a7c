"""Tokens and codes that are known, kept out of whatever is shown: a skill may repeat them in any text, under any name."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from tools.simulator.linking_errors import quoted
from tools.simulator.skill import SkillFailedError
from tools.simulator.wire import Listener, Message, is_secret, redacted, shorten

MOST_KEPT = 200
SHORTEST, SHORTEST_SENT = 8, 20  # characters; a shorter one is a word that stands in other texts, too


class KnownSecrets:
    """The last two hundred; safe to be used by several threads."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}  # what stands for each, in every form in which it may turn up
        self._lock = threading.Lock()

    def add(self, *secrets: str | None) -> None:
        """From now on, they are shortened."""
        forms = {form: shorten(secret) for secret in secrets if secret and len(secret) >= SHORTEST for form in (secret, quote(secret, ""))}
        with self._lock:
            kept = {form: shown for form, shown in self._shown.items() if form not in forms} | forms
            self._shown = dict(list(kept.items())[-MOST_KEPT:])

    def add_from(self, message: Any) -> None:
        """Those of a message to the skill, which could repeat them."""
        self.add(*(secret for secret in secrets_in(message) if len(secret) >= SHORTEST_SENT))

    def hide(self, text: str) -> str:
        """The same text with each of them shortened."""
        for secret, shown in self._shown.items():
            if secret in text:
                text = text.replace(secret, shown)
        return text

    def in_a_line(self, error: SkillFailedError) -> str:
        """Why the skill failed; its own words may repeat the request, token and all."""
        return quoted(self.hide(str(error)))

    def hidden(self, message: Message) -> Message:
        """The same message without them."""
        return replace(
            message,
            text=self.hide(message.text),
            details={name: self.hide(value) for name, value in message.details.items()},
            reason=self.hide(message.reason),
            mend=self.hide(message.mend),
            body=None if message.body is None else redacted(message.body, hide=self.hide),
        )

    def kept_from(self, listener: Listener) -> Listener:
        """The listener, told every message without them."""
        return lambda message: listener(self.hidden(message))


def secrets_in(value: Any, key: str = "") -> Iterator[str]:
    """Whatever stands under the name of a token, code or secret."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from secrets_in(part, str(name))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from secrets_in(part, key)
    elif isinstance(value, str) and is_secret(key, value):
        yield value
