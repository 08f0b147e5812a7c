"""The options that say which skill is simulated, with which identity provider; for every command that starts a simulator."""

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tools.setup import ROOT
from tools.simulator.desk import Options, SimulationError
from tools.simulator.linking_configuration import REDIRECT_HOSTS, LinkingConfiguration
from tools.simulator.providers import PROVIDERS, SKILL_ID, VENDOR_ID

SECRET = "LINKING_CLIENT_SECRET"  # noqa: S105  (the variable's name)
LARGEST_FILE = 100_000
SETTINGS = [
    click.option("--provider", type=click.Choice(list(PROVIDERS)), default=None, help="The identity provider. [default: cognito]"),
    click.option(
        "--in-process",
        is_flag=True,
        default=sys.platform != "linux",
        help="Run the function in this process, not in the Lambda runtime emulator, which is for Linux only.",
    ),
    click.option("--https", is_flag=True, help="Run the function behind gunicorn, with requests signed as Alexa's."),
    click.option("--skill-url", default="", metavar="URL", help="Somebody's skill: a Lambda invoke URL or an HTTPS endpoint."),
    click.option("--skill-id", default=SKILL_ID, metavar="ID", help="The id of that skill."),
    click.option(
        "--linking",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        default=None,
        help=f"That skill's account linking as JSON (ask smapi get-account-linking-info); its client secret is in {SECRET}.",
    ),
    click.option("--vendor-id", default=VENDOR_ID, metavar="ID", help="The vendor id in Alexa's redirect URLs; for --linking."),
    click.option(
        "--allow-provider", "allowed_hosts", multiple=True, metavar="HOST", help="An identity provider that may be elsewhere than here."
    ),
    click.option(
        "--models",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=ROOT / "interaction_models",
        help="The folder with <locale>.json of the skill. [default: interaction_models]",
    ),
    click.option("--locale", default="", metavar="LOCALE", help="What Alexa speaks. [default: en-US]"),
    click.option(
        "--region", type=click.Choice(list(REDIRECT_HOSTS)), default=None, help="Of the customers' Amazon accounts. [default: EU]"
    ),
    click.option("--send-alexa-events", is_flag=True, help='With the permission "Send Alexa Events".'),
]
CHOSEN = ("provider", "locale", "region")  # empty where nothing was typed: then a story, or the default, decides


def with_options(command: Callable[..., int]) -> Callable[..., int]:
    """Gives a command `options`, with what was typed, and `chosen`, which of them a story may not decide."""

    @functools.wraps(command)
    def run(**named: Any) -> int:
        chosen = {name: named.pop(name) or "" for name in CHOSEN}
        return command(options=build_options(named, chosen), chosen=chosen, **named)

    for option in reversed(SETTINGS):
        run = option(run)
    return run


def build_options(named: dict[str, Any], chosen: dict[str, str]) -> Options:
    """Takes what is its own out of `named`. Raises SimulationError, AccountLinkingError."""
    taken = ("in_process", "https", "skill_url", "skill_id", "allowed_hosts", "models", "send_alexa_events")
    arguments: dict[str, Any] = {name: named.pop(name) for name in taken} | {name: value for name, value in chosen.items() if value}
    path, vendor_id = named.pop("linking"), named.pop("vendor_id")
    if path:
        arguments["linking"] = read_linking(path, vendor_id)
    if arguments["skill_url"] and not path:
        arguments.setdefault("provider", "lwa")  # whose stand-in any skill can be linked with
    return Options(**arguments)


def read_linking(path: Path, vendor_id: str) -> LinkingConfiguration:
    """Raises SimulationError, AccountLinkingError."""
    with path.open("rb") as file:
        try:
            document = json.loads(file.read(LARGEST_FILE))
        except (ValueError, RecursionError) as error:
            raise SimulationError(f"{path} is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise SimulationError(f"{path} is no JSON object")
    settings = document.get("accountLinkingResponse", document)  # as Amazon gives it back, beside what it takes
    return LinkingConfiguration.from_json(settings, vendor_id, os.environ.get(SECRET))
