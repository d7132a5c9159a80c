"""All tenants side by side: signed in, planned, pulled, each collection at its own pace; none can harm another.

Yields what was read and what was not. Must never store, and never let a tenant's trouble pass for silence.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

from m365audit import log
from m365audit.config import TenantSettings
from m365audit.config.policy import SETTLE_AFTER
from m365audit.graph.auth import open_credential
from m365audit.graph.bridge import Keep, Kept, Outlet, stream
from m365audit.graph.client import WORKING_ON, TenantClient
from m365audit.graph.clock import microsoft_time
from m365audit.graph.clouds import Cloud
from m365audit.graph.entitlements import require_modest
from m365audit.graph.failures import CollectionError, LinkRefusedError, SignInError
from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.registry import COLLECTIONS
from m365audit.graph.forecast import REPORTS, expected_reports
from m365audit.graph.licences import service_plans
from m365audit.graph.moments import literal
from m365audit.graph.planning import KnownWindow, plan
from m365audit.graph.throttle import Throttle
from m365audit.graph.values import (
    ClockDiffers,
    Ended,
    GapReason,
    LinkRefused,
    Page,
    Planned,
    SignInFailed,
    Task,
    Window,
)

TENANTS_AT_ONCE: Final = 64

CLOCKS_DIFFER: Final = timedelta(hours=1)
"""From which difference on two clocks are told as different."""

_HOPELESS: Final[frozenset[GapReason]] = frozenset({"licence", "permission", "disabled"})
"""Reasons that hold for every window of a collection: asking for the next one would be answered the same."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is wanted of one tenant.

    Attributes:
        tenant: its settings, with a credential.
        feeds: the feeds that are wanted.
        known: the ledger's windows of this tenant.
        cursors: blob name → bytes read before.
        groups: ids of the groups that the register names; only their members are read.
        begin: first moment wanted, None for as far back as Microsoft keeps it.
        end: first moment not wanted any more, None for now.
        settle_after: how long after a window's end, and after the pull before, it is read again.
    """

    tenant: TenantSettings
    feeds: tuple[str, ...]
    known: tuple[KnownWindow, ...] = ()
    cursors: tuple[tuple[str, int], ...] = ()
    groups: tuple[str, ...] = ()
    begin: datetime | None = None
    end: datetime | None = None
    settle_after: timedelta = SETTLE_AFTER

    @property
    def collections(self) -> list[Collection]:
        """Return the collections that fill a wanted feed; those from storage need an account that is configured."""
        wanted = [each for each in COLLECTIONS.values() if set(each.feeds) & set(self.feeds)]
        return [each for each in wanted if self.tenant.storage or all(p.api != "storage" for p in each.permissions)]


def collect(
    jobs: Sequence[Job], cloud: Cloud, keep: Keep[Kept], *, state: Path, within: timedelta, pace: float = 1.0
) -> Generator[Kept, None, None]:
    """Read everything that is wanted, all tenants side by side.

    Args:
        jobs: one for each tenant.
        cloud: where Microsoft's services are.
        keep: makes of each event what is yielded, in a thread of its own: pages are put on disk there, and need not
            be held until they are landed.
        state: private folder, for the token cache of a person's sign-in.
        within: time for each tenant; what is not read by then is a gap, and the next run's first work.
        pace: how fast the time of Microsoft's limits passes; other than 1 only for a simulated service whose does too.

    Yields:
        What is kept of the events, in the order in which they happened; of one task always pages before its end.
    """

    async def work(outlet: Outlet[Kept]) -> None:
        # Made inside the loop that it belongs to.
        shared = Throttle(clock=lambda: time.monotonic() * pace, sleep=lambda seconds: asyncio.sleep(seconds / pace))
        gate, numbers = asyncio.Semaphore(TENANTS_AT_ONCE), count(1)
        expected = {job.tenant.id: expected_reports(job.known, datetime.now(UTC)) for job in jobs}
        async with asyncio.TaskGroup() as group:
            for job in sorted(jobs, key=lambda job: -expected[job.tenant.id]):  # who takes longest begins first
                shared.note_expected(job.tenant.id, REPORTS, expected[job.tenant.id])
                tenant = _Tenant(job, cloud, state, within, pace, shared, outlet, numbers)
                group.create_task(tenant.run(gate))

    return stream(work, keep)


@dataclass(slots=True)
class _Tenant:
    """One tenant's run."""

    job: Job
    cloud: Cloud
    state: Path
    within: timedelta
    pace: float
    throttle: Throttle
    outlet: Outlet[Any]
    numbers: Iterator[int]
    is_signed_in: bool = False
    unfinished: dict[int, tuple[Task, list[Window] | None]] = field(default_factory=dict)
    """What is not told of yet: of a log the parts of its window, of a listing None."""
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When planning was done, by Microsoft's clock."""

    async def run(self, gate: asyncio.Semaphore) -> None:
        """Do the whole job; whatever happens here is this tenant's alone."""
        async with gate:
            reason: GapReason = "error"
            detail = ""
            try:
                async with asyncio.timeout(self.within.total_seconds()):
                    await self._collect()
            except TimeoutError:
                over = f"its time in this run ({self.within}) was over"
                reason, detail = await self._broken_off(CollectionError("throttled", over, hint="the next run goes on"))
            except Exception as caught:  # noqa: BLE001 - the isolation of one tenant from the others
                reason, detail = await self._broken_off(_innermost(caught))
            await self._end_all(reason, detail)

    async def _broken_off(self, error: Exception) -> tuple[GapReason, str]:
        """Tell why the tenant's run ended early; return the reason for everything that it did not come to."""
        if isinstance(error, CollectionError):
            if isinstance(error, SignInError) or not self.is_signed_in:
                await self._not_let_in(error)
            return error.reason, str(error)
        detail = f"an unexpected {type(error).__name__}; the other tenants went on"
        log.get_logger().error("collection_broke", tenant=self.job.tenant.display_name, exc_info=error)
        if not self.is_signed_in:
            await self._not_let_in(CollectionError("error", detail, hint="report it, with the log"))
        return "error", detail

    async def _collect(self) -> None:
        credential = open_credential(self.job.tenant, self.cloud, state=self.state, sleep=self._sleep)
        async with TenantClient(
            self.job.tenant.id, self.cloud, credential, self.throttle, on_event=self.outlet.tell, deadline=self.within,
            sleep=self._sleep,
        ) as client:  # fmt: skip
            plans = await service_plans(client)  # the first answer: from here on Microsoft's clock can be known
            await self._compare_clocks(client)
            signed_in = await client.sign_in()
            await self.outlet.put(signed_in)
            require_modest(signed_in.roles)
            self.is_signed_in = True
            client.wanted_groups = self.job.groups
            client.storage = self.job.tenant.storage
            now = client.now()  # one for all: then what was and was not seen is told in the same intervals
            async with asyncio.TaskGroup() as group:
                for collection in self.job.collections:
                    tasks = await self._plan(collection, now, plans, may_lose=client.knows_the_time)
                    group.create_task(self._gather(client, collection, tasks))

    async def _sleep(self, seconds: float) -> None:
        """Wait, for login's limits as for the others by the time of Microsoft's limits."""
        await asyncio.sleep(seconds / self.pace)

    async def _compare_clocks(self, client: TenantClient) -> None:
        """Be sure what time it is; say so where the host's clock goes wrong.

        Raises:
            CollectionError: nobody can be sure, or it is earlier than it was in an earlier run: what would be read
                now could not be told from what was read then.
        """
        ahead, now = await client.know_the_time(), client.now()
        last = max((row.last_pulled_at for row in self.job.known if row.last_pulled_at), default=now)
        if last - now > CLOCKS_DIFFER:
            raise CollectionError(
                "error", f"Microsoft's answers say that it is {literal(now)}; in an earlier run it was {literal(last)}",
                hint="look whether something on the way changes answers",
            )  # fmt: skip
        if abs(ahead) > CLOCKS_DIFFER and self.pace == 1:  # a simulated service has a time of its own
            await self.outlet.put(ClockDiffers(self.job.tenant.id, ahead, now))

    async def _gather(self, client: TenantClient, collection: Collection, tasks: Sequence[Task]) -> None:
        """Pull one collection; a reason that holds for all of it spares Microsoft the other questions."""
        WORKING_ON.set(collection.name)
        hopeless: CollectionError | None = None
        for task in tasks:
            if hopeless is None:
                hopeless = await self._pull(client, collection, task)
            else:
                await self._end(task, hopeless.reason, str(hopeless), client.now())

    async def _plan(
        self, collection: Collection, now: datetime, plans: frozenset[str] | None, *, may_lose: bool
    ) -> Sequence[Task]:
        """Tell what is to be read, and what can never be read any more: the latter by Microsoft's clock alone.

        A host's clock that is ahead would give up for ever what Microsoft still has.
        """
        self.began_at = now
        planned = plan(
            collection, self.job.known, now, begin=self.job.begin, end=self.job.end,
            settle_after=self.job.settle_after, plans=plans,
        )  # fmt: skip
        tasks = tuple(
            Task(next(self.numbers), self.job.tenant.id, collection.name, window, self.job.cursors)
            for window in planned.windows
        )
        self.unfinished |= {task.number: (task, [task.window] if task.window else None) for task in tasks}
        await self.outlet.put(
            Planned(
                self.job.tenant.id, collection.name, collection.feeds, tasks, tuple(planned.lost) if may_lose else ()
            )
        )
        return tasks

    async def _pull(self, client: TenantClient, collection: Collection, task: Task) -> CollectionError | None:
        """Make one pull; return what went wrong when it would go wrong for the collection's other windows as well."""
        began_at = client.now()
        try:
            await self._read(client, collection, task)
        except LinkRefusedError as error:
            await self.outlet.put(LinkRefused(task.tenant, task.collection, error.what, error.target, client.now()))
            await self._end(task, error.reason, str(error), began_at)
        except SignInError:
            raise  # the whole tenant's
        except CollectionError as error:
            await self._end(task, error.reason, str(error), began_at)
            return error if error.reason in _HOPELESS else None
        except Exception as error:  # noqa: BLE001 - the isolation of one collection from the others
            log.get_logger().error(
                "collection_broke", tenant=self.job.tenant.display_name, collection=task.collection, exc_info=error
            )
            detail = f"an unexpected {type(error).__name__}; what else is to be read was not touched by it"
            await self._end(task, "error", detail, began_at)
        else:
            await self._end(task, None, "", began_at)
        return None

    async def _read(self, client: TenantClient, collection: Collection, task: Task) -> None:
        events: AsyncIterator[Page | Ended] = collection.pull(client, task)
        async for event in events:
            if isinstance(event, Ended):
                self._note(event)
            await self.outlet.put(event)

    def _note(self, ended: Ended) -> None:
        """Take a part that was told of out of what is still to be told of."""
        task, left = self.unfinished.pop(ended.task.number)
        if left is not None and ended.window is not None:
            left = [rest for window in left for rest in _without(window, ended.window)]
        if left and ended.window is not None:
            self.unfinished[ended.task.number] = (task, left)

    async def _end(self, task: Task, reason: GapReason | None, detail: str, began_at: datetime) -> None:
        """Tell how a task ended, or what its own parts left to tell."""
        if task.number not in self.unfinished:
            return
        _, left = self.unfinished.pop(task.number)
        for window in left if left is not None else [None]:
            await self.outlet.put(Ended(task, window, reason, detail, began_at))

    async def _end_all(self, reason: GapReason, detail: str) -> None:
        """Leave no task untold: what was not read is a gap."""
        for task, _ in list(self.unfinished.values()):
            await self._end(task, reason, detail, self.began_at)

    async def _not_let_in(self, error: CollectionError) -> None:
        """Say that nobody let us in, and that nothing was seen: of every collection, up to now."""
        now, is_sure = await microsoft_time(self.cloud)
        is_refused = isinstance(error, SignInError) and error.is_refused
        await self.outlet.put(SignInFailed(self.job.tenant.id, is_refused, error.code, error.message, error.hint, now))
        if not self.is_signed_in:
            for collection in self.job.collections:
                await self._plan(collection, now, None, may_lose=is_sure)


def _innermost(error: Exception) -> Exception:
    """Return what really happened: of several errors that came together the one that tells most."""
    if not isinstance(error, ExceptionGroup):
        return error
    found = [_innermost(each) for each in error.exceptions]
    return next((each for each in found if isinstance(each, CollectionError)), found[0])


def _without(window: Window, part: Window) -> list[Window]:
    """Return what is left of a window without a part of it."""
    if part.end <= window.begin or part.begin >= window.end:
        return [window]
    before, after = Window(window.begin, part.begin), Window(part.end, window.end)
    return [rest for rest in (before, after) if rest.begin < rest.end]
