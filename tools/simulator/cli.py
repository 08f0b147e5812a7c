"""The group of commands, and how each way of failing ends: one line on stderr and an exit code."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tools.interruption import interruption
from tools.setup import ROOT
from tools.simulator.commands import acting, adjusting, serving, telling
from tools.simulator.commands.playing import STOPPED
from tools.simulator.commands.showing import FAILED
from tools.simulator.desk import SimulationError
from tools.simulator.linking_errors import AccountLinkingError
from tools.simulator.storytelling.story_text import StoryFormatError

EXIT_WRONG_USE = 2
FIRST_SIGNAL = 128  # exit codes above it name a signal


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


CUSTOMER = (acting.enable, acting.link, acting.say, acting.disable, acting.events)
for command in (serving.run, *CUSTOMER, *adjusting.SETTINGS, adjusting.status, telling.story, telling.replay):
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
