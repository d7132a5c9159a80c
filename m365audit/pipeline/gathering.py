"""The collector's events → segments on disk → what is over, and an account of every tenant. Never asks Microsoft."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from m365audit.config import TenantSettings, iso
from m365audit.model import PreparedFile
from m365audit.pipeline.batches import Batch, Over, Part
from m365audit.pipeline.values import Collected, Gathered, Step, Unseen, Work, now
from m365audit.store import collection, self_watch
from m365audit.store.arrivals import Arrival, next_source_ids
from m365audit.store.collection import Closing
from m365audit.store.spool import Segment
from m365audit.store.windows import Pull

if TYPE_CHECKING:
    from m365audit.graph import (
        ClockDiffers,
        Collection,
        Ended,
        Event,
        LinkRefused,
        Page,
        Planned,
        SignedIn,
        SignInFailed,
        Task,
        Waiting,
        Window,
    )

_SEGMENT: Final = 16 << 20
"""Bytes of a log's records that are landed together at most: what a kill finds not landed is read again."""


@dataclass(slots=True)
class _Reading:
    """A pull that is under way, and what of it is on disk and does not wait to be landed yet.

    Attributes:
        part: the present part of its window.
        page: the page that was kept last: tells how the segment is to be read.
        cursors: blob → bytes read and the hour that it is of, to be noted when the segment is landed.
    """

    part: Part
    segment: Segment | None = None
    page: Page | None = None
    cursors: dict[str, tuple[int, datetime | None]] = field(default_factory=dict)


class Gatherer:
    """Takes events one after the other, and keeps account of every tenant.

    Args:
        work: the run.
        run_id: its id.
        tenants: whose events will come.
        collections: name → facts about each collection.

    Attributes:
        tenants: what was and what was not seen, by tenant id.
    """

    def __init__(
        self, work: Work, run_id: str, tenants: Sequence[TenantSettings], collections: Mapping[str, Collection]
    ) -> None:
        self._work = work
        self._connection = work.connection
        self._run_id = run_id
        self._collections = collections
        self._readings: dict[int, _Reading] = {}
        self._totals: dict[tuple[str, str], tuple[int, int]] = {}
        self._clocks: dict[str, datetime] = {}
        self._batch = Batch(work, run_id, collections, self._closed)
        self.tenants = {tenant.id: Collected(tenant.id, tenant.display_name) for tenant in tenants}
        self._takers: dict[str, Callable[[Any], None]] = {
            "Planned": self._plan, "Page": self._keep, "Ended": self._end, "Waiting": self._wait,
            "SignedIn": self._let_in, "SignInFailed": self._turned_away, "LinkRefused": self._refuse,
            "ClockDiffers": self._note_clock,
        }  # fmt: skip

    def take(self, event: Event) -> None:
        """Deal with one event."""
        self._takers[type(event).__name__](event)
        self._batch.flush_old()

    def finish(self) -> None:
        """Land what still waits; nothing comes any more."""
        self._batch.flush()

    def close(self) -> None:
        """Remove what was begun and never ended; it will be read again."""
        for reading in self._readings.values():
            if reading.segment is not None:
                reading.segment.__exit__()
                reading.segment = None

    def _plan(self, planned: Planned) -> None:
        """Put what will be read into the ledger, and what can never be read any more."""
        name = planned.collection
        gathered = self.tenants[planned.tenant].collections.setdefault(name, Gathered(name))
        windows = [_interval(task.window) for task in planned.tasks if task.window]
        collection.open_windows(
            self._connection, planned.tenant, feeds=planned.feeds, collection=name, windows=windows, run_id=self._run_id
        )
        lost = [
            Closing(
                planned.tenant,
                planned.feeds,
                name,
                Pull(_interval(window), window.end, reason, detail, run_id=self._run_id),
            )
            for window, reason, detail in planned.lost
        ]
        collection.close_windows(self._connection, lost, self._work.policy.policy.settle_after)
        gathered.unseen += [Unseen(w.begin, w.end, reason, detail) for w, reason, detail in planned.lost]
        self._readings |= {task.number: _Reading(Part(task, gathered)) for task in planned.tasks}
        self._totals[planned.tenant, name] = (0, len(planned.tasks))

    def _keep(self, page: Page) -> None:
        """Put a page on disk; what is there is over when it is much, or when what comes is to be read otherwise."""
        reading = self._readings[page.task.number]
        if reading.page is not None and _shape(reading.page) != _shape(page):
            self._is_over(reading, None)
        if page.next_cursor:
            blob, offset = page.next_cursor
            reading.cursors[blob] = (offset, page.covered_hour)
        if page.records:
            self._write(reading, page)
        self._tell(page.task, "reading")

    def _write(self, reading: _Reading, page: Page) -> None:
        segment = reading.segment = reading.segment or self._segment(page.task)
        segment.append(page.records)
        reading.page = page
        reading.part.records += len(page.records)
        reading.part.gathered.records += len(page.records)
        if segment.size >= _SEGMENT and page.task.window is not None:
            self._is_over(reading, None)

    def _end(self, ended: Ended) -> None:
        """Let what is left of the pull, or of the part that is over, be landed and told of in the ledger."""
        reading = self._readings[ended.task.number]
        if ended.window is None and ended.reason is None and reading.segment is None:
            reading.segment = self._segment(ended.task)  # an empty listing says that nothing is there any more
        before = _may_hold_more(reading)
        self._is_over(reading, ended)
        reading.part = Part(ended.task, reading.part.gathered, before=before)

    def _is_over(self, reading: _Reading, ended: Ended | None) -> None:
        part, segment, page = reading.part, reading.segment, reading.page
        if segment is None:
            self._batch.add(Over(part, ended, cursors=reading.cursors))
        else:
            kept = segment.close()
            (number,) = next_source_ids(self._connection, 1)
            task = part.task
            arrival = Arrival(
                number,
                _label(task, page),
                task.tenant,
                kept.sha256,
                kept.size,
                str(kept.path),
                imported_at=now(),
                observed_at=ended.began_at if ended else self._clocks[task.tenant],
                has_said_time=task.window is None,
                settle_after=self._work.policy.policy.settle_after,
                is_collected=True,
                run_id=self._run_id,
                longest_line=segment.longest,
            )
            prepared = PreparedFile(
                arrival.path, self._collections[task.collection].kind, page is not None and page.enveloped,
                arrival.spool, is_temporary=False, records=segment.records,
                has_next_page=task.window is None and ended is not None and ended.reason is not None,
            )  # fmt: skip
            self._batch.add(Over(part, ended, arrival, prepared, reading.cursors))
        reading.segment, reading.page, reading.cursors = None, None, {}

    def _closed(self, task: Task, reason: str, detail: str) -> None:
        """Hear of a part that is durable."""
        key = (task.tenant, task.collection)
        done, total = self._totals[key]
        self._totals[key] = (min(done + 1, total), total)
        self._tell(task, "gap" if reason else "read", detail)

    def _segment(self, task: Task) -> Segment:
        return Segment(task.tenant, self._work.settings.state, f"{task.collection}-{task.number}.ndjson")

    def _let_in(self, signed_in: SignedIn) -> None:
        self_watch.note_signed_in(
            self._connection, signed_in.tenant, client_id=signed_in.client_id, roles=signed_in.roles,
            scopes=signed_in.scopes, credential_expires_at=signed_in.credential_expires_at, at=signed_in.at,
        )  # fmt: skip
        tenant = self.tenants[signed_in.tenant]
        tenant.is_signed_in = True
        self._clocks[signed_in.tenant] = signed_in.at
        self._work.reporter.gathering(Step(tenant.name, "", "signed_in"))

    def _turned_away(self, failed: SignInFailed) -> None:
        self_watch.note_sign_in_failed(
            self._connection, failed.tenant, is_refused=failed.is_refused, code=failed.code, message=failed.message,
            hint=failed.hint, at=failed.at, run_id=self._run_id,
        )  # fmt: skip
        tenant = self.tenants[failed.tenant]
        tenant.is_signed_in = False
        tenant.refusal = f"{failed.message}; {failed.hint}" if failed.hint else failed.message
        self._work.reporter.gathering(Step(tenant.name, "", "refused", detail=tenant.refusal))

    def _refuse(self, refused: LinkRefused) -> None:
        what = refused.what.replace("_", " ")
        self_watch.note_event(
            self._connection,
            self_watch.Incident(
                refused.tenant, "link_refused", refused.at, f"an answer's {what} led elsewhere; nothing was sent there",
                refused.collection, refused.target, self._run_id,
            ),
        )  # fmt: skip
        self.tenants[refused.tenant].refused_links += 1

    def _note_clock(self, differs: ClockDiffers) -> None:
        side = "behind" if differs.ahead > timedelta(0) else "ahead of"
        hours = abs(differs.ahead) / timedelta(hours=1)
        self_watch.note_event(
            self._connection,
            self_watch.Incident(
                differs.tenant, "clock_differs", differs.at,
                f"this computer's clock is {hours:.1f} hours {side} Microsoft's; Microsoft's was used",
                run_id=self._run_id,
            ),
        )  # fmt: skip

    def _wait(self, waiting: Waiting) -> None:
        name = self.tenants[waiting.tenant].name
        done, total = self._totals.get((waiting.tenant, waiting.collection), (0, 0))
        self._work.reporter.gathering(
            Step(name, waiting.collection, "waiting", done, total, seconds=waiting.seconds, detail=waiting.why)
        )

    def _tell(self, task: Task, state: str, detail: str = "") -> None:
        tenant = self.tenants[task.tenant]
        done, total = self._totals[task.tenant, task.collection]
        records = tenant.collections[task.collection].records
        self._work.reporter.gathering(Step(tenant.name, task.collection, state, done, total, records, detail=detail))


def _interval(window: Window) -> tuple[datetime, datetime]:
    return window.begin, window.end


def _shape(page: Page) -> tuple[bool, datetime | None]:
    """Return what all pages of one segment have in common."""
    return page.enveloped, page.covered_hour


def _may_hold_more(reading: _Reading) -> Part | None:
    """Return the part that may hold records of what comes after it; the file of an hour holds that hour's only."""
    part, page = reading.part, reading.page
    is_an_hours = page is not None and page.covered_hour is not None
    return part.before if is_an_hours or not part.records else part


def _label(task: Task, page: Page | None) -> str:
    """Return how the ledger of sources names what was collected: the question, never an address with its query."""
    source = page.source if page and page.source else task.collection
    when = f" {iso(task.window.begin)}/{iso(task.window.end)}" if task.window else ""
    return f"{source}{when}"
