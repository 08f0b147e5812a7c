"""`python -m tools.demo`: a customer enables, links, talks and disables, on real parts of this machine; ends by itself."""

import argparse
import os
import secrets
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.cognito_accounts import CustomerAccount, sign_up
from tools.in_process import InProcessFunction
from tools.interruption import interruption
from tools.local_aws import REGION, LocalAws
from tools.local_aws import ROOT as AWS_ROOT
from tools.local_stack import LocalStack, deploy, linking_configuration
from tools.mapping_table import StoredLink, stored_links
from tools.runtime_emulator import RuntimeEmulator
from tools.setup import ROOT
from tools.simulator.account_linking import AccountLinking
from tools.simulator.alexa import Alexa
from tools.simulator.answers import Answer
from tools.simulator.clock import SimulatedClock
from tools.simulator.interaction_model import InteractionModel
from tools.simulator.login_page import CustomersBrowser
from tools.simulator.wire import shorten_id
from tools.transcript import Transcript

PARAMETERS = {
    "SkillId": "amzn1.ask.skill.2f7b6c1e-9d04-4c35-8a1b-6e5d40c3a972",
    "VendorId": "M2DEMO0VENDOR",
    "CognitoDomainPrefix": "linked-profile-demo",
}
CUSTOMER = {  # with characters that speech, forms and JSON must each escape in their own way
    "given_name": "Anna & Ben",
    "family_name": "Smith-O'Neill",
    "email": "anna.smith@example.com",
    "phone_number": "+12065550123",
    "address": "12 <Main> Street, Seattle",
}
PAUSE = timedelta(minutes=20)  # between the conversation and the disabling, on Alexa's clock


class StoryError(Exception):
    """The skill did something else than the story needs; the message says what was expected."""


@dataclass(frozen=True)
class Stage:
    """Everything that runs, and the customer in front of it."""

    aws: LocalAws
    stack: LocalStack
    account: CustomerAccount
    account_id: str
    alexa: Alexa
    browser: CustomersBrowser
    transcript: Transcript


def main(arguments: list[str]) -> int:
    """Exit 0 when the story went as it should, 1 with a line on stderr when not, 128 + the signal's number when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("--in-process", action="store_true", default=sys.platform != "linux", help="without Lambda's runtime")
    options = parser.parse_args(arguments)
    interruption.install()
    started, transcript = time.monotonic(), Transcript(interruption.check)
    try:
        with ExitStack() as stack:
            stage = set_up(stack, transcript, in_process=options.in_process)
            with interruption.at_once():
                play(stage)
        took = f"It took {time.monotonic() - started:.1f} s."
        transcript.line(f"\nThe story went as it should, and everything that was started is stopped again. {took}")
    except SystemExit as interrupted:
        return say_why("interrupted", int(str(interrupted.code)))
    except Exception as error:  # noqa: BLE001  (whatever it was: one line, and everything is stopped by now)
        return say_why(f"{type(error).__name__}: {error}", 1)
    return 0


def say_why(text: str, code: int) -> int:
    print(f"demo: {' '.join(text.split())}. Everything that was started is stopped again.", file=sys.stderr)
    return code


def set_up(stack: ExitStack, transcript: Transcript, *, in_process: bool) -> Stage:
    """Starts all parts; `stack` stops them."""
    transcript.line("Linked Profile on this machine: real parts, and every value below is what one of them answered.\n", "bold")
    with transcript.progress("starting ministack, the AWS of this machine, with IAM enforced"):
        aws = stack.enter_context(LocalAws(enforce_iam=True))
    with transcript.progress("deploying template.yaml through CloudFormation"), interruption.at_once():
        local_stack = deploy(aws, PARAMETERS)
    account = CustomerAccount(**CUSTOMER, password=f"Aa1!{secrets.token_urlsafe(9)}")
    with transcript.progress("signing a customer up in the Cognito user pool"), interruption.at_once():
        account_id = sign_up(aws, local_stack.outputs["UserPoolId"], account)
    function = InProcessFunction(local_stack) if in_process else RuntimeEmulator(local_stack)
    with transcript.progress(f"starting {'the function in this process' if in_process else 'the Lambda runtime emulator'}"):
        stack.enter_context(function)
    alexa = Alexa(
        function,
        local_stack.skill_id,
        InteractionModel.load(ROOT / "interaction_models" / "en-US.json"),
        AccountLinking(linking_configuration(aws, local_stack), transcript.message),
        clock=SimulatedClock(-PAUSE),
        listener=transcript.message,
    )
    browser = CustomersBrowser(account.email, account.password, transcript.message)
    return Stage(aws, local_stack, account, account_id, alexa, browser, transcript)


def play(stage: Stage) -> None:
    """The story, act by act. Raises StoryError where the skill leaves it."""
    user_id = enable(stage)
    open_unlinked(stage)
    link(stage, user_id)
    talk(stage)
    expect(rows(stage, user_id)[0].get("EndDatetime") is None, "the row to be open still", "a closed one")
    disable(stage, user_id)
    ask_who_it_was(stage, user_id)


def enable(stage: Stage) -> str:
    stage.transcript.act("The customer enables the skill")
    user_id = stage.alexa.enable()
    expect_delivered(stage)
    stage.transcript.rows(found := rows(stage, user_id))
    expect(not found, "no row, because enabling is not linking", f"{len(found)} rows")
    return user_id


def open_unlinked(stage: Stage) -> None:
    stage.transcript.act("… and opens it, before an account is linked")
    answer = stage.alexa.launch()
    expect(answer.card_type == "LinkAccount", "a LinkAccount card for an unlinked customer", answer.speech or "no card")


def link(stage: Stage, user_id: str) -> None:
    stage.transcript.act("The customer links an account on the hosted login page")
    stage.alexa.link(stage.browser)
    expect_delivered(stage)
    stage.transcript.rows(found := rows(stage, user_id))
    expect(len(found) == 1, "one row for the linked account", f"{len(found)} rows")
    expect(found[0].get("AccountID") == stage.account_id, f"the row to name the account {stage.account_id}", str(found[0]))
    expect("EndDatetime" not in found[0], "the row to be open", str(found[0]))


def talk(stage: Stage) -> None:
    """Launch, the tutorial's four questions, the full profile, stop."""
    account = stage.account
    name = f"{account.given_name} {account.family_name}"
    stage.transcript.act("The customer opens the skill again")
    expect_spoken(stage.alexa.launch(), account.given_name)
    stage.transcript.act("Four questions")
    expect_spoken(stage.alexa.say("what is my name"), name)
    expect_spoken(stage.alexa.say("what is my number"), account.phone_number)
    expect_spoken(stage.alexa.say("what's my address"), account.address)
    expect_spoken(stage.alexa.say("what is my email"), account.email)
    stage.transcript.act("All of it")
    expect_spoken(stage.alexa.say("tell me my full profile"), name, account.phone_number, account.email, account.address)
    stage.transcript.act("Goodbye")
    answer = stage.alexa.say("stop")
    expect(answer.ends_session and not answer.problem, "a goodbye that ends the session", answer.problem or answer.speech)


def disable(stage: Stage, user_id: str) -> None:
    stage.transcript.act(f"{PAUSE // timedelta(minutes=1)} minutes later on Alexa's clock, the customer disables the skill")
    stage.alexa.clock.move_on(PAUSE)
    stage.alexa.disable()
    expect_delivered(stage)
    stage.transcript.rows(found := rows(stage, user_id))
    expect(len(found) == 1 and "EndDatetime" in found[0], f"the row of {shorten_id(user_id)} to be closed", str(found))


def ask_who_it_was(stage: Stage, user_id: str) -> None:
    """The operator's command, as it would be typed: before, during and after the link."""
    stage.transcript.act("Amazon asks about this user id: the operator looks up who it was, before, during and after")
    (row,) = rows(stage, user_id)
    start, end = (datetime.fromisoformat(str(row[name])) for name in ("StartDatetime", "EndDatetime"))
    moments = {start - PAUSE: 1, start + (end - start) / 2: 0, end + PAUSE: 1}
    for moment, code in moments.items():
        at = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        stage.transcript.line(f"$ python -m tools.customers who {shorten_id(user_id)} --at {at}", "bold")
        answer = customers_command(stage, "who", user_id, "--at", at)
        stage.transcript.line(answer.stdout.rstrip().replace(user_id, shorten_id(user_id)))
        expect(answer.returncode == code, f"exit code {code}", f"{answer.returncode} {answer.stderr.strip()}")
        expect(
            (stage.account_id in answer.stdout) is (code == 0), f"the account {stage.account_id} while it was linked, only", answer.stdout
        )


def customers_command(stage: Stage, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """On the local table, with nothing of the developer's own AWS configuration, and the audit line kept with the rest."""
    log = str(stage.aws.folder / "customers-audit.jsonl")
    command = [sys.executable, "-m", "tools.customers", *arguments, "--table", stage.stack.table, "--audit-log", log]
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    environment = {**os.environ, **nowhere, **AWS_ROOT, "AWS_ENDPOINT_URL": stage.aws.url, "AWS_DEFAULT_REGION": REGION}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def rows(stage: Stage, user_id: str) -> list[StoredLink]:
    return stored_links(stage.aws, stage.stack.table, user_id)


def expect(is_so: bool, expected: str, got: str) -> None:  # noqa: FBT001  (reads as a sentence)
    if not is_so:
        raise StoryError(f"expected {expected}; got: {got}")


def expect_spoken(answer: Answer, *values: str) -> None:
    for value in values:
        expect(value in answer.speech, f"Alexa to say {value!r}", answer.problem or answer.speech)


def expect_delivered(stage: Stage) -> None:
    failed = [f"{each.event['request']['type']} failed, {each.because}" for each in stage.alexa.undelivered]
    expect(not failed, "the skill to acknowledge the event", "; ".join(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
