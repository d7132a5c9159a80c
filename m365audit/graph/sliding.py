"""A limit kept exactly: never more than the amount in any window of its length. Counts and tells times; never waits."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from m365audit.graph.limits import Limit

SLACK: Final = 0.03
"""Windows are kept this much longer than published, because requests do not travel equally fast ..."""
MOST_SLACK_S: Final = 0.5
"""... but by no more than this."""

LEAST_PACE: Final = 1 / 16
_RECOVERY: Final = 1 / 16
_GRAINS: Final = 256
_UNEVEN: Final = 1 / 32
"""Part of a window by which what is shared may run ahead of an even flow."""
_SMALLEST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 300.0
_DUST: Final = 1e-9


@dataclass(slots=True)
class _Spent:
    """Spending close together in time; it is forgotten when the last of it is old enough."""

    first: float
    last: float
    cost: float


class SlidingWindow:
    """One limit, for one tenant or for all.

    A bucket of tokens that is as deep as the limit lets twice the limit through in one window: once from the full
    bucket, once from what flows in meanwhile. So it is remembered what was spent when, in grains of 1/256 window.

    What all tenants share flows evenly instead of all at the begin of each window: whoever must have the answer to one
    request before the next would otherwise get one turn per window. It costs at most one window in the whole.

    It adapts: ``pace`` is the part of the amount that is used. Complaints lower it by a factor, calm windows raise it
    by a little.

    Attributes:
        capacity: most that is let through in one ``length``; never more than the published amount.
        length: seconds for which what was spent counts; never less than the published window.
        rate: what flows through in a second, in the long run.
        closed_until: nothing goes before.
    """

    __slots__ = (
        "_changed_at", "_even_at", "_is_even", "_spent", "_strikes", "amount", "capacity",
        "closed_until", "length", "limit", "pace", "rate", "used",
    )  # fmt: skip

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.resize(limit.amount, 1.0)
        self.closed_until = float("-inf")
        self.used = 0.0
        self._spent: deque[_Spent] = deque()
        self._changed_at = float("-inf")
        self._strikes = 0
        self._is_even = limit.scope == "all"
        self._even_at = float("-inf")

    def resize(self, amount: float, pace: float) -> None:
        """Set the most that a published window may hold, and the part of it that is used."""
        self.amount = amount
        self.pace = pace
        self.capacity = max(1.0, amount * pace)
        padded = self.limit.seconds + min(self.limit.seconds * SLACK, MOST_SLACK_S)
        self.length = padded * max(1.0, 1.0 / (amount * pace))
        self.rate = self.capacity / self.length

    def ready_at(self, now: float, cost: float) -> float:
        """Return when ``cost`` may be spent at the earliest, if nothing else is spent before; ``now`` if it may now."""
        start = max(now, self.closed_until)
        if self._is_even:
            start = max(start, self._even_at - self.length * _UNEVEN)
        self._forget(now)
        missing = min(cost, self.capacity) + self.used - self.capacity
        for spent in self._spent:
            if missing <= _DUST:
                break
            missing -= spent.cost
            start = max(start, spent.last + self.length)
        return start

    def spend(self, now: float, cost: float) -> None:
        """Count what goes now."""
        self.used += cost
        self._even_at = max(self._even_at, now) + cost / self.rate
        newest = self._spent[-1] if self._spent else None
        if newest is not None and now - newest.first <= self.limit.seconds / _GRAINS:
            newest.last = max(newest.last, now)
            newest.cost += cost
        else:
            self._spent.append(_Spent(now, now, cost))

    def close(self, until: float) -> None:
        """Let nothing through before ``until``."""
        self.closed_until = max(self.closed_until, until)

    def complain(self, now: float, factor: float) -> None:
        """Lower the pace, once per window: the answers to what is under way complain of the same thing."""
        if now - self._changed_at >= self.limit.seconds:
            self.resize(self.amount, max(LEAST_PACE, self.pace * factor))
            self._changed_at = now

    def back_off(self, now: float) -> None:
        """Close for a time that doubles with each refusal in a row that does not say how long to wait."""
        if now >= self.closed_until:
            self._strikes += 1
            self.close(now + min(_LONGEST_PAUSE_S, _SMALLEST_PAUSE_S * 2.0 ** min(self._strikes, 32)))

    def calm(self, now: float) -> None:
        """Hear of an answer without a complaint: raise the pace a little, once per window."""
        self._strikes = 0
        if self.pace < 1.0 and now - self._changed_at >= self.limit.seconds:
            self.resize(self.amount, min(1.0, self.pace + _RECOVERY))
            self._changed_at = now

    def _forget(self, now: float) -> None:
        length = self.length
        while self._spent and self._spent[0].last + length <= now:
            self.used -= self._spent.popleft().cost
        if not self._spent:
            self.used = 0.0
