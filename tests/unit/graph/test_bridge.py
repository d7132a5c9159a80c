"""The way out of the event loop: in order, never too much at once, and over when whoever takes stops taking."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import closing

import pytest

from m365audit.graph.bridge import Outlet, stream
from m365audit.graph.values import Page, Task, Waiting

TASK = Task(1, "11111111-1111-4111-8111-111111111111", "directory_audits")


def _page(number: int, size: int) -> Page:
    return Page(TASK, [str(number).encode().ljust(size, b"x")])


def test_events_come_in_order_and_the_end_is_the_end() -> None:
    async def work(outlet: Outlet) -> None:
        for number in range(50):
            outlet.tell(Waiting("t", "c", number, ""))
            await outlet.put(_page(number, 10))

    with closing(stream(work)) as events:
        found = list(events)
    assert [e.seconds for e in found if isinstance(e, Waiting)] == list(range(50))
    assert [int(e.records[0].rstrip(b"x")) for e in found if isinstance(e, Page)] == list(range(50))


def test_what_reads_waits_for_what_stores() -> None:
    made: list[int] = []

    async def work(outlet: Outlet) -> None:
        for number in range(20):
            await outlet.put(_page(number, 1000))
            made.append(number)

    with closing(stream(work, room=3000)) as events:
        for taken, _ in enumerate(events):
            time.sleep(0.002)
            assert len(made) <= taken + 1 + 3 + 1  # taken, in the room, and the one whose put has just returned
    assert len(made) == 20


def test_a_page_larger_than_the_room_passes_alone() -> None:
    async def work(outlet: Outlet) -> None:
        for number in range(3):
            await outlet.put(_page(number, 10_000))

    with closing(stream(work, room=100)) as events:
        assert len(list(events)) == 3


def test_an_error_is_raised_where_the_events_are_taken() -> None:
    async def work(outlet: Outlet) -> None:
        await outlet.put(_page(1, 1))
        raise LookupError("lost")

    with closing(stream(work)) as events:
        next(events)
        with pytest.raises(LookupError, match="lost"):
            next(events)


def test_stopping_cancels_what_runs_and_ends_the_thread() -> None:
    cancelled = threading.Event()

    async def work(outlet: Outlet) -> None:
        try:
            await outlet.put(_page(1, 1))
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    before = threading.active_count()
    events = stream(work)
    next(events)
    begin = time.monotonic()
    events.close()
    assert cancelled.is_set()
    assert time.monotonic() - begin < 5
    assert threading.active_count() == before
