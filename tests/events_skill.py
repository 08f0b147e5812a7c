"""The skill's side of events, built from its settings over a table, KMS and Secrets Manager in memory and Amazon on loopback."""

import json
from typing import Any

from linked_profile.event_gateway import Delivery, EventGateway
from linked_profile.grants import Grants, build_grants
from linked_profile.logs import OutcomeLog, configure
from linked_profile.outbound import Deadline, Outbound
from linked_profile.settings import Settings
from tests.aws_fakes import FakeAws
from tests.conftest import ENVIRON, SKILL_ID
from tests.loopback_amazon import CLIENT_ID, SECRET, LoopbackAmazon

ANNA, BEN = "7f2c9d1e-4b60-4d3a-9c58-2e0a1b6d8f47", "0e9b7a54-1c52-4b0f-8d8e-5f0f3c6a7b21"
GRANTS = {
    "GRANTS_TABLE": "grants",
    "GRANTS_KEY_ID": "arn:aws:kms:eu-west-1:123456789012:key/4d7e",
    "SKILL_MESSAGING_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:messaging",
    "LOG_LEVEL": "DEBUG",
}
CHANGE = {
    "header": {"namespace": "Alexa", "name": "ChangeReport", "payloadVersion": "3"},
    "endpoint": {"endpointId": "lamp-1"},
    "payload": {"change": {"cause": {"type": "APP_INTERACTION"}, "properties": []}},
    "context": {"properties": []},
}
REPORT = {
    "header": {"namespace": "Alexa.Discovery", "name": "AddOrUpdateReport", "payloadVersion": "3"},
    "payload": {"endpoints": [{"endpointId": "lamp-1"}]},
}


def secret(value: str, client_id: str = CLIENT_ID) -> str:
    return json.dumps({"client_id": client_id, "client_secret": value})


class EventsSkill:
    """Sends and accepts with a clock that stands still and pauses that cost nothing; `pauses` tells how long they would have been."""

    def __init__(self, amazon: LoopbackAmazon, aws: FakeAws | None = None, **environ: str) -> None:
        self.amazon, self.aws = amazon, aws or FakeAws()
        if aws is None:
            self.aws.secrets.versions["AWSCURRENT"] = secret(SECRET)
        self.now = 1_773_480_000.0
        self.pauses: list[float] = []
        urls = {"LWA_API_URL": amazon.url, "ALEXA_EVENT_GATEWAY_URL": amazon.url}
        self.settings = Settings.from_environ({**ENVIRON, **GRANTS, **urls, **environ})
        configure(self.settings.log_level)
        self.cold_start()

    def cold_start(self) -> None:
        """Another container: it has nothing in memory."""
        self.outbound = Outbound()
        grants = build_grants(self.settings, self.outbound, lambda: self.now, self.aws)
        assert grants is not None
        self.grants: Grants = grants
        self.grants._pause = self.pauses.append
        log = OutcomeLog(SKILL_ID)
        self.gateway = EventGateway(self.settings.alexa_event_gateway_url, grants, self.outbound, log, self.pauses.append)

    def accept(self, code: str = "CanaryCode1", account_id: str = ANNA, seconds: float = 6.5) -> None:
        self.grants.accept(account_id, code, Deadline(seconds))

    def send(self, event: Any = None, account_id: str = ANNA, seconds: float = 6.5) -> list[Delivery]:
        return self.gateway.send_event(account_id, event or CHANGE, Deadline(seconds))

    def outcomes(self, event: Any = None, account_id: str = ANNA) -> list[tuple[str, str]]:
        return [(delivery.outcome, delivery.reason) for delivery in self.send(event, account_id)]

    def stored(self, account_id: str = ANNA) -> list[dict[str, Any]]:
        """The account's items, plain."""
        items = [item for item in self.aws.table.rows() if item["AccountID"]["S"] == account_id]
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in items]

    def statuses(self, account_id: str = ANNA) -> list[str]:
        return [item["Status"] for item in self.stored(account_id)]

    def refresh_token(self) -> str:
        """The refresh token in the one grant that is stored, in clear."""
        (item,) = self.stored()
        blob = self.aws.kms.decrypt(CiphertextBlob=item["RefreshToken"], EncryptionContext={"AccountID": ANNA}, KeyId="")
        return str(blob["Plaintext"].decode())
