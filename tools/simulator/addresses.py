"""Which addresses may be opened from this desk: those of this machine, and those that were allowed by name."""

import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

Origin = tuple[str, str, int]
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# What RFC 3986 allows in a URL, more or less. A backslash, a blank or a line break is read by each library in its own way.
PLAIN = re.compile(r"https?://[!-\[\]-~]+", re.IGNORECASE)


def split_address(url: str) -> SplitResult | None:
    """Its parts; None for what is no http or https address with a host, or has a user name in front of it."""
    if not PLAIN.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:  # a port that is none, brackets that do not match
        return None
    return parts if parts.hostname and has_port and "@" not in parts.netloc else None


def origin(parts: SplitResult) -> Origin:
    """Scheme, host and port: two pages with the same one belong to the same server."""
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def is_open_to(parts: SplitResult, allowed_hosts: Collection[str] = ()) -> bool:
    """Whether customers may type their passwords there: on this machine, or by https at a host that was allowed."""
    host = parts.hostname or ""
    return host in LOOPBACK or (parts.scheme == "https" and host in {each.casefold() for each in allowed_hosts})
