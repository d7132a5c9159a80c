"""The collector's events → what waits to be landed, and an account of every tenant. Never asks Microsoft."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from m365audit.config import TenantSettings, iso
from m365audit.model import PreparedFile
from m365audit.pipeline.batches import Batch, Over, Part
from m365audit.pipeline.spooling import Filled, Kept
from m365audit.pipeline.values import Collected, Gathered, Step, Unseen, Work, now
from m365audit.store import collection, self_watch
from m365audit.store.arrivals import Arrival, next_source_ids
from m365audit.store.collection import Closing
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


@dataclass(slots=True)
class _Reading:
    """A pull that is under way.

    Attributes:
        part: the present part of its window.
        cursors: blob → bytes read and the hour that it is of, to be noted when the segment is landed.
    """

    part: Part
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
            "Planned": self._plan, "Kept": self._count, "Filled": self._fill, "Ended": self._end, "Waiting": self._wait,
            "SignedIn": self._let_in, "SignInFailed": self._turned_away, "LinkRefused": self._refuse,
            "ClockDiffers": self._note_clock,
        }  # fmt: skip

    def take(self, event: Event | Kept | Filled) -> None:
        """Deal with one event, or with what the spooler made of it."""
        self._takers[type(event).__name__](event)
        self._batch.flush_old()

    def finish(self) -> None:
        """Land what still waits; nothing comes any more."""
        self._batch.flush()

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

    def _count(self, kept: Kept) -> None:
        """Count a page that is on disk; how far its blob was read is noted when the segment that it is in is landed."""
        page = kept.page
        reading = self._readings[page.task.number]
        if page.next_cursor:
            blob, offset = page.next_cursor
            reading.cursors[blob] = (offset, page.covered_hour)
        reading.part.records += kept.records
        reading.part.gathered.records += kept.records
        self._tell(page.task, "reading")

    def _fill(self, filled: Filled) -> None:
        """Let a segment be landed, and told of in the ledger."""
        task, page, ended = filled.task, filled.page, filled.ended
        reading = self._readings[task.number]
        (number,) = next_source_ids(self._connection, 1)
        arrival = Arrival(
            number,
            _label(task, page),
            task.tenant,
            filled.spooled.sha256,
            filled.spooled.size,
            str(filled.spooled.path),
            imported_at=now(),
            observed_at=ended.began_at if ended else self._clocks[task.tenant],
            has_said_time=task.window is None,
            settle_after=self._work.policy.policy.settle_after,
            is_collected=True,
            run_id=self._run_id,
            longest_line=filled.longest,
        )
        prepared = PreparedFile(
            arrival.path, self._collections[task.collection].kind, page is not None and page.enveloped,
            arrival.spool, is_temporary=False, records=filled.records,
            has_next_page=task.window is None and ended is not None and ended.reason is not None,
        )  # fmt: skip
        self._over(reading, Over(reading.part, ended, arrival, prepared, reading.cursors), page)

    def _end(self, ended: Ended) -> None:
        """Let the ledger be told of the end of a pull, or of a part of it, with which no record came any more."""
        reading = self._readings[ended.task.number]
        self._over(reading, Over(reading.part, ended, cursors=reading.cursors), None)

    def _over(self, reading: _Reading, over: Over, page: Page | None) -> None:
        """Let something wait to be landed; ``page`` is the last one of its segment."""
        before = _may_hold_more(reading.part, page)
        self._batch.add(over)
        reading.cursors = {}
        if over.ended is not None:
            reading.part = Part(over.part.task, over.part.gathered, before=before)

    def _closed(self, task: Task, reason: str, detail: str) -> None:
        """Hear of a part that is durable."""
        key = (task.tenant, task.collection)
        done, total = self._totals[key]
        self._totals[key] = (min(done + 1, total), total)
        self._tell(task, "gap" if reason else "read", detail)

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


def _may_hold_more(part: Part, page: Page | None) -> Part | None:
    """Return the part that may hold records of what comes after it; the file of an hour holds that hour's only."""
    is_an_hours = page is not None and page.covered_hour is not None
    return part.before if is_an_hours or not part.records else part


def _label(task: Task, page: Page | None) -> str:
    """Return how the ledger of sources names what was collected: the question, never an address with its query."""
    source = page.source if page and page.source else task.collection
    when = f" {iso(task.window.begin)}/{iso(task.window.end)}" if task.window else ""
    return f"{source}{when}"
