"""Every JSON input gives a valid answer or a named refusal, and a refused input writes nothing."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linked_profile.errors import MalformedRequestError, RefusedRequestError, UnknownShapeError, WrongSkillError
from tests.conftest import MESSAGES, SKILL_ID, Skill, message
from tests.in_memory_table import InMemoryTable

REPLACEMENTS: list[Any] = [None, "", "x", 0, -1, 1.5, True, [], ["a"], {}, {"a": {"b": []}}, "\ud800"]
NAMES = sorted(path.stem for path in Path(MESSAGES).glob("*.json"))


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    for key, child in children:
        yield from nodes(child, (*path, key))


def mutants(event: Any) -> Iterator[Any]:
    """The event with each node replaced by each value, and once taken away."""
    for *parents, last in nodes(event):
        for replacement in [*REPLACEMENTS, ...]:
            mutant = copy.deepcopy(event)
            holder = mutant
            for key in parents:
                holder = holder[key]
            if replacement is ...:
                del holder[last]
            else:
                holder[last] = replacement
            yield mutant


def is_valid(answer: Any) -> bool:
    """As Alexa would judge the shape: serialisable, SSML or nothing, and no question on a closed session."""
    response = json.loads(json.dumps(answer, allow_nan=False))["response"]
    speaks = "outputSpeech" not in response or response["outputSpeech"]["ssml"].startswith("<speak>")
    asks_and_ends = "reprompt" in response and response["shouldEndSession"]
    return answer["version"] == "1.0" and speaks and not asks_and_ends


@pytest.mark.parametrize("name", NAMES)
def test_every_mutated_node_gets_an_answer_or_a_named_refusal(build_skill: Any, anna: str, name: str) -> None:
    skill = build_skill(table := InMemoryTable())
    skill(message("launch", token=anna))  # the profile is cached, so that the mutants ask the provider for little
    for mutant in mutants(message(name, token=anna)):
        table.calls.clear()
        try:
            assert is_valid(skill.handler(mutant, None)), mutant
        except RefusedRequestError:
            assert table.calls == [], mutant


@pytest.mark.parametrize("event", [None, [], "text", 5, {}, {"directive": {}}, {"header": {}, "payload": {}}, {"Records": []}])
def test_refuses_what_is_no_request(skill: Skill, event: Any) -> None:
    with pytest.raises(UnknownShapeError):
        skill(event)


@pytest.mark.parametrize(
    "application", [{"applicationId": "amzn1.ask.skill.another"}, {"applicationId": None}, {"applicationId": [SKILL_ID]}, {}, None]
)
@pytest.mark.parametrize("name", ["launch", "skill_account_linked", "skill_disabled"])
def test_refuses_another_skills_request_and_writes_nothing(skill: Skill, anna: str, name: str, application: Any) -> None:
    event = message(name, token=anna)
    event["context"]["System"]["application"] = application
    with pytest.raises((WrongSkillError, MalformedRequestError)):
        skill(event)
    assert skill.table.calls == []


def test_refuses_when_session_and_context_name_different_skills(skill: Skill) -> None:
    event = message("launch")
    event["session"]["application"]["applicationId"] = "amzn1.ask.skill.another"
    with pytest.raises(WrongSkillError):
        skill(event)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [65, 3_000])
def test_refuses_json_nested_over_64_levels(skill: Skill, anna: str, opening: str, depth: int) -> None:
    event = message("skill_account_linked", token=anna)
    nested: Any = 1
    for _ in range(depth):
        nested = [nested] if opening == "[" else {"a": nested}
    event["request"]["extra"] = nested
    with pytest.raises(MalformedRequestError):
        skill.handler(event, None)
    assert skill.table.calls == []


def test_ignores_and_never_stores_a_megabyte_of_unknown_fields(skill: Skill, anna: str) -> None:
    event = message("skill_account_linked", token=anna)
    event["request"]["padding"] = ["x" * 1000] * 1000
    skill(event)
    assert len(str(skill.table.rows())) < 2000
