"""The ledger of live collection: which time of which log was read, which listing, how far into a growing blob.

What it says of a window is written in the transaction that makes the window's last record durable: a kill leaves what
was not landed open. Never asks Microsoft, and never looks at the host's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import duckdb

from m365audit.store.database import transaction
from m365audit.store.windows import Held, Interval, Pull, closed, opened

_COLUMNS: Final = (
    "covered_from, covered_to, state, reason, detail, pulls, records, added_last, first_pulled_at, last_pulled_at, "
    "tried_at, run_id"
)
"""Columns of the ledger in the order of the fields of ``Held``."""
_MARKS: Final = f"({', '.join(['?'] * 15)})"
_MOST_ROWS: Final = 500
"""Rows that one statement inserts."""


@dataclass(frozen=True, slots=True)
class KnownWindow:
    """A row of the ledger, for planning; ``reason`` and ``detail`` as in ``Held``."""

    tenant: str
    collection: str
    feed: str
    begin: datetime
    end: datetime
    state: str
    reason: str | None
    detail: str
    pulls: int
    last_pulled_at: datetime | None
    tried_at: datetime | None
    records: int | None


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a pull, or of a part of its window.

    Attributes:
        tenant: tenant id.
        feeds: every feed that the collection fills.
        collection: its name.
        pull: what it came to.
    """

    tenant: str
    feeds: tuple[str, ...]
    collection: str
    pull: Pull


def open_windows(
    connection: duckdb.DuckDBPyConnection,
    tenant: str,
    *,
    feeds: Iterable[str],
    collection: str,
    windows: Iterable[Interval],
    run_id: str,
) -> None:
    """Put windows that are about to be read into the ledger; what it knows of them already stays as it is.

    Args:
        connection: the working database, in a transaction or not.
        tenant: tenant id.
        feeds: every feed that the collection fills.
        collection: its name.
        windows: half-open intervals; they need not follow the rows of the ledger.
        run_id: the run.
    """
    wanted = sorted(windows)
    if not wanted:
        return
    span = (wanted[0][0], max(end for _, end in wanted))
    for feed in feeds:
        held = _held(connection, tenant, feed, collection, span)
        known = set(held)
        fresh = [row for row in opened(held, wanted, run_id) if row not in known]
        _insert(connection, tenant, feed, collection, fresh)


def known_windows(connection: duckdb.DuckDBPyConnection, tenant: str | None = None) -> list[KnownWindow]:
    """Return what the ledger holds, for planning; of one tenant when it is named, in order of time."""
    rows = connection.execute(
        "SELECT tenant_id, collection, feed, covered_from, covered_to, state, reason, detail, pulls, last_pulled_at, "
        "tried_at, records FROM collection_windows WHERE $tenant IS NULL OR tenant_id = $tenant "
        "ORDER BY tenant_id, collection, feed, covered_from",
        {"tenant": tenant},
    ).fetchall()
    return [KnownWindow(*row) for row in rows]


def close_window(connection: duckdb.DuckDBPyConnection, closing: Closing, settle_after: timedelta) -> None:
    """Take the end of a pull into the ledger; to be called in the transaction that lands its last records.

    Args:
        connection: in a transaction.
        closing: what the pull came to; its window may be smaller than the ledger's, or larger, or unknown to it.
        settle_after: how long after a window's end, and after the pull before, a pull that adds nothing settles it.
    """
    for feed in closing.feeds:
        held = _held(connection, closing.tenant, feed, closing.collection, closing.pull.window)
        after = closed(held, closing.pull, settle_after)
        gone, fresh = set(held) - set(after), set(after) - set(held)
        _delete(connection, closing.tenant, feed, closing.collection, gone)
        _insert(connection, closing.tenant, feed, closing.collection, sorted(fresh, key=lambda row: row.begin))


def close_windows(connection: duckdb.DuckDBPyConnection, closings: Iterable[Closing], settle_after: timedelta) -> None:
    """Take the ends of pulls into the ledger that brought no records to land: in a transaction of its own."""
    with transaction(connection):
        for closing in closings:
            close_window(connection, closing, settle_after)


def close_listing(connection: duckdb.DuckDBPyConnection, closing: Closing) -> None:
    """Note what became of the newest pull of a listing; an older one that comes late changes nothing.

    ``closing.pull.window`` means nothing here. In the transaction that lands the listing, or in none.
    """
    pull = closing.pull
    for feed in closing.feeds:
        row = connection.execute(
            "SELECT observed_at, whole_at FROM collection_listings WHERE tenant_id = ? AND feed = ?",
            [closing.tenant, feed],
        ).fetchone()
        observed_at, whole_at = row or (None, None)
        if observed_at is not None and observed_at > pull.began_at:
            continue
        values = [
            closing.collection, pull.reason is None, pull.reason, pull.detail, pull.records, pull.began_at,
            pull.began_at if pull.reason is None else whole_at, pull.run_id, closing.tenant, feed,
        ]  # fmt: skip
        if row:
            connection.execute(
                "UPDATE collection_listings SET collection = ?, is_whole = ?, reason = ?, detail = ?, records = ?, "
                "observed_at = ?, whole_at = ?, run_id = ? WHERE tenant_id = ? AND feed = ?",
                values,
            )
        else:
            connection.execute(
                "INSERT INTO collection_listings (collection, is_whole, reason, detail, records, observed_at, "
                "whole_at, run_id, tenant_id, feed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )


def cursors(connection: duckdb.DuckDBPyConnection, tenant: str) -> Mapping[str, int]:
    """Return how many bytes of each growing blob of a tenant are landed."""
    rows = connection.execute("SELECT blob, bytes_read FROM blob_cursors WHERE tenant_id = ?", [tenant]).fetchall()
    return dict(rows)


def move_cursor(
    connection: duckdb.DuckDBPyConnection,
    tenant: str,
    blob: str,
    *,
    bytes_read: int,
    hour: datetime | None,
    seen_at: datetime,
) -> None:
    """Note how far a blob is read; in the transaction that lands what was read of it. Never moves back."""
    row = connection.execute(
        "SELECT bytes_read FROM blob_cursors WHERE tenant_id = ? AND blob = ?", [tenant, blob]
    ).fetchone()
    if row is None:
        connection.execute("INSERT INTO blob_cursors VALUES (?, ?, ?, ?, ?)", [tenant, blob, bytes_read, hour, seen_at])
    elif row[0] <= bytes_read:
        connection.execute(
            "UPDATE blob_cursors SET bytes_read = ?, covered_hour = coalesce(?, covered_hour), seen_at = ? "
            "WHERE tenant_id = ? AND blob = ?",
            [bytes_read, hour, seen_at, tenant, blob],
        )


def _held(
    connection: duckdb.DuckDBPyConnection, tenant: str, feed: str, collection: str, window: Interval
) -> list[Held]:
    """Return the rows that the window touches, its neighbours too: they may have to be joined."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM collection_windows WHERE tenant_id = ? AND feed = ? AND collection = ? "
        "AND covered_from <= ? AND covered_to >= ? ORDER BY covered_from",
        [tenant, feed, collection, window[1], window[0]],
    ).fetchall()
    return [Held(*row) for row in rows]


def _delete(
    connection: duckdb.DuckDBPyConnection, tenant: str, feed: str, collection: str, gone: Iterable[Held]
) -> None:
    begins = [row.begin for row in gone]
    if begins:
        marks = ", ".join(["?"] * len(begins))
        connection.execute(
            f"DELETE FROM collection_windows WHERE tenant_id = ? AND feed = ? AND collection = ? "
            f"AND covered_from IN ({marks})",
            [tenant, feed, collection, *begins],
        )


def _insert(
    connection: duckdb.DuckDBPyConnection, tenant: str, feed: str, collection: str, rows: Sequence[Held]
) -> None:
    for first in range(0, len(rows), _MOST_ROWS):
        part = rows[first : first + _MOST_ROWS]
        values: list[Any] = [value for row in part for value in (tenant, feed, collection, *astuple(row))]
        marks = ", ".join([_MARKS] * len(part))
        connection.execute(
            f"INSERT INTO collection_windows (tenant_id, feed, collection, {_COLUMNS}) VALUES {marks}", values
        )
