"""Lets requests go within Microsoft's limits, fairly between tenants. Sends nothing, and never waits busily."""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from m365audit.graph.limits import DIRECTORY_UNITS, EVERY_REQUEST, LIMITS, SLOTS, Limit, Size
from m365audit.graph.sliding import SlidingWindow

OnWait = Callable[[float, str], None]
"""Told the seconds that a request will wait, about, and why."""

LONGEST_CLOSURE_S: Final = 3_600.0
"""A longer Retry-After is believed for an hour; then Microsoft is asked again."""
_TOO_MANY_REQUESTS: Final = 429
_FIRST_ERROR: Final = 400
_SLOW_FROM: Final = 0.8
_AFTER_429: Final = 0.5
_SHORTEST_SLEEP_S: Final = 0.001
_RETELL_S: Final = 1.0


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
    """What one tenant waits for under the same limits, first come first served."""

    tenant: str
    waiters: deque[_Waiter] = field(default_factory=deque)


@dataclass(slots=True, eq=False)
class _Line:
    """All lanes under the same limits; those whose tenant may go stand in the ring and take turns."""

    names: tuple[str, ...]
    shared: tuple[SlidingWindow, ...]
    lanes: dict[str, _Lane] = field(default_factory=dict)
    ring: deque[_Lane] = field(default_factory=deque)
    waiting: int = 0


class Throttle:
    """Admits requests of all tenants of one run.

    Every request passes the limits that it names and the one over everything. Tenants take turns under a limit that
    they share, one request each, so that a tenant with a thousand waiting requests delays another by one of them.
    A tenant that its own limit holds back stands aside until then and delays nobody.

    Args:
        clock: seconds that only grow.
        sleep: waits so many of these seconds.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._of_tenants: dict[str, tuple[Limit, ...]] = {}
        self._shared: dict[str, tuple[SlidingWindow, ...]] = {}
        for name in {limit.name for limit in LIMITS}:
            mine = [limit for limit in LIMITS if limit.name == name]
            self._of_tenants[name] = tuple(limit for limit in mine if limit.scope == "each")
            self._shared[name] = tuple(SlidingWindow(limit) for limit in mine if limit.scope == "all")
        self._own: dict[tuple[str, str], tuple[SlidingWindow, ...]] = {}
        self._lines: dict[tuple[str, ...], _Line] = {}
        self._order: deque[_Line] = deque()
        self._aside: list[tuple[float, int, _Line, _Lane]] = []
        self._count = 0
        self._timer: asyncio.Task[None] | None = None
        self._wakes_at = math.inf
        self._slots: dict[tuple[str, str], asyncio.Semaphore] = {}

    async def admit(
        self, tenant: str, limits: Sequence[str], *, cost: float = 1, on_wait: OnWait | None = None
    ) -> None:
        """Return when the request may go; it is counted from then on, whether it is sent or not.

        Args:
            tenant: whose request it is.
            limits: names of ``LIMITS`` that hold for it.
            cost: resource units, where a limit counts them; elsewhere every request counts as one.
            on_wait: told when it has to wait, and again when it will be longer.

        Raises:
            ValueError: there is no such limit, or the cost is not a positive number.
        """
        if not 0 < cost < math.inf:
            raise ValueError(f"a request cannot cost {cost}")
        line = self._line(limits)
        lane = line.lanes.get(tenant)
        if lane is None:
            lane = line.lanes[tenant] = _Lane(tenant)
            line.ring.append(lane)
        waiter = _Waiter(asyncio.get_running_loop().create_future(), cost, on_wait)
        lane.waiters.append(waiter)
        line.waiting += 1
        self._dispatch()
        if not waiter.going.done():
            if on_wait is not None:
                waiter.tell(*self._forecast(line, lane, cost))
            await waiter.going

    @asynccontextmanager
    async def slot(self, tenant: str, name: str, *, on_wait: OnWait | None = None) -> AsyncIterator[None]:
        """Hold one of the places that a tenant has for things that run long (``SLOTS``): one submission, then its run.

        Raises:
            ValueError: there are no such slots.
        """
        kind = next((kind for kind in SLOTS if kind.name == name), None)
        if kind is None:
            raise ValueError(f"there are no slots named {name!r}")
        places = self._slots.setdefault((tenant, name), asyncio.Semaphore(kind.count))
        if places.locked() and on_wait is not None:
            on_wait(0.0, f"{kind.count} {kind.what} per tenant")
        async with places:
            await self.admit(tenant, (kind.submissions,), on_wait=on_wait)
            yield

    def note_size(self, tenant: str, size: Size) -> None:
        """Say how large a tenant is: its share of the directory's resource units hangs on it."""
        for window in self._windows(tenant, "directory"):
            window.amount = DIRECTORY_UNITS[size]

    def note_answer(
        self,
        tenant: str,
        limits: Sequence[str],
        *,
        status: int,
        retry_after: float | None,
        headers: Mapping[str, str],
    ) -> None:
        """Learn from an answer: close until ``Retry-After``, slow down before the limit, back off, recover.

        Args:
            tenant: whose answer it is.
            limits: what the request named.
            status: HTTP status; say 429 for throttling that comes as another status (403 ``AF429``).
            retry_after: seconds that Microsoft asked to wait, None when it did not say.
            headers: names in lower case; ``x-ms-throttle-scope`` tells whether all tenants are meant.
        """
        now = self._clock()
        scope = headers.get("x-ms-throttle-scope", "").split("/")[0].strip().lower()
        is_for_all = scope == "application"
        use = _number(headers.get("x-ms-throttle-limit-percentage"))
        for window in self._concerned(tenant, self._line(limits).names, is_for_all=is_for_all):
            if retry_after is not None and status >= _FIRST_ERROR and retry_after > 0:
                window.close(now + min(retry_after, LONGEST_CLOSURE_S))
            elif status == _TOO_MANY_REQUESTS:
                window.back_off(now)
            if status == _TOO_MANY_REQUESTS:
                window.complain(now, _AFTER_429)
            elif use is not None and use >= _SLOW_FROM:
                window.complain(now, _SLOW_FROM / use if use > _SLOW_FROM else 1 - 1 / 16)
            elif status < _FIRST_ERROR:
                window.calm(now)

    def _line(self, limits: Sequence[str]) -> _Line:
        names = tuple(sorted({*limits, EVERY_REQUEST}))
        line = self._lines.get(names)
        if line is None:
            unknown = [name for name in names if name not in self._shared]
            if unknown:
                raise ValueError(f"there is no limit named {unknown[0]!r}")
            line = self._lines[names] = _Line(names, tuple(w for name in names for w in self._shared[name]))
            self._order.append(line)
        return line

    def _windows(self, tenant: str, name: str) -> tuple[SlidingWindow, ...]:
        """Return a tenant's own windows under a name."""
        windows = self._own.get((tenant, name))
        if windows is None:
            windows = self._own[tenant, name] = tuple(SlidingWindow(limit) for limit in self._of_tenants[name])
        return windows

    def _concerned(self, tenant: str, names: Iterable[str], *, is_for_all: bool) -> list[SlidingWindow]:
        """Return the windows that an answer speaks of."""
        named = [name for name in names if name != EVERY_REQUEST] or [EVERY_REQUEST]
        return [w for name in named for w in (self._shared[name] if is_for_all else self._windows(tenant, name))]

    def _dispatch(self) -> None:
        """Let go everything that may go now, in turns, and see to it that this happens again in time."""
        now = self._clock()
        self._call_back(now)
        blocked: set[SlidingWindow] = set()
        wake = math.inf
        held: list[_Line] = []
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

    def _step(self, line: _Line, now: float, blocked: set[SlidingWindow]) -> float | None:
        """Let at most one request of a line go; return until when a shared limit holds the line, None otherwise."""
        lane = line.ring[0]
        while lane.waiters and lane.waiters[0].going.done():  # whoever asked has gone away
            lane.waiters.popleft()
            line.waiting -= 1
        if not lane.waiters:
            del line.lanes[line.ring.popleft().tenant]
            return None
        waiter = lane.waiters[0]
        held = [window for window in line.shared if window.ready_at(now, _cost(window, waiter)) > now]
        if held or not blocked.isdisjoint(line.shared):
            blocked.update(held)
            return max((window.ready_at(now, _cost(window, waiter)) for window in held), default=math.inf)
        line.ring.popleft()
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
        if lane.waiters:
            line.ring.append(lane)
        else:
            del line.lanes[lane.tenant]
        return None

    def _put_aside(self, line: _Line, lane: _Lane, ready_at: float) -> None:
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

    def _forecast(self, line: _Line, lane: _Lane, cost: float) -> tuple[float, float, str]:
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


def _number(text: str | None) -> float | None:
    """Return a header's number, None for anything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
