"""Log lines: structlog as JSON on stderr. Secrets, names and local variables never pass."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import Any, Final, cast

import structlog

_NEVER: Final = ("secret", "password", "token", "authorization", "key", "user_name", "actor_name", "excerpt")
_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def _without_secrets(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank out values whose name says that they do not belong in a log."""
    for name in event:
        if any(part in name.lower() for part in _NEVER):
            event[name] = "(not logged)"
    return event


def configure(level: str = "info") -> None:
    """Send log lines as JSON to stderr, from ``level`` upwards (debug, info, warning, error).

    Tracebacks are written without local variables: those are where secrets would leak from.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_secrets,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        # Looked up each time: while a table is drawn on the terminal, stderr writes above it.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """Return the logger; bind run and tenant to it with structlog's context variables."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger())
