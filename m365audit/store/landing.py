"""Landing: prepared files → landing tables, some files one transaction, nothing lost and nothing twice.

In = stored + duplicate + quarantined, for every file. The store keeps what it was given; it never interprets it.
Files of one kind are landed together, whoever's they are: storage exports come as one small file an hour, a fleet of
tenants as one small answer each, and a transaction costs the same for one as for a hundred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from m365audit.errors import AuditError
from m365audit.model import STATE_FEEDS, PreparedFile, Quarantined
from m365audit.store import landing_calls, landing_sql
from m365audit.store.arrivals import Arrival, Landed, write_sources
from m365audit.store.database import undone_on_failure
from m365audit.store.setting_aside import set_aside
from m365audit.store.settling import CALLS, RECORDS, note_sightings, settle

_TABLES = (CALLS, RECORDS)
_SHORTEST: Final = 1 << 20
"""What DuckDB is told is the longest line at least; it reads in pieces of twice that, but of 32 MiB at least."""
_LINE_END: Final = 2


class UnreadableRecordsError(AuditError):
    """DuckDB could not read what was prepared; land the files one by one, and that one prepared the careful way."""

    exit_code = 4


class NoRoomError(UnreadableRecordsError):
    """The memory that DuckDB may use was not enough for what was collected; land it again with more."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A file ready to be landed: its circumstances, and what the exports room made of it."""

    arrival: Arrival
    prepared: PreparedFile

    @property
    def family(self) -> tuple[str, str, bool, bool]:
        """Files with the same family may be landed together: of calls those of one tenant, which share their forms."""
        has_calls = self.prepared.kind == "graph_activity" or self.prepared.enveloped
        tenant = self.arrival.tenant if has_calls else ""
        return (tenant, self.prepared.kind, self.prepared.enveloped, self.prepared.is_temporary)


def land(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Ready],
    *,
    is_careful: bool,
    also: Callable[[Sequence[Landed]], None] | None = None,
) -> list[Landed]:
    """Land files of one family in one transaction.

    Args:
        connection: the working database.
        files: at least one; all of one family, in the order in which they were offered.
        is_careful: their records were checked one by one; False lets DuckDB read quickly and strictly.
        also: what is to become durable together with the files; called inside the transaction, when everything else is
            done, with what became of each file. What it raises undoes all of it.

    Returns:
        What became of each, in the same order.

    Raises:
        UnreadableRecordsError: DuckDB cannot read one of them; nothing was landed.
        NoRoomError: it may not use enough memory to; nothing was landed.
    """
    connection.execute("BEGIN")
    try:
        landed = _land(connection, files, is_careful=is_careful)
    except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException):
        raise  # the store's trouble, not the file's: the run ends, and closing the connection rolls back
    except duckdb.Error as error:
        connection.execute("ROLLBACK")
        is_full = isinstance(error, duckdb.OutOfMemoryException) and files[0].arrival.is_collected
        kind = NoRoomError if is_full else UnreadableRecordsError
        raise kind(str(error).splitlines()[0], file=files[0].arrival.path) from error
    # What was read where it came from has to be what is kept; else it is read again from there.
    if not all(file.arrival.origin is None or file.arrival.origin.is_unchanged() for file in files):
        connection.execute("ROLLBACK")
        raise UnreadableRecordsError("it changed while it was read", file=files[0].arrival.path)
    if also:
        with undone_on_failure(connection):
            also(landed)
    connection.execute("COMMIT")
    return landed


def _land(connection: duckdb.DuckDBPyConnection, files: Sequence[Ready], *, is_careful: bool) -> list[Landed]:
    _arriving(connection, files)
    read, has_unusable = _read(connection, files, is_careful=is_careful)
    _write_coverage(connection, [file.arrival for file in files])
    note_sightings(connection)
    for table in _TABLES:
        settle(connection, table, {file.arrival.tenant for file in files})
    stored, bad_times = _per_source(connection)
    results = []
    for file in files:
        source = file.arrival.source_id
        records = read.get(source, 0) + file.prepared.quarantined
        quarantined, first = set_aside(
            connection, file.prepared, file.arrival.tenant, source, has_unusable=source in has_unusable
        )
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
        "window_to TIMESTAMPTZ, is_retold BOOLEAN, is_collected BOOLEAN)"
    )
    values: list[object] = []
    for file in files:
        arrival = file.arrival
        values += [
            file.prepared.ndjson, arrival.source_id, arrival.tenant, file.prepared.kind, arrival.observed_at,
            arrival.hour, arrival.is_settled, file.prepared.has_broken_end, *(arrival.window or (None, None)),
            file.prepared.is_retold, arrival.is_collected,
        ]  # fmt: skip
    marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(files))
    connection.execute(f"INSERT INTO arriving VALUES {marks}", values)
    connection.execute("CREATE OR REPLACE TEMP TABLE fresh_sources AS SELECT source_id FROM arriving")


def _read(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Ready], *, is_careful: bool
) -> tuple[dict[int, int], set[int]]:
    """Insert every record; return how many were read, by source, and the sources of some that cannot be stored.

    Those are taken out again.
    """
    lengths = [file.arrival.longest_line for file in files]
    longest = max(max(lengths) + _LINE_END, _SHORTEST) if all(lengths) else landing_sql.LONGEST_LINE
    paths = {"paths": [file.prepared.ndjson for file in files], "longest": longest}
    sample = files[0].prepared
    lands_first = _land_calls if sample.kind == "graph_activity" else _land_records
    lands_rest = _land_records if sample.kind == "graph_activity" else _land_calls
    read, has_unusable, has_others = lands_first(connection, sample, paths, is_careful=is_careful)
    if has_others:  # some collectors mix log categories in one file: each statement lands its own family
        read_too, unusable_too, _ = lands_rest(connection, sample, paths, is_careful=True)
        read = {source: max(count, read_too.get(source, 0)) for source, count in read.items()}
        has_unusable |= unusable_too
    return read, has_unusable


_Read = tuple[dict[int, int], set[int], bool]
"""Records read by source, sources of records that cannot be stored, whether some belong to the other family."""


def _land_calls(
    connection: duckdb.DuckDBPyConnection, sample: PreparedFile, paths: dict[str, object], *, is_careful: bool
) -> _Read:
    connection.execute(landing_calls.arrive(is_careful=is_careful, is_enveloped=sample.enveloped), paths)
    counts = _count(connection, "arrived_calls", "standing")
    for statement in landing_calls.LAND_CALLS:
        connection.execute(statement)
    for table in ("arrived_calls", "arrived_forms", "numbered_forms"):
        connection.execute(f"DROP TABLE temp.{table}")
    return counts


def _land_records(
    connection: duckdb.DuckDBPyConnection, sample: PreparedFile, paths: dict[str, object], *, is_careful: bool
) -> _Read:
    kind = "sign_ins" if sample.kind == "graph_activity" else sample.kind
    if not is_careful and (check := landing_sql.check_records(kind, is_enveloped=sample.enveloped)):
        connection.execute(check, paths)
    connection.execute(landing_sql.insert_records(kind, is_enveloped=sample.enveloped), paths)
    counts = _count(connection, "landed_records", "version")
    connection.execute("DELETE FROM landed_records WHERE version < 1 AND source_id IN (FROM fresh_sources)")
    return counts


def _count(connection: duckdb.DuckDBPyConnection, table: str, standing: str) -> _Read:
    """Count what was read; ``standing`` is 0 or -2 for what cannot be stored, -1 for what is of the other family."""
    rows = connection.execute(
        f"SELECT source_id, count(*), count(*) FILTER (WHERE {standing} IN (0, -2)), "
        f"count(*) FILTER (WHERE {standing} = -1) FROM {table} SEMI JOIN arriving USING (source_id) GROUP BY ALL"
    ).fetchall()
    read = {source: count for source, count, *_ in rows}
    return read, {source for source, _, bad, _ in rows if bad}, any(others for *_, others in rows)


def _per_source(connection: duckdb.DuckDBPyConnection) -> tuple[dict[int, int], dict[int, int]]:
    """Return the landed rows of each arriving source, and those of them without a time; 0 where there are none."""
    stored: dict[int, int] = defaultdict(int)
    bad_times: dict[int, int] = defaultdict(int)
    for table in _TABLES:
        rows = connection.execute(
            f"SELECT source_id, count(*), count(*) FILTER (WHERE has_bad_time) FROM {table.name} "
            "SEMI JOIN arriving USING (source_id) GROUP BY ALL"
        ).fetchall()
        for source, number, bad in rows:
            stored[source] += number
            bad_times[source] += bad
    return stored, bad_times


def _write_coverage(connection: duckdb.DuckDBPyConnection, arrivals: Sequence[Arrival]) -> None:
    """Write what each file proves of coverage: its hour when its path names one, else the extent of its events.

    Of what was collected the ledger of collection speaks: a thousand tenants are not asked for nothing.
    """
    if all(arrival.is_collected and arrival.window is None for arrival in arrivals):
        return
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
            WHERE NOT a.is_collected
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
