"""What stands on the desk: AWS, the skill, an identity provider, and an Alexa in each customer's home."""

import functools
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.emulator_pool import EmulatorPool
from tools.in_process import InProcessFunction
from tools.local_aws import LocalAws
from tools.local_stack import LocalStack
from tools.setup import ROOT
from tools.simulator import providers
from tools.simulator.account_linking import AccountLinking
from tools.simulator.alexa import Alexa
from tools.simulator.amazon import Amazon
from tools.simulator.clock import SimulatedClock
from tools.simulator.customers import CUSTOMERS
from tools.simulator.event_gateway import OnEvent
from tools.simulator.https_skill import HttpsSkill
from tools.simulator.interaction_model import InteractionModel
from tools.simulator.linking_configuration import LinkingConfiguration
from tools.simulator.providers import Provider, ProviderName
from tools.simulator.skill import Skill
from tools.simulator.smart_home import SmartHome
from tools.simulator.url_skill import UrlSkill
from tools.simulator.wire import Message

Hear = Callable[[str, Message], None]
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class SimulationError(Exception):
    """What was asked for cannot be done now; the message is one line that says what to do."""


@dataclass(frozen=True)
class Options:
    """How a simulation is set up; the defaults are this project's own skill with Cognito."""

    provider: ProviderName = "cognito"
    in_process: bool = False
    https: bool = False  # the function behind gunicorn, with requests signed as Alexa's
    skill_url: str = ""  # somebody's skill
    skill_id: str = providers.SKILL_ID
    linking: LinkingConfiguration | None = None  # of somebody's skill, at an identity provider of its own
    allowed_hosts: tuple[str, ...] = ()  # identity providers that may be elsewhere than on loopback
    models: Path = ROOT / "interaction_models"
    locale: str = "en-US"
    region: str = "EU"
    send_alexa_events: bool = False  # AcceptGrant comes before the link counts
    starts: timedelta = timedelta(0)  # Alexa's clock against the real one

    def __post_init__(self) -> None:
        """Raises SimulationError."""
        for url in (self.linking.authorization_url, self.linking.access_token_url) if self.linking else ():
            host = urlsplit(url).hostname or ""
            if host not in LOOPBACK | set(self.allowed_hosts):
                raise SimulationError(
                    f"{host} is not on this machine: customers would sign in at a real service. To do so, name it: --allow-provider {host}"
                )
        if not list(self.models.glob("*.json")):
            raise SimulationError(f"there is no interaction model in {self.models}: it holds one <locale>.json for each locale")


@dataclass
class Household:
    """A customer's home: its Alexa, and what was said there."""

    alexa: Alexa
    smart_home: SmartHome | None = None  # None where directives do not come: at an HTTPS address, in somebody's skill
    conversation: list[dict[str, Any]] = field(default_factory=list)
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
        # Programs are started by one thread that lives as long as they: the kernel ends them with it, and a page's threads come and go.
        self._starter = exit_stack.enter_context(ThreadPoolExecutor(max_workers=1))
        self.amazon = exit_stack.enter_context(Amazon(providers.VENDOR_ID, clock, on_event))
        self.models = {path.stem: InteractionModel.load(path, clock.now) for path in sorted(options.models.glob("*.json"))}
        self._sides: dict[ProviderName, Side] = {}

    def side(self, name: ProviderName) -> Side:
        """The desk with this provider. Raises what starting its parts raises."""
        if name not in self._sides:
            provider = None if self.options.linking else self._start_provider(name)
            skill = self._starter.submit(self._start_skill, provider).result()
            linking = self.options.linking or (provider.linking if provider else None)
            households = {
                key: self._household(
                    key, skill, linking, takes_directives=provider is not None and provider.stack is not None and not self.options.https
                )
                for key in CUSTOMERS
            }
            self._sides[name] = Side(skill, households, provider)
        return self._sides[name]

    @property
    def sides(self) -> list[Side]:
        return list(self._sides.values())

    def _start_provider(self, name: ProviderName) -> Provider:
        if not self.options.skill_url and self.aws is None:
            with self._progress("starting ministack, the AWS of this machine, with IAM enforced"):
                self.aws = self._exit.enter_context(LocalAws(enforce_iam=True))
        if name == "cognito" and self.aws is None:
            raise SimulationError("a skill by its URL is linked through the Login with Amazon of this desk, or with --linking FILE")
        with self._progress(f"deploying template.yaml, with {providers.PROVIDERS[name]}" if self.aws else "starting Login with Amazon"):
            if name == "cognito" and self.aws:
                return self._exit.enter_context(providers.cognito(self.aws, self.amazon))
            return self._exit.enter_context(providers.login_with_amazon(self.aws, self.amazon))

    def _start_skill(self, provider: Provider | None) -> Skill:
        if self.options.skill_url:
            return self._exit.enter_context(UrlSkill(self.options.skill_url))
        if provider is None or provider.stack is None:
            raise SimulationError("a linking configuration is for somebody's skill: give --skill-url, too")
        with self._progress(f"starting {self.skill_kind}"):
            if self.options.https:
                environment = {**provider.stack.environment, **provider.environment}
                return self._exit.enter_context(HttpsSkill(replace(provider.stack, environment=environment)))
            if self.options.in_process:
                return self._exit.enter_context(InProcessFunction(provider.stack, provider.environment))
            return self._exit.enter_context(EmulatorPool(provider.stack, provider.environment))

    @property
    def skill_kind(self) -> str:
        """How the skill is reached, in words."""
        if self.options.skill_url:
            return self.options.skill_url.partition("?")[0]
        if self.options.https:
            return "gunicorn, with signed requests"
        return "the function in this process" if self.options.in_process else "the Lambda runtime emulator"

    def _household(self, key: str, skill: Skill, linking: LinkingConfiguration | None, *, takes_directives: bool) -> Household:
        options, hear = self.options, functools.partial(self._hear, key)
        model = self.models.get(options.locale) or next(iter(self.models.values()))
        accounts = AccountLinking(linking, hear) if linking else None
        alexa = Alexa(
            skill, options.skill_id, model, accounts, locale=options.locale, region=options.region, clock=self.clock, listener=hear
        )
        issue_code = functools.partial(self.amazon.login.issue_grant_code, self.amazon.customers[key])
        return Household(alexa, SmartHome(skill, issue_code, hear) if takes_directives else None)


@contextmanager
def no_progress(what: str) -> Iterator[None]:
    """For who wants to see nothing."""
    yield
