"""Owns how moments are written in requests. Must never look at a clock."""

from __future__ import annotations

from datetime import UTC, datetime


def literal(moment: datetime) -> str:
    """Return a moment as OData and the Management API read it: UTC, whole seconds where it is one."""
    utc = moment.astimezone(UTC)
    spec = "microseconds" if utc.microsecond else "seconds"
    return utc.replace(tzinfo=None).isoformat(timespec=spec) + "Z"
