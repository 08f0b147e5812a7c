"""What a person may do on the desk, for the page, the command line and stories alike: one act at a time, each of them on the wire."""

import os
import subprocess
import sys
from typing import Any

from tools.local_aws import REGION
from tools.local_aws import ROOT as AWS_ROOT
from tools.mapping_table import StoredLink, all_links
from tools.setup import ROOT
from tools.simulator import providers
from tools.simulator.card_acts import CardActs
from tools.simulator.conversation_acts import ConversationActs
from tools.simulator.customers import CUSTOMERS
from tools.simulator.desk import Options, SimulationError
from tools.simulator.disturbance_acts import DisturbanceActs
from tools.simulator.linking_configuration import REDIRECT_HOSTS
from tools.simulator.stage import act, one_of
from tools.simulator.state import described

__all__ = ["Options", "Simulation", "SimulationError"]


class Simulation(CardActs, ConversationActs, DisturbanceActs):
    """Everything runs from the start of the `with` block to its end. Acts raise SimulationError, linking AccountLinkingError."""

    # ---- who and where

    @act("choosing the customer")
    def choose_customer(self, customer: str) -> None:
        self.customer = one_of("customer", customer, CUSTOMERS)

    @act("setting the identity provider up")
    def choose_provider(self, provider: str) -> None:
        """Each provider has a deployment, a table and households of its own."""
        if self.options.linking:
            raise SimulationError("the identity provider is the one of --linking")
        one_of("provider", provider, providers.PROVIDERS)
        chosen = next(name for name in providers.PROVIDERS if name == provider)
        self.desk.side(chosen)  # stands before anybody looks at it
        self.provider = chosen
        self.open_side()

    @act("choosing the locale")
    def choose_locale(self, locale: str) -> None:
        self.locale = one_of("locale", locale, self.desk.models)
        for alexa in self.alexas():
            alexa.locale, alexa.model = locale, self.desk.models[locale]

    @act("choosing the region")
    def choose_region(self, region: str) -> None:
        """Of the customers' Amazon accounts: which of the three redirect URLs Alexa uses."""
        self.region = one_of("region", region, REDIRECT_HOSTS)
        for alexa in self.alexas():
            alexa.region = region

    # ---- looking

    def state(self) -> dict[str, Any]:
        """All that a page shows, as JSON; it does not wait for an act to end."""
        return described(self)

    def rows(self) -> list[StoredLink]:
        """All rows of the mapping table as they are stored; none where the skill is somebody else's."""
        stack = self.side.stack
        return all_links(self.desk.aws, stack.table) if stack and self.desk.aws else []

    def operator(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`python -m tools.customers …` on the local table, with nothing of the developer's own AWS configuration."""
        if not self.desk.aws or not self.side.stack:
            raise SimulationError("there is no mapping table here: the skill is somebody else's")
        log = str(self.desk.aws.folder / "customers-audit.jsonl")
        command = [sys.executable, "-m", "tools.customers", *arguments, "--table", self.side.stack.table, "--audit-log", log]
        nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        environment = {**os.environ, **nowhere, **AWS_ROOT, "AWS_ENDPOINT_URL": self.desk.aws.url, "AWS_DEFAULT_REGION": REGION}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def wait(self, version: int, timeout: float) -> int:
        """The version as soon as it is another than this one, or after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != version, timeout)
            return self.version
