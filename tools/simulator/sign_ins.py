"""A customer's sign-ins: the one that is waited for, and those that a newer one has replaced, whose pages may still be open."""

from collections import deque
from collections.abc import Callable

from tools.simulator import linking_diagnosis
from tools.simulator.account_linking import AccountLinking, AccountLinkingError, Browse, PendingLink, Tokens
from tools.simulator.linking_errors import REDIRECT
from tools.simulator.wire import Listener

SUPERSEDED = "this sign-in was begun before another one"
USE_THE_NEWEST = "Sign in on the newest page, or press Link account once more."
REPLACED_KEPT = 5

AcceptGrant = Callable[[str], None]  # takes the access token


class AlexaError(Exception):
    """The customer cannot do that now; the message is one line that says why."""


class SignIns:
    """Each failure is told to the customer and the developer, and raised as AccountLinkingError."""

    def __init__(self, linking: AccountLinking | None, listener: Listener) -> None:
        self._linking, self._listener = linking, listener
        self.pending: PendingLink | None = None
        self._replaced: deque[str] = deque(maxlen=REPLACED_KEPT)  # their states

    def begin(self, region: str) -> str:
        """The page to sign in on. Raises AlexaError."""
        if self._linking is None:
            raise AlexaError("this Alexa was given no linking configuration")
        begun = self._linking.begin(region)
        if self.pending:
            self._replaced.append(self.pending.state)
        self.pending = begun
        return begun.url

    def visit(self, browse: Browse) -> str:
        """Where the page at last sent the customer."""
        linking, pending = self._waiting()
        try:
            return linking.visit(pending, browse)
        except AccountLinkingError as error:
            self.cancel(error)
            raise

    def finish(self, landed_url: str, accept_grant: AcceptGrant | None) -> Tokens:
        """What Alexa got for the code. Raises AlexaError; a page that was replaced leaves the newer sign-in as it is."""
        if self._is_replaced(landed_url):
            error = AccountLinkingError(SUPERSEDED, step=REDIRECT, mend=USE_THE_NEWEST)
            linking_diagnosis.tell(error, self._listener)
            raise error
        linking, pending = self._waiting()
        self.pending = None
        try:
            tokens = linking.finish(pending, landed_url)
            if accept_grant:
                accept_grant(tokens.access_token)
        except AccountLinkingError as error:
            linking_diagnosis.tell(error, self._listener)
            raise
        return tokens

    def cancel(self, error: AccountLinkingError) -> None:
        """Nothing is waited for any more, and this is why."""
        self.pending = None
        linking_diagnosis.tell(error, self._listener)

    def knows(self, landed_url: str) -> bool:
        """Whether a sign-in that was begun here leads there, be it one that another has replaced."""
        return self._is_replaced(landed_url) or bool(self.pending and self.pending.state in landed_url)

    def _is_replaced(self, landed_url: str) -> bool:
        return any(state in landed_url for state in self._replaced)

    def _waiting(self) -> tuple[AccountLinking, PendingLink]:
        if self._linking is None or self.pending is None:
            raise AlexaError("no linking has been begun: press Link account first")
        return self._linking, self.pending
