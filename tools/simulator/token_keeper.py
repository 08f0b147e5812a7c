"""A customer's tokens at Alexa: kept, refreshed before they die, and dropped where they are worth nothing any more."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tools.simulator.account_linking import AccountLinking, AccountLinkingError, RefreshRefusedError, Tokens
from tools.simulator.clock import SimulatedClock
from tools.simulator.known_secrets import KnownSecrets
from tools.simulator.wire import ALEXA, CUSTOMER, Listener, Message

RELINK = "Your account's link has expired. Open the Alexa app to link it again."
REFRESH_AHEAD = timedelta(minutes=1)  # Alexa sends no token that is about to die on the way


class TokenKeeper:
    """Empty until an account is linked."""

    def __init__(self, linking: AccountLinking | None, clock: SimulatedClock, listener: Listener, known: KnownSecrets) -> None:
        self._linking, self._clock, self._listener, self._known = linking, clock, listener, known
        self._tokens: Tokens | None = None
        self.expires: datetime | None = None  # None while no account is linked

    @property
    def access_token(self) -> str | None:
        return self._tokens.access_token if self._tokens else None

    def keep(self, tokens: Tokens) -> None:
        """In the place of all others."""
        self._known.add(tokens.access_token, tokens.refresh_token)
        self._tokens, self.expires = tokens, self._clock.now() + timedelta(seconds=tokens.life_s)

    def forget(self) -> None:
        """The customer has disabled the skill."""
        self._tokens = self.expires = None

    def drop(self, cause: str, mend: str) -> None:
        """They are worth nothing any more; the customer is asked to link again."""
        self.forget()
        self._tell("drops the tokens and notifies the customer", {"says": RELINK}, cause, mend)

    def refresh(self) -> bool:
        """Before a request, and only if need be; a refused refresh costs the link, and an outage only this request its token: False."""
        if self._tokens is None or self.expires is None or self._linking is None or self._clock.now() + REFRESH_AHEAD < self.expires:
            return True
        try:
            self.keep(self._linking.refresh(self._tokens))
        except RefreshRefusedError as error:
            self.drop(error.cause, error.mend)
        except AccountLinkingError as error:
            self._tell("has no token for this request", {}, error.cause, error.mend)
            return False
        return True

    def _tell(self, text: str, details: Mapping[str, str], cause: str, mend: str) -> None:
        self._listener(Message(ALEXA, CUSTOMER, text, details, "failed", cause, mend))
