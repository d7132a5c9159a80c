"""The way out of the event loop: in order, never too much at once, and over when whoever takes stops taking."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable
from contextlib import closing

import pytest

from m365audit.graph import bridge
from m365audit.graph.bridge import Outlet, stream
from m365audit.graph.values import Event, Page, Task, Waiting

TASK = Task(1, "11111111-1111-4111-8111-111111111111", "directory_audits")


def _page(number: int, size: int) -> Page:
    return Page(TASK, [str(number).encode().ljust(size, b"x")])


def _as_it_is(event: Event) -> Iterable[Event]:
    return [event]


def test_events_come_in_order_and_the_end_is_the_end() -> None:
    async def work(outlet: Outlet[Event]) -> None:
        for number in range(50):
            outlet.tell(Waiting("t", "c", number, ""))
            await outlet.put(_page(number, 10))

    with closing(stream(work, _as_it_is)) as events:
        found = list(events)
    assert [e.seconds for e in found if isinstance(e, Waiting)] == list(range(50))
    assert [int(e.records[0].rstrip(b"x")) for e in found if isinstance(e, Page)] == list(range(50))


def test_what_reads_waits_for_what_keeps() -> None:
    made: list[int] = []
    kept: list[int] = []

    def slowly(event: Event) -> Iterable[Event]:
        time.sleep(0.002)
        assert len(made) <= len(kept) + 1 + 3 + 1  # being kept, in the room, and the one whose put has just returned
        kept.append(len(kept))
        return [event]

    async def work(outlet: Outlet[Event]) -> None:
        for number in range(20):
            await outlet.put(_page(number, 1000))
            made.append(number)

    with closing(stream(work, slowly, room=3000)) as events:
        assert len(list(events)) == len(made) == 20


def test_what_is_kept_may_run_ahead_of_what_is_taken_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "AHEAD", 5)
    kept: list[int] = []

    def counting(event: Event) -> Iterable[Event]:
        kept.append(len(kept))
        return [event]

    async def work(outlet: Outlet[Event]) -> None:
        for number in range(40):
            await outlet.put(_page(number, 10))

    with closing(stream(work, counting)) as events:
        for taken, _ in enumerate(events):
            time.sleep(0.002)
            assert len(kept) <= taken + 1 + 5 + 1  # taken, waiting, and the one that finds no place
    assert len(kept) == 40


def test_what_cannot_be_kept_ends_everything_where_the_events_are_taken() -> None:
    def full(_: Event) -> Iterable[Event]:
        raise OSError("no space left")

    async def work(outlet: Outlet[Event]) -> None:
        await outlet.put(_page(1, 1))
        await asyncio.sleep(60)

    with closing(stream(work, full)) as events, pytest.raises(OSError, match="no space left"):
        next(events)


def test_stopping_ends_what_waits_to_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "AHEAD", 1)

    async def work(outlet: Outlet[Event]) -> None:
        for number in range(40):
            await outlet.put(_page(number, 10))

    before = threading.active_count()
    events = stream(work, _as_it_is)
    next(events)
    begin = time.monotonic()
    events.close()
    assert time.monotonic() - begin < 5
    assert threading.active_count() == before


def test_a_page_larger_than_the_room_passes_alone() -> None:
    async def work(outlet: Outlet[Event]) -> None:
        for number in range(3):
            await outlet.put(_page(number, 10_000))

    with closing(stream(work, _as_it_is, room=100)) as events:
        assert len(list(events)) == 3


def test_an_error_is_raised_where_the_events_are_taken() -> None:
    async def work(outlet: Outlet[Event]) -> None:
        await outlet.put(_page(1, 1))
        raise LookupError("lost")

    with closing(stream(work, _as_it_is)) as events:
        next(events)
        with pytest.raises(LookupError, match="lost"):
            next(events)


def test_stopping_cancels_what_runs_and_ends_the_thread() -> None:
    cancelled = threading.Event()

    async def work(outlet: Outlet[Event]) -> None:
        try:
            await outlet.put(_page(1, 1))
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    before = threading.active_count()
    events = stream(work, _as_it_is)
    next(events)
    begin = time.monotonic()
    events.close()
    assert cancelled.is_set()
    assert time.monotonic() - begin < 5
    assert threading.active_count() == before
