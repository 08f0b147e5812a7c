"""What Alexa needs of a skill, however it is reached."""

from typing import Any, Protocol


class Skill(Protocol):
    """Takes one request, event or directive at a time."""

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """The skill's answer. Raises SkillFailedError when it failed instead."""


class SkillFailedError(Exception):
    """The skill raised, ran out of time, or gave no JSON; Alexa brings an event again then."""

    def __init__(self, name: str, message: str) -> None:
        """`name` is that of the error in the skill's code, or of what ended it."""
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message
