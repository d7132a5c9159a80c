"""What the store knows of each file that arrives, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from m365audit.model import STATE_FEEDS
from m365audit.store.spool import Origin


@dataclass(frozen=True, slots=True)
class Arrival:
    """The circumstances of a file's arrival.

    Attributes:
        source_id: its number in the store; rises in the order in which files are offered.
        path: as the user named it.
        tenant: tenant id.
        sha256: hash of its bytes.
        size: its size in bytes.
        spool: where its bytes are kept; empty when they could not be read.
        imported_at: now.
        observed_at: when the tenant was in the state that the file shows; the file's own time unless the user said it.
        has_said_time: the user said ``observed_at``: the same bytes are then a new observation.
        settle_after: how long after its hour a storage file may still grow.
        hour: beginning of the hour that a storage path names, None when it names none.
        window: the user says that the file holds everything from the first to the second time (exclusive).
        unreadable: why its bytes could not be taken, empty when they were.
        archive: the archive in the spool whose member it is; empty when it is a file of its own. ``spool`` is then a
            temporary copy of the member's bytes.
        origin: where a large file may be read quicker than in the spool, for as long as it is unchanged.
        is_collected: the collector wrote it from Microsoft's answers. What it covers stands in the ledger of
            collection, not in the file.
        run_id: the run that collected it; empty for what was imported.
        longest_line: bytes of its longest line; 0 when nobody knows.
    """

    source_id: int
    path: str
    tenant: str
    sha256: str
    size: int
    spool: str
    imported_at: datetime
    observed_at: datetime
    has_said_time: bool
    settle_after: timedelta
    hour: datetime | None = None
    window: tuple[datetime, datetime] | None = None
    unreadable: str = ""
    archive: str = ""
    origin: Origin | None = None
    is_collected: bool = False
    run_id: str = ""
    longest_line: int = 0

    @property
    def is_settled(self) -> bool:
        """The file is of an hour, and was taken when that hour could not grow any more."""
        return self.hour is not None and self.observed_at >= self.hour + timedelta(hours=1) + self.settle_after


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


def next_source_ids(connection: duckdb.DuckDBPyConnection, count: int) -> list[int]:
    """Return numbers for files that are about to arrive; numbers of files that are known already stay unused."""
    rows = connection.execute("SELECT nextval('source_ids') FROM range(?) ORDER BY 1", [count]).fetchall()
    return [row[0] for row in rows]


def find_taken(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str, int]]:
    """Return tenant, path and size of every file that was imported before."""
    rows = connection.execute(
        "SELECT DISTINCT tenant_id, path, bytes FROM sources WHERE outcome IN ('imported', 'partial')"
    ).fetchall()
    return {(tenant, path, size) for tenant, path, size in rows}


def find_known(connection: duckdb.DuckDBPyConnection, arrivals: Sequence[Arrival]) -> dict[int, Landed]:
    """Return, by number, the result of every file whose bytes were imported before: all duplicate, nothing to do.

    Not known is what says something new with the same bytes: a listing observed at another time that the user names,
    an hour that has settled since or that only this path names, a window that the user vouches for now.
    """
    offers = [(a.tenant, a.sha256, a.observed_at, a.has_said_time) for a in arrivals if a.spool]
    if not offers:
        return {}
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE offered "
        "(tenant_id VARCHAR, sha256 VARCHAR, observed_at TIMESTAMPTZ, has_said_time BOOLEAN)"
    )
    marks = ", ".join(["(?, ?, ?, ?)"] * len(offers))
    connection.execute(f"INSERT INTO offered VALUES {marks}", [value for offer in offers for value in offer])
    _correct_observations(connection)
    rows = connection.execute(
        "SELECT tenant_id, sha256, kind, records, quarantined, observed_at, covered_hour, is_settled, window_from, "
        "window_to FROM sources "
        "SEMI JOIN offered USING (tenant_id, sha256) WHERE outcome IN ('imported', 'partial') ORDER BY source_id"
    ).fetchall()
    known: dict[int, Landed] = {}
    for arrival in arrivals:
        for row in rows:
            if _says_nothing_new(arrival, row):
                kind, records, quarantined = row[2:5]
                known[arrival.source_id] = Landed(
                    arrival.path, kind, records, 0, records - quarantined, quarantined, 0, "known", "imported before"
                )
    return known


def _correct_observations(connection: duckdb.DuckDBPyConnection) -> None:
    """Let a time that the user says replace a listing's own time, and an older file with the same bytes its copy's.

    Equal bytes prove one observation, at their oldest time; then no order of imports changes when it was.
    """
    feeds = ", ".join(f"'{feed}'" for feed in STATE_FEEDS)
    for better, condition in (("has_said_time", "true"), ("NOT has_said_time", "o.observed_at < sources.observed_at")):
        connection.execute(
            f"""
            UPDATE sources SET observed_at = o.observed_at, has_said_time = o.has_said_time
            FROM (
                SELECT tenant_id, sha256, has_said_time, min(observed_at) AS observed_at
                FROM offered WHERE {better} GROUP BY ALL
            ) AS o
            WHERE sources.tenant_id = o.tenant_id AND sources.sha256 = o.sha256 AND NOT sources.has_said_time
                AND sources.kind IN ({feeds}) AND sources.outcome IN ('imported', 'partial') AND {condition}
            """
        )


def _says_nothing_new(arrival: Arrival, row: tuple[Any, ...]) -> bool:
    """Compare an arrival with a file that was imported before."""
    tenant, sha256, kind, _, _, observed_at, hour, is_settled, *window = row
    if (tenant, sha256) != (arrival.tenant, arrival.sha256):
        return False
    if arrival.has_said_time and observed_at != arrival.observed_at:
        return False
    if kind in STATE_FEEDS:  # neither hours nor windows mean anything to a listing
        return True
    has_hour = arrival.hour is None or (arrival.hour == hour and (is_settled or not arrival.is_settled))
    return has_hour and (arrival.window is None or arrival.window == tuple(window))


def record_refusal(connection: duckdb.DuckDBPyConnection, arrival: Arrival, message: str) -> Landed:
    """Keep it on record that a file was refused, and why."""
    landed = Landed(arrival.path, None, 0, 0, 0, 0, 0, "refused", message)
    write_sources(connection, [(arrival, landed, False)])
    return landed


def write_sources(connection: duckdb.DuckDBPyConnection, rows: Iterable[tuple[Arrival, Landed, bool]]) -> None:
    """Write rows of the ledger of files; the last value tells that the file names a next page."""
    values = [
        [
            arrival.tenant, arrival.source_id, landed.path, landed.kind, arrival.sha256, arrival.size, landed.records,
            landed.stored, landed.duplicate, landed.quarantined, landed.bad_times, arrival.imported_at,
            arrival.observed_at, landed.outcome, landed.message, arrival.archive or arrival.spool, has_next_page,
            arrival.hour, arrival.is_settled, *(arrival.window or (None, None)), arrival.has_said_time,
            "graph" if arrival.is_collected else "import", arrival.run_id or None,
        ]
        for arrival, landed, has_next_page in rows
    ]  # fmt: skip
    if values:
        marks = ", ".join([f"({', '.join(['?'] * len(values[0]))})"] * len(values))
        connection.execute(f"INSERT INTO sources VALUES {marks}", [value for row in values for value in row])
