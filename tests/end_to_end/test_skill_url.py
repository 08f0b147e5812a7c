"""Somebody else's skill by its URL: a small one on the ASK SDK, with a model of its own, linked through Login with Amazon here."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ask_sdk_core.skill_builder import SkillBuilder
from ask_sdk_core.utils import is_request_type
from ask_sdk_model.ui import LinkAccountCard

from tests.end_to_end.started_programs import left_in, leftovers, run_simulator

SKILL_ID = "amzn1.ask.skill.11111111-2222-3333-4444-555555555555"
MODEL = {
    "interactionModel": {
        "languageModel": {
            "invocationName": "tea time",
            "intents": [
                {"name": "BrewIntent", "slots": [], "samples": ["brew a pot", "make tea"]},
                {"name": "AMAZON.StopIntent", "samples": []},
            ],
            "types": [],
        }
    }
}
STORY = """
story: Tea, for customers only
steps:
  - enable:
  - say: ask tea time to brew a pot
    expect: {card: LinkAccount, speech: Link first}
  - link: {as: emi, password: wrong, fails: did not let the customer in}
  - link: emi
    expect: {linked: true, rows: []}  # the mapping table is not this skill's
  - say: ask tea time to make tea
    expect: {speech: Tea is ready, card: none, findings: none}
  - disable:
"""


def build_skill() -> Any:
    """Ten lines, as a stranger would write them."""
    builder = SkillBuilder()

    @builder.request_handler(can_handle_func=is_request_type("IntentRequest"))
    def brew(handler_input: Any) -> Any:
        if handler_input.request_envelope.context.system.user.access_token is None:
            return handler_input.response_builder.speak("Link first.").set_card(LinkAccountCard()).set_should_end_session(True).response
        return handler_input.response_builder.speak("Tea is ready.").set_should_end_session(True).response

    @builder.request_handler(can_handle_func=lambda handler_input: handler_input.request_envelope.request.object_type.startswith("Alexa"))
    def acknowledge(handler_input: Any) -> Any:
        return handler_input.response_builder.response

    return builder.lambda_handler()


@contextmanager
def served(handler: Any) -> Iterator[str]:
    """Over HTTP, as a Lambda function URL would be."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = json.dumps(handler(json.loads(self.rfile.read(int(self.headers["Content-Length"]))), None)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/skill"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(build_skill()) as address:
        yield address


@pytest.fixture
def stranger(url: str, tmp_path: Path) -> tuple[str, ...]:
    """The options of this skill."""
    folder = tmp_path / "note"
    folder.mkdir()
    (folder / "en-US.json").write_text(json.dumps(MODEL))
    (folder / "tea.yaml").write_text(STORY)
    return ("--skill-url", url, "--skill-id", SKILL_ID, "--models", str(folder))


def test_a_story_goes_as_it_should_when_the_skill_is_not_ours(stranger: tuple[str, ...], tmp_path: Path) -> None:
    played = run_simulator(tmp_path, "story", str(tmp_path / "note" / "tea.yaml"), *stranger)
    assert (played.returncode, played.stderr) == (0, "")
    assert "“Tea is ready.”" in played.stdout
    assert "ministack" not in played.stdout
    assert (leftovers(tmp_path), left_in(tmp_path)) == ([], [])


def test_the_skill_answers_when_a_message_is_replayed_to_it(stranger: tuple[str, ...], tmp_path: Path) -> None:
    message = Path(__file__).parents[1] / "messages" / "hello.json"
    played = run_simulator(tmp_path, "replay", str(message), *stranger, "--as-our-skill", "--json")
    assert (played.returncode, "Tea is ready." in played.stdout) == (0, True)


def test_one_line_says_so_when_nobody_answers_there(stranger: tuple[str, ...], tmp_path: Path) -> None:
    nobody = ("--skill-url", "http://127.0.0.1:9/skill", *stranger[2:])
    said = run_simulator(tmp_path, "say", "ask tea time to make tea", "--unlinked", *nobody)
    assert said.returncode == 1
    assert "nobody answered at http://127.0.0.1:9/skill" in said.stdout
