"""What Alexa understands without a sample in the model: the words of built-in intents, and the phrases that call a skill by its name."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tools.simulator.spoken_numbers import Language

Words = Mapping[str, tuple[str, ...]]
ENGLISH: Words = {
    "AMAZON.HelpIntent": ("help", "help me", "can you help me", "what can you do"),
    "AMAZON.StopIntent": ("stop", "off", "shut up", "that's enough", "goodbye"),
    "AMAZON.CancelIntent": ("cancel", "never mind", "forget it"),
    "AMAZON.NavigateHomeIntent": ("go home", "home", "home screen", "navigate home"),
    "AMAZON.YesIntent": ("yes", "yeah", "yep", "yes please", "sure", "okay"),
    "AMAZON.NoIntent": ("no", "nope", "no thanks", "no thank you"),
    "AMAZON.RepeatIntent": ("repeat", "repeat that", "say that again"),
    "AMAZON.StartOverIntent": ("start over", "restart", "start again"),
    "AMAZON.NextIntent": ("next", "skip", "skip forward"),
    "AMAZON.PreviousIntent": ("previous", "go back", "skip back", "back up"),
    "AMAZON.PauseIntent": ("pause", "pause that"),
    "AMAZON.ResumeIntent": ("resume", "continue", "keep going"),
    "AMAZON.MoreIntent": ("more", "tell me more"),
    "AMAZON.SelectIntent": ("select", "select this"),
    "AMAZON.LoopOnIntent": ("loop", "loop on"),
    "AMAZON.LoopOffIntent": ("loop off",),
    "AMAZON.ShuffleOnIntent": ("shuffle", "shuffle on"),
    "AMAZON.ShuffleOffIntent": ("stop shuffling", "shuffle off"),
}
GERMAN: Words = {
    "AMAZON.HelpIntent": ("hilfe", "hilf mir", "kannst du mir helfen", "was kannst du"),
    "AMAZON.StopIntent": ("stopp", "stop", "aus", "genug", "beenden", "tschüss"),
    "AMAZON.CancelIntent": ("abbrechen", "egal", "vergiss es"),
    "AMAZON.NavigateHomeIntent": ("zur startseite", "startseite", "nach hause"),
    "AMAZON.YesIntent": ("ja", "ja bitte", "klar", "gerne", "okay"),
    "AMAZON.NoIntent": ("nein", "nein danke", "nö"),
    "AMAZON.RepeatIntent": ("wiederholen", "wiederhole das", "noch mal", "sag das noch mal"),
    "AMAZON.StartOverIntent": ("von vorne", "von vorn", "neu starten"),
    "AMAZON.NextIntent": ("weiter", "nächstes", "überspringen"),
    "AMAZON.PreviousIntent": ("zurück", "vorheriges"),
    "AMAZON.PauseIntent": ("pause", "pausieren"),
    "AMAZON.ResumeIntent": ("fortsetzen", "weitermachen"),
    "AMAZON.MoreIntent": ("mehr",),
    "AMAZON.SelectIntent": ("auswählen",),
}
INTENTS: Mapping[Language, Words] = {"en": ENGLISH, "de": GERMAN}
WAKE = r"(?:(?:hey |hallo )?(?:alexa|echo|computer|amazon|ziggy) )?"
# These end the session without asking the skill; what German speakers say for it is not documented.
EXITS: Mapping[Language, str] = {"en": WAKE + r"(?:exit|quit)"}
OPENINGS: Mapping[Language, str] = {
    "en": WAKE
    + r"(?:please )?(?:open|launch|start|begin|run|play|load|use|talk to|let me talk to) (?:the )?{name}(?: skill| app)?(?: please)?",
    "de": WAKE + r"(?:bitte )?(?:öffne|starte|start|beginne|benutze|nutze|spiele|lade) (?:den skill )?{name}(?: skill)?(?: bitte)?",
}
# The first that matches counts; `rest` is what is said to the skill.
ONE_SHOTS: Mapping[Language, tuple[str, ...]] = {
    "en": (
        WAKE + r"(?:please )?(?:ask|tell|using|use|with) (?:the )?{name} (?:for |to |about |that |and |whether )?(?P<rest>.+?)(?: please)?",
        WAKE + r"(?:please )?(?:open|launch|start|search) (?:the )?{name} (?:and |for |to )(?P<rest>.+?)(?: please)?",
        WAKE + r"(?P<rest>.+?) (?:from|with|using|on|in|by|through) (?:the )?{name}(?: please)?",
    ),
    "de": (
        WAKE + r"(?:bitte )?(?:frage|frag|sage|sag|bitte|benutze|nutze|mit) {name} (?:nach |dass |zu |und |um )?(?P<rest>.+?)(?: bitte)?",
        WAKE + r"(?:bitte )?(?:öffne|starte) {name} (?:und |um )(?P<rest>.+?)(?: bitte)?",
        WAKE + r"(?P<rest>.+?) (?:von|mit|bei|über|in) {name}(?: bitte)?",
    ),
}
EXAMPLES: Mapping[Language, tuple[str, str, str, str]] = {  # opening, one-shot, and the words that every skill understands
    "en": ("open {name}", "ask {name} for {rest}", "help", "stop"),
    "de": ("öffne {name}", "frage {name} nach {rest}", "hilfe", "stopp"),
}


def is_exit(utterance: str, language: Language, intents: Iterable[Mapping[str, Any]]) -> bool:
    """Whether it ends the session without the skill being asked: it does not where a sample of the skill's own takes the word."""
    words = in_small_letters(utterance)
    is_taken = any(words == in_small_letters(sample) for intent in intents for sample in intent.get("samples", []))
    return language in EXITS and bool(re.fullmatch(EXITS[language], words)) and not is_taken


def in_small_letters(text: str) -> str:
    """The words alone."""
    return " ".join(re.findall(r"\w+", text.casefold()))
