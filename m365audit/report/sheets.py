"""Owns the values of the sections on single tenants and their sources; part of the document, no words, no layout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """Records in and where they went: ``records = stored + duplicate + quarantined``, or ``is_balanced`` is False."""

    tenant_id: str
    tenant_name: str
    files: int
    files_partial: int
    files_refused: int
    bytes: int
    records: int
    stored: int
    duplicate: int
    quarantined: int
    is_balanced: bool


@dataclass(frozen=True, slots=True)
class AppSheet:
    """One app in one tenant, as the evidence describes it. Name and publisher are chosen by the app's maker."""

    app_id: str
    app_name: str | None
    publisher: str | None
    owner_tenant_id: str | None
    integration_kind: str | None
    integration_name: str | None
    is_recorded: bool
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    permissions: tuple[str, ...]
    permission_count: int


@dataclass(frozen=True, slots=True)
class RecordedProcess:
    """What the consent register says of one process, in its last version."""

    record: str
    process: str
    integration_name: str | None
    workload: str
    is_audited: bool
    operations: tuple[str, ...]
    permissions: tuple[str, ...]
    covers_all: bool
    purpose: str | None
    legal_basis: str | None
    policy_version: str | None
    effective_from: datetime | None
    effective_until: datetime | None
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """What was done in the directory to grants, counted; nobody is named."""

    tenant_id: str
    activity: str
    events: int
    apps: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class TenantSection:
    """One tenant: what was watched and judged, its apps, its register, its directory's changes.

    ``apps`` and ``directory_changes`` are bounded, their totals are not.
    """

    tenant_id: str
    name: str
    is_evaluated: bool
    not_evaluated_reason: str | None
    watched_from: datetime | None
    watched_to: datetime | None
    access_events: int
    unmapped_events: int
    within: int
    outside: int
    not_assessable: int
    out_of_scope: int
    unjudged: int
    unreadable_grants: int
    apps: tuple[AppSheet, ...]
    apps_total: int
    processes: tuple[RecordedProcess, ...]
    directory_changes: tuple[DirectoryChange, ...]
    directory_changes_total: int
    directory_events: int
