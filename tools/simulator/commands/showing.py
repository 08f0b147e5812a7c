"""What a command prints when it is done, for people or as JSON."""

import json
from typing import Any

import click

from tools.simulator.commands.playing import Playing
from tools.simulator.storytelling.transcript import Transcript

FAILED = 1
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON on stdout.")


def show_card(playing: Playing, *, as_json: bool) -> int:
    """Enabled or not, linked or not, and the rows."""
    state = playing.state()
    card = state["card"]
    if as_json:
        return show_json(state, "card", "rows", "pending_events")
    linked = f"linked; its access token is good until {card['token_expires']}" if card["linked"] else "not linked"
    enabled = f"enabled by {card['user_id_short']}, {linked}" if card["enabled"] else "not enabled"
    click.echo(f"{card['skill_name']}: {enabled}")
    return show_rows(playing, as_json=False)


def show_rows(playing: Playing, *, as_json: bool) -> int:
    """The mapping table, and events that the skill has not acknowledged."""
    state = playing.state()
    if as_json:
        return show_json(state, "rows", "pending_events")
    Transcript().rows(state["rows"])
    for event in state["pending_events"]:
        click.echo(f"{event['type']} waits: {event['because']}")
    return 0


def show_json(state: dict[str, Any], *names: str) -> int:
    click.echo(json.dumps({name: state[name] for name in names}))
    return 0


def show_answer(playing: Playing, *, as_json: bool) -> int:
    """The last thing that Alexa said; exit code 1 for an apology."""
    answer = next(each for each in reversed(playing.state()["conversation"]) if each["who"] == "Alexa")
    code = FAILED if answer["problem"] else 0
    if as_json:
        click.echo(json.dumps(answer))
        return code
    click.secho(answer["speech"] or "(says nothing)", bold=True)
    if answer["card"]:
        click.echo(f"card: {answer['card'].get('type')}")
    if answer["problem"]:
        click.secho(f"problem: {answer['problem']}", fg="red")
    show_findings(answer["findings"])
    return code


def show_findings(findings: list[dict[str, Any]]) -> None:
    for finding in findings:
        click.secho(f"{finding['severity']}: {finding['what']} {finding['mend']}", fg="red" if finding["severity"] == "error" else "yellow")
