"""A story's YAML, read strictly: every value knows its line, and whatever is not allowed is one clear line."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import yaml

from tools.simulator.storytelling.durations import parse_duration

TRUE, FALSE = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})
EMPTY = frozenset({"", "~", "null"})
LARGEST = 1_000_000


class StoryFormatError(Exception):
    """The story cannot be read; the message names the file, the line, what is wrong, and what is allowed."""


@dataclass(frozen=True)
class Part:
    """One value of the file, and where it stands. Every method raises StoryFormatError."""

    node: yaml.Node
    file: str

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    def refusal(self, why: str) -> StoryFormatError:
        return StoryFormatError(f"{self.file}, line {self.line}: {' '.join(why.split())}")

    @property
    def is_empty(self) -> bool:
        """Nothing, as after `enable:`."""
        is_plain = isinstance(self.node, yaml.ScalarNode) and self.node.style is None
        return is_plain and str(self.node.value).casefold() in EMPTY

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def nothing(self) -> None:
        if not self.is_empty:
            raise self.refusal("nothing is expected after the colon")

    def text(self) -> str:
        """As it is written: a number and a yes are text, too."""
        if not isinstance(self.node, yaml.ScalarNode) or self.is_empty or not str(self.node.value).strip():
            raise self.refusal("a text is expected")
        return str(self.node.value).strip()

    def texts(self) -> tuple[str, ...]:
        """One text, or a list of them."""
        return tuple(part.text() for part in self.items()) if self.is_list else (self.text(),)

    def flag(self) -> bool:
        word = self.text().casefold()
        if word not in TRUE | FALSE:
            raise self.refusal(f"true or false is expected, not {self.text()!r}")
        return word in TRUE

    def number(self) -> int:
        text = self.text()
        if not text.isascii() or not text.isdecimal() or len(text) > 6:
            raise self.refusal(f"a number is expected, not {text!r}")
        return int(text)

    def duration(self) -> timedelta:
        try:
            return parse_duration(self.text())
        except ValueError as error:
            raise self.refusal(str(error)) from error

    def choice(self, allowed: Collection[str], what: str) -> str:
        if self.text() not in allowed:
            raise self.refusal(f"there is no {what} {self.text()!r}; there are {', '.join(allowed)}")
        return self.text()

    def items(self) -> list["Part"]:
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.refusal("a list is expected")
        return [Part(node, self.file) for node in self.node.value]

    def named(self, allowed: Collection[str], what: str) -> Mapping[str, "Part"]:
        """The parts of a mapping, each known and each once."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.refusal(f"{what} is expected, with {', '.join(allowed)}")
        parts: dict[str, Part] = {}
        for key, value in self.node.value:
            name = Part(key, self.file)
            word = name.text()
            if word not in allowed:
                raise name.refusal(f"{what} has no {word!r}; it may have {', '.join(allowed)}")
            if word in parts:
                raise name.refusal(f"{word!r} stands here twice")
            parts[word] = Part(value if not is_absent(value) else key_as_empty(key), self.file)
        return parts


def is_absent(node: yaml.Node) -> bool:
    """A value that is not there at all stands, for YAML, where the next thing begins."""
    return isinstance(node, yaml.ScalarNode) and node.value == "" and node.style is None


def key_as_empty(key: yaml.Node) -> yaml.ScalarNode:
    """The absent value of this key, on the key's own line."""
    return yaml.ScalarNode("tag:yaml.org,2002:null", "", key.start_mark, key.end_mark)


def read_file(path: Path) -> Part:
    """The whole of it. Raises StoryFormatError."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise StoryFormatError(f"{path}: {error.strerror or type(error).__name__}") from error
    if len(content) > LARGEST:
        raise StoryFormatError(f"{path}: a story of more than {LARGEST:,} bytes is none")
    try:
        node = yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)
    except (yaml.MarkedYAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise StoryFormatError(f"{path}{where}: this is no YAML: {getattr(error, 'problem', None) or 'nested too deeply'}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StoryFormatError(f"{path}: this is no YAML in UTF-8: {type(error).__name__}") from error
    if node is None:
        raise StoryFormatError(f"{path}: the file is empty")
    return Part(node, str(path))
