"""Whose token a directive carries, by the cheapest proof there is, and never by less.

Cognito's access tokens and most OpenID providers' are signed, so the provider's public keys prove them here, without a call once the keys
are. Whatever that leaves in doubt (a key of a name that is not published, an opaque token, another algorithm) is put to the provider
itself: in doubt nobody is let in, and nobody is unlinked. What a signature cannot say is that the token was revoked since; a skill that
needs to know sets DIRECTIVE_TOKENS=provider.
"""

from collections.abc import Callable
from dataclasses import dataclass

from linked_profile import access_tokens
from linked_profile.access_tokens import Claims
from linked_profile.errors import ProviderMisconfiguredError, TokenRejectedError
from linked_profile.identity_providers import IdentityProvider, cognito_issuers
from linked_profile.outbound import Deadline, Outbound
from linked_profile.settings import Settings
from linked_profile.signing_keys import SigningKeys, discover_key_set

ProveAccount = Callable[[str, Deadline], str]  # raises TokenRejectedError, ProviderUnavailableError or ProviderMisconfiguredError


def build_account_proof(settings: Settings, provider: IdentityProvider, outbound: Outbound, clock: Callable[[], float]) -> ProveAccount:
    """The proof that the settings ask for. `clock` gives epoch seconds."""
    if settings.account_linking == "none":
        return refuse_without_linking
    if settings.identity_provider == "lwa":
        return provider.fetch_account_id  # its tokens are opaque, and it says nothing of scopes
    if settings.directive_tokens == "provider":
        return ProvidersWord(provider, settings.required_scopes).prove
    if settings.identity_provider == "cognito":
        url = f"{settings.cognito_url}/{settings.cognito_user_pool_id}/.well-known/jwks.json"
        keys = SigningKeys(lambda deadline: url, outbound, clock)
        return CognitoProof(settings, keys, ProvidersWord(provider, settings.required_scopes), clock).prove
    if not settings.oidc_issuer:  # one set of keys may serve many tenants: without an issuer to compare, a signature says too little
        return ProvidersWord(provider, settings.required_scopes).prove
    key_set_url = settings.oidc_jwks_url
    find_url = (lambda deadline: key_set_url) if key_set_url else discover_key_set(settings.oidc_issuer, outbound)
    return OpenIDProof(settings, SigningKeys(find_url, outbound, clock), ProvidersWord(provider, settings.required_scopes), clock).prove


def refuse_without_linking(access_token: str, deadline: Deadline) -> str:
    """A skill that links no accounts has no provider to ask, so no token of it is good or bad."""
    raise ProviderMisconfiguredError("NO_ACCOUNT_LINKING")


@dataclass(frozen=True)
class ProvidersWord:
    """The provider is asked each time: slower, down when it is, and right the moment after a token was revoked."""

    provider: IdentityProvider
    required_scopes: frozenset[str]

    def prove(self, access_token: str, deadline: Deadline) -> str:
        account_id = self.provider.fetch_account_id(access_token, deadline)
        if self.required_scopes:
            access_tokens.check_scopes(readable_claims(access_token), self.required_scopes)
        return account_id


@dataclass(frozen=True)
class CognitoProof:
    """A user pool's access token, by its claims and its signature."""

    settings: Settings
    keys: SigningKeys
    providers_word: ProvidersWord
    clock: Callable[[], float]

    def prove(self, access_token: str, deadline: Deadline) -> str:
        claims = access_tokens.unverified_claims(access_token)
        account_id = access_tokens.check_cognito_claims(
            claims,
            issuers=cognito_issuers(self.settings),
            client_id=self.settings.cognito_client_id,
            now=self.clock(),
        )
        key_id = access_tokens.signing_key_id(access_tokens.unverified_header(access_token))
        key = self.keys.find(key_id, deadline)
        if key is None:  # forged, or signed with a key so new that the published set is behind: only the pool knows
            return self.providers_word.prove(access_token, deadline)
        access_tokens.check_signature(access_token, key)
        access_tokens.check_scopes(claims, self.settings.required_scopes)
        return account_id


@dataclass(frozen=True)
class OpenIDProof:
    """Another provider's access token, where it is a JWT that shows what it is for; else userinfo."""

    settings: Settings
    keys: SigningKeys
    providers_word: ProvidersWord
    clock: Callable[[], float]

    def prove(self, access_token: str, deadline: Deadline) -> str:
        claims = readable_claims(access_token)
        if not claims or not self._shows_what_it_is_for(access_token, claims):
            return self.providers_word.prove(access_token, deadline)
        if str(claims.get("iss", "")).rstrip("/") != self.settings.oidc_issuer:
            raise TokenRejectedError("FOREIGN_ISSUER")
        if self.settings.oidc_client_id and not access_tokens.names_client(claims, self.settings.oidc_client_id):
            raise TokenRejectedError("FOREIGN_CLIENT")
        access_tokens.check_times(claims, self.clock())
        key = self.keys.find(access_tokens.signing_key_id(access_tokens.unverified_header(access_token)), deadline)
        if key is None:
            return self.providers_word.prove(access_token, deadline)
        access_tokens.check_signature(access_token, key)
        access_tokens.check_scopes(claims, self.settings.required_scopes)
        return access_tokens.parse_account_id(claims.get("sub"))

    def _shows_what_it_is_for(self, access_token: str, claims: Claims) -> bool:
        """Signed as this module can check it, by a key with a name, for an API. Other algorithms are the provider's to check."""
        header = access_tokens.unverified_header(access_token)
        is_checkable = header.get("alg") == access_tokens.ALGORITHM and "kid" in header and "exp" in claims
        return access_tokens.is_access_token(header, claims) and is_checkable


def readable_claims(access_token: str) -> Claims:
    """The claims of a JWT, none of an opaque token."""
    try:
        return access_tokens.unverified_claims(access_token)
    except TokenRejectedError:
        return {}
