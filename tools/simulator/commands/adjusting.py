"""What can be switched on a simulator that is running: its clock, its faults, who is in front of it."""

import json
from pathlib import Path
from typing import Any

import click

from tools.simulator.commands.playing import running_one
from tools.simulator.commands.showing import JSON, show_card
from tools.simulator.customers import CUSTOMERS
from tools.simulator.faults import FAULTS
from tools.simulator.linking_configuration import REDIRECT_HOSTS
from tools.simulator.providers import PROVIDERS, linking_setups
from tools.simulator.storytelling.durations import parse_duration


def setting(name: str, method: str, argument: str, kind: click.ParamType[Any], text: str, example: str) -> click.Command:
    """A command with one word, for a simulator that is running."""

    @click.pass_obj
    def run(folder: Path, value: Any, *, as_json: bool) -> int:
        playing = running_one(folder)
        playing.act(method, **{argument: value})
        return show_card(playing, as_json=as_json)

    arguments = [click.Argument(["value"], metavar=argument.upper(), type=kind)]
    options = [click.Option(["--json", "as_json"], is_flag=True, help="Answer in JSON on stdout.")]
    told = f"{text} For a simulator that is running.\n\n\b\n  python -m tools.simulator {name} {example}"
    if isinstance(kind, click.Choice):
        told += f"\n\n{argument.upper()} is one of {', '.join(kind.choices)}."
    return click.Command(name, callback=run, params=[*arguments, *options], help=told, short_help=text)


class Seconds(click.ParamType[float]):
    """A duration in words; the simulator is told seconds."""

    name = "duration"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        try:
            return parse_duration(str(value)).total_seconds()
        except ValueError as error:
            self.fail(str(error), parameter, context)


SETTINGS = (
    setting("clock", "move_clock", "by", Seconds(), "Moves Alexa's clock on; events that are due are brought again.", '"1 hour"'),
    setting("fault", "set_fault", "name", click.Choice([each.name for each in FAULTS]), "How the identity provider fails.", "slow"),
    setting("customer", "choose_customer", "customer", click.Choice(list(CUSTOMERS)), "Whose Alexa it is.", "carlos"),
    setting("provider", "choose_provider", "provider", click.Choice(list(PROVIDERS)), "Which identity provider.", "lwa"),
    setting("locale", "choose_locale", "locale", click.STRING, "What Alexa speaks.", "en-GB"),
    setting("region", "choose_region", "region", click.Choice(list(REDIRECT_HOSTS)), "Of the customers' Amazon accounts.", "FE"),
    setting("purchases", "set_purchases", "on", click.BOOL, "Whether the customer bought something and keeps the user id.", "on"),
    setting(
        "linking-setup",
        "set_linking_setup",
        "name",
        click.Choice([each["name"] for each in linking_setups()]),
        "How Login with Amazon is set up: rightly, or with a mistake.",
        "secret",
    ),
)


@click.command(short_help="The skill's card and the mapping table of a running simulator.")
@JSON
@click.pass_obj
def status(folder: Path, *, as_json: bool) -> int:
    """The skill's card and the mapping table of a simulator that is running; --json is all that its page shows.

    \b
      python -m tools.simulator status
    """
    playing = running_one(folder)
    if as_json:
        click.echo(json.dumps(playing.state()))
        return 0
    return show_card(playing, as_json=False)
