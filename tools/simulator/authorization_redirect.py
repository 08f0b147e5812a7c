"""The customer's way to the authorization server and back: the URL that Alexa opens, and the redirect that it takes."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from tools.simulator.linking_configuration import LinkingConfiguration
from tools.simulator.linking_diagnosis import explain_refusal
from tools.simulator.linking_errors import REDIRECT, AccountLinkingError, quoted

ECHO_STATE = "Let the authorization server put state into the redirect exactly as it came: Alexa drops a redirect without it."


@dataclass(frozen=True)
class PendingLink:
    """A linking that the customer has begun; `url` is the page to sign in on."""

    url: str = field(repr=False)
    region: str
    redirect_url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


def begin_link(configuration: LinkingConfiguration, region: str) -> PendingLink:
    """With a state and a PKCE verifier of its own."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    redirect_url, page = configuration.redirect_urls[region], configuration.authorization_url
    query = {
        "response_type": "code",
        "client_id": configuration.client_id,
        "redirect_uri": redirect_url,
        "scope": " ".join(configuration.scopes),
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    url = f"{page}{'&' if '?' in page else '?'}{urlencode(query)}"
    return PendingLink(url, region, redirect_url, state, verifier)


def read_redirect(landed_url: str, pending: PendingLink, configuration: LinkingConfiguration) -> str:
    """The authorization code. Raises AccountLinkingError."""
    landed, parts = landed_url.partition("?")[0].partition("#")[0], urlsplit(landed_url)
    if landed != pending.redirect_url:
        raise wrong_landing(landed, pending, configuration)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if not query and parts.fragment:
        mend = "Let the authorization server answer response_type=code in the query of the redirect, after the question mark."
        raise AccountLinkingError("the redirect carries its values after a #, where Alexa does not look", step=REDIRECT, mend=mend)
    if "error" in query:
        raise explain_refusal(query, REDIRECT, "the authorization server refused:", [pending.state])
    state = query.get("state", "")
    if not hmac.compare_digest(state.encode(), pending.state.encode()):
        how = "as it was sent" if state else "at all"
        raise AccountLinkingError(f"the authorization server did not return Alexa's state {how}", step=REDIRECT, mend=ECHO_STATE)
    if not query.get("code"):
        mend = "Let the authorization server put code into the redirect when the customer has signed in."
        raise AccountLinkingError("the redirect carries no authorization code", step=REDIRECT, mend=mend)
    return query["code"]


def wrong_landing(landed: str, pending: PendingLink, configuration: LinkingConfiguration) -> AccountLinkingError:
    """The redirect went somewhere else than asked."""
    of_region = [region for region, url in configuration.redirect_urls.items() if url == landed]
    where = f"which is that of region {of_region[0]}" if of_region else f"not to {pending.redirect_url}"
    return AccountLinkingError(
        f"the sign-in page sent the customer to {quoted(landed)}, {where}",
        step=REDIRECT,
        mend="Let the authorization server redirect to redirect_uri as it came with the request, and to no fixed address.",
    )
