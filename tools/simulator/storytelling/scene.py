"""What a step is played on, and the steps that do one act of the simulation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.simulator.storytelling.seen import Seen
from tools.simulator.storytelling.story_text import Part

if TYPE_CHECKING:
    from tools.simulator.simulation import Simulation
    from tools.simulator.storytelling.transcript import Transcript


@dataclass(frozen=True)
class Scene:
    """What a story is played on."""

    simulation: "Simulation"
    transcript: "Transcript"

    def seen(self, **brought: Any) -> Seen:
        return Seen(self.simulation, (), **brought)


Play = Callable[[Scene], Seen]


def simply(method: str) -> Callable[[Part], Play]:
    """A step with nothing after its colon."""

    def read(part: Part) -> Play:
        part.nothing()
        return calling(method)

    return read


def choosing(method: str, allowed: Callable[[], tuple[str, ...]], what: str) -> Callable[[Part], Play]:
    """A step that names one of these."""
    return lambda part: calling(method, part.choice(allowed(), what))


def calling(method: str, *arguments: Any) -> Play:
    def play(scene: Scene) -> Seen:
        getattr(scene.simulation, method)(*arguments)
        return scene.seen()

    return play
