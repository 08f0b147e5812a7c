"""From what an authorization server answered to why linking failed, and the setting that mends it."""

import re
import ssl
from collections.abc import Iterable, Mapping

from tools.simulator.linking_configuration import AccessTokenScheme, LinkingConfiguration
from tools.simulator.linking_errors import ACCEPT_GRANT, EXCHANGE, SIGN_IN, AccountLinkingError, quoted, readable
from tools.simulator.wire import ALEXA, CUSTOMER, Listener, Message

PKCE = re.compile(r"pkce|code.?verifier|code.?challenge", re.IGNORECASE)
ALLOW_PKCE = "Let the authorization server take code_challenge (method S256), and code_verifier at the token endpoint: Alexa sends both."
OTHER_SCHEME: Mapping[AccessTokenScheme, AccessTokenScheme] = {
    "HTTP_BASIC": "REQUEST_BODY_CREDENTIALS",
    "REQUEST_BODY_CREDENTIALS": "HTTP_BASIC",
}
COPY_BOTH = 'Copy the client\'s id and secret again into clientId and clientSecret ("Your Secret" in the Alexa console), without blanks.'
SEE_THE_LOG = "See the authorization server's log of this call."
# What mends an error that the authorization server names, in the redirect or at the token endpoint.
MENDS: Mapping[str, str] = {
    "access_denied": "Sign in and agree to the request; if nobody refused it, see who may use this client at the authorization server.",
    "invalid_client": COPY_BOTH,
    "invalid_scope": 'Make scopes ("Scope" in the Alexa console) those that this client is allowed at the authorization server.',
    "unauthorized_client": "Allow the authorization-code grant for this client at the authorization server.",
    "unsupported_grant_type": "Allow authorization_code and refresh_token at the token endpoint, and see that accessTokenUrl leads to it.",
    "unsupported_response_type": "Allow the authorization-code grant (response_type=code) for this client at the authorization server.",
    "invalid_grant": (
        "Three things have to agree: the code is used once and within its life (often 5 minutes), redirect_uri is the one that the code "
        "was made for, and code_verifier is checked against code_challenge as S256. In Cognito, the client may also lack read access to "
        "an attribute of its scopes."
    ),
    "invalid_request": "See the authorization server's log for the parameter that it missed or did not want.",
    "server_error": SEE_THE_LOG,
    "temporarily_unavailable": "Try again later: the authorization server is overloaded or being mended.",
}


def tell(error: AccountLinkingError, listener: Listener) -> None:
    """What the customer sees in the Alexa app, with what the developer has to know."""
    listener(Message(ALEXA, CUSTOMER, "was unable to link the account", {"step": error.step}, "failed", error.cause, error.mend))


def accept_grant_failed(message: str) -> AccountLinkingError:
    """The skill refused AcceptGrant; with Send Alexa Events switched on, the whole link fails with it."""
    mend = (
        "Give the function the client id and secret of the skill's Permissions page (not those of account linking), "
        'or switch "Send Alexa Events" off.'
    )
    return AccountLinkingError(f"the skill did not accept Alexa's grant: {quoted(message)}", step=ACCEPT_GRANT, mend=mend)


def explain_refusal(refusal: Mapping[str, object], step: str, before: str, hide: Iterable[str] = ()) -> AccountLinkingError:
    """The authorization server's error, in OAuth's own words after `before`."""
    words = in_oauths_words(refusal, hide)
    mend = ALLOW_PKCE if PKCE.search(words) else MENDS.get(str(refusal.get("error", "")), SEE_THE_LOG)
    return AccountLinkingError(f"{before} {words}", step=step, mend=mend)


def in_oauths_words(refusal: Mapping[str, object], hide: Iterable[str] = ()) -> str:
    """OAuth's error and error_description."""
    return quoted(f"{refusal.get('error', 'no error code')}: {refusal.get('error_description', 'no description')}", hide)


def explain_wrong_scheme(configuration: LinkingConfiguration) -> AccountLinkingError:
    """The id and secret are right; only the way in which they are sent is not."""
    scheme = configuration.access_token_scheme
    return AccountLinkingError(
        f"the token endpoint refused the client with {scheme}, and knows it with {OTHER_SCHEME[scheme]}",
        step=EXCHANGE,
        mend=f'Set accessTokenScheme ("Your Authentication Scheme" in the Alexa console) to {OTHER_SCHEME[scheme]}.',
    )


def explain_pkce_refused(words: str) -> AccountLinkingError:
    """The token endpoint refuses any request that holds a code_verifier."""
    return AccountLinkingError(f"the token endpoint refuses PKCE's code_verifier: {words}", step=EXCHANGE, mend=ALLOW_PKCE)


def explain_page(status: int, text: str, configuration: LinkingConfiguration) -> AccountLinkingError:
    """For a page that the customer sees where a redirect was due."""
    words = readable(text)
    before = f"the sign-in page answered HTTP {status}"
    said = quoted(words, [configuration.client_secret])
    return AccountLinkingError(f"{before}: {said}" if said else before, step=SIGN_IN, mend=mend_page(status, text, words, configuration))


def mend_page(status: int, text: str, words: str, configuration: LinkingConfiguration) -> str:
    """By the words on the page, then by its status; the redirect URL first, because its error names the client, too."""
    three = ", ".join(configuration.redirect_urls.values())
    by_words = {
        r"redirect.?ur[il]|redirect.?mismatch|callback": f"Register all of Alexa's redirect URLs at the authorization server: {three}.",
        PKCE.pattern: ALLOW_PKCE,
        r"scope": MENDS["invalid_scope"],
        r"response.?type": MENDS["unsupported_response_type"],
        r"client": 'Copy the client\'s id again into clientId ("Your Client ID" in the Alexa console).',
    }
    if status >= 400:
        for pattern, mend in by_words.items():
            if re.search(pattern, words, re.IGNORECASE):
                return mend
    if status in {404, 405, 410}:
        return 'Correct authorizationUrl ("Your Web Authorization URI" in the Alexa console): there is no sign-in page.'
    if status >= 500:
        return f"Try again later. {SEE_THE_LOG}"
    if re.search(r"window\.open|target=.?_blank", text):
        return "Let the sign-in page do without pop-ups: the Alexa app does not open them."
    if "<script" in text.lower() and "<form" not in text.lower():
        return "The page seems to need JavaScript: use a real browser for this step, and see that it works on a phone."
    return "See that the page redirects to redirect_uri with code and state when the customer has signed in."


def explain_unreachable_page(error: OSError, configuration: LinkingConfiguration) -> AccountLinkingError:
    """The browser could not open the sign-in page at all."""
    page = configuration.authorization_url.partition("?")[0]
    is_tls = isinstance(error, ssl.SSLError) or "SSL" in type(error).__name__
    if is_tls:
        mend = "Give the authorization server a certificate for this host name from an authority that Amazon trusts."
        return AccountLinkingError(f"the sign-in page's TLS certificate was refused: {page}", mend=mend)
    mend = f'Correct authorizationUrl ("Your Web Authorization URI" in the Alexa console), now {page}, or start the server behind it.'
    return AccountLinkingError(f"the sign-in page could not be reached: {type(error).__name__}", mend=mend)
