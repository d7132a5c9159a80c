"""Owns what a request must be like before any page sees it, and the headers of every answer. Knows no page.

Every refusal is a page that repeats nothing of what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

METHODS: Final = ("GET", "HEAD", "POST")
LONGEST_BODY: Final = 64 * 1024
LONGEST_LINE: Final = 4_096
LONGEST_FIELD: Final = 4_096
MOST_HEADERS: Final = 64
SECONDS: Final = 30.0
"""How long one request may take, its body and its queries included."""
_FORM: Final = "application/x-www-form-urlencoded"
_OURS: Final = frozenset({"same-origin"})

HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
"""Headers of every answer, whatever it is."""


class RefusedError(Exception):
    """A request that no page may see.

    Args:
        status: HTTP status.
        reason: key of the sentence that says why (``web/words``).
        is_fetched: the request is not from a person, so that a sign-in page would help nobody.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def content_policy(*, hashes: Mapping[str, tuple[str, ...]] | None = None, form_actions: tuple[str, ...] = ()) -> str:
    """Return the Content-Security-Policy: nothing but our own style sheet, script and forms.

    Args:
        hashes: ``style`` and ``script``: hashes (base64 SHA-256) of blocks that stand in the page itself.
        form_actions: other origins that a form may lead to (the sign-in's).
    """
    given = hashes or {}

    def allowed(kind: str) -> str:
        return " ".join(["'self'", *(f"'sha256-{value}'" for value in given.get(kind, ()))])

    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {allowed('style')}",
            f"script-src {allowed('script')}",
            "img-src 'self' data:",
            "connect-src 'self'",
            " ".join(("form-action 'self'", *form_actions)),
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def check_request(method: str, headers: Mapping[str, str], origin: str) -> None:
    """Make sure that a request is meant for us and, where it may change something, comes from our own page.

    The Host header has to be ours to the letter: a name that somebody points to this machine is not. A form of ours
    comes with ``Sec-Fetch-Site: same-origin``; as our pages send no referrer, browsers write ``Origin: null`` with it,
    which proves nothing by itself. A browser that does not know that header has to name our origin.

    Raises:
        RefusedError: it is not.
    """
    if method not in METHODS:
        raise RefusedError(405, "method")
    if headers.get("Host", "") != urlsplit(origin).netloc:
        raise RefusedError(421, "host")
    if method == "POST":
        _check_post(headers, origin)


def _check_post(headers: Mapping[str, str], origin: str) -> None:
    site, sent = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None and site not in _OURS:
        raise RefusedError(403, "origin")
    if sent not in ({origin, "null"} if site is not None else {origin}):
        raise RefusedError(403, "origin")
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM:
        raise RefusedError(415, "form")
    length = headers.get("Content-Length", "")
    if not length.isdecimal() or headers.get("Transfer-Encoding"):
        raise RefusedError(411, "length")
    if len(length) > 9 or int(length) > LONGEST_BODY:  # noqa: PLR2004 - digits that int() may see
        raise RefusedError(413, "too_large")
