"""Lets requests go within Microsoft's limits, fairly between tenants. Sends nothing, and never waits busily."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from m365audit.graph.limits import DIRECTORY_UNITS, EVERY_REQUEST, LIMITS, SLOTS, Limit, Size
from m365audit.graph.sliding import SlidingWindow
from m365audit.graph.turns import Line, OnWait, Turns

LONGEST_CLOSURE_S: Final = 3_600.0
"""A longer Retry-After is believed for an hour; then Microsoft is asked again."""
_TOO_MANY_REQUESTS: Final = 429
_FIRST_ERROR: Final = 400
_SLOW_FROM: Final = 0.8
_AFTER_429: Final = 0.5


class Throttle:
    """Admits requests of all tenants of one run.

    Every request passes the limits that it names and the one over everything. Tenants take turns under a limit that
    they share, so that a tenant with a thousand waiting requests does not make the others wait for them (``Turns``).

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
        self._of_tenants: dict[str, tuple[Limit, ...]] = {}
        self._shared: dict[str, tuple[SlidingWindow, ...]] = {}
        for name in {limit.name for limit in LIMITS}:
            mine = [limit for limit in LIMITS if limit.name == name]
            self._of_tenants[name] = tuple(limit for limit in mine if limit.scope == "each")
            self._shared[name] = tuple(SlidingWindow(limit) for limit in mine if limit.scope == "all")
        self._own: dict[tuple[str, str], tuple[SlidingWindow, ...]] = {}
        self._lines: dict[tuple[str, ...], Line] = {}
        self._turns = Turns(clock, sleep, self._windows)
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
        await self._turns.wait(self._line(limits), tenant, cost, on_wait)

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
        """Say how large a tenant is: its share of the directory's resource units hangs on it.

        What was spent stays spent, and the pace stays what Microsoft's answers made of it.
        """
        for window in self._windows(tenant, "directory"):
            window.resize(DIRECTORY_UNITS[size], window.pace)

    def note_expected(self, tenant: str, limit: str, requests: float) -> None:
        """Say that a tenant will probably make so many requests more under a limit, as it did the last time."""
        self._turns.expected[tenant, limit] = self._turns.expected.get((tenant, limit), 0.0) + requests

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

    def _line(self, limits: Sequence[str]) -> Line:
        names = tuple(sorted({*limits, EVERY_REQUEST}))
        line = self._lines.get(names)
        if line is None:
            unknown = [name for name in names if name not in self._shared]
            if unknown:
                raise ValueError(f"there is no limit named {unknown[0]!r}")
            shared = tuple(window for name in names for window in self._shared[name])
            line = self._lines[names] = self._turns.new_line(names, shared)
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


def _number(text: str | None) -> float | None:
    """Return a header's number, None for anything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
