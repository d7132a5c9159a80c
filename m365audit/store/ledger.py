"""The ledgers: runs, findings and the register's history, in the working database; and their copies for readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from m365audit.store.candidate import attached
from m365audit.store.comments import write_comments
from m365audit.store.queries import read_queries
from m365audit.store.review_tables import Ask, put_into
from m365audit.store.review_tables import Rows as ReviewRows
from m365audit.store.rows import Columns, create_from_rows
from m365audit.store.sandbox import LEAN_MEMORY

FINDING_COLUMNS: Final[Columns] = {
    "tenant_id": "VARCHAR", "finding_id": "VARCHAR", "rule": "VARCHAR", "severity": "VARCHAR", "title": "VARCHAR",
    "question": "VARCHAR", "subject": "JSON", "app_id": "VARCHAR", "record": "VARCHAR", "process": "VARCHAR",
    "reasons": "VARCHAR[]", "state": "VARCHAR", "decision": "VARCHAR", "first_seen_at": "TIMESTAMPTZ",
    "last_seen_at": "TIMESTAMPTZ", "evidence_count": "BIGINT", "opened_at": "TIMESTAMPTZ",
    "resolved_at": "TIMESTAMPTZ", "reopened": "BIGINT", "change": "VARCHAR",
}  # fmt: skip
"""A finding as the ledger keeps it; what is published says besides whether the newest evaluation shows it."""

_OUTCOME_COLUMNS: Final[Columns] = {
    "tenant_id": "VARCHAR", "rule": "VARCHAR", "outcome": "VARCHAR", "reason": "VARCHAR", "findings": "BIGINT",
    "is_covered": "BOOLEAN",
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


def write_results(
    connection: duckdb.DuckDBPyConnection, candidate: Path, outcomes: Rows, aliases: Mapping[str, str], *,
    before: Path, workdir: Path, decided: Callable[[Ask], ReviewRows] = lambda _: {},
) -> None:  # fmt: skip
    """Take what the rules found into its history, and put findings, evidence, outcomes and runs into the candidate.

    Everything is done as sets: a million findings are one statement.

    Args:
        connection: the working database, with the ledger.
        candidate: the candidate, on which the rules have run.
        outcomes: what every rule came to for every tenant.
        aliases: earlier rule ids and today's, so that a renamed rule can resolve what it found under its old name.
        before: the publication before, for the evidence of findings that nobody could look at this time.
        workdir: private folder for line files.
        decided: returns the rows of the review tables for the findings that were just written.
    """
    renamed = ({"alias": alias, "rule": rule} for alias, rule in aliases.items())
    with lean(connection), attached(connection, candidate):
        create_from_rows(connection, "rule_outcomes", _OUTCOME_COLUMNS, outcomes, workdir=workdir)
        create_from_rows(
            connection, "rule_aliases", {"alias": "VARCHAR", "rule": "VARCHAR"}, renamed, workdir=workdir,
            is_temporary=True,
        )  # fmt: skip
        _keep_names(connection)
        for query in read_queries("ledger"):
            connection.execute(f"CREATE TABLE candidate.{query.name} AS {query.sql}")
        _keep_open(connection)
        connection.execute("DROP TABLE temp.rule_aliases")
        connection.execute("DROP TABLE candidate.present_findings")
        _keep_evidence(connection, before)
        connection.execute(
            "CREATE TABLE candidate.runs AS SELECT t.tenant_id, r.* FROM runs AS r CROSS JOIN tenants AS t "
            "ORDER BY r.run_id, t.tenant_id"
        )
        ask = _asking(connection)
        put_into(ask, decided(ask))
        write_comments(connection, "candidate")
        connection.execute("CHECKPOINT candidate")


def describe(connection: duckdb.DuckDBPyConnection, candidate: Path, table: str) -> None:
    """Comment one table that was made in the candidate after the ledger's."""
    with lean(connection), attached(connection, candidate):
        write_comments(connection, "candidate", only=table)


def _asking(connection: duckdb.DuckDBPyConnection) -> Ask:
    return lambda sql, values: connection.execute(sql, dict(values) if values else None).fetchall()


def _keep_names(connection: duckdb.DuckDBPyConnection) -> None:
    """Give findings whose subject was masked the ids that they had: decisions on them stay theirs."""
    for table in ("present_findings", "finding_evidence"):
        connection.execute(
            f"UPDATE candidate.{table} SET finding_id = n.finding_id FROM finding_names AS n "
            f"WHERE candidate.{table}.tenant_id = n.tenant_id AND candidate.{table}.finding_id = n.computed_id"
        )


def _keep_open(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave findings open whose evidence retention has removed: that nobody sees it any more resolves nothing."""
    connection.execute(
        "UPDATE candidate.findings SET state = 'open', change = 'unchanged', resolved_at = NULL "
        "WHERE change = 'resolved' AND last_seen_at < "
        "(SELECT max(p.purged_until) FROM purged_feeds AS p WHERE p.tenant_id = candidate.findings.tenant_id)"
    )


def _keep_evidence(connection: duckdb.DuckDBPyConnection, before: Path) -> None:
    """Take over the evidence of open findings that this evaluation could not look at.

    A publication that is gone or cannot be read has none to give; the findings' counts still tell that there was some.
    """
    if not before.is_file():
        return
    with suppress(duckdb.Error), read_only(connection, before, "before"):
        connection.execute(
            "INSERT INTO candidate.finding_evidence "
            "SELECT e.tenant_id, e.finding_id, e.feed, e.event_id, e.occurred_at FROM before.finding_evidence AS e "
            "JOIN candidate.findings AS f ON e.finding_id = f.finding_id AND e.tenant_id = f.tenant_id "
            "WHERE f.state = 'open' AND NOT f.is_seen "
            # What retention has removed stays in the finding's times and count, and nowhere else.
            "AND coalesce(e.occurred_at >= (SELECT max(p.purged_until) FROM purged_feeds AS p "
            "WHERE p.tenant_id = e.tenant_id), true)"
        )


def save_findings(connection: duckdb.DuckDBPyConnection, published: Path) -> None:
    """Replace the finding ledger by what was published, in one transaction: a kill leaves the old or the new one."""
    names = ", ".join(FINDING_COLUMNS)
    with lean(connection), read_only(connection, published, "published"):
        connection.execute("BEGIN")
        connection.execute("DELETE FROM finding_ledger")
        connection.execute(f"INSERT INTO finding_ledger ({names}) SELECT {names} FROM published.findings")
        connection.execute("COMMIT")


@contextmanager
def lean(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let the ledger's statements have as much memory as rules have; what they need beyond that, they spill."""
    row = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    connection.execute("SET memory_limit = ?", [LEAN_MEMORY])
    try:
        yield
    finally:
        connection.execute("SET memory_limit = ?", [row[0] if row else LEAN_MEMORY])


@contextmanager
def read_only(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> Iterator[None]:
    """Attach another database under a name, for reading."""
    quoted = str(path).replace("'", "''")
    connection.execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)")
    try:
        yield
    finally:
        connection.execute(f"DETACH {name}")


def tenants_with_evidence(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the ids of all tenants that a file was ever offered for."""
    return [row[0] for row in connection.execute("SELECT DISTINCT tenant_id FROM sources ORDER BY 1").fetchall()]


def note_register(connection: duckdb.DuckDBPyConnection, entries: Rows, judged_at: datetime) -> None:
    """Keep the hash of every register entry that was judged with, once: the history is append-only.

    Entries belong to the history (``is_canonical``) when they lengthen one that is whole. As long as an older entry is
    changed or gone, what is there now is kept, but never in the place of what was judged with first.
    """
    values = [[row[name] for name in ("tenant_id", "record", "entry", "event", "entry_hash")] for row in entries]
    connection.execute(_JUDGED_ENTRIES)
    if values:
        connection.executemany("INSERT INTO judged_entries VALUES (?, ?, ?, ?, ?)", values)
    connection.execute("BEGIN")
    connection.execute(_KEEP_ENTRIES, [judged_at])
    connection.execute(_LENGTHEN_HISTORIES)
    connection.execute("COMMIT")
    connection.execute("DROP TABLE temp.judged_entries")


_JUDGED_ENTRIES: Final = (
    "CREATE OR REPLACE TEMP TABLE judged_entries "
    "(tenant_id VARCHAR, record VARCHAR, entry INTEGER, event VARCHAR, entry_hash VARCHAR)"
)
_KEEP_ENTRIES: Final = """
INSERT INTO register_ledger (tenant_id, record, entry, event, entry_hash, first_judged_at, is_canonical)
SELECT tenant_id, record, entry, event, entry_hash, ?, FALSE
FROM judged_entries ANTI JOIN register_ledger USING (tenant_id, record, entry, entry_hash)
"""
_LENGTHEN_HISTORIES: Final = """
UPDATE register_ledger SET is_canonical = TRUE
FROM judged_entries AS j
WHERE
    NOT register_ledger.is_canonical
    AND register_ledger.tenant_id = j.tenant_id AND register_ledger.record = j.record
    AND register_ledger.entry = j.entry AND register_ledger.entry_hash = j.entry_hash
    AND (j.tenant_id, j.record) NOT IN (
        SELECT (l.tenant_id, l.record)
        FROM (SELECT * FROM register_ledger WHERE is_canonical) AS l
        ANTI JOIN judged_entries AS p USING (tenant_id, record, entry, entry_hash)
    )
"""
