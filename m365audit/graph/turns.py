"""Whose request goes next under which limits: lanes, lines and turns. Knows neither Microsoft's limits nor answers."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from m365audit.graph.sliding import SlidingWindow

OnWait = Callable[[float, str], None]
"""Told the seconds that a request will wait, about, and why."""

WindowsOf = Callable[[str, str], tuple[SlidingWindow, ...]]
"""A tenant's own windows under the name of a limit."""

_SHORTEST_SLEEP_S: Final = 0.001
_RETELL_S: Final = 1.0
_LEFT: Final = attrgetter("left")


@dataclass(slots=True, eq=False)
class _Waiter:
    """One request that wants to go."""

    going: asyncio.Future[None]
    cost: float
    on_wait: OnWait | None
    told_until: float = float("-inf")

    def tell(self, now: float, until: float, why: str) -> None:
        if self.on_wait is not None and until > self.told_until + _RETELL_S:
            self.told_until = until
            self.on_wait(until - now, why)


@dataclass(slots=True, eq=False)
class _Lane:
    """What one tenant waits for under the same limits, first come first served.

    Attributes:
        left: requests that the tenant will probably still make.
    """

    tenant: str
    left: float
    waiters: deque[_Waiter] = field(default_factory=deque)


@dataclass(slots=True, eq=False)
class Line:
    """All lanes under the same limits; those whose tenant may go stand in the ring and take turns.

    Attributes:
        names: of the limits.
        shared: their windows over all tenants.
        lanes: tenant → its lane, while anything waits in it.
        ring: lanes whose tenant may go, the next one first.
        waiting: requests in all lanes.
        taken: tenant → requests let go.
        went: requests let go in all.
        is_contended: tenants have stood before a shared window.
        is_picked: the first of the ring was put there because it has the most to do.
    """

    names: tuple[str, ...]
    shared: tuple[SlidingWindow, ...]
    lanes: dict[str, _Lane] = field(default_factory=dict)
    ring: deque[_Lane] = field(default_factory=deque)
    waiting: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    went: int = 0
    is_contended: bool = False
    is_picked: bool = False


class Turns:
    """Lets requests go in turns and sleeps in between.

    Before a shared window every second request is that of the tenant whose turn it is, and every other that of the
    tenant with the most to do: its own limit makes it take the longest, so the whole is done the sooner the earlier it
    is at work; and nobody waits more than twice as long for it. What a tenant has to do is what was said, or as much
    again as it has done already.

    A tenant that its own limit holds back stands aside until then and delays nobody.

    Args:
        clock: seconds that only grow.
        sleep: waits so many of these seconds.
        windows_of: a tenant's own windows.

    Attributes:
        expected: (tenant, name of a limit) → requests that will probably come in all.
    """

    def __init__(
        self, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]], windows_of: WindowsOf
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._windows = windows_of
        self.expected: dict[tuple[str, str], float] = {}
        self._order: deque[Line] = deque()
        self._aside: list[tuple[float, int, Line, _Lane]] = []
        self._count = 0
        self._timer: asyncio.Task[None] | None = None
        self._wakes_at = math.inf

    def new_line(self, names: tuple[str, ...], shared: tuple[SlidingWindow, ...]) -> Line:
        """Return a line for requests under these limits, of which the shared windows are given."""
        line = Line(names, shared)
        self._order.append(line)
        return line

    async def wait(self, line: Line, tenant: str, cost: float, on_wait: OnWait | None) -> None:
        """Return when it is this request's turn and every limit has room; it is counted from then on."""
        lane = line.lanes.get(tenant)
        if lane is None:
            lane = line.lanes[tenant] = _Lane(tenant, self._left(line, tenant))
            line.ring.append(lane)
        waiter = _Waiter(asyncio.get_running_loop().create_future(), cost, on_wait)
        lane.waiters.append(waiter)
        line.waiting += 1
        self._dispatch()
        if not waiter.going.done():
            if on_wait is not None:
                waiter.tell(*self._forecast(line, lane, cost))
            await waiter.going

    def _dispatch(self) -> None:
        """Let go everything that may go now, in turns, and see to it that this happens again in time."""
        now = self._clock()
        self._call_back(now)
        blocked: set[SlidingWindow] = set()
        wake = math.inf
        held: list[Line] = []
        turns = deque(line for line in self._order if line.ring)
        while turns:
            line = turns.popleft()
            until = self._step(line, now, blocked)
            if until is None:
                if line.ring:
                    turns.append(line)
            else:
                wake = min(wake, until)
                held.append(line)
        # Whoever stood before a shared limit first is first when it opens, or the cheap would always pass the dear.
        for line in reversed(held):
            self._order.remove(line)
            self._order.appendleft(line)
        if self._aside:
            wake = min(wake, self._aside[0][0])
        self._arm(now, wake)

    def _step(self, line: Line, now: float, blocked: set[SlidingWindow]) -> float | None:
        """Let at most one request of a line go; return until when a shared limit holds the line, None otherwise."""
        lane = self._first(line)
        while lane.waiters and lane.waiters[0].going.done():  # whoever asked has gone away
            lane.waiters.popleft()
            line.waiting -= 1
        if not lane.waiters:
            del line.lanes[line.ring.popleft().tenant]
            line.is_picked = False
            return None
        waiter = lane.waiters[0]
        held = [window for window in line.shared if window.ready_at(now, _cost(window, waiter)) > now]
        if held or not blocked.isdisjoint(line.shared):
            line.is_contended = True
            blocked.update(held)
            return max((window.ready_at(now, _cost(window, waiter)) for window in held), default=math.inf)
        line.ring.popleft()
        line.is_picked = False
        own = [window for name in line.names for window in self._windows(lane.tenant, name)]
        ready_at, window = max(((w.ready_at(now, _cost(w, waiter)), w) for w in own), key=_time, default=(now, None))
        if window is not None and ready_at > now:
            self._put_aside(line, lane, ready_at)
            if waiter.told_until > float("-inf"):
                asyncio.get_running_loop().call_soon(waiter.tell, now, ready_at, _why(window, now))
            return None
        for spent in (*own, *line.shared):
            spent.spend(now, _cost(spent, waiter))
        waiter.going.set_result(None)
        lane.waiters.popleft()
        line.waiting -= 1
        line.went += 1
        line.taken[lane.tenant] += 1
        lane.left = self._left(line, lane.tenant)
        if lane.waiters:
            line.ring.append(lane)
        else:
            del line.lanes[lane.tenant]
        return None

    def _first(self, line: Line) -> _Lane:
        """Return the lane at the head of the ring; put the one with the most to do there when it is its turn."""
        if line.is_contended and line.went % 2 and not line.is_picked and len(line.ring) > 1:
            most = max(line.ring, key=_LEFT)
            line.ring.remove(most)
            line.ring.appendleft(most)
            line.is_picked = True
        return line.ring[0]

    def _left(self, line: Line, tenant: str) -> float:
        """Return the requests that a tenant will probably still make."""
        taken = line.taken[tenant]
        expected = max(self.expected.get((tenant, name), 0.0) for name in line.names)
        return max(taken, expected - taken)

    def _put_aside(self, line: Line, lane: _Lane, ready_at: float) -> None:
        self._count += 1
        heapq.heappush(self._aside, (ready_at, self._count, line, lane))

    def _call_back(self, now: float) -> None:
        """Put those whose own limit has opened into their rings again."""
        while self._aside and self._aside[0][0] <= now:
            _, _, line, lane = heapq.heappop(self._aside)
            line.ring.append(lane)

    def _arm(self, now: float, wake: float) -> None:
        """Have ``_dispatch`` called at ``wake``, unless it will be called before anyway."""
        is_armed = self._timer is not None and not self._timer.done()
        if self._timer is not None and is_armed and (wake < self._wakes_at or wake == math.inf):
            self._timer.cancel()
            is_armed = False
        if wake < math.inf and not is_armed:
            self._wakes_at = wake
            self._timer = asyncio.get_running_loop().create_task(self._ring(max(wake - now, _SHORTEST_SLEEP_S)))

    async def _ring(self, seconds: float) -> None:
        await self._sleep(seconds)
        self._timer = None
        self._dispatch()

    def _forecast(self, line: Line, lane: _Lane, cost: float) -> tuple[float, float, str]:
        """Return the time now, when a request at the end of a lane will go, about, and the limit that makes it wait."""
        now = self._clock()
        behind = [(w, len(lane.waiters) - 1) for name in line.names for w in self._windows(lane.tenant, name)]
        behind += [(w, line.waiting - 1) for w in line.shared]
        found = [(w.ready_at(now, cost) + ahead * cost / w.rate, w) for w, ahead in behind]
        until, window = max(found, key=_time)
        return now, until, _why(window, now)


def _cost(window: SlidingWindow, waiter: _Waiter) -> float:
    return waiter.cost if window.limit.unit == "resource unit" else 1.0


def _time(found: tuple[float, SlidingWindow]) -> float:
    return found[0]


def _why(window: SlidingWindow, now: float) -> str:
    if window.closed_until > now:
        return f"Microsoft asked to wait ({window.limit.what})"
    return window.limit.sentence
