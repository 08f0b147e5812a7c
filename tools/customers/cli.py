"""The group of commands, and how each way of failing ends: one line on stderr and an exit code."""

import os
import sqlite3
import sys
from collections.abc import Sequence

import click
from botocore.exceptions import BotoCoreError, ClientError

from linked_profile.errors import TableUnavailableError
from tools.customers.assigning import assign
from tools.customers.erasing import erase
from tools.customers.errors import EXIT_WRONG_USE, explain
from tools.customers.export import export
from tools.customers.importing import import_rows
from tools.customers.lookup import lookup
from tools.customers.repair import repair
from tools.customers.session import Surroundings
from tools.customers.who import account, history, who

EXIT_INTERRUPTED = 130


@click.group(no_args_is_help=True, context_settings={"max_content_width": 120})
def customers() -> None:
    """Which of your customers an Amazon user id was, and when.

    \b
      python -m tools.customers who amzn1.ask.account.AHVQ… --at 2026-03-14 --stack my-skill
      python -m tools.customers lookup IN.csv OUT.csv --stack my-skill

    Exit codes: 0 known or done, 1 none, 2 wrong use (also: no credentials, no such table, a file that cannot be read),
    3 linked but account not known, 130 interrupted.
    """


for command in (who, history, account, lookup, assign, export, import_rows, erase, repair):
    customers.add_command(command)


def main(arguments: Sequence[str], surroundings: Surroundings | None = None) -> int:
    """The exit code. Whatever goes wrong outside this program is one line, never a traceback."""
    try:
        code = customers.main(list(arguments), prog_name="python -m tools.customers", standalone_mode=False, obj=surroundings)
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as error:
        return complain(error)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; started again, the command goes on or begins anew, and nothing is half done", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more when it exits
        return EXIT_WRONG_USE
    except (BotoCoreError, ClientError, OSError, sqlite3.Error, TableUnavailableError) as error:
        click.echo(f"Error: {explain(error)}", err=True)
        return EXIT_WRONG_USE


def complain(error: click.ClickException) -> int:
    """click's own words, always with our code for wrong use: a file that cannot be opened would be 1, which means none."""
    error.show()
    return EXIT_WRONG_USE
