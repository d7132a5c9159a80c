"""Empty published tables for tests, rows by name, and events with their verdicts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from m365audit.resources import data_dir

CONTOSO = "11111111-1111-4111-8111-111111111111"
FABRIKAM = "22222222-2222-4222-8222-222222222222"
ADATUM = "33333333-3333-4333-8333-333333333333"
CRM = "c0ffee00-0000-4000-8000-000000000001"
PHONE = "c0ffee00-0000-4000-8000-000000000002"
SHADOW = "c0ffee00-0000-4000-8000-000000000003"
SIGNATURES = "c0ffee00-0000-4000-8000-000000000004"
OUTLOOK = "00000002-0000-0ff1-ce00-000000000000"
GRAPH = "00000003-0000-0000-c000-000000000000"
PERSON = "anna.devries@contoso.example"

FROM = datetime(2026, 10, 22, tzinfo=UTC)
TO = datetime(2026, 11, 21, tzinfo=UTC)
RUN_AT = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
WITHDRAWN = datetime(2026, 11, 2, 12, tzinfo=UTC)

TABLES = {
    "access_events": "tenant_id VARCHAR, feed VARCHAR, event_id VARCHAR, occurred_at TIMESTAMPTZ, app_id VARCHAR,"
    " app_name VARCHAR, access_kind VARCHAR, actor_id VARCHAR, actor_name VARCHAR, workload VARCHAR,"
    " operation VARCHAR, endpoint VARCHAR, permissions VARCHAR[], resource_kind VARCHAR, resource_id VARCHAR,"
    " resource_name VARCHAR, item_count BIGINT, ip_address VARCHAR, country VARCHAR, succeeded BOOLEAN,"
    " origin VARCHAR, first_seen_at TIMESTAMPTZ, is_mapped BOOLEAN, status_code INTEGER, source_id BIGINT",
    "verdicts": "tenant_id VARCHAR, feed VARCHAR, event_id VARCHAR, verdict VARCHAR, reasons VARCHAR[],"
    " record VARCHAR, process VARCHAR",
    "grants": "tenant_id VARCHAR, grant_id VARCHAR, app_id VARCHAR, app_name VARCHAR, sp_id VARCHAR,"
    " resource_app_id VARCHAR, permission VARCHAR, kind VARCHAR, granted_for VARCHAR, principal_id VARCHAR,"
    " source VARCHAR, first_seen_at TIMESTAMPTZ, last_seen_at TIMESTAMPTZ, is_current BOOLEAN,"
    " app_role_id VARCHAR, resource_sp_id VARCHAR, workload VARCHAR, event_id VARCHAR",
    "sign_ins": "tenant_id VARCHAR, event_id VARCHAR, kind VARCHAR, occurred_at TIMESTAMPTZ, app_id VARCHAR,"
    " user_id VARCHAR, user_name VARCHAR, sp_id VARCHAR, resource_app_id VARCHAR, ip_address VARCHAR,"
    " country VARCHAR, is_mfa BOOLEAN, succeeded BOOLEAN, error_code INTEGER",
    "directory_changes": "tenant_id VARCHAR, event_id VARCHAR, occurred_at TIMESTAMPTZ, activity VARCHAR,"
    " actor_id VARCHAR, app_id VARCHAR, sp_id VARCHAR, permissions VARCHAR[], result VARCHAR, actor_name VARCHAR",
    "coverage": "tenant_id VARCHAR, feed VARCHAR, covered_from TIMESTAMPTZ, covered_to TIMESTAMPTZ, state VARCHAR,"
    " reason VARCHAR, records BIGINT",
    "tenants": "tenant_id VARCHAR, name VARCHAR, is_evaluated BOOLEAN, not_evaluated_reason VARCHAR,"
    " watched_from TIMESTAMPTZ, watched_to TIMESTAMPTZ, access_events BIGINT, unmapped_events BIGINT",
    "runs": "tenant_id VARCHAR, run_id VARCHAR, command VARCHAR, started_at TIMESTAMPTZ, finished_at TIMESTAMPTZ,"
    " outcome VARCHAR, version VARCHAR, register_hash VARCHAR, register_state VARCHAR",
    "apps": "tenant_id VARCHAR, app_id VARCHAR, app_name VARCHAR, sp_id VARCHAR, owner_tenant_id VARCHAR,"
    " publisher VARCHAR, is_first_party BOOLEAN, is_recorded BOOLEAN, integration_kind VARCHAR,"
    " integration_name VARCHAR, first_seen_at TIMESTAMPTZ, last_seen_at TIMESTAMPTZ",
    "sources": "tenant_id VARCHAR, source_id BIGINT, path VARCHAR, kind VARCHAR, sha256 VARCHAR, bytes BIGINT,"
    " records BIGINT, stored BIGINT, duplicate BIGINT, quarantined BIGINT, imported_at TIMESTAMPTZ,"
    " observed_at TIMESTAMPTZ, outcome VARCHAR, message VARCHAR",
    "quarantine": "tenant_id VARCHAR, source_id BIGINT, path VARCHAR, record BIGINT, line BIGINT,"
    " byte_offset BIGINT, reason VARCHAR, excerpt VARCHAR",
    "unmapped_calls": "tenant_id VARCHAR, feed VARCHAR, method VARCHAR, shape VARCHAR, calls BIGINT, apps BIGINT,"
    " first_at TIMESTAMPTZ, last_at TIMESTAMPTZ",
    "register_records": "tenant_id VARCHAR, record VARCHAR, integration_kind VARCHAR, integration_name VARCHAR,"
    " controller VARCHAR, processor VARCHAR, file VARCHAR",
    "register_apps": "tenant_id VARCHAR, record VARCHAR, app_id VARCHAR",
    "register_versions": "tenant_id VARCHAR, record VARCHAR, process VARCHAR, version INTEGER, workload VARCHAR,"
    " operations VARCHAR[], permissions STRUCT(name VARCHAR, kind VARCHAR, api VARCHAR)[], covers_all BOOLEAN,"
    " resource_ids VARCHAR[], resource_groups VARCHAR[], purpose VARCHAR, legal_basis VARCHAR,"
    " policy_version VARCHAR, effective_from TIMESTAMPTZ, effective_until TIMESTAMPTZ, recorded_at TIMESTAMPTZ,"
    " ended_at TIMESTAMPTZ, ended_by VARCHAR",
    "register_segments": "tenant_id VARCHAR, record VARCHAR, process VARCHAR, valid_from TIMESTAMPTZ,"
    " valid_to TIMESTAMPTZ, version INTEGER, period_reason VARCHAR",
    "policy_workloads": "workload VARCHAR",
    "permission_reach": "resource_app_id VARCHAR, permission VARCHAR, kind VARCHAR, workload VARCHAR,"
    " operations VARCHAR[]",
    "rule_outcomes": "tenant_id VARCHAR, rule VARCHAR, outcome VARCHAR, reason VARCHAR, findings BIGINT",
    "findings": "tenant_id VARCHAR, finding_id VARCHAR, rule VARCHAR, severity VARCHAR, title VARCHAR, subject JSON,"
    " app_id VARCHAR, state VARCHAR, decision VARCHAR, first_seen_at TIMESTAMPTZ, last_seen_at TIMESTAMPTZ,"
    " evidence_count BIGINT, reasons VARCHAR[], record VARCHAR, process VARCHAR, opened_at TIMESTAMPTZ,"
    " resolved_at TIMESTAMPTZ, reopened BIGINT, change VARCHAR, question VARCHAR",
    "finding_evidence": "tenant_id VARCHAR, finding_id VARCHAR, feed VARCHAR, event_id VARCHAR,"
    " occurred_at TIMESTAMPTZ",
}

Row = dict[str, Any]


def insert(connection: duckdb.DuckDBPyConnection, table: str, *rows: Row) -> None:
    """Insert rows given by column name."""
    for row in rows:
        columns = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(row.values()))  # noqa: S608


def empty_world() -> duckdb.DuckDBPyConnection:
    """Return an in-memory database with every published table, all empty."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, columns in TABLES.items():
        connection.execute(f"CREATE TABLE {name} ({columns})")
    return connection


def make_cells(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``cells`` by the product's own query."""
    sql = (data_dir("queries") / "tables" / "90_cells.sql").read_text(encoding="utf-8")
    connection.execute(f"CREATE OR REPLACE TABLE cells AS {sql}")


def access(  # noqa: PLR0917 - the six words of one verdict, in the order of a sentence
    tenant: str,
    app: str | None,
    workload: str | None,
    operation: str | None,
    verdict: str,
    reasons: list[str],
    *,
    count: int,
    start: datetime,
    step: timedelta = timedelta(minutes=7),
    record: str | None = None,
    process: str | None = None,
    name: str | None = None,
) -> tuple[list[Row], list[Row]]:
    """Return ``count`` access events and their verdicts."""
    events, verdicts = [], []
    for ordinal in range(count):
        at = start + ordinal * step
        event = f"{name or (app or 'none')[-4:]}-{workload}-{operation}-{verdict}-{ordinal:05d}"
        events.append(
            {
                "tenant_id": tenant,
                "feed": "graph_activity",
                "event_id": event,
                "occurred_at": at,
                "app_id": app,
                "app_name": name,
                "access_kind": "application",
                "actor_id": f"person-{ordinal % 3}",
                "actor_name": PERSON,
                "workload": workload,
                "operation": operation,
                "endpoint": "GET /users/{}/messages",
                "permissions": ["Mail.Read"],
                "resource_kind": "user",
                "resource_id": f"44444444-4444-4444-8444-{ordinal % 5:012d}",
                "resource_name": PERSON,
                "ip_address": "198.51.100.7",
                "country": "NL",
                "succeeded": True,
                "origin": "import",
                "is_mapped": workload is not None,
                "status_code": 200,
            }
        )
        verdicts.append(
            {
                "tenant_id": tenant,
                "feed": "graph_activity",
                "event_id": event,
                "verdict": verdict,
                "reasons": reasons,
                "record": record,
                "process": process,
            }
        )
    return events, verdicts
