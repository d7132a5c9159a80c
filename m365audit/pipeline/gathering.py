"""The collector's events → durable segments → landing and the ledger of windows, in that order and never another.

A window is closed in the transaction that lands its last record. Must never speak to Microsoft.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from m365audit.config import TenantSettings, iso
from m365audit.pipeline.taking_in import land_collected
from m365audit.pipeline.values import Collected, Gathered, Step, Unseen, Work, now
from m365audit.store import collection, self_watch
from m365audit.store.arrivals import Arrival, Landed, next_source_ids
from m365audit.store.collection import Closing
from m365audit.store.database import transaction
from m365audit.store.spool import Segment
from m365audit.store.windows import Pull

if TYPE_CHECKING:
    from m365audit.graph import (
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

_SEGMENT: Final = 64 << 20
"""Bytes of a log's records that are landed together at most: what a kill finds not landed is read again."""


@dataclass(slots=True)
class _Reading:
    """A pull that is under way, and what of it is on disk and not landed yet.

    Attributes:
        page: the page that was kept last, without its records' meaning: tells how the segment is to be read.
        records: records of the present part of its window.
        added: of them, new to the store.
        cursors: blob → bytes read and the hour that it is of, to be noted when the segment is landed.
    """

    task: Task
    gathered: Gathered
    segment: Segment | None = None
    page: Page | None = None
    records: int = 0
    added: int = 0
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
        self.tenants = {tenant.id: Collected(tenant.id, tenant.display_name) for tenant in tenants}
        self._takers: dict[str, Callable[[Any], None]] = {
            "Planned": self._plan, "Page": self._keep, "Ended": self._end, "Waiting": self._wait,
            "SignedIn": self._let_in, "SignInFailed": self._turned_away, "LinkRefused": self._refuse,
        }  # fmt: skip

    def take(self, event: Event) -> None:
        """Deal with one event."""
        self._takers[type(event).__name__](event)

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
        self._readings |= {task.number: _Reading(task, gathered) for task in planned.tasks}
        self._totals[planned.tenant, name] = (0, len(planned.tasks))

    def _keep(self, page: Page) -> None:
        """Make a page durable; land what is there when it is much, or when what comes is to be read otherwise."""
        reading = self._readings[page.task.number]
        if reading.page is not None and _shape(reading.page) != _shape(page):
            self._land(reading, None)
        segment = reading.segment or self._segment(page.task)
        segment.append(page.records)
        reading.segment = segment
        reading.page = page
        reading.records += len(page.records)
        reading.gathered.records += len(page.records)
        if page.next_cursor:
            blob, offset = page.next_cursor
            reading.cursors[blob] = (offset, page.covered_hour)
        if segment.size >= _SEGMENT and page.task.window is not None:
            self._land(reading, None)
        self._tell(page.task, "reading")

    def _end(self, ended: Ended) -> None:
        """Land what is left of the pull, or of the part that is over, and let the ledger say so."""
        reading = self._readings[ended.task.number]
        if ended.window is None and ended.reason is None and reading.segment is None:
            reading.segment = self._segment(ended.task)  # an empty listing says that nothing is there any more
        reason, detail = ended.reason, ended.detail
        if reading.segment is not None:
            landed = self._land(reading, ended)
            if landed.outcome == "refused":
                reason, detail = "error", landed.message
        else:
            with transaction(self._connection):
                self._close(reading, ended, ())
        self._count(reading, ended, reason, detail)
        self._tell(ended.task, "gap" if reason else "read", detail)

    def _count(self, reading: _Reading, ended: Ended, reason: str | None, detail: str) -> None:
        if reason:
            begin, end = _interval(ended.window) if ended.window else (None, None)
            reading.gathered.unseen.append(Unseen(begin, end, reason, detail))
        else:
            reading.gathered.windows += 1
        reading.records = reading.added = 0
        if ended.window is None or reading.task.window is None or ended.window.end == reading.task.window.end:
            key = (ended.task.tenant, ended.task.collection)
            done, total = self._totals[key]
            self._totals[key] = (done + 1, total)

    def _land(self, reading: _Reading, ended: Ended | None) -> Landed:
        """Land a segment, together with the end of its pull where this is it."""
        segment, page, task = reading.segment, reading.page, reading.task
        if segment is None:
            raise AssertionError("there is nothing to land")
        kept = segment.close()
        (number,) = next_source_ids(self._connection, 1)
        arrival = Arrival(
            number,
            _label(task, page),
            task.tenant,
            kept.sha256,
            kept.size,
            str(kept.path),
            imported_at=now(),
            observed_at=ended.began_at if ended else kept.modified_at,
            has_said_time=task.window is None,
            settle_after=self._work.policy.policy.settle_after,
            is_collected=True,
            run_id=self._run_id,
        )
        is_cut = task.window is None and ended is not None and ended.reason is not None
        landed = land_collected(
            self._work, arrival, self._collections[task.collection].kind, records=segment.records,
            is_enveloped=page is not None and page.enveloped, is_cut=is_cut, also=partial(self._close, reading, ended),
        )  # fmt: skip
        reading.segment = reading.page = None
        gathered = reading.gathered
        gathered.stored += landed.stored
        gathered.duplicate += landed.duplicate
        gathered.quarantined += landed.quarantined
        return landed

    def _close(self, reading: _Reading, ended: Ended | None, landed: Sequence[Landed]) -> None:
        """Note in the ledger what becomes durable in the present transaction."""
        task, refusal = reading.task, ""
        for file in landed:
            reading.added += file.stored
            refusal = file.message if file.outcome == "refused" else ""
        for blob, (offset, hour) in reading.cursors.items():
            collection.move_cursor(self._connection, task.tenant, blob, bytes_read=offset, hour=hour, seen_at=now())
        reading.cursors.clear()
        if ended is None:
            return
        reason, detail = ("error", refusal) if refusal and not ended.reason else (ended.reason, ended.detail)
        window = _interval(ended.window) if ended.window else (ended.began_at, ended.began_at)
        pull = Pull(window, ended.began_at, reason, detail, reading.records, reading.added, self._run_id)
        closing = Closing(task.tenant, self._collections[task.collection].feeds, task.collection, pull)
        if ended.window is None:
            collection.close_listing(self._connection, closing)
        else:
            collection.close_window(self._connection, closing, self._work.policy.policy.settle_after)

    def _segment(self, task: Task) -> Segment:
        return Segment(task.tenant, self._work.settings.state, f"{task.collection}-{task.number}.ndjson")

    def _let_in(self, signed_in: SignedIn) -> None:
        self_watch.note_signed_in(
            self._connection, signed_in.tenant, client_id=signed_in.client_id, roles=signed_in.roles,
            scopes=signed_in.scopes, credential_expires_at=signed_in.credential_expires_at, at=signed_in.at,
        )  # fmt: skip
        tenant = self.tenants[signed_in.tenant]
        tenant.is_signed_in = True
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


def _label(task: Task, page: Page | None) -> str:
    """Return how the ledger of sources names what was collected: the question, never an address with its query."""
    source = page.source if page and page.source else task.collection
    when = f" {iso(task.window.begin)}/{iso(task.window.end)}" if task.window else ""
    return f"{source}{when}"
