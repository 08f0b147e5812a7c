"""What a customer does, one command each: enable, link, say, disable; and how skill events are brought."""

import functools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from tools.simulator.commands.playing import Place, Playing, note
from tools.simulator.commands.setting_up import with_options
from tools.simulator.commands.showing import JSON, show_answer, show_card, show_rows
from tools.simulator.customers import CUSTOMERS
from tools.simulator.delivery import MODES, DeliveryPlan
from tools.simulator.storytelling.durations import in_words

OUR_MODES = {"duplicate": "duplicated", "reorder": "reordered", "twice-at-once": "twice-at-once", "delay": "delayed", "lose": "lost"}
LIFE = DeliveryPlan().delay - timedelta(minutes=1)
Act = Callable[..., int]


def with_place(command: Act) -> Act:
    """Gives a command the place where it plays, from the options of a simulator of its own."""

    @JSON
    @click.option("--alone", "is_alone", is_flag=True, help="Start one for this command, even if one is running.")
    @with_options
    @click.pass_obj
    @functools.wraps(command)
    def run(folder: Path, /, **named: Any) -> int:
        options, is_alone = named.pop("options"), named.pop("is_alone")
        del named["chosen"]
        return command(Place(folder, options, is_alone), **named)

    return run


# ---- what a customer does


@click.command(short_help="The customer enables the skill.")
@with_place
def enable(place: Place, *, as_json: bool) -> int:
    """The customer enables the skill in the Alexa app.

    \b
      python -m tools.simulator enable
    """
    with place.playing() as (playing, _):
        playing.act("enable")
        return show_card(playing, as_json=as_json)


@click.command(short_help="The customer links an account.")
@click.option("--as", "account", type=click.Choice(list(CUSTOMERS)), default=None, help="Whose account. [default: the customer's own]")
@click.option("--password", default=None, metavar="TEXT", help="What is typed on the login page. [default: the right one]")
@with_place
def link(place: Place, *, account: str | None, password: str | None, as_json: bool) -> int:
    """The customer signs in on the login page, without a browser, and Alexa gets tokens.

    Exit code 1 where it fails, with the step, the cause, and what mends it.

    \b
      python -m tools.simulator link
      python -m tools.simulator link --as carlos
      python -m tools.simulator link --skill-url https://example.com/skill --linking account-linking.json
    """
    with place.playing() as (playing, is_alone):
        if is_alone:
            do_first(playing, "enable")
        playing.act("link", account=account or "", **({} if password is None else {"password": password}))
        return show_card(playing, as_json=as_json)


@click.command(short_help="The customer says something; what Alexa answers.")
@click.argument("words", nargs=-1, required=True, metavar="WORDS")
@click.option("--unlinked", is_flag=True, help="Alone: before an account is linked.")
@with_place
def say(place: Place, *, words: tuple[str, ...], unlinked: bool, as_json: bool) -> int:
    """The customer says WORDS; prints what Alexa answers, its card, and what is wrong with the answer.

    Exit code 1 where Alexa could only apologize.

    \b
      python -m tools.simulator say "open link demo"
      python -m tools.simulator say "what is my email"
      python -m tools.simulator say --unlinked "ask link demo for my name"
    """
    text = " ".join(words)
    with place.playing() as (playing, is_alone):
        if is_alone:
            do_first(playing, "enable", *([] if unlinked else ["link"]))
            text = addressed(playing, text)
        playing.act("say", text=text)
        return show_answer(playing, as_json=as_json)


@click.command(short_help="The customer disables the skill.")
@with_place
def disable(place: Place, *, as_json: bool) -> int:
    """The customer disables the skill in the Alexa app.

    \b
      python -m tools.simulator disable
    """
    with place.playing() as (playing, is_alone):
        if is_alone:
            do_first(playing, "enable", "link")
        playing.act("disable")
        return show_card(playing, as_json=as_json)


def way(name: str, text: str) -> Callable[[Act], Act]:
    return click.option(f"--{name}", "ways", flag_value=OUR_MODES[name], multiple=True, help=text)


@click.command(short_help="How skill events are brought: twice, in another order, late, not at all.")
@way("duplicate", "Each event twice, one after the other.")
@way("reorder", "Held back, and the newest first.")
@way("twice-at-once", "Each event twice at the same moment.")
@way("delay", "Five minutes late.")
@way("lose", "Lost on the way.")
@click.option("--normal", "ways", flag_value=MODES[0], multiple=True, help="Each event once.")
@click.option("--deliver", "delivers", is_flag=True, help="Bring what is held back or waits now.")
@with_place
def events(place: Place, *, ways: tuple[str, ...], delivers: bool, as_json: bool) -> int:
    """How skill events are brought from now on, and what becomes of the mapping table.

    With a simulator running, it is told which way. Alone, a customer enables, links and disables the skill in each of the ways.

    \b
      python -m tools.simulator events --duplicate --reorder
      python -m tools.simulator events --deliver
    """
    with place.playing() as (playing, is_alone):
        if not is_alone and len(ways) > 1:
            raise click.UsageError("a running simulator brings events in one way at a time")
        if not ways and not (delivers and not is_alone):
            raise click.UsageError("in which way? --duplicate, --reorder, --twice-at-once, --delay, --lose or --normal; or --deliver")
        for mode in ways:
            playing.act("plan_delivery", mode=mode)
            if is_alone:
                live_through(playing, mode)
        if delivers and not is_alone:
            playing.act("deliver_held")
        return show_rows(playing, as_json=as_json)


# ---- what a command does before, alone


def do_first(playing: Playing, *acts: str) -> None:
    for name in acts:
        note(f"first: {name}")
        playing.act(name)


def addressed(playing: Playing, text: str) -> str:
    """To the skill by its name, because Alexa knows a question to the skill only so, or in a session."""
    name = str(playing.state()["card"]["invocation_name"])
    if name.casefold() in text.casefold():
        return text
    note(f'said as "ask {name} {text}", because no session is open')
    return f"ask {name} {text}"


def live_through(playing: Playing, mode: str) -> None:
    """A whole customer's life, so short that nothing is brought yet of what is held back; then all of it is."""
    note(f"{mode}: enable, link, {in_words(LIFE)}, disable")
    for name in ("enable", "link"):
        playing.act(name)
    playing.act("move_clock", by=LIFE.total_seconds())
    playing.act("disable")
    playing.act("deliver_held")
