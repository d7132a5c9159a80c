"""The ledgers: runs, findings and the register's history, in the working database; and their copies for readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from m365audit.store.candidate import attached
from m365audit.store.rows import Columns, create_from_rows, insert_rows

FINDING_COLUMNS: Final[Columns] = {
    "tenant_id": "VARCHAR", "finding_id": "VARCHAR", "rule": "VARCHAR", "severity": "VARCHAR", "title": "VARCHAR",
    "question": "VARCHAR", "subject": "JSON", "app_id": "VARCHAR", "record": "VARCHAR", "process": "VARCHAR",
    "reasons": "VARCHAR[]", "state": "VARCHAR", "decision": "VARCHAR", "first_seen_at": "TIMESTAMPTZ",
    "last_seen_at": "TIMESTAMPTZ", "evidence_count": "BIGINT", "opened_at": "TIMESTAMPTZ",
    "resolved_at": "TIMESTAMPTZ", "reopened": "BIGINT", "change": "VARCHAR",
}  # fmt: skip
"""A finding as the ledger keeps it and as it is published."""

_OUTCOME_COLUMNS: Final[Columns] = {
    "tenant_id": "VARCHAR", "rule": "VARCHAR", "outcome": "VARCHAR", "reason": "VARCHAR", "findings": "BIGINT",
}  # fmt: skip

Rows = Iterable[Mapping[str, object]]


def begin_run(connection: duckdb.DuckDBPyConnection, command: str, version: str, started_at: datetime) -> str:
    """Put a new run on record and return its id: a counter, so that a clock set back changes no order."""
    row = connection.execute("SELECT count(*) + 1 FROM runs").fetchone()
    run_id = f"run-{int(row[0]) if row else 1:06d}"
    connection.execute(
        "INSERT INTO runs (run_id, command, started_at, version) VALUES (?, ?, ?, ?)",
        [run_id, command, started_at, version],
    )
    return run_id


def end_run(
    connection: duckdb.DuckDBPyConnection, run_id: str, outcome: str, finished_at: datetime, register: tuple[str, str]
) -> None:
    """Complete a run's row; ``register`` is the hash and state (valid, invalid, absent) of the consent register."""
    connection.execute(
        "UPDATE runs SET outcome = ?, finished_at = ?, register_hash = ?, register_state = ? WHERE run_id = ?",
        [outcome, finished_at, *register, run_id],
    )


def read_findings(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the finding ledger, one dictionary a finding."""
    names = ", ".join(name for name in FINDING_COLUMNS if name != "subject")
    cursor = connection.execute(f"SELECT {names}, subject::VARCHAR AS subject FROM finding_ledger")
    keys = [column[0] for column in cursor.description or ()]
    return [dict(zip(keys, row, strict=True)) for row in cursor.fetchall()]


def write_results(
    connection: duckdb.DuckDBPyConnection, candidate: Path, findings: Rows, outcomes: Rows, *, workdir: Path
) -> None:
    """Put findings, outcomes of rules and runs into the candidate."""
    with attached(connection, candidate):
        create_from_rows(connection, "findings", FINDING_COLUMNS, findings, workdir=workdir)
        create_from_rows(connection, "rule_outcomes", _OUTCOME_COLUMNS, outcomes, workdir=workdir)
        connection.execute(
            "CREATE TABLE candidate.runs AS SELECT t.tenant_id, r.* FROM runs AS r CROSS JOIN tenants AS t "
            "ORDER BY r.run_id, t.tenant_id"
        )
        connection.execute("CHECKPOINT candidate")


def save_findings(connection: duckdb.DuckDBPyConnection, findings: Rows, *, workdir: Path) -> None:
    """Replace the finding ledger in one transaction: a kill leaves the old one or the new one."""
    connection.execute("BEGIN")
    connection.execute("DELETE FROM finding_ledger")
    insert_rows(connection, "finding_ledger", FINDING_COLUMNS, findings, workdir=workdir)
    connection.execute("COMMIT")


def tenants_with_evidence(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the ids of all tenants that a file was ever offered for."""
    return [row[0] for row in connection.execute("SELECT DISTINCT tenant_id FROM sources ORDER BY 1").fetchall()]


def evidence_times(connection: duckdb.DuckDBPyConnection, candidate: Path) -> dict[str, datetime | None]:
    """Return for each tenant the newest time of its evidence: the moment that an evaluation speaks of."""
    with attached(connection, candidate):
        rows = connection.execute("SELECT tenant_id, watched_to FROM tenants").fetchall()
    return {str(tenant): moment for tenant, moment in rows}


def note_register(connection: duckdb.DuckDBPyConnection, entries: Rows, judged_at: datetime) -> None:
    """Keep the hash of every register entry that was judged with, once: the history is append-only."""
    for entry in entries:
        values = [entry["tenant_id"], entry["record"], entry["entry"], entry["event"], entry["entry_hash"]]
        connection.execute(
            "INSERT INTO register_ledger SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM register_ledger "
            "WHERE tenant_id = ? AND record = ? AND entry = ? AND entry_hash = ?)",
            [*values, judged_at, values[0], values[1], values[2], values[4]],
        )
