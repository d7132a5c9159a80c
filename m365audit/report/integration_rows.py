"""Owns the sheets of integrations: which there are, how record, grant and use differ, and what happened when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from m365audit.report.document import Finding
from m365audit.report.present import Tables
from m365audit.report.rows import Row, count, moment, texts, words
from m365audit.report.sheets import TenantSection
from m365audit.report.timeline import Difference, Gap, Integration, Mark, Timeline, UseDay
from m365audit.report.use import Cell

SHEETS = 40
"""Integrations with a sheet of their own, the gravest; the others are in the list of every cell."""
_MARKS = 60
_GAPS = 2_000


@dataclass(slots=True)
class _Group:
    """Cells of one integration in one tenant, or of one app without a record."""

    name: str
    cells: list[Cell] = field(default_factory=list)

    @property
    def gravity(self) -> tuple[int, int, int, int, str]:
        """Sort key: outside, then not judged, then granted or used without a record, then use."""
        odd = sum(1 for cell in self.cells if cell.recorded != "active")
        return (
            -sum(cell.outside for cell in self.cells), -sum(cell.not_assessable for cell in self.cells), -odd,
            -sum(cell.used for cell in self.cells), self.name,
        )  # fmt: skip

    @property
    def app_ids(self) -> tuple[str, ...]:
        return tuple(sorted({cell.app_id for cell in self.cells if cell.app_id is not None}))


def build_integrations(
    tables: Tables, tenants: Sequence[TenantSection], cells: Iterable[Cell], findings: Iterable[Finding]
) -> tuple[tuple[Integration, ...], int]:
    """Return the gravest integrations with their timelines, and how many there are among the cells."""
    groups = _groups(cells)
    chosen = sorted(groups.items(), key=lambda item: (item[1].gravity, item[0]))[:SHEETS]
    apps = [f"{tenant}|{app}" for (tenant, _), group in chosen for app in group.app_ids]
    days = _by_app(tables.rows("report-days", "daily_use", apps=apps)) if apps else {}
    marks = _by_app(tables.rows("report-marks", "register_versions", "directory_changes", apps=apps)) if apps else {}
    gaps = _by_tenant(tables.rows("report-gaps", "workload_feeds", "coverage", limit=_GAPS)) if apps else {}
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for finding in findings:
        if finding.state == "open" and finding.app_id is not None:
            counted[finding.tenant_id, finding.app_id] += 1
    sections = {tenant.tenant_id: tenant for tenant in tenants}
    sheets = (
        _sheet(group, sections.get(tenant), counted, _Happened(days, marks, gaps.get(tenant, ())))
        for (tenant, _), group in chosen
    )
    return tuple(sorted(sheets, key=lambda sheet: (sheet.tenant_name, sheet.tenant_id))), len(groups)


def _groups(cells: Iterable[Cell]) -> dict[tuple[str, str], _Group]:
    found: dict[tuple[str, str], _Group] = {}
    for cell in cells:
        if cell.app_id is None:
            continue
        name = cell.integration_name or cell.app_name or cell.app_id
        key = cell.integration_name or cell.app_id
        found.setdefault((cell.tenant_id, key), _Group(name)).cells.append(cell)
    return found


def _by_app(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[words(row, "tenant_id"), words(row, "app_id")].append(row)
    return found


def _by_tenant(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[words(row, "tenant_id")].append(row)
    return found


@dataclass(frozen=True, slots=True)
class _Happened:
    days: Mapping[tuple[str, str], Sequence[Row]]
    marks: Mapping[tuple[str, str], Sequence[Row]]
    gaps: Sequence[Row]


def _sheet(
    group: _Group, tenant: TenantSection | None, counted: Mapping[tuple[str, str], int], happened: _Happened
) -> Integration:
    first = group.cells[0]
    kinds = {app.app_id: app.integration_kind for app in tenant.apps} if tenant else {}
    return Integration(
        tenant_id=first.tenant_id,
        tenant_name=first.tenant_name,
        name=group.name,
        kind=next((kinds[app] for app in group.app_ids if kinds.get(app)), None),
        is_recorded=first.integration_name is not None,
        app_ids=group.app_ids,
        records=tuple(sorted({cell.record for cell in group.cells if cell.record is not None})),
        differences=_differences(group.cells),
        outside=sum(cell.outside for cell in group.cells),
        not_assessable=sum(cell.not_assessable for cell in group.cells),
        findings=sum(counted.get((first.tenant_id, app), 0) for app in group.app_ids),
        timeline=_timeline(group, tenant, happened),
    )


def _differences(cells: Iterable[Cell]) -> tuple[Difference, ...]:
    found = {Difference(name, cell.workload): None for cell in cells for name in difference_names(cell)}
    return tuple(found)


def difference_names(cell: Cell) -> tuple[str, ...]:
    """Return the named differences of one cell (verdicts.md); none where it cannot be told."""
    has_grant, no_grant = cell.granted == "yes", cell.granted == "no"
    if cell.recorded == "never":
        return ("used-not-recorded",) if cell.used else ("granted-not-recorded",) if has_grant else ()
    if cell.recorded == "ended":
        names = ("used-after-end" if cell.outside else "", "granted-after-end" if has_grant else "")
        return tuple(filter(None, names))
    if cell.recorded != "active":
        return ()
    if no_grant:
        return ("used-without-grant",) if cell.used else ("recorded-not-granted",)
    return ("recorded-never-used",) if has_grant and not cell.used and cell.coverage == "complete" else ()


def _timeline(group: _Group, tenant: TenantSection | None, happened: _Happened) -> Timeline | None:
    if tenant is None or tenant.watched_from is None or tenant.watched_to is None:
        return None
    if tenant.watched_to <= tenant.watched_from:
        return None
    keys = [(tenant.tenant_id, app) for app in group.app_ids]
    marks = {
        Mark(words(row, "mark"), at, words(row, "what")): None
        for key in keys
        for row in happened.marks.get(key, ())
        if (at := moment(row, "at")) is not None
    }
    workloads = {cell.workload for cell in group.cells}
    return Timeline(
        tenant.watched_from,
        tenant.watched_to,
        tuple(sorted(marks, key=lambda mark: (mark.at, mark.kind, mark.what))[-_MARKS:]),
        _use_days([row for key in keys for row in happened.days.get(key, ())]),
        _gaps(happened.gaps, workloads, tenant.watched_from, tenant.watched_to),
    )


def _use_days(rows: Iterable[Row]) -> tuple[UseDay, ...]:
    found: dict[date, list[int]] = {}
    for row in rows:
        day = row["day"]
        if isinstance(day, date):
            counts = found.setdefault(day, [0, 0, 0])
            for at, name in enumerate(("within", "outside", "not_assessable")):
                counts[at] += count(row, name)
    return tuple(UseDay(day, *counts) for day, counts in sorted(found.items()))


def _gaps(rows: Iterable[Row], workloads: set[str | None], start: datetime, end: datetime) -> tuple[Gap, ...]:
    """Return the times in which a log of these kinds of data was not read, joined where they touch."""
    pieces: list[Gap] = []
    for row in rows:
        begin, until = moment(row, "gap_from"), moment(row, "gap_to")
        if begin is None or until is None or until <= start or begin >= end:
            continue
        if workloads & set(texts(row, "workloads")):
            reasons = (words(row, "reason"),)
            pieces.append(Gap(max(begin, start), min(until, end), (words(row, "feed"),), reasons))
    return _joined(sorted(pieces, key=lambda gap: (gap.start, gap.end)))


def _joined(pieces: Iterable[Gap]) -> tuple[Gap, ...]:
    joined: list[Gap] = []
    for gap in pieces:
        if joined and gap.start <= joined[-1].end:
            last = joined[-1]
            joined[-1] = Gap(
                last.start, max(last.end, gap.end), tuple(sorted({*last.feeds, *gap.feeds})),
                tuple(sorted({*last.reasons, *gap.reasons})),
            )  # fmt: skip
        else:
            joined.append(gap)
    return tuple(joined)
