"""Pages → segments on disk, while the collector goes on reading: what waits to be landed is held by no memory.

Runs in the collector's thread that keeps things; must never touch the database, nor ask Microsoft.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from m365audit.store.spool import Segment, Spooled

if TYPE_CHECKING:
    from m365audit.graph import Ended, Event, Page, Task

_SEGMENT: Final = 2 << 20
"""Bytes of a log's records after which a segment is over: a page of sign-ins. DuckDB reads a small file whole, and a
large one in pieces of 32 MiB: landing segments of 16 MiB took 80 MiB more (measured)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A page is on disk, in a segment that is not over.

    Attributes:
        page: without its records.
        records: how many it had.
    """

    page: Page
    records: int


@dataclass(frozen=True, slots=True)
class Filled:
    """A segment is over and durable.

    Attributes:
        task: the pull that it is of.
        spooled: where it is.
        records: how many it holds.
        longest: bytes of the longest.
        page: the last page in it, without its records: tells how it is to be read; None when there is none.
        ended: the end of the pull or of a part of it that it came with, None when more of the part follows.
    """

    task: Task
    spooled: Spooled
    records: int
    longest: int
    page: Page | None
    ended: Ended | None


@dataclass(slots=True)
class _Begun:
    segment: Segment
    page: Page | None = None


class Spooler:
    """Takes events one after the other, and lets by what is no page.

    Args:
        state: the private state folder.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._begun: dict[int, _Begun] = {}

    def keep(self, event: Event) -> Iterator[Event | Kept | Filled]:
        """Put what is to be landed on disk; return what is to be known of it, in order.

        Raises:
            OSError: the spool cannot be written.
        """
        given: Any = event
        match type(event).__name__:  # to import the types would be to import the collector
            case "Page":
                yield from self._keep(given)
            case "Ended":
                yield self._end(given)
            case _:
                yield event

    def close(self) -> None:
        """Remove what was begun and never ended; it will be read again."""
        while self._begun:
            self._begun.popitem()[1].segment.__exit__()

    def _keep(self, page: Page) -> Iterator[Kept | Filled]:
        """Write a page; a segment is over when it is much, or when what comes is to be read otherwise."""
        begun = self._begun.get(page.task.number)
        if begun and begun.page and _shape(begun.page) != _shape(page):
            yield self._fill(page.task, None)
        bare = replace(page, records=())
        if page.records:
            begun = self._begin(page.task)
            begun.segment.append(page.records)
            begun.page = bare
        yield Kept(bare, len(page.records))
        if begun and begun.segment.size >= _SEGMENT and page.task.window is not None:
            yield self._fill(page.task, None)

    def _end(self, ended: Ended) -> Ended | Filled:
        """End a segment with its part; an empty listing is one too: it says that nothing is there any more."""
        if ended.window is None and ended.reason is None:
            self._begin(ended.task)
        return self._fill(ended.task, ended) if ended.task.number in self._begun else ended

    def _begin(self, task: Task) -> _Begun:
        """Return the segment that the pull's records go into."""
        if task.number not in self._begun:
            segment = Segment(task.tenant, self._state, f"{task.collection}-{task.number}.ndjson")
            self._begun[task.number] = _Begun(segment)
        return self._begun[task.number]

    def _fill(self, task: Task, ended: Ended | None) -> Filled:
        begun = self._begun[task.number]
        filled = Filled(task, begun.segment.close(), begun.segment.records, begun.segment.longest, begun.page, ended)
        del self._begun[task.number]
        return filled


def _shape(page: Page) -> tuple[bool, datetime | None]:
    """Return what all pages of one segment have in common."""
    return page.enveloped, page.covered_hour
