"""Handing rows of plain values to DuckDB in bulk: through a line file; row by row is a thousand times slower."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

Columns = Mapping[str, str]
"""Column name → DuckDB type, in order."""


def create_from_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Columns,
    rows: Iterable[Mapping[str, object]],
    *,
    workdir: Path,
    is_temporary: bool = False,
) -> None:
    """Create a table from dictionaries; a key that is missing is NULL.

    Args:
        connection: where the table is made; it must not exist.
        table: its name.
        columns: its columns with types; times are ISO 8601 text with zone.
        rows: the rows, plain JSON values.
        workdir: private folder for the line file, which is removed.
        is_temporary: make it a temporary table.
    """
    kinds = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    connection.execute(f"CREATE {'TEMP ' if is_temporary else ''}TABLE {table} ({kinds})")
    insert_rows(connection, table, columns, rows, workdir=workdir)


def insert_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Columns,
    rows: Iterable[Mapping[str, object]],
    *,
    workdir: Path,
) -> None:
    """Append dictionaries to a table; columns that a row does not name stay NULL."""
    # JSON comes as text: read as JSON, a text would stay a text inside JSON.
    types = ", ".join(f"\"{name}\": '{'VARCHAR' if kind == 'JSON' else kind}'" for name, kind in columns.items())
    with tempfile.NamedTemporaryFile("w", dir=workdir, suffix=".ndjson", encoding="utf-8") as lines:
        written = 0
        for row in rows:
            lines.write(json.dumps(row, default=str))
            lines.write("\n")
            written += 1
        lines.flush()
        if written:
            names = ", ".join(f'"{name}"' for name in columns)
            connection.execute(
                f"INSERT INTO {table} ({names}) SELECT {names} FROM read_ndjson(?, columns = {{{types}}})", [lines.name]
            )
