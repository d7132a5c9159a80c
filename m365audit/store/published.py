"""Reading what was published: the report's queries, hunts and analysts' SQL. Never opens the working database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from m365audit.errors import QueryError
from m365audit.resources import data_dir
from m365audit.store.published_file import published_path
from m365audit.store.sandbox import LEAN_MEMORY, LockedDatabase

_ROWS_AT_A_TIME: Final = 5_000
_EXPLAIN: Final = re.compile(
    r"(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*+\*/)*+EXPLAIN\b\s*(?:ANALYZE\b)?\s*(?:\([^()]*\))?", re.IGNORECASE
)
"""What stands before the statement that an EXPLAIN is about; what is written otherwise is refused."""


@dataclass(frozen=True, slots=True)
class PublishedReader:
    """Runs the product's own report queries on an open database; what ``report.build_document`` reads from."""

    database: LockedDatabase

    def rows(self, query_name: str, **params: object) -> list[dict[str, object]]:
        """Run the query ``queries/report/<query_name>.sql`` and return its rows as dictionaries."""
        path = data_dir("queries") / "report" / f"{query_name}.sql"
        names, rows = self.database.run(path.read_text(encoding="utf-8"), params)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def batches(self, query_name: str, **params: object) -> Iterator[list[dict[str, object]]]:
        """Run a report query and hand its rows out some thousands at a time; nothing else may be read meanwhile."""
        path = data_dir("queries") / "report" / f"{query_name}.sql"
        names, fetch = self.database.stream(path.read_text(encoding="utf-8"), params)
        while rows := fetch(_ROWS_AT_A_TIME):
            yield [dict(zip(names, row, strict=True)) for row in rows]


def open_published(folder: Path, *, output: Path | None = None) -> LockedDatabase:
    """Open the published database for reading, locked.

    Raises:
        StoreError: there is none.
    """
    return LockedDatabase(published_path(folder), is_read_only=True, output=output)


@contextmanager
def open_for_report(folder: Path) -> Iterator[LockedDatabase]:
    """Open the published database for the product's own report: little memory, and room on disk for what is larger.

    Raises:
        StoreError: there is none.
    """
    with (
        TemporaryDirectory() as spill,
        LockedDatabase(published_path(folder), is_read_only=True, spill=Path(spill), memory=LEAN_MEMORY) as database,
    ):
        yield database


def check_reading(database: LockedDatabase, sql: str) -> None:
    """Make sure that ``sql`` is exactly one SELECT, or an EXPLAIN of one.

    Raises:
        QueryError: it is several statements, none, or one that is not a SELECT.
    """
    kinds = database.statement_kinds(sql)
    if kinds == ("EXPLAIN",):
        begin = _EXPLAIN.match(sql)
        inner = database.statement_kinds(sql[begin.end() :]) if begin is not None else ()
        kinds = inner if inner == ("SELECT",) else ("EXPLAIN", "of", *(inner or ("something unclear",)))
    if kinds != ("SELECT",):
        raise QueryError(
            f"one SELECT is wanted, this is {_in_words(kinds)}",
            hint="the published database is read only; for more than one SELECT open it with any DuckDB client",
        )


def _in_words(kinds: Sequence[str]) -> str:
    shown = " and ".join(kinds[:3]) if kinds else "nothing"
    return shown if len(kinds) <= 3 else f"{shown} and {len(kinds) - 3} more"  # noqa: PLR2004 - as many as are shown


def write_parquet(database: LockedDatabase, sql: str, parameters: Mapping[str, object], output: Path) -> int:
    """Write the result of one SELECT as a Parquet file; return its rows.

    Raises:
        QueryError: the SQL fails, or is not one SELECT.
    """
    check_reading(database, sql)
    target = str(output).replace("'", "''")
    # On a line of its own, because the SQL may end in a comment.
    inner = f"SELECT * FROM (\n{sql.strip().rstrip(';')}\n)"
    ((rows,),) = database.execute(f"COPY ({inner}) TO '{target}' (FORMAT parquet, USE_TMP_FILE false)", parameters)
    return int(rows)
