"""`python -m tools.simulator`: the page, single acts, stories, recorded messages; how each way of failing ends."""

import json
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from tools.interruption import interruption
from tools.setup import ROOT
from tools.simulator import acting
from tools.simulator.acting import FAILED, JSON, show_findings
from tools.simulator.desk import Options, SimulationError
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.page.server import PageServer
from tools.simulator.playing import Place, note, progress
from tools.simulator.running import Running, find_running, noted
from tools.simulator.setting_up import with_options
from tools.simulator.simulation import Simulation
from tools.simulator.stories import Story, StoryResult, find_story, play_story, read_story, shipped_names
from tools.simulator.story_steps import read_message, read_reply
from tools.simulator.story_text import StoryFormatError
from tools.simulator.transcript import Transcript
from tools.simulator.wire import redacted

EXIT_WRONG_USE = 2
FIRST_SIGNAL = 128  # exit codes above it name a signal
STOPPED = "Everything that was started is stopped again."
ENDS_WITHIN_S = 20.0
WAKES_UP_S = 0.2


@click.group(no_args_is_help=True, context_settings={"max_content_width": 120})
@click.option(
    "--folder",
    envvar="SIMULATOR_FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / ".simulator",
    help="Where a running simulator leaves its address. [env: SIMULATOR_FOLDER] [default: .simulator]",
)
@click.pass_context
def simulator(context: click.Context, folder: Path) -> None:
    """Alexa's side of a skill with account linking, on this machine: enabling, linking, talking, skill events, the mapping table.

    \b
      python -m tools.simulator run                       the page, until Ctrl-C
      python -m tools.simulator say "what is my email"    on the running simulator, or on one for this command alone
      python -m tools.simulator story demo                a conversation with expectations

    Exit codes: 0 done, 1 an expectation, the linking or the skill failed, 2 wrong use, 130 interrupted.
    """
    context.obj = folder
    if os.environ.get("NO_COLOR"):
        context.color = False


@simulator.command(short_help="The simulator's page, until Ctrl-C.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Of the page, on 127.0.0.1. [default: a free one]")
@click.option("--fresh", is_flag=True, help="Stop the one that is running, and start anew.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
@with_options
@click.pass_obj
def run(folder: Path, options: Options, chosen: dict[str, str], *, port: int, fresh: bool, no_open: bool) -> int:
    """Starts the simulator and serves its page until Ctrl-C; prints one line, the page's URL. All state ends with it.

    One at a time: where one is running already, its URL is printed, and that is all.

    \b
      python -m tools.simulator run
      python -m tools.simulator run --provider lwa --port 8800 --fresh
      python -m tools.simulator run --skill-url https://example.com/skill --skill-id amzn1.ask.skill.… --models models
    """
    running = find_running(folder)
    if running and not fresh:
        note("a simulator is running already, with options of its own; --fresh starts another in its place")
        click.echo(running.url)
        return 0
    if running:
        stop(running, folder)
    with ExitStack() as stack:
        simulation = stack.enter_context(Simulation(options, progress=progress))
        page = stack.enter_context(PageServer(simulation, port))
        stack.enter_context(noted(folder, page.url))
        stack.enter_context(simulation.ticking())
        interruption.check()
        click.echo(page.url)
        if not no_open:
            open_page(page.url)
        with suppress(SystemExit):
            wait_for_interruption()
    note(f"Stopped. {STOPPED}")
    return 0


def wait_for_interruption() -> NoReturn:
    """Raises SystemExit. Any thread may be the one that takes a signal; Python tells the main one only when that wakes up."""
    never = threading.Event()
    while True:
        interruption.check()
        never.wait(WAKES_UP_S)


def stop(running: Running, folder: Path) -> None:
    """Raises SimulationError where it does not end."""
    note(f"stopping the simulator at {running.url}")
    with suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    is_gone = threading.Event()
    for _ in range(int(ENDS_WITHIN_S / 0.1)):
        interruption.check()
        if find_running(folder) != running:
            return
        is_gone.wait(0.1)
    raise SimulationError(f"the simulator at {running.url} does not end; its process is {running.pid}")


def open_page(url: str) -> None:
    """For a person at a screen only."""
    has_screen = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if has_screen and sys.stdout.isatty():
        webbrowser.open(url)


@simulator.command(short_help="Conversations with expectations, from YAML files.")
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


@simulator.command(short_help="Sends a recorded message to the skill.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="MESSAGE.json")
@click.option("--as-our-skill", is_flag=True, help="With the simulated skill's id in the place of the message's own, which is refused.")
@acting.with_place
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


for command in acting.COMMANDS:
    simulator.add_command(command)


def main(arguments: Sequence[str]) -> int:
    """The exit code. Whatever goes wrong is one line, never a traceback, and all is stopped by then."""
    interruption.install()
    try:
        code = simulator.main(list(arguments), prog_name="python -m tools.simulator", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return EXIT_WRONG_USE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more when it exits
        return FAILED
    except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever it was: one line, and everything is stopped by now)
        text, code = explain(error)
        if text:
            click.echo(f"Error: {' '.join(text.split())}", err=True)
        return code


def explain(error: BaseException) -> tuple[str, int]:
    """In one line, and the exit code; no line where nobody reads any more, which rich makes an exit of."""
    match error:
        case SystemExit():
            code = int(str(error.code))
            return f"interrupted. {STOPPED}" if code > FIRST_SIGNAL else "", code
        case SimulationError() | StoryFormatError():
            return str(error), EXIT_WRONG_USE
        case AccountLinkingError():
            return f"linking failed at this step: {error.step}. {error}", FAILED
        case _:
            return f"{type(error).__name__}: {str(error).rstrip('.')}. {STOPPED}", FAILED
