"""A small world that can be judged: register, groups, directory and events, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

AUDITED = (
    "mail",
    "calendar",
    "contacts",
    "teams_chat",
    "teams_channel",
    "teams_meeting",
    "presence",
    "telephony",
)
"""Default of the policy's workloads, copied here on purpose: the oracle trusts no constant of the product."""


@dataclass(frozen=True)
class Process:
    """One process as a full-state entry declares it. ``covers_all`` or ids or groups, as in the register's file."""

    id: str
    workload: str
    operations: tuple[str, ...]
    permissions: tuple[tuple[str, str], ...]
    covers_all: bool = False
    ids: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One entry of a record's history. ``named`` are the processes that an ending entry names; none named: all."""

    event: str
    effective_from: datetime
    effective_until: datetime | None = None
    processes: tuple[Process, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def is_full(self) -> bool:
        """Whether the entry carries the full list of processes."""
        return self.event in {"granted", "amended", "renewed"}


@dataclass(frozen=True)
class Record:
    """One consent record."""

    record: str
    tenant: str
    app_ids: tuple[str, ...]
    history: tuple[Entry, ...]
    stop_within: timedelta = timedelta()


@dataclass(frozen=True)
class Snapshot:
    """What one look at a group showed; members are (id, kind)."""

    tenant: str
    group: str
    at: datetime
    members: tuple[tuple[str, str], ...] = ()
    is_complete: bool = True


@dataclass(frozen=True)
class Change:
    """One audited change of a group's members: ``add`` or ``remove``."""

    tenant: str
    group: str
    member: str
    at: datetime
    change: str


@dataclass(frozen=True)
class Event:
    """One access event; every field but the key may be unknown."""

    tenant: str
    event_id: str
    occurred_at: datetime | None = None
    app_id: str | None = None
    access_kind: str | None = None
    workload: str | None = None
    operation: str | None = None
    permissions: tuple[str, ...] | None = None
    resource_kind: str | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    succeeded: bool | None = None


@dataclass(frozen=True)
class Verdict:
    """The answer for one event."""

    verdict: str
    reasons: tuple[str, ...] = ()
    record: str | None = None
    process: str | None = None


@dataclass(frozen=True)
class World:
    """Everything a verdict may depend on."""

    records: tuple[Record, ...] = ()
    events: tuple[Event, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    changes: tuple[Change, ...] = ()
    directory: tuple[tuple[str, str, str], ...] = ()  # tenant, user id, user name
    service_principals: tuple[tuple[str, str, str | None], ...] = ()  # tenant, app id, owner tenant
    first_party: frozenset[str] = frozenset()
    microsoft_tenants: frozenset[str] = frozenset()
    unevaluated: frozenset[str] = frozenset()
    workloads: tuple[str, ...] = AUDITED
    before_first: timedelta = field(default=timedelta(days=31))


def utc(text: str) -> datetime:
    """Read an ISO time or date as UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
