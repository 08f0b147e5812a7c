"""What the function logs: what came, what became of it, how long it took, and a digest of the user id. Nothing else.

One JSON object a line: Lambda's own formatter (LoggingConfig JSON) puts the `extra` fields at the top level, where the
template's metric filters find `outcome`.
"""

import hashlib
import hmac
import logging
import re

ERRORS = frozenset({"grant_failed", "grant_refused", "provider_misconfigured", "unexpected_error"})
WARNINGS = frozenset(
    {"account_conflict", "event_time_ahead", "event_unusable", "link_unresolved", "observe_failed", "provider_unavailable"}
    | {"request_refused", "request_unreadable", "table_unavailable", "directive_refused", "event_not_sent", "token_rejected"}
    | {"signature_refused", "certificates_unavailable"}
)
# Their DEBUG lines hold whole requests and responses, tokens in query strings included; what fails there reaches us as exceptions.
THIRD_PARTIES = ("ask_sdk_core", "ask_sdk_runtime", "boto3", "botocore", "charset_normalizer", "jwt", "requests", "s3transfer", "urllib3")

_logger = logging.getLogger("linked_profile")


def configure(level: str) -> None:
    """Sets our own level, and keeps the libraries silent at every level."""
    _logger.setLevel(level)
    for name in THIRD_PARTIES:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class OutcomeLog:
    """Writes one line per outcome; its arguments are the complete list of what a line may hold."""

    def __init__(self, skill_id: str) -> None:
        self._key = skill_id.encode()

    def record(
        self, kind: str, outcome: str, *, amazon_user_id: str | None = None, reason: str = "", duration_ms: int | None = None
    ) -> None:
        """`kind` is Alexa's request type, `outcome` one of ours, `reason` a constant or the name of an error class."""
        fields = {
            "kind": printable(kind),
            "outcome": outcome,
            "reason": printable(reason) if reason else None,
            "user": self.digest(amazon_user_id) if amazon_user_id else None,
            "duration_ms": duration_ms,
        }
        level = logging.ERROR if outcome in ERRORS else logging.WARNING if outcome in WARNINGS else logging.INFO
        extra = {name: value for name, value in fields.items() if value is not None}
        _logger.log(level, "%s: %s", extra["kind"], outcome, extra=extra)

    def digest(self, amazon_user_id: str) -> str:
        """The same for the same user id of this skill, and no way back: user ids are long and random, so the key need not be secret."""
        return hmac.new(self._key, amazon_user_id.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]


def printable(word: str) -> str:
    """The word if it is short and plain, else `other`: what comes from outside may try to write lines of its own."""
    return word if re.fullmatch(r"[A-Za-z0-9_.:-]{1,80}", word) else "other"
