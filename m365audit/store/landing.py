"""Landing: prepared records → landing tables, one file one transaction, nothing lost and nothing twice.

In = stored + duplicate + quarantined, for every file. The store keeps what it was given; it never interprets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from m365audit.errors import AuditError
from m365audit.model import PreparedFile, Quarantined
from m365audit.store import landing_sql
from m365audit.store.settling import note_sightings, scalar, settle
from m365audit.store.unusable import find_unusable


class UnreadableRecordsError(AuditError):
    """DuckDB could not read the prepared file; it has to be prepared the careful way."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of one file.

    Attributes:
        path: as the user named it.
        kind: what its records are, None when it was refused before that was known.
        records: records read = stored + duplicate + quarantined.
        stored: records new to the store, new versions included.
        duplicate: records it had already.
        quarantined: records that could not be taken in.
        bad_times: stored records whose event time could not be read.
        outcome: ``imported``, ``partial`` (something quarantined or cut off), ``known`` (the same bytes were
            imported before) or ``refused``.
        message: what the user should know, empty when there is nothing.
    """

    path: str
    kind: str | None
    records: int
    stored: int
    duplicate: int
    quarantined: int
    bad_times: int
    outcome: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The circumstances of a file's arrival.

    Attributes:
        tenant: tenant id.
        sha256: hash of its bytes.
        size: its size in bytes.
        spool: where its bytes are kept.
        imported_at: now.
        observed_at: when the tenant was in the state that the file shows; the file's own time unless the user said it.
        settle_after: how long after its hour a storage file may still grow.
    """

    tenant: str
    sha256: str
    size: int
    spool: str
    imported_at: datetime
    observed_at: datetime
    settle_after: timedelta


def find_known(connection: duckdb.DuckDBPyConnection, arrival: Arrival, path: str) -> Landed | None:
    """Return the result for bytes that were imported before: all duplicate, nothing to do. None: they are new.

    A state file named again with another observation time is a new observation, not a known file.
    """
    row = connection.execute(
        "SELECT kind, records, quarantined, observed_at FROM sources "
        "WHERE tenant_id = ? AND sha256 = ? AND outcome IN ('imported', 'partial') ORDER BY source_id DESC LIMIT 1",
        [arrival.tenant, arrival.sha256],
    ).fetchone()
    if row is None:
        return None
    kind, records, quarantined, _ = row
    return Landed(path, kind, records, 0, records - quarantined, quarantined, 0, "known", "imported before")


def record_refusal(connection: duckdb.DuckDBPyConnection, arrival: Arrival, path: str, message: str) -> Landed:
    """Keep it on record that a file was refused, and why."""
    source = _next_source(connection)
    landed = Landed(path, None, 0, 0, 0, 0, 0, "refused", message)
    _write_source(connection, source, arrival, landed)
    return landed


def land(
    connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, arrival: Arrival, *, is_careful: bool
) -> Landed:
    """Land one prepared file in one transaction.

    Args:
        connection: the working database.
        prepared: the file as the exports room made it ready.
        arrival: tenant, hash, times.
        is_careful: True when ``prepared`` holds only records that were checked one by one.

    Raises:
        UnreadableRecordsError: DuckDB cannot read it; prepare it the careful way and land it again.
    """
    connection.execute("BEGIN")
    try:
        landed = _land(connection, prepared, arrival, is_careful=is_careful)
    except duckdb.Error as error:
        connection.execute("ROLLBACK")
        raise UnreadableRecordsError(str(error).splitlines()[0], file=prepared.path) from error
    except UnreadableRecordsError:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return landed


def _land(
    connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, arrival: Arrival, *, is_careful: bool
) -> Landed:
    source = _next_source(connection)
    parameters = {"tenant": arrival.tenant, "source": source, "path": prepared.ndjson}
    read, has_unusable = 0, False
    for table, statement in _statements(connection, prepared, is_careful=is_careful):
        read = max(read, scalar(connection, statement, parameters))
        has_unusable |= _take_out_unusable(connection, table, source)
    unusable = [*prepared.quarantined, *(find_unusable(prepared) if has_unusable else ())]
    _write_source(connection, source, arrival, Landed(prepared.path, prepared.kind, 0, 0, 0, 0, 0, "imported"))
    _write_coverage(connection, source, prepared, arrival)
    note_sightings(connection, source)
    duplicate = sum(settle(connection, table, source, arrival.tenant) for table in ("landed_calls", "landed_records"))
    records = read + len(prepared.quarantined)
    stored = records - len(unusable) - duplicate
    landed = Landed(
        prepared.path, prepared.kind, records, stored, duplicate, len(unusable), _bad_times(connection, source),
        "partial" if unusable or prepared.has_broken_end else "imported",
        "the file ends early; what came before the break was imported" if prepared.has_broken_end else "",
    )  # fmt: skip
    _write_quarantine(connection, source, arrival.tenant, unusable)
    connection.execute("DELETE FROM sources WHERE source_id = ?", [source])
    _write_source(connection, source, arrival, landed)
    return landed


def _statements(
    connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, *, is_careful: bool
) -> list[tuple[str, str]]:
    """Return the landing table and statement for each family of records that the file may hold.

    A storage file may hold several log categories: one family is landed by each statement, and each leaves the
    other's rows alone.
    """
    calls = ("landed_calls", landing_sql.insert_calls(is_careful=is_careful))
    if not is_careful:
        check = landing_sql.check_records(prepared.kind, is_enveloped=prepared.enveloped)
        if check is not None:
            connection.execute(check, {"path": prepared.ndjson})
    if prepared.kind == "graph_activity":
        other = landing_sql.insert_records("sign_ins", is_enveloped=True)
        return [calls, ("landed_records", other)] if _has_other_categories(connection, prepared) else [calls]
    records = ("landed_records", landing_sql.insert_records(prepared.kind, is_enveloped=prepared.enveloped))
    if prepared.enveloped and _has_graph_activity(connection, prepared):
        return [records, ("landed_calls", landing_sql.insert_calls(is_careful=True))]
    return [records]


def _has_other_categories(connection: duckdb.DuckDBPyConnection, prepared: PreparedFile) -> bool:
    """Tell whether a Graph activity file also holds sign-ins or audits (some collectors mix them)."""
    return _has_category(connection, prepared, "<>")


def _has_graph_activity(connection: duckdb.DuckDBPyConnection, prepared: PreparedFile) -> bool:
    """Tell whether a file of sign-ins or audits also holds Graph activity."""
    return _has_category(connection, prepared, "=")


def _has_category(connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, operator: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM read_ndjson($path, columns = {category: 'VARCHAR'}, maximum_object_size = "
        f"{landing_sql.MAXIMUM_RECORD_BYTES}) WHERE lower(category) {operator} 'microsoftgraphactivitylogs' LIMIT 1",
        {"path": prepared.ndjson},
    ).fetchone()
    return found is not None


def _take_out_unusable(connection: duckdb.DuckDBPyConnection, table: str, source: int) -> bool:
    """Remove the rows that the other statement lands (-1) and those that cannot be stored; tell if there were such."""
    connection.execute(f"DELETE FROM {table} WHERE source_id = ? AND version = -1", [source])
    return scalar(connection, f"DELETE FROM {table} WHERE source_id = ? AND version <= 0", [source]) > 0


def _bad_times(connection: duckdb.DuckDBPyConnection, source: int) -> int:
    return sum(
        scalar(connection, f"SELECT count(*) FROM {table} WHERE source_id = ? AND has_bad_time", [source])
        for table in ("landed_calls", "landed_records")
    )


def _write_coverage(
    connection: duckdb.DuckDBPyConnection, source: int, prepared: PreparedFile, arrival: Arrival
) -> None:
    """Write what the file proves about coverage: its hour when its path names one, else the extent of its events."""
    parameters: dict[str, Any] = {"source": source, "tenant": arrival.tenant, "observed": arrival.observed_at}
    if prepared.covered_hour is not None and not prepared.has_broken_end:
        begin = datetime.fromisoformat(prepared.covered_hour)
        end = begin + timedelta(hours=1)
        is_settled = arrival.observed_at >= end + arrival.settle_after
        extent = "$begin, $end"
        parameters |= {"begin": begin, "end": end}
        state, reason = ("complete", "settled_hour") if is_settled else ("provisional", "hour_may_still_grow")
    else:
        extent = "min(occurred_at), max(occurred_at) + INTERVAL 1 MICROSECOND"
        state, reason = "provisional", "file_ends_early" if prepared.has_broken_end else "extent_of_file"
    parameters |= {"state": state, "reason": reason}
    connection.execute(
        f"""
        INSERT INTO coverage_windows
        SELECT $tenant, $source, feed, {extent}, $state, $reason FROM (
            SELECT 'graph_activity' AS feed, occurred_at FROM landed_calls WHERE source_id = $source
            UNION ALL BY NAME
            SELECT feed, occurred_at FROM landed_records WHERE source_id = $source
        ) WHERE $observed IS NOT NULL
        GROUP BY feed HAVING count(occurred_at) > 0
        """,
        parameters,
    )


def _write_quarantine(
    connection: duckdb.DuckDBPyConnection, source: int, tenant: str, unusable: list[Quarantined]
) -> None:
    if unusable:
        connection.executemany(
            "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?)",
            [[tenant, source, q.record, q.line, q.offset, q.reason, q.excerpt] for q in unusable],
        )


def _write_source(connection: duckdb.DuckDBPyConnection, source: int, arrival: Arrival, landed: Landed) -> None:
    connection.execute(
        "INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            arrival.tenant, source, landed.path, landed.kind, arrival.sha256, arrival.size, landed.records,
            landed.stored, landed.duplicate, landed.quarantined, landed.bad_times, arrival.imported_at,
            arrival.observed_at, landed.outcome, landed.message, arrival.spool,
        ],
    )  # fmt: skip


def _next_source(connection: duckdb.DuckDBPyConnection) -> int:
    return scalar(connection, "SELECT nextval('source_ids')")


def now() -> datetime:
    """Return the present time in UTC; the only clock of the store."""
    return datetime.now(UTC)
