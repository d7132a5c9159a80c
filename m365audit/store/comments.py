"""Writes what every table and column means into the published database itself, so that any client shows it."""

from __future__ import annotations

import duckdb

from m365audit.store.dictionary import read_dictionary


def write_comments(connection: duckdb.DuckDBPyConnection, database: str, *, only: str | None = None) -> None:
    """Comment every table, view and column of ``database`` that the dictionary describes, or one; one transaction."""
    kinds = dict(
        connection.execute(
            "SELECT table_name, 'TABLE' FROM duckdb_tables() WHERE database_name = $name "
            "UNION ALL SELECT view_name, 'VIEW' FROM duckdb_views() WHERE database_name = $name AND NOT internal",
            {"name": database},
        ).fetchall()
    )
    columns = set(
        connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = $name", {"name": database}
        ).fetchall()
    )
    statements = ["BEGIN"]
    for entry in read_dictionary():
        kind = kinds.get(entry.name)
        if kind is not None and only in {None, entry.name}:
            table = f"{database}.main.{entry.name}"
            statements.append(f"COMMENT ON {kind} {table} IS {_quoted(entry.grain)}")
            statements += (
                f'COMMENT ON COLUMN {table}."{column}" IS {_quoted(meaning)}'
                for column, meaning in entry.columns.items()
                if (entry.name, column) in columns
            )
    connection.execute(";\n".join([*statements, "COMMIT"]))


def _quoted(text: str) -> str:
    """Return a text as a literal: COMMENT takes no parameters."""
    return "'" + text.replace("'", "''") + "'"
