"""Somebody's skill by its URL: a Lambda invoke URL or an HTTPS endpoint; both take the JSON as the body of a POST."""

import json
from types import TracebackType
from typing import Any, Self

import requests

from tools.runtime_emulator import read_answer
from tools.simulator.skill import SkillFailedError

ANSWER_WITHIN_S = 10.0  # longer than Alexa waits, so that what comes too late can be said to have come


class UrlSkill:
    """Any skill that listens there."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = requests.Session()
        self._http.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.close()

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """The skill's answer. Raises SkillFailedError."""
        headers = {"Content-Type": "application/json;charset=UTF-8"}
        try:
            answer = self._http.post(self._url, data=json.dumps(event), headers=headers, timeout=ANSWER_WITHIN_S, allow_redirects=False)
        except requests.RequestException as error:
            raise SkillFailedError(type(error).__name__, f"nobody answered at {self._url.partition('?')[0]}") from error
        return read_answer(answer.status_code, answer.text)
