"""What can go wrong, by what the caller should do about it: refuse, give up for good, or try again."""

import json
from collections.abc import Mapping
from typing import Any

CREDENTIAL_ERRORS = frozenset({"EXPIRED_AUTHORIZATION_CREDENTIAL", "INVALID_AUTHORIZATION_CREDENTIAL"})  # Alexa drops the link on these


class RefusedRequestError(Exception):
    """This invocation is none of ours: nothing was written, and the same bytes will be refused again."""


class UnknownShapeError(RefusedRequestError):
    """Neither a request nor a skill event."""


class WrongSkillError(RefusedRequestError):
    """The request names another skill, or none."""


class MalformedRequestError(RefusedRequestError):
    """A part that decides what to do has the wrong type, or the JSON is nested deeper than any of Alexa's."""


class SignatureRefusedError(RefusedRequestError):
    """This HTTPS request is not proven to be Alexa's. `reason` is a word for the log, and holds nothing of the request."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CertificatesUnavailableError(Exception):
    """Transient: Alexa's certificates could not be fetched, so that an HTTPS request is neither proven nor refuted; `reason` is a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderError(Exception):
    """`reason` is a word that is stored and logged, so it never holds anything of the token or of the customer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenRejectedError(ProviderError):
    """Permanent: this access token will never be good. Only proof raises it, because it makes the customer link again."""


class TokenExpiredError(TokenRejectedError):
    """Permanent, and not the customer's doing: the token was ours and its time is over."""


class TokenUnprovenError(TokenRejectedError):
    """Opens no account, and no retry helps, but nothing is proven against it: who says nothing of a subject or a client may be broken."""


class ProviderUnavailableError(ProviderError):
    """Transient: the identity provider is down, slow, throttling or talking nonsense; the token may be perfectly good."""


class ProviderMisconfiguredError(ProviderError):
    """Ours to mend, not the customer's: a missing scope, a wrong URL, a token whose audience cannot be proven."""


class GrantRefusedError(ProviderError):
    """Permanent: Login with Amazon will never again give a token for this code or refresh token; only a new grant helps."""


class TableUnavailableError(Exception):
    """Transient: DynamoDB, or what a table's secrets depend on (KMS, Secrets Manager), did not do what was asked, or time was up."""


class DeviceError(Exception):
    """Device code's own refusal, in a word that Alexa knows: ENDPOINT_UNREACHABLE, INVALID_VALUE, and for Alexa.Video NOT_SUBSCRIBED.

    `message` goes to Alexa; `details` are what some types carry besides (`validRange`). A credential error is not a device's to
    answer, because it unlinks the customer: asking for one is a ValueError, and so is what cannot be said in JSON (or a TypeError).
    """

    def __init__(self, error_type: str, message: str = "", *, namespace: str = "Alexa", details: Mapping[str, Any] | None = None) -> None:
        if error_type in CREDENTIAL_ERRORS:
            raise ValueError(error_type)
        json.dumps([error_type, message, namespace, dict(details or {})], allow_nan=False, ensure_ascii=False).encode()
        super().__init__(error_type)
        self.error_type, self.message, self.namespace, self.details = error_type, message or error_type, namespace, details or {}


class LinkGoneError(Exception):
    """The link that an account was found for is no longer in the table; the handling of its event starts again."""
