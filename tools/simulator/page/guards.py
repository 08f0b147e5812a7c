"""Who may call: the page itself and this machine's command line. Other web sites that the same browser shows may not."""

import re
from collections.abc import Mapping

from werkzeug.wrappers import Request, Response

from tools.simulator.wire import shorten

CALLER_HEADER = "X-Simulator"  # a form cannot send it, and a script of another site would have to ask first
CALLERS = ("page", "cli")
OWN_FETCHES = ("", "same-origin", "none")  # old browsers and programs send no Sec-Fetch-Site
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# Cognito's tokens are JWTs, Login with Amazon's begin so. Both are shortened where they arise; this is for one that slipped through.
WHOLE_TOKEN = re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*)*|Atz[ar]\|[\w-]{10,}")


def refusal(request: Request, port: int) -> tuple[int, str] | None:
    """The HTTP status and one line, where the call is refused. A name that somebody pointed at this machine is not its own."""
    if request.headers.get("Host") not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
        return 421, f"this page is at http://127.0.0.1:{port} only"
    if not request.path.startswith("/api/"):
        return None
    if request.headers.get("Sec-Fetch-Site", "") not in OWN_FETCHES:
        return 403, "another site asked for this"
    return refused_post(request) if request.method == "POST" else None


def refused_post(request: Request) -> tuple[int, str] | None:
    """What changes something takes more than an address."""
    if request.headers.get("Origin", f"http://{request.host}") != f"http://{request.host}":
        return 403, "another site asked for this"
    if request.headers.get(CALLER_HEADER) not in CALLERS:
        return 403, f"the header {CALLER_HEADER} is missing: {' or '.join(CALLERS)}"
    if request.mimetype != "application/json":
        return 415, "the arguments are a JSON object, as application/json"
    return None


def protect(response: Response) -> Response:
    """Nothing is loaded from elsewhere, framed, kept or sniffed."""
    response.headers.update(SECURITY_HEADERS)
    return response


def without_tokens(text: str) -> str:
    """The same text with each token shortened."""
    return WHOLE_TOKEN.sub(lambda found: shorten(found[0]), text)
