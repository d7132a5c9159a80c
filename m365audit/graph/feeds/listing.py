"""Reads listings of the present state to their end: from the first page again when a link dies, and many side by side.

Must never let a listing that was cut short pass for a whole one: what is missing from it would count as taken away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final, TypeVar

from kiota_abstractions.request_information import RequestInformation

from m365audit.graph.failures import StaleLinkError
from m365audit.graph.feeds.collection import Answer, Client
from m365audit.graph.paging import Listing, Progress, follow
from m365audit.graph.values import Page, Task, Window

DIRECTORY: Final = ("directory",)
DIRECTORY_LIMITS: Final = (
    "resource units by the tenant's size: 3,500, 5,000 or 8,000 in 10 s for each app and tenant, 150,000 in 20 s for "
    "each app (learn.microsoft.com/graph/throttling-limits, identity and access)"
)
SIZES: Final = (999, 500, 100)
"""Page sizes, largest first; 1,000 is refused ("must be between 1 and 999")."""

ANY_SIZE: Final = (0,)
"""For listings whose page size cannot be chosen."""

RESTARTS: Final = 2
AT_ONCE: Final = 6
"""Small listings read side by side: they wait for answers more than for limits."""

Build = Callable[[int], RequestInformation | str]
"""Page size → request for the first page; a text is an absolute address."""
Item = TypeVar("Item")
Result = TypeVar("Result")


async def pages(
    client: Client, task: Task, build: Build, *, source: str, cost: float = 1, limits: tuple[str, ...] = DIRECTORY,
    sizes: tuple[int, ...] = SIZES,
) -> AsyncIterator[Page]:  # fmt: skip
    """Yield every page that has records; after a dead link again from the first one, so that some come twice.

    Args:
        client: the tenant's.
        task: the pull that the pages belong to.
        build: makes the first request.
        source: path for people, e.g. ``/users``.
        cost: resource units of a page.
        limits: names of the throttle's limits.
        sizes: page sizes to try, largest first.

    Raises:
        CollectionError: the last page was not reached.
    """

    async def ask(client: Client, _window: Window | None, size: int) -> Answer:
        request = build(size)
        if isinstance(request, str):
            return await client.get(request, limits=limits, cost=cost)
        return await client.send(request, limits=limits, cost=cost)

    listing = Listing(f"GET {source}", ask, limits, sizes, cost=cost)
    progress = Progress()
    for left in range(RESTARTS, -1, -1):
        try:
            async for page in follow(client, task, listing, None, progress):
                yield page
        except StaleLinkError:
            if not left:
                raise
        else:
            return


async def whole(
    client: Client, task: Task, build: Build, *, source: str, cost: float = 1, limits: tuple[str, ...] = DIRECTORY,
    sizes: tuple[int, ...] = SIZES,
) -> list[bytes]:  # fmt: skip
    """Return the records of a listing that is small enough to be held, each once; see :func:`pages`.

    Raises:
        CollectionError: the last page was not reached.
    """
    found: dict[bytes, None] = {}
    async for page in pages(client, task, build, source=source, cost=cost, limits=limits, sizes=sizes):
        found |= dict.fromkeys(page.records)
    return list(found)


async def side_by_side(
    items: Sequence[Item], read: Callable[[Item], Awaitable[Result]], *, at_once: int = AT_ONCE
) -> AsyncIterator[tuple[Item, Result]]:
    """Yield what is read of each item, in order; the first that fails ends it, and nothing is left running.

    Raises:
        CollectionError: as ``read`` does.
    """
    for first in range(0, len(items), at_once):
        some = items[first : first + at_once]
        results = await asyncio.gather(*map(read, some), return_exceptions=True)
        for item, result in zip(some, results, strict=True):
            if isinstance(result, BaseException):
                raise result
            yield item, result


def in_turn(ids: Sequence[str], at: datetime) -> list[str]:
    """Return the ids in an order that changes every day: whoever takes the first few of them sees all in time."""
    return sorted(ids, key=lambda each: sha256(f"{at.date().isoformat()} {each}".encode()).digest())


def spoken(count: int, noun: str) -> str:
    """Return a number with its noun: 1 team, 1,234 teams."""
    return f"{count:,} {noun}{'s' if count != 1 else ''}"


def few(names: Sequence[str], most: int = 3) -> str:
    """Return the first of some names, and how many more there are."""
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
