"""Owns the thread in which collection runs, and the narrow way out of it: events in order, and never too many bytes.

What comes is kept in a second thread, away from the loop, and only what keeping it leaves is handed out: whoever takes
the events may be slow, as a database is, while the network goes on. Must never know what keeping means.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Generic, TypeVar

from m365audit.graph.values import Event, Page

ROOM: Final = 8 << 20
"""Bytes of records that may wait to be kept; one page may be larger, and then waits alone."""
AHEAD: Final = 200
"""How many things that were kept may wait to be taken."""

_STOP_SECONDS: Final = 10.0
LINGER: Final = 0.05
"""Seconds that connections over TLS take to close after they were told to; a loop that ends sooner leaves them open."""

Kept = TypeVar("Kept")
Keep = Callable[[Event], Iterable[Kept]]
"""Makes of an event what is to be handed out; called for one event after the other, in order."""


class Outlet(Generic[Kept]):
    """Where events leave the event loop. ``put`` waits while too many bytes are on their way."""

    def __init__(self, keep: Keep[Kept], room: int = ROOM) -> None:
        self._keep = keep
        self._room = room
        self._waiting = 0
        self._freed = asyncio.Event()
        self._keeper = ThreadPoolExecutor(1, "keeping")
        self._kept: queue.Queue[Kept | BaseException | None] = queue.Queue(AHEAD)
        self._is_abandoned = False

    async def put(self, event: Event) -> None:
        """Hand an event over, in order."""
        size = _size(event)
        while size and self._waiting and self._waiting + size > self._room:
            self._freed.clear()
            await self._freed.wait()
        self._waiting += size
        loop = asyncio.get_running_loop()
        keeping = self._keeper.submit(self._pass_on, event)
        del event  # the thread drops a page as soon as it is kept, and so must we
        keeping.add_done_callback(lambda _: loop.call_soon_threadsafe(self._release, size))

    def tell(self, event: Event) -> None:
        """Hand over an event that is no page, from code that cannot wait."""
        self._keeper.submit(self._pass_on, event)

    def finish(self, error: BaseException | None) -> None:
        """Say that nothing more comes; ``error`` when it ended badly."""
        self._keeper.shutdown()
        self._hand_out(error)

    def take(self) -> Kept | BaseException | None:
        """Return what was kept next, None at the end, what went wrong when something did. From outside the loop."""
        return self._kept.get()

    def abandon(self) -> None:
        """Let nobody wait for what is never taken any more."""
        self._is_abandoned = True
        while not self._kept.empty():
            self._kept.get()

    def _pass_on(self, event: Event) -> None:
        """Keep an event, and hand out what that leaves. In the thread that keeps."""
        try:
            for kept in () if self._is_abandoned else self._keep(event):
                self._hand_out(kept)
        except BaseException as error:  # noqa: BLE001 - carried to whoever takes, and raised there
            self._hand_out(error)

    def _hand_out(self, kept: Kept | BaseException | None) -> None:
        if not self._is_abandoned:
            self._kept.put(kept)

    def _release(self, size: int) -> None:
        """Make room again for what is kept now. In the loop."""
        self._waiting -= size
        self._freed.set()


def _size(event: Event) -> int:
    return sum(map(len, event.records)) if isinstance(event, Page) else 0


def stream(
    work: Callable[[Outlet[Kept]], Awaitable[None]], keep: Keep[Kept], *, room: int = ROOM
) -> Generator[Kept, None, None]:
    """Run ``work`` in an event loop of its own and yield what keeping its events leaves.

    Close the iterator to stop: what runs is cancelled, and the thread ends before this returns.

    Raises:
        BaseException: whatever ended ``work`` or ``keep``, unless it was stopped from here.
    """
    loop, outlet = asyncio.new_event_loop(), Outlet(keep, room)
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
        while (kept := outlet.take()) is not None:
            if isinstance(kept, BaseException):
                raise kept
            yield kept
    finally:
        if thread.is_alive() and started:
            loop.call_soon_threadsafe(started[0].cancel)
        outlet.abandon()
        thread.join(_STOP_SECONDS)
        if not thread.is_alive():
            loop.close()
