"""Landing: prepared files → landing tables, some files one transaction, nothing lost and nothing twice.

In = stored + duplicate + quarantined, for every file. The store keeps what it was given; it never interprets it.
Files of one kind are landed together: storage exports come as one small file an hour, and a transaction costs the
same for one as for a hundred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from m365audit.errors import AuditError
from m365audit.model import STATE_FEEDS, PreparedFile, Quarantined
from m365audit.store import landing_sql
from m365audit.store.arrivals import Arrival, Landed, write_sources
from m365audit.store.setting_aside import set_aside
from m365audit.store.settling import note_sightings, settle

_TABLES = ("landed_calls", "landed_records")


class UnreadableRecordsError(AuditError):
    """DuckDB could not read what was prepared; land the files one by one, and that one prepared the careful way."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Ready:
    """A file ready to be landed: its circumstances, and what the exports room made of it."""

    arrival: Arrival
    prepared: PreparedFile

    @property
    def family(self) -> tuple[str, str, bool, bool]:
        """Files with the same family may be landed together."""
        return (self.arrival.tenant, self.prepared.kind, self.prepared.enveloped, self.prepared.is_temporary)


def land(connection: duckdb.DuckDBPyConnection, files: Sequence[Ready], *, is_careful: bool) -> list[Landed]:
    """Land files of one family in one transaction.

    Args:
        connection: the working database.
        files: at least one; all of one family, in the order in which they were offered.
        is_careful: their records were checked one by one; False lets DuckDB read quickly and strictly.

    Returns:
        What became of each, in the same order.

    Raises:
        UnreadableRecordsError: DuckDB cannot read one of them; nothing was landed.
    """
    connection.execute("BEGIN")
    try:
        landed = _land(connection, files, is_careful=is_careful)
    except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException):
        raise  # the store's trouble, not the file's: the run ends, and closing the connection rolls back
    except duckdb.Error as error:
        connection.execute("ROLLBACK")
        raise UnreadableRecordsError(str(error).splitlines()[0], file=files[0].arrival.path) from error
    connection.execute("COMMIT")
    return landed


def _land(connection: duckdb.DuckDBPyConnection, files: Sequence[Ready], *, is_careful: bool) -> list[Landed]:
    tenant = files[0].arrival.tenant
    _arriving(connection, files)
    read, has_unusable = _read(connection, files, is_careful=is_careful)
    _write_coverage(connection)
    note_sightings(connection)
    for table in _TABLES:
        settle(connection, table, tenant)
    stored = _per_source(connection, "count(*)")
    bad_times = _per_source(connection, "count(*) FILTER (WHERE has_bad_time)")
    results = []
    for file in files:
        source = file.arrival.source_id
        records = read[source] + file.prepared.quarantined
        quarantined, first = set_aside(connection, file.prepared, tenant, source, has_unusable=source in has_unusable)
        results.append(
            Landed(
                file.arrival.path,
                file.prepared.kind,
                records,
                stored[source],
                records - stored[source] - quarantined,
                quarantined,
                bad_times[source],
                "partial" if quarantined or file.prepared.has_broken_end else "imported",
                _remark(file.prepared, quarantined, first),
            )
        )
    write_sources(
        connection,
        [(file.arrival, landed, file.prepared.has_next_page) for file, landed in zip(files, results, strict=True)],
    )
    return results


def _remark(prepared: PreparedFile, quarantined: int, first: Quarantined | None) -> str:
    """Return what there is to say of a file: where its first bad record is, and what of it is missing."""
    remarks = []
    if first:
        named = (("record", first.record), ("line", first.line), ("byte", first.offset))
        place = ", ".join(f"{name} {number}" for name, number in named if number is not None)
        remarks.append(f"{place or 'a record'}: {first.reason}")
    if quarantined > 1:
        remarks.append(f"{quarantined - 1} more in the table quarantine")
    if prepared.has_broken_end:
        remarks.append("the file ends early; what came before the break was imported")
    if prepared.has_next_page:
        remarks.append("names a next page: without that file the list is not whole")
    return "; ".join(remarks)


def _arriving(connection: duckdb.DuckDBPyConnection, files: Sequence[Ready]) -> None:
    """Make the table of what arrives, by which every row that is read finds its file."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE arriving (filename VARCHAR, source_id BIGINT, tenant_id VARCHAR, kind VARCHAR, "
        "observed_at TIMESTAMPTZ, hour TIMESTAMPTZ, is_settled BOOLEAN, is_broken BOOLEAN, window_from TIMESTAMPTZ, "
        "window_to TIMESTAMPTZ, is_retold BOOLEAN)"
    )
    values: list[object] = []
    for file in files:
        arrival = file.arrival
        values += [
            file.prepared.ndjson, arrival.source_id, arrival.tenant, file.prepared.kind, arrival.observed_at,
            arrival.hour, arrival.is_settled, file.prepared.has_broken_end, *(arrival.window or (None, None)),
            file.prepared.is_retold,
        ]  # fmt: skip
    marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(files))
    connection.execute(f"INSERT INTO arriving VALUES {marks}", values)
    connection.execute("CREATE OR REPLACE TEMP TABLE fresh_sources AS SELECT source_id FROM arriving")


def _read(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Ready], *, is_careful: bool
) -> tuple[dict[int, int], set[int]]:
    """Insert every record; return how many were read, by source, and the sources of some that cannot be stored.

    Those are taken out again.
    """
    paths = {"paths": [file.prepared.ndjson for file in files]}
    sample = files[0].prepared
    if not is_careful and (check := landing_sql.check_records(sample.kind, is_enveloped=sample.enveloped)):
        connection.execute(check, paths)
    read: dict[int, int] = defaultdict(int)
    has_unusable: set[int] = set()
    for table, statement in _statements(sample, is_careful=is_careful):
        connection.execute(statement, paths)
        counts = connection.execute(
            f"SELECT source_id, count(*), count(*) FILTER (WHERE version IN (0, -2)), "
            f"count(*) FILTER (WHERE version = -1) FROM {table} "
            "SEMI JOIN arriving USING (source_id) GROUP BY ALL"
        ).fetchall()
        for source, count, bad, _ in counts:
            read[source] = max(read[source], count)
            has_unusable |= {source} if bad else set()
        connection.execute(f"DELETE FROM {table} WHERE version < 1 AND source_id IN (FROM fresh_sources)")
        if not any(others for *_, others in counts):
            break  # no record of the other family, which the next statement would land
    return read, has_unusable


def _statements(sample: PreparedFile, *, is_careful: bool) -> list[tuple[str, str]]:
    """Return landing table and statement for the records that the files should hold, and for those they may hold too.

    Some collectors mix log categories in one file: each statement lands its own family and marks the other's rows.
    """
    calls = landing_sql.insert_calls(is_careful=is_careful, is_enveloped=sample.enveloped)
    if sample.kind == "graph_activity":
        others = landing_sql.insert_records("sign_ins", is_enveloped=sample.enveloped)
        return [("landed_calls", calls), ("landed_records", others)]
    records = landing_sql.insert_records(sample.kind, is_enveloped=sample.enveloped)
    careful_calls = landing_sql.insert_calls(is_careful=True, is_enveloped=sample.enveloped)
    return [("landed_records", records), ("landed_calls", careful_calls)]


def _per_source(connection: duckdb.DuckDBPyConnection, count: str) -> dict[int, int]:
    """Return ``count`` of the landed rows of each arriving source, 0 for those without any."""
    totals: dict[int, int] = defaultdict(int)
    for table in _TABLES:
        rows = connection.execute(
            f"SELECT source_id, {count} FROM {table} SEMI JOIN arriving USING (source_id) GROUP BY ALL"
        ).fetchall()
        for source, number in rows:
            totals[source] += number
    return totals


def _write_coverage(connection: duckdb.DuckDBPyConnection) -> None:
    """Write what each file proves of coverage: its hour when its path names one, else the extent of its events."""
    connection.execute(
        """
        INSERT INTO coverage_windows
        SELECT
            tenant_id, source_id, feed,
            CASE WHEN is_hour THEN any_value(hour) ELSE min(occurred_at) END,
            CASE WHEN is_hour THEN any_value(hour) + INTERVAL 1 HOUR
                ELSE max(occurred_at) + INTERVAL 1 MICROSECOND END,
            CASE WHEN is_hour AND any_value(is_settled) THEN 'complete' ELSE 'provisional' END,
            CASE WHEN any_value(is_broken) THEN 'file_ends_early' WHEN NOT is_hour THEN 'extent_of_file'
                WHEN any_value(is_settled) THEN 'settled_hour' ELSE 'hour_may_still_grow' END
        FROM (
            SELECT a.*, e.feed, e.occurred_at, a.hour IS NOT NULL AND NOT a.is_broken AS is_hour
            FROM arriving AS a
            INNER JOIN (
                SELECT source_id, 'graph_activity' AS feed, occurred_at FROM landed_calls
                WHERE source_id IN (FROM fresh_sources)
                UNION ALL BY NAME
                SELECT source_id, feed, occurred_at FROM landed_records
                WHERE source_id IN (FROM fresh_sources)
            ) AS e USING (source_id)
        )
        GROUP BY tenant_id, source_id, feed, is_hour
        HAVING is_hour OR count(occurred_at) > 0
        """
    )
    _write_declared_windows(connection)
    # Listings have no events, and are covered by being seen at all (see the table sightings).
    state = ", ".join(f"'{kind}'" for kind in STATE_FEEDS)
    connection.execute(f"DELETE FROM coverage_windows WHERE feed IN ({state}) AND source_id IN (FROM fresh_sources)")


def _write_declared_windows(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the windows that the user vouches for: of the feeds in the file, of a kind's only feed even if empty."""
    connection.execute(
        """
        INSERT INTO coverage_windows
        SELECT DISTINCT a.tenant_id, a.source_id, f.feed, a.window_from, a.window_to, 'complete', 'declared_window'
        FROM arriving AS a
        INNER JOIN (
            SELECT source_id, 'graph_activity' AS feed FROM landed_calls WHERE source_id IN (FROM fresh_sources)
            UNION
            SELECT source_id, feed FROM landed_records WHERE source_id IN (FROM fresh_sources)
            UNION
            SELECT source_id, kind FROM arriving
            WHERE kind IN ('graph_activity', 'directory_audits', 'call_records')
        ) AS f USING (source_id)
        WHERE a.window_from IS NOT NULL AND NOT a.is_broken
        """
    )
