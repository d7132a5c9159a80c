"""The candidate: a fresh database with every derived table, built beside the working one and published whole.

What it holds follows from landing tables, register and catalogue alone: building it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from m365audit.catalogue import shape_sql
from m365audit.errors import StoreError
from m365audit.store import inputs
from m365audit.store.queries import QueryFile, read_queries
from m365audit.store.rows import create_from_rows

STORAGE_VERSION: Final = "v1.5.0"
"""Format of the published file, so that older DuckDB clients can open it."""

ShapeMatcher = Callable[[Iterable[tuple[str, str]]], Iterable[Mapping[str, object]]]
"""(method, shape) pairs → rows of ``inputs.SHAPE_COLUMNS``, one for each pair."""

Progress = Callable[[str], None]
"""Told the name of each table before it is built."""


@dataclass(frozen=True, slots=True)
class EvaluationInputs:
    """Everything that an evaluation needs beside the evidence.

    Attributes:
        tables: rows for the tables of ``inputs``, by table name; a table that is missing is empty.
        match_shapes: the catalogue's answer for distinct shapes of calls.
    """

    tables: Mapping[str, inputs.Rows]
    match_shapes: ShapeMatcher


@contextmanager
def attached(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[None]:
    """Attach the candidate so that bare names mean its tables first and the working database's second."""
    row = connection.execute("SELECT current_database()").fetchone()
    working = str(row[0]) if row else ""
    connection.execute(f"ATTACH '{_quoted(path)}' AS candidate (STORAGE_VERSION '{STORAGE_VERSION}')")
    try:
        connection.execute(f"SET search_path = 'candidate,{working}'")
        yield
    finally:
        connection.execute(f"USE {working}")
        connection.execute("DETACH candidate")


def build(
    connection: duckdb.DuckDBPyConnection, path: Path, given: EvaluationInputs, *, workdir: Path, progress: Progress
) -> None:
    """Build the candidate database at ``path``: inputs, normalised tables, verdicts, tables that need verdicts.

    Args:
        connection: the working database.
        path: file to create; must not exist.
        given: register, policy and catalogue as rows.
        workdir: private folder for line files.
        progress: told what is being built.

    Raises:
        StoreError: a query of the product failed; says which.
    """
    with attached(connection, path):
        _load_inputs(connection, given, workdir)
        temporary = [name for name in _input_columns() if name not in inputs.PUBLISHED_INPUTS]
        for query in _in_order():
            progress(query.name)
            if query.name == "access_forms":
                temporary += _match_shapes(connection, given.match_shapes, workdir)
            temporary += _create(connection, query)
        for name in temporary:
            connection.execute(f"DROP TABLE temp.{name}")
        connection.execute("CHECKPOINT candidate")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _input_columns() -> dict[str, Mapping[str, str]]:
    return {**inputs.REGISTER_COLUMNS, **inputs.CATALOGUE_COLUMNS, **inputs.SETTING_COLUMNS, **inputs.POLICY_COLUMNS}


def _load_inputs(connection: duckdb.DuckDBPyConnection, given: EvaluationInputs, workdir: Path) -> None:
    for name, columns in _input_columns().items():
        is_temporary = name not in inputs.PUBLISHED_INPUTS
        create_from_rows(
            connection, name, columns, given.tables.get(name, ()), workdir=workdir, is_temporary=is_temporary
        )


def _in_order() -> list[QueryFile]:
    """Return the queries in the order they are run: tables up to 59, verdicts, tables from 60 (they need verdicts)."""
    tables = read_queries("tables")
    before = [query for query in tables if query.path.name < "60"]
    return [*before, *read_queries("verdicts"), *tables[len(before) :]]


def _match_shapes(connection: duckdb.DuckDBPyConnection, match: ShapeMatcher, workdir: Path) -> list[str]:
    """Let the catalogue answer for the distinct shapes of calls; there are thousands where calls are millions.

    Returns the names of the temporary tables that hold the shape of each path, and the answers.
    """
    connection.execute(
        f"CREATE TEMP TABLE path_shapes AS SELECT path, {shape_sql('path')} AS shape "
        "FROM (SELECT DISTINCT path FROM landed_forms WHERE path IS NOT NULL)"
    )
    shapes = connection.execute(
        "SELECT DISTINCT f.method, p.shape FROM landed_forms AS f INNER JOIN path_shapes AS p ON f.path = p.path "
        "WHERE f.method IS NOT NULL ORDER BY ALL"
    ).fetchall()
    create_from_rows(
        connection, "catalogue_shapes", inputs.SHAPE_COLUMNS, match(shapes), workdir=workdir, is_temporary=True
    )
    return ["path_shapes", "catalogue_shapes"]


def _create(connection: duckdb.DuckDBPyConnection, query: QueryFile) -> list[str]:
    """Make the query's table, or the view that it is; return its name when it is temporary."""
    is_temporary = bool(query.header.get("temporary", False))
    kind = "VIEW" if query.header.get("view", False) else "TEMP TABLE" if is_temporary else "TABLE"
    try:
        connection.execute(f"CREATE {kind} {query.name} AS {query.sql}")
    except duckdb.Error as error:
        raise StoreError(
            f"the table {query.name} could not be built: {error}",
            file=str(query.path),
            hint="this is a fault of the product: keep the state folder and report it; evidence is safe",
        ) from error
    return [query.name] if is_temporary else []
