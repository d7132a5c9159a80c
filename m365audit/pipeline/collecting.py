"""Living tenants → landing: asks for what is wanted, and hands what comes to the gatherer.

Must never speak to Microsoft itself. The collector's libraries cost a second to import: only a run that collects does.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from m365audit.config import TenantSettings, parse_duration
from m365audit.pipeline.gathering import Gatherer
from m365audit.pipeline.spooling import Spooler
from m365audit.pipeline.values import Collected, Work
from m365audit.store import collection
from m365audit.store.database import frugal

if TYPE_CHECKING:
    from m365audit.graph import Job

WITHIN: Final = "PT6H"
"""How long one tenant may take in one run, unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is to collect.

    Attributes:
        tenants: those with a credential that are wanted.
        feeds: names of feeds; empty for those that each tenant's settings name.
        begin: first moment; None for as far back as Microsoft keeps it.
        end: first moment after it; None for now.
        within: how long one tenant may take; what is not read by then is the next run's first work.
        pace: how fast the time of Microsoft's limits passes; other than 1 only for the demo's simulated service.
    """

    tenants: tuple[TenantSettings, ...] = ()
    feeds: tuple[str, ...] = ()
    begin: datetime | None = None
    end: datetime | None = None
    within: timedelta = field(default_factory=lambda: parse_duration(WITHIN))
    pace: float = 1.0


NOTHING: Final = Wanted()
_OPEN_FILES: Final = 16_384


def collect(work: Work, wanted: Wanted, run_id: str, groups: Mapping[str, tuple[str, ...]]) -> tuple[Collected, ...]:
    """Read the wanted tenants, all side by side, and land what comes; return what was and what was not seen.

    Args:
        work: the run.
        wanted: what to collect.
        run_id: the run's id.
        groups: tenant → ids of the groups that its consent records name.

    Raises:
        StoreError: the store cannot be written.
    """
    if not wanted.tenants:
        return ()
    from m365audit import graph  # noqa: PLC0415 - a second of imports that only collection needs

    _allow_open_files()
    gatherer = Gatherer(work, run_id, wanted.tenants, graph.COLLECTIONS)
    jobs = [_job(work, wanted, tenant, groups.get(tenant.id, ())) for tenant in wanted.tenants]
    cloud = graph.cloud_of(work.settings.cloud)
    spooler = Spooler(work.settings.state)
    asked = graph.collect(
        jobs, cloud, spooler.keep, state=work.settings.state, within=wanted.within, pace=wanted.pace
    )  # fmt: skip
    with frugal(work.connection), closing(spooler), closing(asked) as events:
        for event in events:
            gatherer.take(event)
        gatherer.finish()
    return tuple(gatherer.tenants.values())


def _allow_open_files() -> None:
    """Raise the number of open files as far as the system lets us: every pull that is under way holds a few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))


def _job(work: Work, wanted: Wanted, tenant: TenantSettings, groups: tuple[str, ...]) -> Job:
    """Return what the collector has to know of one tenant."""
    from m365audit import graph  # noqa: PLC0415

    known = (
        graph.KnownWindow(
            row.collection,
            row.feed,
            graph.Window(row.begin, row.end),
            row.state,
            row.reason,
            row.last_pulled_at,
            row.records,
        )
        for row in collection.known_windows(work.connection, tenant.id)
    )
    return graph.Job(
        tenant,
        tuple(feed for feed in tenant.feeds if not wanted.feeds or feed in wanted.feeds),
        known=tuple(known),
        cursors=tuple(collection.cursors(work.connection, tenant.id).items()),
        groups=groups,
        begin=wanted.begin,
        end=wanted.end,
        settle_after=work.policy.policy.settle_after,
    )
