"""Stories: conversations written down in YAML, with what is expected of each step; read strictly, played on a simulation of their own."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tools.simulator.customers import CUSTOMERS
from tools.simulator.desk import Options, SimulationError
from tools.simulator.linking_configuration import REDIRECT_HOSTS
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.providers import PROVIDERS
from tools.simulator.simulation import Simulation
from tools.simulator.storytelling.scene import Scene
from tools.simulator.storytelling.seen import Seen, in_order
from tools.simulator.storytelling.steps import Step, read_step
from tools.simulator.storytelling.story_text import Part, StoryFormatError, read_file
from tools.simulator.storytelling.transcript import Transcript
from tools.simulator.wire import Message

SHIPPED = Path(__file__).parents[1] / "stories"
AGO = " ago"
HEAD = ("story", "about", "provider", "locale", "region", "customer", "starts", "steps")


@dataclass(frozen=True)
class Story:
    """A story that has been read; what it leaves open is for the command line to say."""

    file: str
    title: str
    steps: tuple[Step, ...]
    about: str = ""
    provider: str = ""
    locale: str = ""
    region: str = ""
    customer: str = ""
    starts: timedelta = timedelta(0)

    def options(self, given: Options, chosen: dict[str, str]) -> Options:
        """`given` by the command line, where `chosen` is what was typed there: it goes before the story's own."""
        own: dict[str, Any] = {name: getattr(self, name) for name in ("provider", "locale", "region") if getattr(self, name)}
        return replace(given, starts=self.starts, **(own | {name: value for name, value in chosen.items() if value}))


@dataclass(frozen=True)
class StepResult:
    """How a step went; nothing in `complaints` is well."""

    step: Step
    complaints: Sequence[str] = ()


@dataclass(frozen=True)
class StoryResult:
    """How a story went: its steps up to the first that was not as expected."""

    story: Story
    steps: Sequence[StepResult]
    took_s: float

    @property
    def complaints(self) -> list[str]:
        """One line each, with the place in the file."""
        return [f"{self.story.file}, line {each.step.line}: {each.step.title}: {text}" for each in self.steps for text in each.complaints]

    def as_json(self) -> dict[str, Any]:
        steps = [{"line": each.step.line, "step": each.step.title, "complaints": list(each.complaints)} for each in self.steps]
        passed = not self.complaints
        return {"file": self.story.file, "story": self.story.title, "passed": passed, "took_s": round(self.took_s, 1), "steps": steps}


def find_story(name: str) -> Path:
    """The file of that name, or the story of this project: demo is stories/demo.yaml. Raises StoryFormatError."""
    path = Path(name)
    if path.is_file() or path.suffix or len(path.parts) > 1:
        return path
    shipped = SHIPPED / f"{name}.yaml"
    if not shipped.is_file():
        raise StoryFormatError(f"there is no file {name!r} here, and no story of that name; there are {', '.join(shipped_names())}")
    return shipped.relative_to(Path.cwd()) if shipped.is_relative_to(Path.cwd()) else shipped


def shipped_names() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def read_story(path: Path) -> Story:
    """Raises StoryFormatError."""
    whole = read_file(path)
    parts = whole.named(HEAD, "a story")
    for name in ("story", "steps"):
        if name not in parts:
            raise whole.refusal(f"a story needs {name}")
    steps = tuple(read_step(item) for item in parts["steps"].items())
    if not steps:
        raise parts["steps"].refusal("a story needs a step")
    return Story(
        whole.file,
        parts["story"].text(),
        steps,
        parts["about"].text() if "about" in parts else "",
        parts["provider"].choice(tuple(PROVIDERS), "provider") if "provider" in parts else "",
        parts["locale"].text() if "locale" in parts else "",
        parts["region"].choice(tuple(REDIRECT_HOSTS), "region") if "region" in parts else "",
        parts["customer"].choice(tuple(CUSTOMERS), "customer") if "customer" in parts else "",
        read_start(parts["starts"]) if "starts" in parts else timedelta(0),
    )


def read_start(part: Part) -> timedelta:
    """20 minutes ago: how far Alexa's clock is behind the real one when the story begins."""
    text = part.text()
    if not text.endswith(AGO):
        raise part.refusal(f"{text!r} is no start, such as 20 minutes ago")
    return -replace_text(part, text.removesuffix(AGO)).duration()


def replace_text(part: Part, text: str) -> Part:
    node = part.node
    return Part(type(node)(node.tag, text, node.start_mark, node.end_mark), part.file)


def play_story(story: Story, options: Options, transcript: Transcript, at_once: Callable[[], AbstractContextManager[None]]) -> StoryResult:
    """On a simulation that is started for it and stopped after it; the first step that is not as expected is the last.

    `at_once` is entered while the story is played, when nothing is started that would have to be stopped. Raises what starting raises.
    """
    started, results = time.monotonic(), list[StepResult]()
    heard: list[Message] = []

    def hear(customer: str, message: Message) -> None:
        heard.append(message)
        transcript.message(customer, message)

    with Simulation(options, listener=hear, progress=transcript.progress) as simulation, at_once():
        if story.customer:
            simulation.choose_customer(story.customer)
        scene = Scene(simulation, transcript)
        for step in story.steps:
            heard.clear()
            results.append(StepResult(step, play_step(step, scene, heard)))
            if results[-1].complaints:
                break
    return StoryResult(story, results, time.monotonic() - started)


def play_step(step: Step, scene: Scene, heard: Sequence[Message]) -> list[str]:
    """What was not as expected."""
    try:
        brought = step.play(scene)
    except (AccountLinkingError, LookupError, SimulationError) as error:
        return [" ".join(str(error).split())]
    seen = replace(brought, messages=tuple(heard))
    if step.shows_rows:
        scene.transcript.rows(in_order(scene.simulation))
    return checked(step, seen)


def checked(step: Step, seen: Seen) -> list[str]:
    """Every expectation is looked at, so that one run tells all."""
    return [complaint for check in step.checks for complaint in check(seen)]
