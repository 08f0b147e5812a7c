"""The cards of the Alexa app: what one shows, and whether Alexa would show it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.simulator.findings import Finding, error, warning

LONGEST_CARD, LONGEST_URL = 8_000, 2_000  # characters: all texts and URLs of a card together, and one URL
# The fields of each type of card; "content" and "text" are the same thing by two names.
FIELDS: Mapping[str, frozenset[str]] = {
    "Simple": frozenset({"title", "content"}),
    "Standard": frozenset({"title", "text", "image"}),
    "LinkAccount": frozenset(),
    "AskForPermissionsConsent": frozenset({"permissions"}),
}
WORDS = {"Simple": "content", "Standard": "text"}


@dataclass(frozen=True)
class Card:
    """A card in plain values; empty where the skill said nothing."""

    type: str
    title: str = ""
    text: str = ""
    image_url: str = ""
    permissions: tuple[str, ...] = ()


def read_card(card: Mapping[str, Any]) -> Card:
    """As far as it can be read."""
    permissions = card.get("permissions")
    return Card(
        str(card.get("type", "")),
        str(card.get("title") or ""),
        str(card.get("content") or card.get("text") or ""),
        next(iter(image_urls(card)), ""),
        tuple(str(scope) for scope in permissions) if isinstance(permissions, list) else (),
    )


def judge_card(card: object) -> Iterator[Finding]:
    if card is None:
        return
    if isinstance(card, list):
        yield error("there are several cards", "Give one card with an answer, as an object.")
    elif not isinstance(card, Mapping) or card.get("type") not in tuple(FIELDS):  # a tuple, since the type may be anything
        yield error("the card is of no type that Alexa knows", f"Make its type one of {', '.join(FIELDS)}.")
    else:
        yield from judge_fields(card)
        yield from judge_images(card)
        yield from judge_permissions(card)


def judge_fields(card: Mapping[str, Any]) -> Iterator[Finding]:
    kind = card["type"]
    for name in sorted(set(card) - FIELDS[kind] - {"type"}):
        yield warning(f"a {kind} card has no {name}", f"Leave {name} out: Alexa does not show it.")
    texts = [card[name] for name in ("title", "content", "text") if card.get(name) is not None]
    if not all(isinstance(text, str) for text in texts):
        yield error("a text of the card is no string", "Make title, content and text strings.")
    elif sum(map(len, (*texts, *image_urls(card)))) > LONGEST_CARD:
        yield error(f"the card has more than {LONGEST_CARD:,} characters", "Show less.")
    if kind in WORDS and not card.get(WORDS[kind]):
        yield warning(f"the {kind} card has no {WORDS[kind]}", f"Put its words into {WORDS[kind]}.")


def judge_images(card: Mapping[str, Any]) -> Iterator[Finding]:
    if card.get("image") is not None and not isinstance(card["image"], Mapping):
        yield error("the card's image is no object", "Give it smallImageUrl and largeImageUrl.")
    for url in image_urls(card):
        if len(url) > LONGEST_URL:
            yield error(f"an image URL of the card has more than {LONGEST_URL:,} characters", "Give the image a shorter address.")
        elif not url.startswith("https://"):
            yield warning("an image of the card is not at an https address", "Alexa shows images from https addresses only.")


def judge_permissions(card: Mapping[str, Any]) -> Iterator[Finding]:
    if card["type"] != "AskForPermissionsConsent":
        return
    permissions = card.get("permissions")
    if not isinstance(permissions, list) or not permissions or not all(isinstance(scope, str) for scope in permissions):
        yield error("the card asks for no permissions", 'Name them in permissions, as "alexa::profile:email:read".')


def image_urls(card: Mapping[str, Any]) -> list[str]:
    image = card.get("image")
    if not isinstance(image, Mapping):
        return []
    return [image[name] for name in ("largeImageUrl", "smallImageUrl") if isinstance(image.get(name), str)]
