"""What the stand-in remembers: its clients and customers, the codes it gave out, and the tokens that were made of them."""

import secrets
import string
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

CODE_LIFE_S = 300
ACCESS_TOKEN_BYTES, REFRESH_TOKEN_BYTES = 288, 288  # in Base64: 384 characters, and Amazon's are 350 to 2048


def _new_id(prefix: str, length: int) -> str:
    return prefix + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(length))


@dataclass(frozen=True)
class Client:
    """A security profile in the developer console, or the skill's messaging client, which has no redirect URL."""

    name: str
    redirect_urls: tuple[str, ...] = ()
    client_id: str = field(default_factory=lambda: f"amzn1.application-oa2-client.{secrets.token_hex(16)}")
    client_secret: str = field(default_factory=lambda: f"amzn1.oa2-cs.v1.{secrets.token_hex(32)}", repr=False)


@dataclass(frozen=True)
class Customer:
    """Somebody with an Amazon account; `user_id` is what every client of one developer gets to see of it."""

    email: str
    password: str = field(repr=False)
    name: str = ""
    postal_code: str = ""
    user_id: str = field(default_factory=lambda: _new_id("amzn1.account.", 28))


@dataclass(frozen=True)
class Consent:
    """What a customer let a client have. One sign-in is one consent; all of its tokens end together."""

    client_id: str
    customer: Customer
    scope: str
    ends: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)


@dataclass(frozen=True)
class Code:
    """An authorization code; `redirect_url` is empty where Alexa brings it to the skill itself, with AcceptGrant."""

    consent: Consent
    expires_at: float
    redirect_url: str = ""
    code_challenge: str = ""


@dataclass(frozen=True)
class AccessToken:
    """Times in epoch seconds."""

    consent: Consent
    issued_at: float
    expires_at: float


class Ledger:
    """Safe from many threads: of two who bring the same code at once, one is late."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self.clients: dict[str, Client] = {}
        self._customers: dict[str, Customer] = {}
        self._codes: dict[str, Code] = {}
        self._used_codes: dict[str, Consent] = {}
        self._access_tokens: dict[str, AccessToken] = {}
        self._refresh_tokens: dict[str, Consent] = {}
        self._replaced: dict[str, Consent] = {}  # refresh tokens that a newer one stands for

    def add_customer(self, customer: Customer) -> None:
        with self._lock:
            self._customers[customer.email.casefold()] = customer

    def sign_in(self, email: str, password: str) -> Customer | None:
        customer = self._customers.get(email.strip().casefold())
        is_right = secrets.compare_digest((customer.password if customer else "").encode(), password.encode())
        return customer if is_right else None

    def customer(self, user_id: str) -> Customer:
        """Raises LookupError."""
        found = [customer for customer in tuple(self._customers.values()) if customer.user_id == user_id]
        if not found:
            raise LookupError(f"no customer has the user id {user_id}")
        return found[0]

    # ---- codes

    def add_code(self, consent: Consent, redirect_url: str = "", code_challenge: str = "") -> str:
        code = _new_id("AN", 18)
        with self._lock:
            self._codes[code] = Code(consent, self._clock() + CODE_LIFE_S, redirect_url, code_challenge)
        return code

    def use_code(self, value: str, client_id: str) -> Code | None:
        """The code, once, for its own client. Who brings it again may have stolen it, or it was stolen before: its tokens end."""
        with self._lock:
            if value in self._used_codes and self._used_codes[value].client_id == client_id:
                self._used_codes[value].ends.set()
            code = self._codes.get(value)
            if code is None or code.consent.client_id != client_id:
                return None
            self._used_codes[value] = self._codes.pop(value).consent
        return code if self._clock() < code.expires_at and not code.consent.ends.is_set() else None

    # ---- tokens

    def add_access_token(self, consent: Consent, life_s: int) -> str:
        value, now = f"Atza|{secrets.token_urlsafe(ACCESS_TOKEN_BYTES)}", self._clock()
        with self._lock:
            self._access_tokens[value] = AccessToken(consent, now, now + life_s)
        return value

    def access_token(self, value: str) -> AccessToken | None:
        """None when it is unknown, expired or revoked."""
        token = self._access_tokens.get(value)
        is_good = token and not token.consent.ends.is_set() and self._clock() < token.expires_at
        return token if is_good else None

    def has_ended(self, value: str) -> bool:
        """Whether the consent behind this access token is no more; False for a token that only expired, or is unknown."""
        token = self._access_tokens.get(value)
        return token is not None and token.consent.ends.is_set()

    def add_refresh_token(self, consent: Consent) -> str:
        value = f"Atzr|{secrets.token_urlsafe(REFRESH_TOKEN_BYTES)}"
        with self._lock:
            self._refresh_tokens[value] = consent
        return value

    def replace_refresh_token(self, old: str) -> str | None:
        """The new one; None for the later of two who bring the old one at once."""
        with self._lock:
            consent = self._refresh_tokens.pop(old, None)
            if consent is not None:
                self._replaced[old] = consent
        return self.add_refresh_token(consent) if consent else None

    def refresh_consent(self, value: str, client_id: str) -> Consent | None:
        """What a refresh token stands for, asked by its own client; one that was replaced long ago ends all that came of it."""
        with self._lock:
            replaced = self._replaced.get(value)
            if replaced and replaced.client_id == client_id:
                replaced.ends.set()
            consent = self._refresh_tokens.get(value)
        is_good = consent and consent.client_id == client_id and not consent.ends.is_set()
        return consent if is_good else None

    def revoke(self, client_id: str, customer: Customer) -> None:
        """Ends what this customer let this client have so far; what is agreed to later is good."""
        for consent in self._consents():
            if (consent.client_id, consent.customer.user_id) == (client_id, customer.user_id):
                consent.ends.set()

    def revoke_all(self) -> None:
        """As if every customer had removed the client from their account."""
        for consent in self._consents():
            consent.ends.set()

    def _consents(self) -> list[Consent]:
        with self._lock:
            holders = [*self._refresh_tokens.values(), *(token.consent for token in self._access_tokens.values())]
            return [*holders, *(code.consent for code in self._codes.values())]
