"""How long things are kept, by configuration or else by the policy; and the purge that keeps to it."""

from __future__ import annotations

import calendar
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from shutil import rmtree
from typing import Final

from m365audit.config import LoadedPolicy, Policy, Settings
from m365audit.config.durations import parse_period
from m365audit.findings.holds import Hold
from m365audit.pipeline.holding import active_holds
from m365audit.store import rewriting
from m365audit.store.database import open_store
from m365audit.store.journal import Actor, Draft
from m365audit.store.ledger import tenants_with_evidence
from m365audit.store.purging import Cutoffs, Purge, Purged

DEFAULT_LOGS: Final = "P12M"
DEFAULT_ADDRESSES: Final = "P30D"
DEFAULT_AGGREGATES: Final = "P3Y"
_CATEGORY: Final = "system_logs"
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long, as ISO 8601 durations: logs, full addresses, counts without a person."""

    logs: str
    addresses: str
    aggregates: str


def keeping(settings: Settings, policy: Policy) -> Keeping:
    """Return how long things are kept: as configured, else as the policy promises, else the product's own."""
    promised = next((each.duration for each in policy.retention if each.category == _CATEGORY and each.duration), None)
    own = settings.privacy
    return Keeping(
        own.keep_logs or promised or DEFAULT_LOGS,
        own.keep_addresses or DEFAULT_ADDRESSES,
        own.keep_aggregates or DEFAULT_AGGREGATES,
    )


def before(moment: datetime, period: str) -> datetime:
    """Return the midnight (UTC) that lies a period before a moment; of a day that a month lacks, its last one."""
    parsed = parse_period(period)
    months = moment.year * _MONTHS + moment.month - 1 - parsed.years * _MONTHS - parsed.months
    year, month = divmod(months, _MONTHS)
    year, month = max(year, 1), month + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])
    midnight = moment.replace(year=year, month=month, day=day, hour=0, minute=0, second=0, microsecond=0)
    return midnight - parsed.rest


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """What a purge did, or would.

    Attributes:
        cutoffs: what is older goes.
        purged: counts.
        held: holds that kept something.
        is_done: False for a dry run, and where nothing was too old.
    """

    cutoffs: Cutoffs
    purged: Purged
    held: tuple[Hold, ...]
    is_done: bool


def purge(settings: Settings, policy: LoadedPolicy, *, actor: Actor, is_applied: bool, at: datetime) -> PurgeResult:
    """Remove what is older than it may be kept, or say what that would be.

    Afterwards the evidence is to be judged again: until then the published database holds what was removed.

    Args:
        settings: the configuration.
        policy: the policy, for its retention of system logs.
        actor: who does it.
        is_applied: False for a dry run.
        at: now.

    Raises:
        StoreError: the store cannot be used.
    """
    kept = keeping(settings, policy.policy)
    cutoffs = Cutoffs(before(at, kept.logs), before(at, kept.addresses), before(at, kept.aggregates))
    held = tuple(active_holds(settings.state, at))
    with open_store(settings.state) as connection:
        tenants = tenants_with_evidence(connection)
        work = Purge(
            connection, settings.state, settings.publish, cutoffs,
            tenants=tuple(tenant for tenant in tenants if not _is_held(tenant, held)),
            held_feeds=tuple((h.tenant, h.object.removeprefix("feed:")) for h in held if h.object.startswith("feed:")),
            held_findings=tuple(h.object.removeprefix("finding:") for h in held if h.object.startswith("finding:")),
            at=at,
        )  # fmt: skip
        staged, purged = work.prepare()
        if not is_applied or not purged.total:
            for folder in (staged.folder, staged.publish_folder):
                rmtree(folder, ignore_errors=True)
            return PurgeResult(cutoffs, purged, held, is_done=False)
        body = {
            "kept": asdict(kept), "logs_before": cutoffs.logs.isoformat(), "rows": purged.rows,
            "addresses_before": cutoffs.addresses.isoformat(), "addresses": purged.addresses,
            "files": purged.files, "holds": [h.hold_id for h in held],
        }  # fmt: skip
        draft = Draft("purge", "", f"purge-{at:%Y%m%dT%H%M%S}", "purged", actor, body)
        staged.note = asdict(replace(draft))
        rewriting.promise(settings.state, staged)
    with open_store(settings.state):
        pass  # opening the store completes what was promised
    return PurgeResult(cutoffs, purged, held, is_done=True)


def _is_held(tenant: str, held: tuple[Hold, ...]) -> bool:
    """A hold on a person keeps the tenant whole: nobody can say yet which of its rows will matter."""
    return any(h.tenant == tenant and (h.object == "tenant" or h.object.startswith("person:")) for h in held)
