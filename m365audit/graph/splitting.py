"""Owns what happens to a window whose links die: it begins again, then falls into halves, each with an end of its own.

Must never tell a part as read whose last page was not reached.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from m365audit.graph.failures import StaleLinkError
from m365audit.graph.feeds.collection import Client
from m365audit.graph.paging import Listing, Progress, follow
from m365audit.graph.values import Ended, Page, Task, Window

RESTARTS: Final = 2
"""Times that a part begins again before it is split."""

NARROWEST: Final = timedelta(minutes=1)
"""No part becomes smaller; what cannot be read in one minute of time is a gap of a minute."""

MOST_RESTARTS: Final = 64
"""Of one task: enough to find two bad places in a day, and not so many that a dead service is asked for ever."""

SECOND: Final = timedelta(seconds=1)


class TooManyError(StaleLinkError):
    """A part holds more than Microsoft gives at once: halves may not."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One part of a window, about to be read."""

    window: Window
    restarts: int = 0


Read = Callable[[Client, Task, Window, Progress], AsyncIterator[Page]]
"""Reads one part from its first page to its last; ``StaleLinkError`` when it has to begin again."""


def halves(window: Window, narrowest: timedelta = NARROWEST) -> tuple[Window, Window] | None:
    """Return the earlier and the later half, cut at a whole second; None when they would be too small."""
    seconds = (window.end - window.begin) // SECOND // 2
    if timedelta(seconds=seconds) < max(narrowest, SECOND):
        return None
    middle = window.begin.replace(microsecond=0) + timedelta(seconds=seconds)
    return Window(window.begin, middle), Window(middle, window.end)


async def read_listing(client: Client, task: Task, listing: Listing) -> AsyncIterator[Page | Ended]:
    """Read a task's window of a listing, in parts when it has to be.

    Yields:
        Pages, and an end for each part; what went wrong with a part that could be split no further is in its end.

    Raises:
        CollectionError: something that halves do not help against; parts that have no end were not read.
    """

    async def read(client: Client, task: Task, window: Window, progress: Progress) -> AsyncIterator[Page]:
        async for page in follow(client, task, listing, window, progress):
            yield page

    async for event in read_window(client, task, read):
        yield event


async def read_window(
    client: Client, task: Task, read: Read, *, narrowest: timedelta = NARROWEST
) -> AsyncIterator[Page | Ended]:
    """Read a task's window, in parts when it has to be; as :func:`read_listing` for whatever reads a part.

    Args:
        client: asks.
        task: with a window.
        read: reads a part.
        narrowest: least width of a part.
    """
    progress, left = Progress(), MOST_RESTARTS
    todo = [_Attempt(whole_window(task))]
    while todo:
        attempt = todo.pop(0)
        began_at, before = client.now(), progress.requests
        try:
            async for page in read(client, task, attempt.window, progress):
                yield page
        except StaleLinkError as error:
            left -= 1
            again = _next_attempts(attempt, error, narrowest) if left > 0 else []
            todo[:0] = again
            if again:
                continue
            yield _ended(task, attempt, progress.requests - before, began_at, error)
        else:
            yield _ended(task, attempt, progress.requests - before, began_at, None)


def whole_window(task: Task) -> Window:
    """Return the window of a task that has one.

    Raises:
        ValueError: it has none.
    """
    if task.window is None:
        raise ValueError("a log is read in windows")
    return task.window


def _next_attempts(attempt: _Attempt, error: StaleLinkError, narrowest: timedelta) -> list[_Attempt]:
    """Return what to read instead: the same again, or its halves; nothing when neither helps."""
    if attempt.restarts < RESTARTS and not isinstance(error, TooManyError):
        return [_Attempt(attempt.window, attempt.restarts + 1)]
    parts = halves(attempt.window, narrowest)
    return [_Attempt(part) for part in parts] if parts else []


def _ended(task: Task, attempt: _Attempt, requests: int, began_at: datetime, error: StaleLinkError | None) -> Ended:
    return Ended(
        task,
        attempt.window,
        None if error is None else "error",
        "" if error is None else f"{error.message}; this part could not be read in smaller parts either",
        began_at,
        requests,
        attempt.restarts,
    )
