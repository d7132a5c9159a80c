"""Quarantine: notes about records that could not be taken in → the table, however many they are.

Must never hold all notes of a file in memory: one bad export gives a million of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain, islice
from typing import Final

import duckdb

from m365audit.model import PreparedFile, Quarantined
from m365audit.store.unusable import find_unusable

_CHUNK: Final = 5000
_TYPES: Final = {
    "record": "BIGINT", "line": "BIGINT", "offset": "BIGINT", "reason": "VARCHAR", "excerpt": "VARCHAR",
}  # fmt: skip
_COLUMNS: Final = ", ".join(f"\"{name}\": '{kind}'" for name, kind in _TYPES.items())


def set_aside(
    connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, tenant: str, source: int, *, has_unusable: bool
) -> tuple[int, Quarantined | None]:
    """Put the notes of one file into the table ``quarantine``; return how many, and the first.

    Args:
        connection: the working database, in the transaction that lands the file.
        prepared: the file; what the exports room noted is loaded in one statement.
        tenant: tenant id.
        source: its number in the ledger.
        has_unusable: some of its records were read and cannot be stored; they are looked for, and noted too.
    """
    first = None
    if prepared.quarantine is not None:
        connection.execute(
            'INSERT INTO quarantine SELECT ?, ?, record, line, "offset", reason, excerpt '
            f"FROM read_ndjson(?, columns = {{{_COLUMNS}}})",
            [tenant, source, prepared.quarantine],
        )
        first = _first(prepared.quarantine)
    if not has_unusable:
        return prepared.quarantined, first
    count, first_unusable = _set_aside_unusable(connection, find_unusable(prepared), tenant, source)
    return prepared.quarantined + count, first or first_unusable


def _first(quarantine: str) -> Quarantined:
    with open(quarantine, "rb") as notes:  # noqa: PTH123 - a plain path from the exports room
        return Quarantined(**json.loads(notes.readline()))


def _set_aside_unusable(
    connection: duckdb.DuckDBPyConnection, notes: Iterator[Quarantined], tenant: str, source: int
) -> tuple[int, Quarantined | None]:
    """Insert some thousand notes at a time: one by one they would take minutes, all at once gigabytes."""
    first = next(notes, None)
    count = 0
    structure = json.dumps([_TYPES])
    for chunk in _chunks(chain([first] if first else (), notes)):
        connection.execute(
            'INSERT INTO quarantine SELECT ?, ?, n.record, n.line, n."offset", n.reason, n.excerpt '
            f"FROM (SELECT unnest(from_json(?, '{structure}')) AS n)",
            [tenant, source, json.dumps([asdict(note) for note in chunk])],
        )
        count += len(chunk)
    return count, first


def _chunks(notes: Iterator[Quarantined]) -> Iterator[list[Quarantined]]:
    while chunk := list(islice(notes, _CHUNK)):
        yield chunk
