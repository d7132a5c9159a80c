"""Owns a listing's way from its first page to its last: the bytes of each record as they came, never changed.

Follows links as they were given and keeps none. Must never interpret a record, hold two pages, or take what it could
not follow for the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from m365audit.graph.documents import page_of
from m365audit.graph.failures import CollectionError, StaleLinkError
from m365audit.graph.feeds.collection import Answer, Client
from m365audit.graph.values import Page, Task, Window

EMPTY_IN_A_ROW: Final = 100
"""Empty pages that are followed one after the other: a log that is filtered may have many, but not for ever."""

KNOWN_IN_A_ROW: Final = 5
"""Pages in a row that bring nothing new: links that differ may still lead in a circle."""

_SAMPLE: Final = 16
_BAD_REQUEST: Final = 400
Ask = Callable[[Client, Window | None, int], Awaitable[Answer]]
"""Asks for the first page: of a window, with so many records at most."""


@dataclass(frozen=True, slots=True)
class Listing:
    """How one listing is read.

    Attributes:
        source: where its records come from, without query: ``GET /auditLogs/signIns``.
        ask: asks for its first page.
        limits: names of the throttle's limits that hold for it.
        sizes: page sizes to try, largest first.
        cost: of one page, where a limit counts resource units.
    """

    source: str
    ask: Ask
    limits: tuple[str, ...]
    sizes: tuple[int, ...] = (1_000, 999, 500, 100)
    cost: float = 1


@dataclass(slots=True)
class Progress:
    """What one reading of a listing came by.

    Attributes:
        requests: pages asked for.
        size: index of the page size that Microsoft takes.
        records: records passed on.
    """

    requests: int = 0
    size: int = 0
    records: int = 0


class _Key(msgspec.Struct):
    id: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    audit_id: msgspec.Raw = msgspec.field(name="Id", default_factory=msgspec.Raw)


_read_key = msgspec.json.Decoder(_Key).decode


async def follow(
    client: Client, task: Task, listing: Listing, window: Window | None, progress: Progress
) -> AsyncIterator[Page]:
    """Read a listing from its first page to its last, once.

    Args:
        client: asks.
        task: the pull that the pages belong to.
        listing: what is read.
        window: the part of the task's window that is read now; None for a listing of the present state.
        progress: counts.

    Yields:
        Pages that have records; what Microsoft sends twice comes twice.

    Raises:
        StaleLinkError: a link died; what was yielded is good, what is missing is unknown.
        CollectionError: the last page was not reached.
    """
    answer = await _first(client, listing, window, progress)
    circle = _Circle()
    while True:
        records, link = page_of(answer)
        circle.note(records, link)
        if records:
            progress.records += len(records)
            yield Page(task, records, source=listing.source)
        if link is None:
            return
        del records
        progress.requests += 1
        answer = await client.get(link, limits=listing.limits, cost=listing.cost, what="next_link")


async def _first(client: Client, listing: Listing, window: Window | None, progress: Progress) -> Answer:
    """Ask for the first page, with smaller pages when Microsoft does not take the size."""
    while True:
        progress.requests += 1
        try:
            return await listing.ask(client, window, listing.sizes[progress.size])
        except StaleLinkError:
            raise
        except CollectionError as error:
            may_be_size = error.status == _BAD_REQUEST and error.reason == "error"
            if not may_be_size or progress.size + 1 == len(listing.sizes):
                raise
            progress.size += 1


@dataclass(slots=True)
class _Circle:
    """Knows when pages lead in a circle, or nowhere."""

    links: set[bytes] = field(default_factory=set)
    keys: set[int] = field(default_factory=set)
    empty: int = 0
    known: int = 0

    def note(self, records: Sequence[bytes], link: str | None) -> None:
        """Take a page in.

        Raises:
            CollectionError: there is no end in sight.
        """
        if link is None:
            return
        digest = hashlib.blake2b(link.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if digest in self.links:
            raise CollectionError("error", "Microsoft's links to next pages lead in a circle")
        self.links.add(digest)
        self.empty = 0 if records else self.empty + 1
        if self.empty >= EMPTY_IN_A_ROW:
            raise CollectionError("error", f"{EMPTY_IN_A_ROW} empty pages came one after the other")
        if records:
            self._compare(records)

    def _compare(self, records: Sequence[bytes]) -> None:
        """Look at some records of each page: in a circle sooner or later all of them are known."""
        step = max(1, len(records) // _SAMPLE)
        sample = {_key(record) for record in (*records[::step], records[-1])}
        self.known = self.known + 1 if sample <= self.keys else 0
        self.keys |= sample
        if self.known >= KNOWN_IN_A_ROW:
            raise CollectionError("error", f"{KNOWN_IN_A_ROW} pages in a row brought nothing new: they go in a circle")


def _key(record: bytes) -> int:
    try:
        key = _read_key(record)
    except (msgspec.MsgspecError, RecursionError):
        return hash(record)
    return hash(bytes(key.id) or bytes(key.audit_id) or record)
