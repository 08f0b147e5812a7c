"""Stories, and recorded messages."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from tools.interruption import interruption
from tools.simulator.commands.acting import with_place
from tools.simulator.commands.playing import STOPPED, Place
from tools.simulator.commands.setting_up import with_options
from tools.simulator.commands.showing import FAILED, JSON, show_findings
from tools.simulator.desk import Options, SimulationError
from tools.simulator.storytelling.look_ups import read_message, read_reply
from tools.simulator.storytelling.stories import Story, StoryResult, find_story, play_story, read_story, shipped_names
from tools.simulator.storytelling.transcript import Transcript
from tools.simulator.wire import redacted


@click.command(short_help="Conversations with expectations, from YAML files.")
@click.argument("stories", nargs=-1, required=True, metavar="STORY…")
@click.option("--quiet", is_flag=True, help="One line for each story, without the transcript.")
@JSON
@with_options
def story(options: Options, chosen: dict[str, str], *, stories: tuple[str, ...], quiet: bool, as_json: bool) -> int:
    """Plays each STORY, a YAML file or one of this project's own, on a simulator of its own.

    Exit code 1 where an expectation fails, with a line for each that names file and line. README has the format.

    \b
      python -m tools.simulator story demo
      python -m tools.simulator story my_stories/*.yaml --quiet
      python -m tools.simulator story relink --provider lwa --in-process --json
    """
    told = [read_story(find_story(name)) for name in stories]  # all of them, before the first is played
    transcript = Transcript(interruption.check, is_silent=quiet or as_json)
    results = [play(each, options, chosen, transcript, quiet=quiet and not as_json) for each in told]
    if as_json:
        click.echo(json.dumps([result.as_json() for result in results]))
    return FAILED if any(result.complaints for result in results) else 0


def play(story: Story, options: Options, chosen: dict[str, str], transcript: Transcript, *, quiet: bool) -> StoryResult:
    """With its complaints on stderr as soon as it has ended."""
    transcript.begin(f"{story.title}\n")
    result = play_story(story, story.options(options, chosen), transcript, interruption.at_once)
    for complaint in result.complaints:
        click.secho(f"{complaint.rstrip('.')}. {STOPPED}", err=True, fg="red")
    if quiet:
        click.echo(f"{'failed' if result.complaints else 'passed'}  {story.file}  {result.took_s:.1f} s")
        sys.stdout.flush()
    if not result.complaints:
        transcript.line(f"\nThe story went as it should, and everything that was started is stopped again. It took {result.took_s:.1f} s.")
    return result


story.epilog = f"This project's own stories: {', '.join(shipped_names())}."


@click.command(short_help="Sends a recorded message to the skill.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="MESSAGE.json")
@click.option("--as-our-skill", is_flag=True, help="With the simulated skill's id in the place of the message's own, which is refused.")
@with_place
def replay(place: Place, *, file: Path, as_our_skill: bool, as_json: bool) -> int:
    """Sends a recorded request, event or directive as it is; prints the skill's JSON, and what Alexa would find wrong with it.

    \b
      python -m tools.simulator replay tests/messages/launch.json --as-our-skill
      python -m tools.simulator replay MESSAGE.json --skill-url https://example.com/skill
    """
    try:
        message = read_message(file)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if as_our_skill:
        message = with_skill_id(message, place.options.skill_id)
    with place.playing() as (playing, _):
        try:
            reply = playing.act("replay", message=message)
        except SimulationError as error:  # the skill failed; Alexa would apologize, or bring an event again
            click.echo(f"Error: {error}", err=True)
            return FAILED
    click.echo(json.dumps(redacted(reply), ensure_ascii=False, indent=None if as_json else 2))
    answer = read_reply(reply)
    if not as_json:
        show_findings([{"severity": each.severity, "what": each.what, "mend": each.mend} for each in answer.findings])
    return FAILED if answer.problem else 0


def with_skill_id(message: dict[str, Any], skill_id: str) -> dict[str, Any]:
    """Wherever the message names an application."""

    def renamed(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: renamed(part, key) for key, part in value.items()}
        if isinstance(value, list):
            return [renamed(part) for part in value]
        return skill_id if name == "applicationId" else value

    return dict(renamed(message))
