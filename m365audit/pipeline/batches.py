"""What is over and not landed yet: small pulls wait for each other, because a transaction costs the same for many.

A window is closed in the transaction that lands its last record, and only there: what waits here when a run is killed
is read again. Must never speak to Microsoft.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from m365audit.model import PreparedFile
from m365audit.pipeline.taking_in import land_collected
from m365audit.pipeline.values import Gathered, Unseen, Work, now
from m365audit.store import collection
from m365audit.store.arrivals import Arrival, Landed
from m365audit.store.collection import Closing
from m365audit.store.database import transaction
from m365audit.store.landing import Ready
from m365audit.store.windows import Pull

if TYPE_CHECKING:
    from m365audit.graph import Collection, Ended, Task

_MOST: Final = 100
"""Pulls that wait at most."""
_MOST_BYTES: Final = 64 << 20
_SECONDS: Final = 2.0
"""How long anything waits while events come."""


@dataclass(slots=True)
class Part:
    """A pull, or a part of its window, on its way into the store.

    Attributes:
        task: the pull.
        gathered: the account of its collection.
        records: records of it that are on disk.
        added: of them, those that are landed and were new.
        refusal: why some of it could not be landed at all; empty when all of it was.
        before: the part of the same pull that ended before it, where records of either may have come with the other.
    """

    task: Task
    gathered: Gathered
    records: int = 0
    added: int = 0
    refusal: str = ""
    before: Part | None = None

    @property
    def added_so_far(self) -> int:
        """Return what was new in this part and in those before it: none of them is known to be at rest."""
        return self.added + (self.before.added_so_far if self.before else 0)

    @property
    def any_refusal(self) -> str:
        """Return why some of this part, or of those before it, could not be landed."""
        return self.refusal or (self.before.any_refusal if self.before else "")


@dataclass(frozen=True, slots=True)
class Over:
    """A segment that is full or whose part is over, or a part that is over without any record.

    Attributes:
        part: what it is of.
        ended: the end of the part, None when more of it follows.
        arrival: the segment, None when there is none.
        prepared: how it is to be read.
        cursors: blob → bytes read and its hour, to be noted with it.
    """

    part: Part
    ended: Ended | None
    arrival: Arrival | None = None
    prepared: PreparedFile | None = None
    cursors: Mapping[str, tuple[int, datetime | None]] = field(default_factory=dict)


class Batch:
    """What waits to be landed.

    Args:
        work: the run.
        run_id: its id.
        collections: name → facts about each collection.
        told: called with each part that is over, once that is durable, and with why it was not seen, if so.
    """

    def __init__(
        self, work: Work, run_id: str, collections: Mapping[str, Collection],
        told: Callable[[Task, str, str], None],
    ) -> None:  # fmt: skip
        self._work = work
        self._run_id = run_id
        self._collections = collections
        self._told = told
        self._waiting: list[Over] = []
        self._bytes = 0
        self._since = 0.0

    def add(self, over: Over) -> None:
        """Let something wait; land everything when that is much."""
        self._since = self._since if self._waiting else time.monotonic()
        self._waiting.append(over)
        self._bytes += over.arrival.size if over.arrival else 0
        if len(self._waiting) >= _MOST or self._bytes >= _MOST_BYTES:
            self.flush()

    def flush_old(self) -> None:
        """Land everything when something has waited for long."""
        if self._waiting and time.monotonic() - self._since > _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Land everything that waits, and let the ledger say so.

        Raises:
            StoreError: the store cannot be written.
        """
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        for family in _families(waiting):
            if family[0].arrival is None:
                with transaction(self._work.connection):
                    self._close(family, [None] * len(family))
            else:
                self._land(family)

    def _land(self, family: Sequence[Over]) -> None:
        ready = [Ready(over.arrival, over.prepared) for over in family if over.arrival and over.prepared]
        by_source = {file.arrival.source_id: over for file, over in zip(ready, family, strict=True)}

        def close(landed: Mapping[int, Landed]) -> None:
            self._close([by_source[source] for source in landed], list(landed.values()))

        land_collected(self._work, ready, close)

    def _close(self, family: Sequence[Over], landed: Sequence[Landed | None]) -> None:
        """Note in the ledger what becomes durable in the present transaction."""
        for over, file in zip(family, landed, strict=True):
            part, ended = over.part, over.ended
            if file is not None:
                _count(part, file)
            for blob, (offset, hour) in over.cursors.items():
                collection.move_cursor(
                    self._work.connection, part.task.tenant, blob, bytes_read=offset, hour=hour, seen_at=now()
                )
            if ended is not None:
                self._close_part(part, ended)

    def _close_part(self, part: Part, ended: Ended) -> None:
        is_refused = part.any_refusal and not ended.reason
        reason, detail = ("error", part.any_refusal) if is_refused else (ended.reason, ended.detail)
        task, settle_after = part.task, self._work.policy.policy.settle_after
        window = (ended.window.begin, ended.window.end) if ended.window else (ended.began_at, ended.began_at)
        pull = Pull(window, ended.began_at, reason, detail, part.records, part.added_so_far, self._run_id)
        closing = Closing(task.tenant, self._collections[task.collection].feeds, task.collection, pull)
        if ended.window is None:
            collection.close_listing(self._work.connection, closing)
        else:
            collection.close_window(self._work.connection, closing, settle_after)
        if reason:
            begin, end = window if ended.window else (None, None)
            part.gathered.unseen.append(Unseen(begin, end, reason, detail))
        else:
            part.gathered.windows += 1
        self._told(task, reason or "", detail)


def _count(part: Part, file: Landed) -> None:
    part.added += file.stored
    part.gathered.stored += file.stored
    part.gathered.duplicate += file.duplicate
    part.gathered.quarantined += file.quarantined
    if file.outcome == "refused":
        part.refusal = file.message


def _families(waiting: Sequence[Over]) -> Iterator[list[Over]]:
    """Yield what may be landed together; within a part what came first comes first."""
    families: dict[object, list[Over]] = {}
    for over in waiting:
        ready = Ready(over.arrival, over.prepared) if over.arrival and over.prepared else None
        families.setdefault(ready.family if ready else None, []).append(over)
    # What ends without a record of its own may follow segments of its part.
    yield from (family for key, family in families.items() if key is not None)
    yield from (family for key, family in families.items() if key is None)
