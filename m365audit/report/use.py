"""Owns the values of use: cells of tenant by app by workload, and events with the same verdict; no words, no layout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Cell:
    """Tenant by app by workload: what was recorded, granted and used, and how much of the use was outside.

    ``recorded``: active, ended, never, unknown. ``granted``: yes, no, unknown. ``workload`` and ``app_id`` are None
    where the log does not tell. ``coverage``: complete, provisional, gap.
    """

    tenant_id: str
    tenant_name: str
    app_id: str | None
    app_name: str | None
    integration_name: str | None
    record: str | None
    workload: str | None
    recorded: str
    granted: str
    used: int
    within: int
    outside: int
    not_assessable: int
    first_used_at: datetime | None
    last_used_at: datetime | None
    coverage: str


@dataclass(frozen=True, slots=True)
class CellTotals:
    """All cells of one tenant, counted; ``apps`` counts an app that no log names as one."""

    tenant_id: str
    tenant_name: str
    cells: int
    used_cells: int
    outside_cells: int
    apps: int
    apps_outside: int
    events: int
    outside_events: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """Events of one app that are outside, or not assessable, for the same reasons."""

    tenant_id: str
    tenant_name: str
    app_id: str | None
    app_name: str | None
    integration_name: str | None
    workload: str | None
    operation: str | None
    verdict: str
    reasons: tuple[str, ...]
    record: str | None
    process: str | None
    events: int
    first_at: datetime | None
    last_at: datetime | None
