"""Owns simulated time: what the service's ``Date`` headers say. Must never be used for the life of tokens."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_WRITTEN = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,7})\d*)?)?(Z|z|[+-]\d\d:\d\d)?", re.ASCII
)


class SimulatedClock:
    """A clock that starts at a given moment, runs on with the host's, and can be moved forward.

    Args:
        start: first moment.
        pace: simulated seconds in one second of the host; 0: it moves only by `advance`.
    """

    def __init__(self, start: datetime, *, pace: float = 1.0) -> None:
        self._start = start
        self._pace = pace
        self._began = time.monotonic()
        self._advanced = timedelta()

    def now(self) -> datetime:
        """Return simulated time, in UTC."""
        return self._start + self._advanced + (time.monotonic() - self._began) * self._pace * _SECOND

    def seconds(self) -> float:
        """Return simulated time as seconds, for the limits of requests."""
        return (self.now() - _EPOCH).total_seconds()

    def advance(self, by: timedelta) -> None:
        """Move the clock forward."""
        self._advanced += by


def ticks(text: str) -> int | None:
    """Return a time as Microsoft writes it as units of 100 ns; seven digits are kept. None: no time.

    A time without zone means UTC, as the Management API writes it; a date alone is its first moment.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        return None
    day, hour, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{hour or '00:00:00'}{(zone or 'Z').upper()}")
    except ValueError:
        return None
    return ticks_of(moment) + int((fraction or "").ljust(7, "0"))


def ticks_of(moment: datetime) -> int:
    """Return a moment as units of 100 ns."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10


def wire(moment: datetime) -> str:
    """Return a moment as Graph writes it, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
