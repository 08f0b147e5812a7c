"""Speech Synthesis Markup Language as Alexa takes it: the words that are heard, and what is wrong with the markup."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat

LONGEST_BREAK_S = 10.0
MOST_AUDIO = 5  # files in one answer
ANY = re.compile(r".+", re.DOTALL)
INTERPRET_AS = "characters|spell-out|cardinal|number|ordinal|digits|fraction|unit|date|time|telephone|address|interjection|expletive"
# Each tag with its attributes and what they may be; those that end in "!" have to be there.
TAGS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    tag: {name: re.compile(values, re.DOTALL) if values else ANY for name, values in attributes.items()}
    for tag, attributes in {
        "speak": {"version": "", "xmlns": "", "xml:lang": ""},
        "p": {},
        "s": {},
        "break": {"strength": "none|x-weak|weak|medium|strong|x-strong", "time": r"\+?\d+(\.\d+)?(ms|s)"},
        "say-as": {"interpret-as!": INTERPRET_AS, "format": "[mdy]{1,3}"},
        "sub": {"alias!": ""},
        "w": {"role!": "(amazon|ivona):(VB|VBD|NN|DT|IN|JJ|SENSE_1|DEFAULT)"},
        "phoneme": {"alphabet": "ipa|x-sampa|x-amazon-\\w+(-\\w+)*", "ph!": ""},
        "prosody": {
            "rate": r"x-slow|slow|medium|fast|x-fast|default|\d+(\.\d+)?%",
            "pitch": r"x-low|low|medium|high|x-high|default|[+-]?\d+(\.\d+)?(%|st)",
            "volume": r"silent|x-soft|soft|medium|loud|x-loud|default|[+-]\d+(\.\d+)?dB",
        },
        "emphasis": {"level": "strong|moderate|reduced|none"},
        "amazon:effect": {"name!": "whispered"},
        "amazon:emotion": {"name!": "excited|disappointed", "intensity!": "low|medium|high"},
        "amazon:domain": {"name!": "conversational|long-form|music|news|fun"},
        "audio": {"src!": r"https://.+|soundbank://soundlibrary/.+"},
        "lang": {"xml:lang!": r"[a-z]{2,3}-[A-Z]{2}"},
        "voice": {"name!": r"[A-Z]\w+"},
        "alexa:name": {"type!": "first", "personId!": ""},
    }.items()
}
BLOCKS = {"speak", "p", "s", "break", "audio"}  # a pause parts the words around them
HEARD_INSTEAD = {"audio": "[sound]", "alexa:name": "[name]"}
LIKE_MARKUP = re.compile(rf"</?(?:{'|'.join(TAGS)})\b[^<]*>")


class MarkupError(Exception):
    """It is not well-formed XML."""


@dataclass(frozen=True)
class Speech:
    """The words as they are heard, and what Alexa would refuse in the markup, in plain words."""

    words: str
    faults: tuple[str, ...] = ()


def read_ssml(text: str) -> Speech:
    """Raises MarkupError."""
    root = parse(text)
    try:
        return Speech(" ".join("".join(heard(root)).split()), tuple(dict.fromkeys(faults(root))))
    except RecursionError as error:
        raise MarkupError("its tags are nested too deeply") from error


def parse(text: str) -> ET.Element:
    """Without namespaces: Alexa's tags have a prefix that is declared nowhere."""
    builder, parser = ET.TreeBuilder(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.data, refuse_doctype
    parser.buffer_text = True
    try:
        parser.Parse(text, True)  # noqa: FBT003  (that this was all is expat's second argument)
    except (expat.ExpatError, ValueError) as error:
        raise MarkupError(str(error)) from error
    return builder.close()


def refuse_doctype(*_: object) -> NoReturn:
    """Entities could be declared there, and grow."""
    raise MarkupError("a document type has no place in speech")


def heard(element: ET.Element) -> Iterator[str]:
    """An alias instead of what stands for it, and a gap where a pause is."""
    gap = " " if element.tag in BLOCKS else ""
    yield gap
    if element.tag in HEARD_INSTEAD or element.tag == "sub":
        yield HEARD_INSTEAD.get(element.tag, element.get("alias", ""))
    else:
        yield element.text or ""
        for child in element:
            yield from heard(child)
            yield child.tail or ""
    yield gap


def faults(root: ET.Element) -> Iterator[str]:
    """What Alexa would refuse, tag by tag."""
    if root.tag != "speak":
        yield f"the speech begins with <{root.tag}>, not with <speak>"
    for element in root.iter():
        if element.tag not in TAGS:
            yield f"Alexa knows no tag <{element.tag}>"
        else:
            yield from faults_of_tag(element, TAGS[element.tag])
        if element.tag == "speak" and element is not root:
            yield "there is a <speak> within the <speak>"
    count = sum(1 for _ in root.iter("audio"))
    if count > MOST_AUDIO:
        yield f"there are {count} <audio> files; Alexa plays {MOST_AUDIO} in an answer"


def faults_of_tag(element: ET.Element, known: Mapping[str, re.Pattern[str]]) -> Iterator[str]:
    patterns = {name.rstrip("!"): pattern for name, pattern in known.items()}
    for name in known:
        if name.endswith("!") and not element.get(name[:-1]):
            yield f"<{element.tag}> has no {name[:-1]}"
    for name, value in element.attrib.items():
        if name not in patterns:
            yield f"<{element.tag}> knows no attribute {name}"
        elif value and not patterns[name].fullmatch(value):
            yield f'<{element.tag}> knows no {name}="{value[:60]}"'
    if element.tag == "break" and break_s(element.get("time", "0s")) > LONGEST_BREAK_S:
        yield f"a <break> is {element.get('time')} long; Alexa pauses {LONGEST_BREAK_S:.0f} s at most"


def break_s(time: str) -> float:
    """Seconds; 0 for what is no time."""
    found = re.fullmatch(r"\+?(\d+(?:\.\d+)?)(ms|s)", time)
    return float(found[1]) / (1000 if found[2] == "ms" else 1) if found else 0.0
