"""What can go wrong, by what the caller should do about it: refuse, give up for good, or try again."""


class RefusedRequestError(Exception):
    """This invocation is none of ours: nothing was written, and the same bytes will be refused again."""


class UnknownShapeError(RefusedRequestError):
    """Neither a request nor a skill event."""


class WrongSkillError(RefusedRequestError):
    """The request names another skill, or none."""


class MalformedRequestError(RefusedRequestError):
    """A part that decides what to do has the wrong type, or the JSON is nested deeper than any of Alexa's."""


class ProviderError(Exception):
    """`reason` is a word that is stored and logged, so it never holds anything of the token or of the customer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenRejectedError(ProviderError):
    """Permanent: this access token will never be good. Only proof raises it, because it makes the customer link again."""


class ProviderUnavailableError(ProviderError):
    """Transient: the identity provider is down, slow, throttling or talking nonsense; the token may be perfectly good."""


class ProviderMisconfiguredError(ProviderError):
    """Ours to mend, not the customer's: a missing scope, a wrong URL, a token whose audience cannot be proven."""


class TableUnavailableError(Exception):
    """Transient: DynamoDB did not do what was asked, or there was no time left to ask."""


class LinkGoneError(Exception):
    """The link that an account was found for is no longer in the table; the handling of its event starts again."""
