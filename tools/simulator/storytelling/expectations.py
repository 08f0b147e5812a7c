"""Which expectations there are, by the names that a story uses."""

from collections.abc import Mapping

from tools.simulator.storytelling import answers_expected, rows_expected, state_expected
from tools.simulator.storytelling.seen import Read

STATE: Mapping[str, Read] = {
    "rows": rows_expected.rows,
    "user_ids": rows_expected.user_ids,
    "undelivered": state_expected.undelivered,
    "enabled": state_expected.enabled,
    "linked": state_expected.linked,
    "session": state_expected.session,
    "devices": state_expected.devices,
    "wire": state_expected.wire,
    "not_wire": state_expected.not_wire,
}
ANSWER: Mapping[str, Read] = {
    "speech": answers_expected.speech,
    "not_speech": answers_expected.not_speech,
    "card": answers_expected.card,
    "reprompt": answers_expected.reprompt,
    "ends_session": answers_expected.ends_session,
    "within": answers_expected.within,
    "findings": answers_expected.findings,
    "problem": answers_expected.problem,
}
LOOK_UP: Mapping[str, Read] = {"code": rows_expected.code, "account": rows_expected.account, "says": rows_expected.says}
