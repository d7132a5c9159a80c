"""What the store knows of each file that arrives, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb


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
        window: the user says that the file holds everything from the first to the second time (exclusive).
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
    window: tuple[datetime, datetime] | None = None


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


def find_known(connection: duckdb.DuckDBPyConnection, arrivals: Sequence[Arrival]) -> dict[int, Landed]:
    """Return, by number, the result of every file whose bytes were imported before: all duplicate, nothing to do.

    A file that is named with an observation time of its own is a new observation, unless it was made already.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE offered (tenant_id VARCHAR, sha256 VARCHAR)")
    pairs = sorted({(arrival.tenant, arrival.sha256) for arrival in arrivals if arrival.spool})
    if not pairs:
        return {}
    connection.execute(
        f"INSERT INTO offered VALUES {', '.join(['(?, ?)'] * len(pairs))}", [v for p in pairs for v in p]
    )
    rows = connection.execute(
        "SELECT tenant_id, sha256, kind, records, quarantined, observed_at FROM sources "
        "SEMI JOIN offered USING (tenant_id, sha256) WHERE outcome IN ('imported', 'partial') ORDER BY source_id"
    ).fetchall()
    known: dict[int, Landed] = {}
    for arrival in arrivals:
        for tenant, sha256, kind, records, quarantined, observed_at in rows:
            is_same = (tenant, sha256) == (arrival.tenant, arrival.sha256)
            if is_same and (not arrival.has_said_time or observed_at == arrival.observed_at):
                known[arrival.source_id] = Landed(
                    arrival.path, kind, records, 0, records - quarantined, quarantined, 0, "known", "imported before"
                )
    return known


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
            arrival.observed_at, landed.outcome, landed.message, arrival.spool, has_next_page,
        ]
        for arrival, landed, has_next_page in rows
    ]  # fmt: skip
    if values:
        marks = ", ".join([f"({', '.join(['?'] * len(values[0]))})"] * len(values))
        connection.execute(f"INSERT INTO sources VALUES {marks}", [value for row in values for value in row])
