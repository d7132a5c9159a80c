"""Empty published tables for tests, rows by name, and events with their verdicts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
from schema import create_statements

from m365audit.catalogue import workload_feed_rows
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

Row = dict[str, Any]

REVIEW_TABLES = {
    "finding_reviews": """
        tenant_id VARCHAR, finding_id VARCHAR, version BIGINT, decision VARCHAR, pending VARCHAR, returned VARCHAR,
        reason VARCHAR, breach VARCHAR, owner VARCHAR, due_at TIMESTAMPTZ, expires_at TIMESTAMPTZ,
        decided_at TIMESTAMPTZ, decided_by VARCHAR, decided_person VARCHAR, decided_how VARCHAR,
        requested_at TIMESTAMPTZ, requested_by VARCHAR, requested_person VARCHAR, approved_at TIMESTAMPTZ,
        approved_by VARCHAR, is_second_person_off BOOLEAN, evidence VARCHAR[]""",
    "review_events": """
        tenant_id VARCHAR, seq BIGINT, "at" TIMESTAMPTZ, kind VARCHAR, subject VARCHAR, version BIGINT, event VARCHAR,
        actor VARCHAR, person VARCHAR, actor_name VARCHAR, how VARCHAR, roles VARCHAR[], body JSON, hash VARCHAR""",
    "breach_cases": """
        tenant_id VARCHAR, case_id VARCHAR, finding_ids VARCHAR[], state VARCHAR, risk VARCHAR,
        detected_at TIMESTAMPTZ, first_seen_at TIMESTAMPTZ, aware_at TIMESTAMPTZ, due_at TIMESTAMPTZ,
        notified_at TIMESTAMPTZ, controller_told_at TIMESTAMPTZ, people_informed_at TIMESTAMPTZ,
        closed_at TIMESTAMPTZ, late_reason VARCHAR, hours BIGINT""",
    "subject_requests": """
        tenant_id VARCHAR, request_id VARCHAR, kind VARCHAR, received_at TIMESTAMPTZ, legal_due_at TIMESTAMPTZ,
        policy_due_at TIMESTAMPTZ, due_at TIMESTAMPTZ, answered_at TIMESTAMPTZ, state VARCHAR""",
    "attestations": """
        tenant_id VARCHAR, control VARCHAR, kind VARCHAR, ref VARCHAR, sha256 VARCHAR, by_role VARCHAR,
        attested_at TIMESTAMPTZ, valid_until TIMESTAMPTZ, is_valid BOOLEAN""",
    "controls": """
        tenant_id VARCHAR, control VARCHAR, clause VARCHAR, title VARCHAR, commitment VARCHAR, severity VARCHAR,
        outcome VARCHAR, reason_code VARCHAR, sentence VARCHAR, said VARCHAR, attach VARCHAR, owner VARCHAR,
        integration_name VARCHAR, rules VARCHAR[], finding_ids VARCHAR[], gdpr VARCHAR, iso VARCHAR,
        attested_by VARCHAR, attested_at TIMESTAMPTZ, attested_until TIMESTAMPTZ""",
    "policy_findings": "rule VARCHAR, title VARCHAR, why VARCHAR, severity VARCHAR, gdpr VARCHAR, words VARCHAR",
}
"""What people decided and what the policy promises, as the candidate's builder gets it."""


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
    for statement in create_statements():
        connection.execute(statement)
    for name, columns in REVIEW_TABLES.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
    return connection


def make_cells(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``cells`` by the product's own query."""
    connection.execute("DELETE FROM workload_feeds")
    insert(connection, "workload_feeds", *workload_feed_rows())
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
