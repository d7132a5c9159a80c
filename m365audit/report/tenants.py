"""Owns the sections of single tenants: what was watched, its apps, its register, changes in its directory."""

from __future__ import annotations

from collections import defaultdict

from m365audit.report.rows import Reader, Row, count, flag, moment, text, texts, total, words
from m365audit.report.sheets import AppSheet, DirectoryChange, RecordedProcess, TenantSection

_PERMISSIONS = 40
_APPS = 5_000
_ACTIVITIES = 50


def _by_tenant(rows: list[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[words(row, "tenant_id")].append(row)
    return grouped


def build_tenants(reader: Reader) -> tuple[TenantSection, ...]:
    """Return one section per tenant, in the order of their names."""
    apps = _by_tenant(reader.rows("report-apps", limit=_PERMISSIONS, apps=_APPS))
    processes = _by_tenant(reader.rows("report-register"))
    changes = _by_tenant(reader.rows("report-directory-changes", limit=_ACTIVITIES))
    return tuple(_tenant(row, apps, processes, changes) for row in reader.rows("report-tenants"))


def _tenant(
    row: Row, apps: dict[str, list[Row]], processes: dict[str, list[Row]], changes: dict[str, list[Row]]
) -> TenantSection:
    tenant = words(row, "tenant_id")
    verdicts = {name: count(row, name) for name in ("within", "outside", "not_assessable", "out_of_scope")}
    events = count(row, "access_events")
    return TenantSection(
        tenant_id=tenant,
        name=text(row, "name") or tenant,
        is_evaluated=flag(row, "is_evaluated"),
        not_evaluated_reason=text(row, "not_evaluated_reason"),
        watched_from=moment(row, "watched_from"),
        watched_to=moment(row, "watched_to"),
        access_events=events,
        unmapped_events=count(row, "unmapped_events"),
        **verdicts,
        unjudged=events - sum(verdicts.values()),
        unreadable_grants=count(row, "unreadable_grants"),
        apps=tuple(_app(item) for item in apps.get(tenant, ())),
        apps_total=total(apps.get(tenant, [])),
        processes=tuple(_process(item) for item in processes.get(tenant, ())),
        directory_changes=tuple(_directory_change(item) for item in changes.get(tenant, ())),
        directory_changes_total=total(changes.get(tenant, [])),
        directory_events=total(changes.get(tenant, []), "total_events"),
    )


def _app(row: Row) -> AppSheet:
    return AppSheet(
        app_id=words(row, "app_id"),
        app_name=text(row, "app_name"),
        publisher=text(row, "publisher"),
        owner_tenant_id=text(row, "owner_tenant_id"),
        integration_kind=text(row, "integration_kind"),
        integration_name=text(row, "integration_name"),
        is_recorded=flag(row, "is_recorded"),
        first_seen_at=moment(row, "first_seen_at"),
        last_seen_at=moment(row, "last_seen_at"),
        permissions=texts(row, "permissions"),
        permission_count=count(row, "permission_count"),
    )


def _process(row: Row) -> RecordedProcess:
    return RecordedProcess(
        record=words(row, "record"),
        process=words(row, "process"),
        integration_name=text(row, "integration_name"),
        workload=words(row, "workload"),
        is_audited=flag(row, "is_audited"),
        operations=texts(row, "operations"),
        permissions=texts(row, "permissions"),
        covers_all=flag(row, "covers_all"),
        purpose=text(row, "purpose"),
        legal_basis=text(row, "legal_basis"),
        policy_version=text(row, "policy_version"),
        effective_from=moment(row, "effective_from"),
        effective_until=moment(row, "effective_until"),
        ended_at=moment(row, "ended_at"),
        ended_by=text(row, "ended_by"),
    )


def _directory_change(row: Row) -> DirectoryChange:
    return DirectoryChange(
        tenant_id=words(row, "tenant_id"),
        activity=words(row, "activity"),
        events=count(row, "events"),
        apps=count(row, "apps"),
        first_at=moment(row, "first_at"),
        last_at=moment(row, "last_at"),
    )
