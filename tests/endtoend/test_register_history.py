"""An entry of the register that was judged with cannot be changed, dropped or pushed back without being found."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from m365audit.store.database import open_store
from m365audit.store.ledger import note_register
from m365audit.store.queries import read_queries

TENANT = "11111111-1111-4111-8111-111111111111"


def _entries(hashes: str, record: str = "crm") -> list[dict[str, object]]:
    """Return a record's history; every letter is an entry."""
    return [
        {"tenant_id": TENANT, "record": record, "entry": place, "event": "granted", "entry_hash": letter * 64}
        for place, letter in enumerate(hashes)
    ]


def _changes(connection: duckdb.DuckDBPyConnection, hashes: str) -> list[tuple[int, str]]:
    """Return what queries/tables/46_register_changes.sql says when the register reads ``hashes``."""
    (query,) = [query for query in read_queries("tables") if query.name == "register_changes"]
    connection.execute("CREATE OR REPLACE TEMP TABLE tenants AS SELECT ? AS tenant_id, TRUE AS is_evaluated", [TENANT])
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE register_entries (tenant_id VARCHAR, record VARCHAR, entry INTEGER, "
        "event VARCHAR, entry_hash VARCHAR)"
    )
    if hashes:
        rows = [list(row.values()) for row in _entries(hashes)]
        connection.executemany("INSERT INTO register_entries VALUES (?, ?, ?, ?, ?)", rows)
    return [(row[2], row[4]) for row in connection.execute(query.sql).fetchall()]


@pytest.mark.parametrize(
    ("judged", "now", "expected"),
    [
        (["ab"], "ab", []),
        (["ab"], "abc", []),
        (["ab"], "axb", [(1, "changed")]),
        (["abc"], "axbc", [(1, "changed"), (2, "changed")]),
        (["ab"], "xb", [(0, "changed")]),
        (["ab"], "a", [(1, "vanished")]),
        (["ab"], "", [(0, "vanished"), (1, "vanished")]),
        # What was judged with first stays the history, however often something else was judged with.
        (["ab", "axb", "axb"], "axb", [(1, "changed")]),
        (["ab", "axb", "axb"], "ab", []),
        (["ab", "axbc", "abc"], "abc", []),
        (["ab", "axb", "ab", "abc"], "ab", [(2, "vanished")]),
        # An entry that was first seen behind a changed one becomes history once the history is whole.
        (["ab", "xbc", "abc"], "ab", [(2, "vanished")]),
    ],
)
def test_history(tmp_path: Path, judged: list[str], now: str, expected: list[tuple[int, str]]) -> None:
    with open_store(tmp_path / "state") as connection:
        for day, hashes in enumerate(judged, start=1):
            note_register(connection, _entries(hashes), datetime(2026, 9, day, tzinfo=UTC))
        assert _changes(connection, now) == expected
        kept = {row[0] for row in connection.execute("SELECT entry_hash FROM register_ledger").fetchall()}
        assert kept == {letter * 64 for hashes in judged for letter in hashes}
