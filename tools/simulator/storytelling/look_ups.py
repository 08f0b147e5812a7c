"""The steps that only ask: the operator's look-up, and a recorded message."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tools.simulator.answers import Answer, apology, read_answer
from tools.simulator.desk import SimulationError
from tools.simulator.storytelling.moments import Moment, parse_moment
from tools.simulator.storytelling.scene import Play, Scene
from tools.simulator.storytelling.seen import Seen, in_order
from tools.simulator.storytelling.story_text import Part
from tools.simulator.wire import shorten_id

LARGEST_MESSAGE = 1_000_000


def who(part: Part) -> Play:
    """The operator's look-up, typed as a person would."""
    parts = part.named(("at", "row"), "who")
    if "at" not in parts:
        raise part.refusal("who needs at: the moment that is asked about")
    row = parts["row"].number() if "row" in parts else None
    try:
        moment = parse_moment(parts["at"].text())
    except ValueError as error:
        raise parts["at"].refusal(str(error)) from error
    return lambda scene: look_up(scene, moment, row)


def look_up(scene: Scene, moment: Moment, number: int | None) -> Seen:
    """Of the row with this number, counted from 1 in order of time, or of the last one. Raises LookupError."""
    rows, state = in_order(scene.simulation), scene.simulation.state()
    if number is not None and not 0 < number <= len(rows):
        raise LookupError(f"there is no row {number}, but {len(rows)}")
    row = rows[number - 1 if number else -1] if rows else {}
    user_id = str(row.get("AmazonUserID") or state["card"]["user_id"])
    at = f"{moment(row, datetime.fromisoformat(state['simulator']['clock'])):%Y-%m-%dT%H:%M:%SZ}"
    scene.transcript.line(f"$ python -m tools.customers who {shorten_id(user_id)} --at {at}", "bold")
    answer = scene.simulation.operator("who", user_id, "--at", at)
    scene.transcript.line((answer.stdout + answer.stderr).rstrip().replace(user_id, shorten_id(user_id)))
    return scene.seen(looked_up=answer)


def replay(part: Part) -> Play:
    """A recorded message from a file beside the story, as it is."""
    path = Path(part.file).parent / part.text()
    try:
        message = read_message(path)
    except ValueError as error:
        raise part.refusal(str(error)) from error

    def play(scene: Scene) -> Seen:
        try:
            return scene.seen(answer=read_reply(scene.simulation.replay(message)))
        except SimulationError as error:  # the skill failed
            return scene.seen(answer=apology(str(error), 0.0))

    return play


def read_message(path: Path) -> dict[str, Any]:
    """Raises ValueError where it is no JSON object."""
    try:
        with path.open("rb") as file:
            message = json.loads(file.read(LARGEST_MESSAGE + 1))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or type(error).__name__}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON message: {' '.join(str(error).split())}") from error
    if not isinstance(message, dict):
        raise ValueError(f"{path} is no JSON object")
    return message


def read_reply(reply: Mapping[str, Any]) -> Answer:
    """An acknowledged event and a directive's response have no speech, and are no problem."""
    return read_answer(reply, 0.0) if "response" in reply else Answer(response=reply)
