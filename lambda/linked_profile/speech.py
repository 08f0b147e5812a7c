"""Every sentence that Alexa says, per locale, with every value escaped.

The sentences are data: `prompts/<language>.json` holds one language, with overrides per region. The SDK does not escape SSML, so the
one way from a customer's value into speech is `Sentences.say`.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

DEFAULT_LANGUAGE = "en"
LONGEST_VALUE = 250  # characters; a full profile then stays below Alexa's 8,000 even if every one is escaped
# What XML 1.0 has no place for, not even escaped: controls, lone surrogates, U+FFFE and U+FFFF.
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Sentences:
    """The sentences of one locale."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = templates

    def say(self, key: str, **values: str) -> str:
        """The sentence as SSML, its values escaped, cleaned and cut to 250 characters. Raises KeyError for a sentence that is not there."""
        return self._templates[key].format(**{name: speakable(value) for name, value in values.items()})


def speakable(value: str) -> str:
    """The value as text that cannot break or add to the SSML around it."""
    return escape(clean(value)[:LONGEST_VALUE], {'"': "&quot;", "'": "&apos;"})


def clean(value: str) -> str:
    """The value without what XML has no place for, its white space folded; empty where nothing is left to say."""
    return " ".join(NOT_XML.sub("", value).split())


class Prompts:
    """All languages, loaded once."""

    def __init__(self, folder: Path) -> None:
        self._languages = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}

    def for_locale(self, locale: str) -> Sentences:
        """The locale's sentences: its language's with its region's overrides; English where the language is not there."""
        language = self._languages.get(locale.partition("-")[0]) or self._languages[DEFAULT_LANGUAGE]
        return Sentences({**language["sentences"], **language["regions"].get(locale, {})})
