"""The published database keeps the promises of its interface: tables, columns, types, documentation, repetition."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest

from m365audit.store.dictionary import read_dictionary

from .audited import Audited

PROMISED = {
    "access_events": "tenant_id, feed, event_id, occurred_at, app_id, app_name, access_kind, actor_id, actor_name, "
    "workload, operation, endpoint, permissions, resource_id, resource_name, item_count, ip_address, country, "
    "succeeded, origin, first_seen_at",
    "verdicts": "tenant_id, feed, event_id, verdict, reasons, record, process",
    "findings": "tenant_id, finding_id, rule, severity, title, subject, app_id, state, decision, first_seen_at, "
    "last_seen_at, evidence_count, reasons",
    "finding_evidence": "tenant_id, finding_id, feed, event_id",
    "grants": "tenant_id, grant_id, app_id, app_name, sp_id, resource_app_id, permission, kind, granted_for, "
    "principal_id, source, first_seen_at, last_seen_at, is_current",
    "sign_ins": "tenant_id, event_id, kind, occurred_at, app_id, user_id, user_name, sp_id, resource_app_id, "
    "ip_address, country, is_mfa, succeeded, error_code",
    "consent_processes": "tenant_id, record, process, app_id, workload, permissions, operations, resources, "
    "effective_from, effective_until, ended_at, ended_by",
    "directory_changes": "tenant_id, event_id, occurred_at, activity, actor_id, app_id, sp_id, permissions, result",
    "coverage": "tenant_id, feed, covered_from, covered_to, state, reason, records",
    "runs": "tenant_id",
    "tenants": "tenant_id",
    "apps": "tenant_id",
}
_WITHOUT_TENANT = {
    "permission_reach", "policy_workloads", "policy_settings", "first_party_apps", "microsoft_tenants",
    "workload_feeds", "full_mailbox_permissions", "auditor_permissions", "policy_categories",
    "policy_commitments", "policy_findings", "policy_recipients", "policy_versions", "clocks", "countries",
    "dated_tables",
}  # fmt: skip


def _columns(published: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    rows = published.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() "
        "ORDER BY table_name, column_index"
    ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        tables.setdefault(table, {})[column] = kind
    return tables


@pytest.mark.parametrize("table", PROMISED)
def test_promised_columns_are_there(published: duckdb.DuckDBPyConnection, table: str) -> None:
    """Every promised column exists, and the tenant leads."""
    columns = _columns(published)[table]
    assert set(PROMISED[table].split(", ")) <= set(columns)
    assert next(iter(columns)) == "tenant_id"


def test_types_are_what_readers_rely_on(published: duckdb.DuckDBPyConnection) -> None:
    """Times are TIMESTAMPTZ, lists are lists, the subject is JSON, flags are booleans."""
    columns = _columns(published)
    kinds = {(table, name): kind for table, names in columns.items() for name, kind in names.items()}
    assert {kind for (_, name), kind in kinds.items() if name.endswith("_at")} == {"TIMESTAMP WITH TIME ZONE"}
    assert {kind for (_, name), kind in kinds.items() if name.startswith(("is_", "has_"))} == {"BOOLEAN"}
    assert kinds["access_events", "permissions"] == kinds["verdicts", "reasons"] == "VARCHAR[]"
    assert kinds["findings", "subject"] == "JSON"


def test_every_table_and_column_is_documented(published: duckdb.DuckDBPyConnection) -> None:
    """The data dictionary and the database name the same tables and columns, in the same order."""
    documented = {entry.name: list(entry.columns) for entry in read_dictionary()}
    assert documented == {table: list(columns) for table, columns in _columns(published).items()}


def test_the_dictionary_knows_every_type(published: duckdb.DuckDBPyConnection) -> None:
    """Types in the dictionary are the database's; after a change of columns, `python tools/generate_docs.py`."""
    assert {entry.name: entry.types for entry in read_dictionary()} == _columns(published)


def test_every_table_and_column_says_in_the_database_what_it_means(published: duckdb.DuckDBPyConnection) -> None:
    """Any client shows the dictionary's words as comments."""
    tables = published.execute(
        "SELECT table_name, comment FROM duckdb_tables() WHERE database_name = current_database() "
        "UNION ALL SELECT view_name, comment FROM duckdb_views() WHERE database_name = current_database() "
        "AND NOT internal"
    ).fetchall()
    columns = published.execute(
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE database_name = current_database()"
    ).fetchall()
    entries = read_dictionary()
    assert dict(tables) == {entry.name: entry.grain for entry in entries}
    assert {(table, column): comment for table, column, comment in columns} == {
        (entry.name, column): meaning for entry in entries for column, meaning in entry.columns.items()
    }
    assert all(len(meaning) >= 3 for entry in entries for meaning in entry.columns.values())


def test_every_table_starts_with_its_tenant(published: duckdb.DuckDBPyConnection) -> None:
    """Only Microsoft's facts and the policy belong to no tenant."""
    first = {table: next(iter(columns)) for table, columns in _columns(published).items()}
    assert {table for table, column in first.items() if column != "tenant_id"} == _WITHOUT_TENANT - {
        "microsoft_tenants"
    }


def test_subject_is_an_object(published: duckdb.DuckDBPyConnection) -> None:
    """A finding's subject can be asked for its parts."""
    rows = published.execute("SELECT DISTINCT json_type(subject) FROM findings").fetchall()
    assert rows == [("OBJECT",)]


def test_running_again_changes_nothing(audited: Audited, published: duckdb.DuckDBPyConnection) -> None:
    """Laws 5 and 6: the same evidence again adds no record and changes no verdict; what was new is not new any more."""
    before = _contents(published)
    outcome = audited.again()
    assert {file.outcome for file in outcome.landed} == {"known"}
    assert sum(file.stored for file in outcome.landed) == 0
    path = str(audited.settings.publish / "m365audit.duckdb")
    with _second(path) as again:
        assert _contents(again) == before
        assert again.execute("SELECT DISTINCT change FROM findings").fetchall() == [("unchanged",)]


def _second(path: str) -> duckdb.DuckDBPyConnection:
    """Open the newly published file although this process still holds the old one of that name."""
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{path}' AS newest (READ_ONLY)")
    connection.execute("USE newest")
    return connection


def _contents(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of the tables that must not depend on when or how often was run."""
    tables = ["verdicts", "grants", "coverage", "cells", "sign_ins", "directory_changes", "finding_evidence", "apps"]
    return {table: connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in tables}  # noqa: S608


def test_first_and_last_times_are_known(published: duckdb.DuckDBPyConnection) -> None:
    """A finding made of accesses says when it began and when it was last seen."""
    rows = published.execute(
        "SELECT first_seen_at, last_seen_at FROM findings WHERE rule = 'used-after-end'"
    ).fetchall()
    assert rows
    assert all(isinstance(first, datetime) and first < last for first, last in rows)
