"""Databases opened for SQL that is not the store's own: rules, hunts, an analyst's query. Locked before it runs.

Nothing outside the database can be read or written, no extension is loaded, and no setting can be changed back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import duckdb

from m365audit.errors import QueryError, StoreError
from m365audit.store import turns
from m365audit.store.database import MEMORY_LIMIT, configure

_LOCKED: Final = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_unsigned_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
}
SPILL_LIMIT: Final = "20GB"
"""Disk that results larger than memory may take: a rule that runs away fills no disk."""
LEAN_MEMORY: Final = "512MB"
"""Memory for rules and for the report: with the program itself they stay below one gigabyte, whatever the evidence."""
_EVERY: Final = 0.1
"""Seconds between two interruptions: one that falls between two statements stops nothing."""


class LockedDatabase:
    """One database file under lock; a context manager. Other threads wait for their turn (``turns``).

    It is what rules are proven against and run on (``rules.Database``).

    Args:
        path: the database file.
        is_read_only: True for what is published; the candidate takes the rules' results.
        spill: folder for results larger than memory; None where SQL that is not the product's own is run.
        memory: DuckDB's memory limit.
        output: the one file that may be written (a Parquet result), by the caller's own COPY.
        threads: what it may run on; None for all there are.

    Raises:
        StoreError: it cannot be opened.
    """

    def __init__(
        self, path: Path, *, is_read_only: bool, spill: Path | None = None, output: Path | None = None,
        memory: str = MEMORY_LIMIT, threads: int | None = None,
    ) -> None:  # fmt: skip
        settings: dict[str, str | bool | int | float | list[str]] = {**_LOCKED, "memory_limit": memory}
        self._memory = memory
        self._stopped_after: float | None = None
        if spill is not None:
            settings |= {"temp_directory": str(spill), "max_temp_directory_size": SPILL_LIMIT}
        elif is_read_only:
            settings["temp_directory"] = ""
        if threads is not None:
            settings["threads"] = str(threads)
        if output is not None:
            # Once external access is off, the list of what is allowed all the same cannot be changed any more.
            del settings["enable_external_access"]
        self._path, self._has_turn = path, turns.take(path)
        try:
            self._connection = _opened(path, settings, is_read_only=is_read_only)
            self._lock(output, is_sealed=is_read_only and spill is None)
        except BaseException:
            self._end_turn()
            raise

    def _lock(self, output: Path | None, *, is_sealed: bool) -> None:
        configure(self._connection)
        if output is not None:
            allowed = str(output).replace("'", "''")
            self._connection.execute(f"SET allowed_paths = ['{allowed}']")
            self._connection.execute("SET enable_external_access = false")
        elif is_sealed:
            # Without this, COPY may still write over the database's own file.
            self._connection.execute("SET disabled_filesystems = 'LocalFileSystem'")
        self._connection.execute("SET lock_configuration = true")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._connection.close()
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            turns.give_back(self._path)

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[tuple[Any, ...]]:
        """Run one statement and return its rows.

        Raises:
            QueryError: DuckDB refused it or failed.
        """
        return self.run(sql, parameters)[1]

    def run(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, limit: int | None = None
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Run one statement; return the names of its columns and its rows, ``limit`` of them at most."""
        try:
            cursor = self._connection.execute(sql, dict(parameters) if parameters else None)
            names = tuple(column[0] for column in cursor.description or ())
            return names, cursor.fetchall() if limit is None else cursor.fetchmany(limit)
        except duckdb.Error as error:
            raise self._failed(error) from error

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Stop every statement inside of the block that goes on for longer: it ends with QueryError."""
        is_over = threading.Event()
        watch = threading.Thread(target=self._interrupt, args=(is_over, seconds), daemon=True)
        watch.start()
        try:
            yield
        finally:
            is_over.set()
            watch.join()
            self._stopped_after = None

    def _interrupt(self, is_over: threading.Event, seconds: float) -> None:
        if is_over.wait(seconds):
            return
        self._stopped_after = seconds
        while not is_over.wait(_EVERY):
            self._connection.interrupt()

    def _failed(self, error: duckdb.Error) -> QueryError:
        """Return the error in words: what ran out, where something did."""
        if isinstance(error, duckdb.InterruptException) and self._stopped_after is not None:
            return QueryError(f"it took longer than {self._stopped_after:g} seconds and was stopped")
        if isinstance(error, duckdb.OutOfMemoryException):
            return QueryError(f"it needs more than {self._memory} of memory and {SPILL_LIMIT} of disk: {error}")
        return QueryError(str(error))

    def stream(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> tuple[tuple[str, ...], Callable[[int], list[tuple[Any, ...]]]]:
        """Run one statement; return the names of its columns, and what fetches so many rows more (none: the end).

        Only the rows fetched are held in memory.

        Raises:
            QueryError: DuckDB refused it or failed; fetching raises it, too.
        """
        try:
            cursor = self._connection.execute(sql, dict(parameters) if parameters else None)
        except duckdb.Error as error:
            raise self._failed(error) from error

        def fetch(size: int) -> list[tuple[Any, ...]]:
            try:
                return cursor.fetchmany(size)
            except duckdb.Error as error:
                raise self._failed(error) from error

        return tuple(column[0] for column in cursor.description or ()), fetch

    def statement_kinds(self, sql: str) -> Sequence[str]:
        """Return the kind of every statement in ``sql`` (SELECT, INSERT …) without running any.

        Raises:
            QueryError: it is not SQL.
        """
        try:
            return tuple(statement.type.name for statement in self._connection.extract_statements(sql))
        except duckdb.Error as error:
            raise QueryError(str(error)) from error
        except ValueError:  # DuckDB has more kinds of statements than its Python client has names for
            return ("a statement without a name",)


def _opened(
    path: Path, settings: dict[str, str | bool | int | float | list[str]], *, is_read_only: bool
) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=is_read_only, config=settings)
    except duckdb.Error as error:
        raise StoreError(
            f"the database {path} cannot be opened: {str(error).splitlines()[0]}",
            hint="publish it again with `m365audit evaluate`",
        ) from error
