"""How a simulation is set up, and what is refused before anything is started."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tools.setup import ROOT
from tools.simulator.addresses import is_open_to, split_address
from tools.simulator.clock import MOST_AHEAD
from tools.simulator.linking_configuration import LinkingConfiguration
from tools.simulator.providers import SKILL_ID, ProviderName

NO_ALEXA_EVENTS = "Send Alexa Events is for this project's own skill in Lambda: AcceptGrant comes there only"


class SimulationError(Exception):
    """What was asked for cannot be done now; the message is one line that says what to do."""


@dataclass(frozen=True)
class Options:
    """How a simulation is set up; the defaults are this project's own skill with Cognito."""

    provider: ProviderName = "cognito"
    in_process: bool = False
    https: bool = False  # the function behind gunicorn, with requests signed as Alexa's
    skill_url: str = ""  # somebody's skill
    skill_id: str = SKILL_ID
    linking: LinkingConfiguration | None = None  # of somebody's skill, at an identity provider of its own
    allowed_hosts: tuple[str, ...] = ()  # identity providers that may be elsewhere than on loopback
    models: Path = ROOT / "interaction_models"
    locale: str = "en-US"
    region: str = "EU"
    send_alexa_events: bool = False  # AcceptGrant comes before the link counts
    starts: timedelta = timedelta(0)  # Alexa's clock against the real one

    def __post_init__(self) -> None:
        """Raises SimulationError."""
        if self.linking:
            self._check_provider("authorizationUrl", self.linking.authorization_url)
            self._check_provider("accessTokenUrl", self.linking.access_token_url)
        if self.skill_url and split_address(self.skill_url) is None:
            raise SimulationError("the URL of the skill is no http or https address of a host, without a user name")
        if self.send_alexa_events and not self.takes_directives:
            raise SimulationError(NO_ALEXA_EVENTS)
        if abs(self.starts) > MOST_AHEAD:
            raise SimulationError(f"Alexa's clock is {MOST_AHEAD.days} days at most before or after the real one")
        if self.https and self.starts:
            raise SimulationError(
                "an HTTPS endpoint refuses the requests of another time than its own: no --https where Alexa's clock is moved"
            )
        if not list(self.models.glob("*.json")):
            raise SimulationError(f"there is no interaction model in {self.models}: it holds one <locale>.json for each locale")

    @property
    def takes_directives(self) -> bool:
        """Only Lambda does, and only this project's own skill is known to have devices."""
        return not (self.https or self.skill_url or self.linking)

    def _check_provider(self, name: str, url: str) -> None:
        parts = split_address(url)
        if parts is None:
            raise SimulationError(f"{name} is no http or https address of an identity provider")
        if is_open_to(parts, self.allowed_hosts):
            return
        host = parts.hostname or ""
        if is_open_to(parts._replace(scheme="https"), self.allowed_hosts):
            raise SimulationError(f"{name} is an http address, and {host} is not on this machine: passwords and tokens need https there")
        raise SimulationError(
            f"{host} is not on this machine: customers would sign in at a real service. To do so, name it: --allow-provider {host}"
        )
