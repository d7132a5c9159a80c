"""Owns when things happen in a synthetic world: evenly, in bursts, at the same instant, and on the edges of windows."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Final

TICKS: Final = 10_000_000
"""Units of 100 ns in a second: the seventh digit of a fraction, which no Python time can hold."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = 3600 * TICKS


def ticks_of(when: datetime) -> int:
    """Return a time as units of 100 ns since 1970."""
    return (when - _EPOCH) // timedelta(microseconds=1) * 10


def moment_of(ticks: int) -> datetime:
    """Return the time, truncated to microseconds."""
    return _EPOCH + timedelta(microseconds=ticks // 10)


def written(ticks: int) -> str:
    """Return the time as Graph writes it, with seven digits."""
    return f"{moment_of(ticks):%Y-%m-%dT%H:%M:%S}.{ticks % TICKS:07d}Z"


def happenings(rng: random.Random, begin: datetime, end: datetime, count: int) -> list[int]:
    """Return ``count`` times within [begin, end), in order.

    Half are spread evenly, a quarter falls into two minutes, and of the rest some lie on the edge of an hour or one
    tick before it, and some at the very instant of another one.
    """
    first, last = ticks_of(begin), ticks_of(end)
    times = [first + (last - first) * n // max(count // 2, 1) for n in range(count // 2)]
    for _ in range(2):
        burst = rng.randrange(first, max(last - 60 * TICKS, first + 1))
        times += [burst + rng.randrange(min(60 * TICKS, last - burst)) for _ in range(count // 8)]
    hours = range(-(-first // _HOUR), (last - 1) // _HOUR + 1)
    while len(times) < count:
        edge = rng.choice(hours) * _HOUR if hours else first
        kind = rng.randrange(3) if times else 0
        times.append((edge, max(edge - 1, first), rng.choice(times) if times else edge)[kind])
    return sorted(times[:count])
