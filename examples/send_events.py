"""Tells Alexa of a device from outside the function: what your device cloud would do when a customer presses the switch on the wall.

    PYTHONPATH=lambda python examples/send_events.py change-report ACCOUNT_ID --endpoint-id virtual-lamp-… --power ON
    PYTHONPATH=lambda python examples/send_events.py add-or-update-report ACCOUNT_ID --endpoint-id lamp-2 --name "Desk lamp"

It needs the function's environment variables (README, Settings) and credentials that may read the grants, their key and the secret.
Exit code 0: every home has it. 1: some home has not, or no home has granted it. 2: wrong use.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from alexa_events import send_event
from linked_profile.errors import ProviderMisconfiguredError, TableUnavailableError
from linked_profile.settings import SettingsError


def change_report(endpoint_id: str, power: str) -> dict[str, Any]:
    """Somebody pressed the switch: what changed stands in the payload; what did not would stand in the context."""
    state = {
        "namespace": "Alexa.PowerController",
        "name": "powerState",
        "value": power,
        "timeOfSample": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "uncertaintyInMilliseconds": 0,
    }
    return {
        "header": {"namespace": "Alexa", "name": "ChangeReport", "payloadVersion": "3"},
        "endpoint": {"endpointId": endpoint_id},
        "payload": {"change": {"cause": {"type": "PHYSICAL_INTERACTION"}, "properties": [state]}},
        "context": {"properties": []},
    }


def add_or_update_report(endpoint_id: str, name: str) -> dict[str, Any]:
    """There is a new device, or an old one has another name: no discovery has to be asked for."""
    power = {
        "type": "AlexaInterface",
        "interface": "Alexa.PowerController",
        "version": "3",
        "properties": {"supported": [{"name": "powerState"}], "proactivelyReported": True, "retrievable": True},
    }
    lamp = {
        "endpointId": endpoint_id,
        "manufacturerName": "Linked Profile",
        "friendlyName": name,
        "description": "A lamp of the example",
        "displayCategories": ["LIGHT"],
        "capabilities": [{"type": "AlexaInterface", "interface": "Alexa", "version": "3"}, power],
    }
    header = {"namespace": "Alexa.Discovery", "name": "AddOrUpdateReport", "payloadVersion": "3"}
    return {"header": header, "payload": {"endpoints": [lamp]}}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description="Tells Alexa of a device.")
    commands = made.add_subparsers(dest="command", required=True)
    change = commands.add_parser("change-report", help="a lamp was switched")
    added = commands.add_parser("add-or-update-report", help="there is a lamp, or it has another name")
    for command in (change, added):
        command.add_argument("account_id", metavar="ACCOUNT_ID", help="whose device it is")
        command.add_argument("--endpoint-id", required=True, help="the device, by the name that discovery gave it")
    change.add_argument("--power", choices=["ON", "OFF"], default="ON")
    added.add_argument("--name", default="Lamp", help="what the customer calls it")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    is_change = given.command == "change-report"
    event = change_report(given.endpoint_id, given.power) if is_change else add_or_update_report(given.endpoint_id, given.name)
    try:
        deliveries = send_event(given.account_id, event)
    except (SettingsError, TableUnavailableError, ProviderMisconfiguredError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    for delivery in deliveries:
        print(f"{delivery.grant_id}  {delivery.outcome}  {delivery.reason}".rstrip())
    if not deliveries:
        print("no home of this account has granted it", file=sys.stderr)
    return 0 if deliveries and all(delivery.outcome == "sent" for delivery in deliveries) else 1


if __name__ == "__main__":
    sys.exit(main())
