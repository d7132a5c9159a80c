"""Settling what was landed: removing what the store had already, and numbering the versions of what changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import duckdb

from m365audit.model import STATE_FEEDS
from m365audit.store.landing_calls import FORM


@dataclass(frozen=True, slots=True)
class _Table:
    """How a landing table is compared.

    Attributes:
        name: the table.
        key: what tells one record from another, of all tenants.
        content: what makes two records with one key the same.
        told: the table ``t`` with what ``richness`` needs.
        richness: how much a retold row tells.
    """

    name: str
    key: str
    content: str
    told: str
    richness: str

    def equals(self, other: str) -> str:
        """Return the condition that a row of the table has key and content of a row of ``other``."""
        names = f"{self.key}, {self.content}".split(", ")
        return " AND ".join(f"{self.name}.{name} IS NOT DISTINCT FROM {other}.{name}" for name in names)


CALLS: Final = _Table(
    "landed_calls",
    "tenant_id, event_id",
    "form_no, occurred_at",
    "landed_calls AS t INNER JOIN landed_forms AS f USING (tenant_id, form_no)",
    f"len(list_filter([{', '.join(f'f.{name}::VARCHAR' for name in FORM)}], LAMBDA x: x IS NOT NULL))",
)
RECORDS: Final = _Table(
    "landed_records", "tenant_id, feed, record_id", "content", "landed_records AS t", "len(t.record::VARCHAR)"
)


class _Arrived:
    """The tenants of what arrived: their rows alone are looked at, and the database skips what it keeps of others."""

    def __init__(self, tenants: Collection[str]) -> None:
        self.parameters = {f"tenant{number}": tenant for number, tenant in enumerate(sorted(tenants))}

    def has(self, column: str) -> str:
        """Return the condition that a column names one of them."""
        return f"{column} IN ({', '.join(f'${name}' for name in self.parameters)})"


def settle(connection: duckdb.DuckDBPyConnection, table: _Table, tenants: Collection[str]) -> None:
    """Remove what the store had already, and number the versions of what changed.

    Args:
        connection: inside the transaction that landed the sources of the table ``fresh_sources``.
        table: landing table.
        tenants: tenants of them.
    """
    arrived = _Arrived(tenants)
    fresh = f"SELECT 1 FROM {table.name} WHERE source_id IN (FROM fresh_sources) LIMIT 1"
    if connection.execute(fresh).fetchone() is None:
        return
    _find_conflicts(connection, table, arrived)
    if connection.execute("SELECT 1 FROM conflicts LIMIT 1").fetchone() is None:
        return
    _remove_equal(connection, table, arrived)
    if table is RECORDS:
        _canonicalise(connection, arrived)
        _remove_equal(connection, table, arrived)
    _number_versions(connection, table, arrived)


def _find_conflicts(connection: duckdb.DuckDBPyConnection, table: _Table, arrived: _Arrived) -> None:
    """Collect the keys that stand more than once; a key that merely shares another's hash does no harm."""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE conflicts AS
        WITH fresh AS (
            SELECT hash({table.key}) AS k, count(*) AS n FROM {table.name}
            WHERE source_id IN (FROM fresh_sources) GROUP BY ALL
        ),
        twice AS (
            SELECT k FROM fresh WHERE n > 1
            UNION
            -- What is there already is passed through, what is fresh is held in memory: the one may be large.
            SELECT hash({table.key}) AS k FROM {table.name}
            WHERE
                {arrived.has("tenant_id")} AND source_id NOT IN (FROM fresh_sources)
                AND hash({table.key}) IN (SELECT k FROM fresh)
        )
        SELECT DISTINCT {table.key} FROM {table.name}
        WHERE source_id IN (FROM fresh_sources) AND hash({table.key}) IN (FROM twice)
        """,
        arrived.parameters,
    )


def _remove_equal(connection: duckdb.DuckDBPyConnection, table: _Table, arrived: _Arrived) -> None:
    """Delete fresh rows that equal an earlier row in id and content; the earlier one takes over the later time."""
    _lift(connection, table, arrived)
    connection.execute(
        f"""
        DELETE FROM {table.name} WHERE source_id IN (FROM fresh_sources) AND rowid IN (
            SELECT row FROM (
                SELECT rowid AS row, source_id,
                    row_number() OVER (
                        PARTITION BY {table.key}, {table.content}
                        ORDER BY source_id IN (FROM fresh_sources), source_id, rowid
                    ) AS place
                FROM {table.name} SEMI JOIN conflicts USING ({table.key}) WHERE {arrived.has("tenant_id")}
            ) WHERE place > 1 AND source_id IN (FROM fresh_sources)
        )
        """,
        arrived.parameters,
    )


def _lift(connection: duckdb.DuckDBPyConnection, table: _Table, arrived: _Arrived) -> None:
    """Give equal rows the newest envelope time and the newest file time among them, so that whichever stays has both.

    A content that came back is newer than what stood between; which of its copies arrived first must not matter.
    """
    connection.execute(
        f"""
        UPDATE {table.name} SET enveloped_at = greatest({table.name}.enveloped_at, lifted.enveloped_at),
            observed_at = greatest({table.name}.observed_at, lifted.observed_at),
            is_retold = {table.name}.is_retold AND lifted.is_retold
        FROM (
            SELECT {table.key}, {table.content}, max(enveloped_at) AS enveloped_at, max(observed_at) AS observed_at,
                bool_and(is_retold) AS is_retold
            FROM {table.name} SEMI JOIN conflicts USING ({table.key})
            WHERE source_id IN (FROM fresh_sources) GROUP BY ALL
        ) AS lifted
        WHERE {arrived.has(f"{table.name}.tenant_id")} AND {table.equals("lifted")}
            AND (
                {table.name}.enveloped_at IS DISTINCT FROM greatest({table.name}.enveloped_at, lifted.enveloped_at)
                OR {table.name}.observed_at IS DISTINCT FROM greatest({table.name}.observed_at, lifted.observed_at)
                OR {table.name}.is_retold AND NOT lifted.is_retold
            )
        """,
        arrived.parameters,
    )


def _canonicalise(connection: duckdb.DuckDBPyConnection, arrived: _Arrived) -> None:
    """Give the rows that still differ the hash of their canonical form: another order of keys is no other content."""
    rows = connection.execute(
        f"""
        SELECT tenant_id, source_id, feed, record_id, content, record::VARCHAR FROM landed_records
        SEMI JOIN (
            SELECT {RECORDS.key} FROM landed_records SEMI JOIN conflicts USING ({RECORDS.key})
            WHERE {arrived.has("tenant_id")}
            GROUP BY ALL HAVING count(*) > 1 AND bool_or(source_id IN (FROM fresh_sources))
        ) USING ({RECORDS.key}) WHERE {arrived.has("tenant_id")}
        """,
        arrived.parameters,
    ).fetchall()
    changes = [(*about, content, _canonical_hash(record)) for *about, content, record in rows]
    changes = [change for change in changes if change[-2] != change[-1]]
    if not changes:
        return
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE recoded "
        "(tenant_id VARCHAR, source_id BIGINT, feed VARCHAR, record_id VARCHAR, content UHUGEINT, canonical UHUGEINT)"
    )
    connection.executemany("INSERT INTO recoded VALUES (?, ?, ?, ?, ?, ?)", changes)
    connection.execute(
        """
        UPDATE landed_records SET content = canonical FROM recoded
        WHERE landed_records.source_id = recoded.source_id AND landed_records.feed = recoded.feed
            AND landed_records.record_id = recoded.record_id AND landed_records.content = recoded.content
        """
    )
    connection.execute(
        """
        UPDATE sightings SET content = canonical FROM recoded
        WHERE sightings.tenant_id = recoded.tenant_id AND sightings.feed = recoded.feed
            AND sightings.record_id = recoded.record_id AND sightings.content = recoded.content
        """
    )


def _canonical_hash(record: str) -> int:
    """Return a 128-bit hash that does not depend on the order of keys or on white space."""
    try:
        value = json.loads(record, parse_int=_number, parse_float=_number, parse_constant=_number)
        canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        canonical = record  # nested too deeply to be put in order: the text itself then
    return int.from_bytes(hashlib.md5(canonical.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest())


def _number(digits: str) -> dict[str, str]:
    """Return a number as it is written: no digit is lost, and none is too many."""
    return {"\0number": digits}


def _number_versions(connection: duckdb.DuckDBPyConnection, table: _Table, arrived: _Arrived) -> None:
    """Number the versions of every id in conflict, oldest first, and mark the newest.

    What was retold from another spelling comes before everything told first-hand, the poorest first: it may lack
    facts, and must not hide them. Else newest is by the record's envelope, then by the file's own time, then by
    arrival: as little as possible depends on the order in which files were imported.
    """
    connection.execute(
        f"""
        UPDATE {table.name} SET version = numbered.version, is_newest = numbered.is_newest
        FROM (
            SELECT t.rowid AS row,
                row_number() OVER w AS version,
                row_number() OVER w = count(*) OVER (PARTITION BY {table.key}) AS is_newest
            FROM {table.told} SEMI JOIN conflicts USING ({table.key})
            WHERE {arrived.has("t.tenant_id")}
            WINDOW w AS (PARTITION BY {table.key}
                ORDER BY NOT t.is_retold, CASE WHEN t.is_retold THEN {table.richness} END,
                    enveloped_at NULLS FIRST, observed_at NULLS FIRST, source_id, t.rowid)
        ) AS numbered
        WHERE {table.name}.rowid = numbered.row
        """,
        arrived.parameters,
    )


def note_sightings(connection: duckdb.DuckDBPyConnection) -> None:
    """Remember which content of which state object this file showed."""
    feeds = ", ".join(f"'{feed}'" for feed in STATE_FEEDS)
    connection.execute(
        "INSERT INTO sightings SELECT tenant_id, source_id, feed, record_id, content "
        f"FROM landed_records WHERE source_id IN (FROM fresh_sources) AND feed IN ({feeds})",
    )
