"""Owns the thread in which collection runs, and the narrow way out of it: events in order, and never too many bytes.

Whoever takes the events works at its own pace; what reads from the network waits for it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import Final

from m365audit.graph.values import Event, Page

ROOM: Final = 8 << 20
"""Bytes of records that may wait to be stored; one page may be larger, and then waits alone."""

_STOP_SECONDS: Final = 10.0
LINGER: Final = 0.05
"""Seconds that connections over TLS take to close after they were told to; a loop that ends sooner leaves them open."""


class Outlet:
    """Where events leave the event loop. ``put`` waits while too many bytes are on their way."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._waiting = 0
        self._freed = asyncio.Event()
        self._events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()

    async def put(self, event: Event) -> None:
        """Hand an event over, in order."""
        size = _size(event)
        while size and self._waiting and self._waiting + size > self._room:
            self._freed.clear()
            await self._freed.wait()
        self._waiting += size
        self._events.put(event)

    def tell(self, event: Event) -> None:
        """Hand over an event that is no page, from code that cannot wait."""
        self._events.put(event)

    def finish(self, error: BaseException | None) -> None:
        """Say that nothing more comes; ``error`` when it ended badly."""
        self._events.put(error)

    def take(self) -> Event | BaseException | None:
        """Return the next event, None at the end, what went wrong when something did. Called from outside the loop."""
        return self._events.get()

    def release(self, event: Event) -> None:
        """Make room again for what ``event`` held. Called inside the loop."""
        self._waiting -= _size(event)
        self._freed.set()


def _size(event: Event) -> int:
    return sum(map(len, event.records)) if isinstance(event, Page) else 0


def stream(work: Callable[[Outlet], Awaitable[None]], *, room: int = ROOM) -> Generator[Event, None, None]:
    """Run ``work`` in an event loop of its own and yield what it puts out.

    Close the iterator to stop: what runs is cancelled, and the thread ends before this returns.

    Raises:
        BaseException: whatever ended ``work``, unless it was stopped from here.
    """
    loop, outlet = asyncio.new_event_loop(), Outlet(room)
    started: list[asyncio.Task[None]] = []

    async def main() -> None:
        await work(outlet)

    def run() -> None:
        asyncio.set_event_loop(loop)
        started.append(loop.create_task(main()))
        error: BaseException | None = None
        try:
            loop.run_until_complete(started[0])
        except asyncio.CancelledError:
            pass
        except BaseException as caught:  # noqa: BLE001 - carried to the caller's thread and raised there
            error = caught
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.run_until_complete(asyncio.sleep(LINGER))
            outlet.finish(error)

    thread = threading.Thread(target=run, name="collection", daemon=True)
    thread.start()
    try:
        while (event := outlet.take()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event
            loop.call_soon_threadsafe(outlet.release, event)
    finally:
        if thread.is_alive() and started:
            loop.call_soon_threadsafe(started[0].cancel)
        thread.join(_STOP_SECONDS)
        if not thread.is_alive():
            loop.close()
