"""What can go wrong on the way to Microsoft, each with the reason that the coverage ledger will name."""

from __future__ import annotations

from m365audit.errors import AuditError
from m365audit.graph.values import GapReason


class CollectionError(AuditError):
    """A request came to nothing, finally: retries and deadlines are behind it.

    Args:
        reason: why, as the coverage ledger names it.
        message: what happened, in plain words; never a token, a query or a body.
        hint: what to do.
        status: HTTP status, 0 when there was no answer.
        code: Microsoft's error code, empty when there is none.
    """

    exit_code = 4

    def __init__(self, reason: GapReason, message: str, *, hint: str = "", status: int = 0, code: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.status = status
        self.code = code


class StaleLinkError(CollectionError):
    """A next link is dead (skip token expired, invalid, gone): the window begins again, then in halves."""


class NotFoundError(CollectionError):
    """The one object that was asked for is gone (404, 410); a listing goes on without it."""


class LinkRefusedError(CollectionError):
    """A link leads where configuration named no place; nothing was sent there.

    Attributes:
        what: next_link, content_uri, redirect or location.
        target: scheme, host and port, shortened.
    """

    def __init__(self, what: str, target: str) -> None:
        super().__init__(
            "error",
            f"an answer's {what.replace('_', ' ')} leads to a place that the configuration does not name",
            hint="nothing was sent there; see the finding, and tell Microsoft",
        )
        self.what = what
        self.target = target[:200]


class SignInError(CollectionError):
    """No token. ``is_refused`` tells a refusal from a place that could not be reached."""

    def __init__(self, message: str, *, hint: str, is_refused: bool, code: str = "") -> None:
        super().__init__("permission" if is_refused else "error", message, hint=hint, code=code)
        self.is_refused = is_refused
