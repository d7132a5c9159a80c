"""Reading what was published: the report's queries, hunts and analysts' SQL. Never opens the working database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m365audit.errors import QueryError, StoreError
from m365audit.resources import data_dir
from m365audit.store.publish import PUBLISHED_NAME
from m365audit.store.sandbox import LockedDatabase

_READING: Final = frozenset({"SELECT", "EXPLAIN"})


@dataclass(frozen=True, slots=True)
class PublishedReader:
    """Runs the product's own report queries on an open database; what ``report.build_document`` reads from."""

    database: LockedDatabase

    def rows(self, query_name: str, **params: object) -> list[dict[str, object]]:
        """Run the query ``queries/report/<query_name>.sql`` and return its rows as dictionaries."""
        path = data_dir("queries") / "report" / f"{query_name}.sql"
        names, rows = self.database.run(path.read_text(encoding="utf-8"), params)
        return [dict(zip(names, row, strict=True)) for row in rows]


def published_path(folder: Path) -> Path:
    """Return the published database's path.

    Raises:
        StoreError: nothing has been published yet.
    """
    path = folder / PUBLISHED_NAME
    if not path.is_file():
        raise StoreError(
            f"nothing is published in {folder} yet",
            hint="run `m365audit import PATH --tenant T`, or `m365audit demo` to see an example",
        )
    return path


def open_published(folder: Path, *, output: Path | None = None) -> LockedDatabase:
    """Open the published database for reading, locked.

    Raises:
        StoreError: there is none.
    """
    return LockedDatabase(published_path(folder), is_read_only=True, output=output)


def check_reading(database: LockedDatabase, sql: str) -> None:
    """Make sure that ``sql`` is exactly one statement that reads.

    Raises:
        QueryError: it is several statements, none, or one that is not a SELECT.
    """
    kinds = database.statement_kinds(sql)
    if len(kinds) != 1 or kinds[0] not in _READING:
        raise QueryError(
            f"one SELECT is wanted, this is {' and '.join(kinds) or 'nothing'}",
            hint="the published database is read only; for more than one SELECT open it with any DuckDB client",
        )


def write_parquet(folder: Path, sql: str, parameters: dict[str, object], output: Path) -> None:
    """Write the result of one SELECT as a Parquet file.

    Raises:
        QueryError: the SQL fails, or is not one SELECT.
        StoreError: nothing is published.
    """
    with open_published(folder, output=output) as database:
        check_reading(database, sql)
        target = str(output).replace("'", "''")
        # On a line of its own, because the SQL may end in a comment.
        inner = f"SELECT * FROM (\n{sql.strip().rstrip(';')}\n)"
        database.execute(f"COPY ({inner}) TO '{target}' (FORMAT parquet, USE_TMP_FILE false)", parameters)
