"""What stands on the desk: AWS, the skill, an identity provider, and an Alexa in each customer's home."""

import functools
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from tools.emulator_pool import EmulatorPool
from tools.in_process import InProcessFunction
from tools.local_aws import LocalAws
from tools.local_process import starter
from tools.local_stack import LocalStack
from tools.simulator import providers
from tools.simulator.account_linking import AccountLinking
from tools.simulator.alexa import Alexa
from tools.simulator.amazon import Amazon
from tools.simulator.clock import SimulatedClock
from tools.simulator.customers import CUSTOMERS
from tools.simulator.event_gateway import OnEvent
from tools.simulator.https_skill import HttpsSkill
from tools.simulator.interaction_model import InteractionModel, InteractionModelError
from tools.simulator.linking_configuration import LinkingConfiguration
from tools.simulator.options import Options, SimulationError
from tools.simulator.providers import Provider, ProviderName
from tools.simulator.skill import Skill
from tools.simulator.smart_home import SmartHome
from tools.simulator.url_skill import UrlSkill
from tools.simulator.wire import Message

__all__ = ["Desk", "Household", "Options", "Side", "SimulationError", "no_progress"]

Hear = Callable[[str, Message], None]
T = TypeVar("T")
MOST_SAID = 200  # lines of a conversation that are kept


@dataclass
class Household:
    """A customer's home: its Alexa, and what was said there."""

    alexa: Alexa
    smart_home: SmartHome | None = None  # None where directives do not come: at an HTTPS address, in somebody's skill
    conversation: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MOST_SAID))
    link_problem: dict[str, str] | None = None


@dataclass
class Side:
    """The desk with one of the identity providers."""

    skill: Skill
    households: Mapping[str, Household]
    provider: Provider | None = None  # None where somebody's skill has its own

    @property
    def stack(self) -> LocalStack | None:
        return self.provider.stack if self.provider else None

    def start_cold(self) -> None:
        """The function forgets what it keeps for a minute, profiles above all; somebody's skill keeps what it likes."""
        if isinstance(self.skill, EmulatorPool | InProcessFunction):
            self.skill.start_cold()


class Desk:
    """Starts each part when it is first needed; `exit_stack` stops them."""

    def __init__(
        self, options: Options, exit_stack: ExitStack, clock: SimulatedClock, hear: Hear, on_event: OnEvent, progress: Callable[[str], Any]
    ) -> None:
        """`hear` is told each message and whose it is, `on_event` what comes to the event gateway, `progress` what is being started."""
        self.options, self._exit, self.clock = options, exit_stack, clock
        self._hear, self._progress = hear, progress
        self.aws: LocalAws | None = None
        self.models = {path.stem: read_model(path, clock) for path in sorted(options.models.glob("*.json"))}
        self.amazon = exit_stack.enter_context(Amazon(providers.VENDOR_ID, clock, on_event))
        self._sides: dict[ProviderName, Side] = {}
        self._attempts: Counter[ProviderName] = Counter()

    def side(self, name: ProviderName) -> Side:
        """The desk with this provider. Raises what starting its parts raises; nothing is left of it then, and it can be tried again."""
        if name not in self._sides:
            with ExitStack() as started:
                side = self._start_side(name, started)
                self._exit.push(started.pop_all())
            self._sides[name] = side
        return self._sides[name]

    @property
    def sides(self) -> list[Side]:
        return list(self._sides.values())

    def _start_side(self, name: ProviderName, started: ExitStack) -> Side:
        provider = None if self.options.linking else self._start_provider(name, started)
        skill = self._start_skill(provider, started)
        linking = self.options.linking or (provider.linking if provider else None)
        return Side(skill, {key: self._household(key, skill, linking) for key in CUSTOMERS}, provider)

    def _start_provider(self, name: ProviderName, started: ExitStack) -> Provider:
        if not self.options.skill_url and self.aws is None:
            with self._progress("starting ministack, the AWS of this machine, with IAM enforced"):
                self.aws = start(LocalAws(enforce_iam=True), self._exit)
        if name == "cognito" and self.aws is None:
            raise SimulationError("a skill by its URL is linked through the Login with Amazon of this desk, or with --linking FILE")
        self._attempts[name] += 1
        with self._progress(f"deploying template.yaml, with {providers.PROVIDERS[name]}" if self.aws else "starting Login with Amazon"):
            if name == "cognito" and self.aws:
                return started.enter_context(providers.cognito(self.aws, self.amazon, self._attempts[name]))
            return started.enter_context(providers.login_with_amazon(self.aws, self.amazon, self._attempts[name]))

    def _start_skill(self, provider: Provider | None, started: ExitStack) -> Skill:
        if self.options.skill_url:
            return started.enter_context(UrlSkill(self.options.skill_url))
        if provider is None or provider.stack is None:
            raise SimulationError("a linking configuration is for somebody's skill: give --skill-url, too")
        with self._progress(f"starting {self.skill_kind}"):
            if self.options.https:
                environment = {**provider.stack.environment, **provider.environment}
                return start(HttpsSkill(replace(provider.stack, environment=environment)), started)
            if self.options.in_process:
                return started.enter_context(InProcessFunction(provider.stack, provider.environment))
            return start(EmulatorPool(provider.stack, provider.environment), started)

    @property
    def skill_kind(self) -> str:
        """How the skill is reached, in words."""
        if self.options.skill_url:
            return self.options.skill_url.partition("?")[0]
        if self.options.https:
            return "gunicorn, with signed requests"
        return "the function in this process" if self.options.in_process else "the Lambda runtime emulator"

    def _household(self, key: str, skill: Skill, linking: LinkingConfiguration | None) -> Household:
        options, hear = self.options, functools.partial(self._hear, key)
        model = self.models.get(options.locale) or next(iter(self.models.values()))
        accounts = AccountLinking(linking, hear) if linking else None
        alexa = Alexa(
            skill, options.skill_id, model, accounts, locale=options.locale, region=options.region, clock=self.clock, listener=hear
        )
        issue_code = functools.partial(self.amazon.login.issue_grant_code, self.amazon.customers[key])
        return Household(alexa, SmartHome(skill, issue_code, hear) if options.takes_directives else None)


def start(program: AbstractContextManager[T], exit_stack: ExitStack) -> T:
    """To its end, even if whoever waits for it is interrupted: whatever has been started by then is in the stack, to be stopped."""
    exit_stack.callback(starter.wait)
    return starter.run(lambda: exit_stack.enter_context(program))


def read_model(path: Path, clock: SimulatedClock) -> InteractionModel:
    """Raises SimulationError."""
    try:
        return InteractionModel.load(path, clock.now)
    except InteractionModelError as error:
        raise SimulationError(f"{path.name} is no interaction model: {error}") from error


@contextmanager
def no_progress(what: str) -> Iterator[None]:
    """For who wants to see nothing."""
    yield
