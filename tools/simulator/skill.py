"""What Alexa needs of a skill, however it is reached, and how its answer is read."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Protocol

DEEPEST_JSON = 100  # objects and lists within each other; Python's own readers end at some hundreds


class Skill(Protocol):
    """Takes one request, event or directive at a time."""

    def invoke(self, event: dict[str, Any]) -> Any:
        """The skill's answer, any JSON value. Raises SkillFailedError when it failed instead."""


class SkillFailedError(Exception):
    """The skill raised, ran out of time, or gave no JSON; Alexa brings an event again then."""

    def __init__(self, name: str, message: str) -> None:
        """`name` is that of the error in the skill's code, or of what ended it."""
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message


def parse_answer(content: bytes) -> Any:
    """The value that the skill answered. Raises SkillFailedError, in no words of the answer's own, for what is no JSON."""
    try:
        return parse_json(content)
    except ValueError as error:
        raise SkillFailedError("InvalidJson", f"the answer is no JSON: {error}") from error


def parse_json(content: bytes) -> Any:
    """A value that can be shown, kept and sent on. Raises ValueError."""
    try:
        value = json.loads(content.decode("utf-8-sig"), parse_constant=refuse_constant)
    except RecursionError as error:
        raise ValueError(f"it is nested more than {DEEPEST_JSON} deep") from error
    check_json(value)
    return value


def check_json(value: Any) -> None:
    """Raises ValueError for numbers that are not finite, half characters, and what is nested too deeply to be walked through."""
    level, depth = nested([value]), 0
    while level:
        depth += 1
        if depth > DEEPEST_JSON:
            raise ValueError(f"it is nested more than {DEEPEST_JSON} deep")
        level = [part for each in level for part in nested(each.values() if isinstance(each, Mapping) else each)]
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("half of a surrogate pair is in it") from error
    except TypeError as error:
        raise ValueError(str(error)) from error


def nested(values: Iterable[Any]) -> list[Any]:
    """Those that hold values themselves."""
    return [value for value in values if isinstance(value, Mapping | list | tuple)]


def refuse_constant(name: str) -> NoReturn:
    """Python reads NaN and Infinity, which are no JSON."""
    raise ValueError(f"it holds {name}")
