"""Owns the values of one integration's sheet: its differences and its timeline. No words, no layout.

Days are days in UTC, as the table of daily use has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened to record or grant. ``kind``: recorded, amended, ended, expires, granted, removed."""

    kind: str
    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class UseDay:
    """Logged uses of one day, by verdict; what is out of scope is not counted."""

    day: date
    within: int
    outside: int
    not_assessable: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Time in which at least one of the logs that would show use was not read."""

    start: datetime
    end: datetime
    feeds: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened to one integration in the watched time, and around it."""

    start: datetime
    end: datetime
    marks: tuple[Mark, ...]
    days: tuple[UseDay, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between recorded, granted and used (verdicts.md) for one kind of data.

    ``name``: granted-not-recorded, recorded-not-granted, recorded-never-used, used-not-recorded, used-after-end,
    granted-after-end, used-without-grant.
    """

    name: str
    workload: str | None


@dataclass(frozen=True, slots=True)
class Integration:
    """One integration, or one app without a record, in one tenant.

    ``findings``: open findings about it. ``timeline``: None when there is no watched time.
    """

    tenant_id: str
    tenant_name: str
    name: str
    kind: str | None
    is_recorded: bool
    app_ids: tuple[str, ...]
    records: tuple[str, ...]
    differences: tuple[Difference, ...]
    outside: int
    not_assessable: int
    findings: int
    timeline: Timeline | None
