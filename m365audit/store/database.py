"""The working database: creating it whole, opening it alone, bringing its schema up to date.

It never holds derived tables and is never shown to a reader; those get the published copy.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

import duckdb

from m365audit.errors import StoreBusyError, StoreError
from m365audit.store import rewriting
from m365audit.store.durable import sync_file, sync_folder

DATABASE_NAME: Final = "m365audit.duckdb"
MEMORY_LIMIT: Final = "2GB"
_LOCK_NAME: Final = "run.lock"

SESSION: Final = (
    "SET TimeZone = 'UTC'",
    "SET enable_progress_bar = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
)
"""Settings of every connection: UTC always, nothing fetched from anywhere."""


FRUGAL_MEMORY: Final = "200MB"
"""Memory for landing while a collector runs beside it. Of what DuckDB counts, much is never touched: room for 32 MiB of
every file that it reads. With less it gives back and takes anew all the time, for twice the CPU seconds; the whole
program has 264 MiB (measured)."""

ROWS_IN_A_GROUP: Final = 122_880
"""Rows that DuckDB packs together, its own number: good for the small rows of Graph activity."""
FEW_ROWS_IN_A_GROUP: Final = 4_096
"""The same for whole records. A group is held in memory until it is full, and one that is not full when a batch is
stored is written anew with the next ones: what a collector lands at a time fills several of these, and none of those.
"""


def configure(connection: duckdb.DuckDBPyConnection, temporary: Path | None = None) -> None:
    """Apply ``SESSION``, and bound the memory when there is a folder to spill into."""
    for statement in SESSION:
        connection.execute(statement)
    if temporary is not None:
        connection.execute("SET memory_limit = ?", [MEMORY_LIMIT])
        connection.execute("SET temp_directory = ?", [str(temporary)])


@contextmanager
def frugal(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let statements inside have little memory and one thread; what they need beyond that, they spill.

    What is stored inside is packed with Zstandard: whole records are long and alike, and looking for the best of
    DuckDB's own ways to pack them costs twice the time of this one (measured, 64 MiB of sign-ins).
    """
    row = connection.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchone()
    memory, threads = row or (MEMORY_LIMIT, 1)
    _limit(connection, FRUGAL_MEMORY, 1)
    connection.execute("SET force_compression = 'zstd'")
    connection.execute("SET write_buffer_row_group_count = 1")
    try:
        yield
    finally:
        connection.execute("RESET write_buffer_row_group_count")
        connection.execute("SET force_compression = 'auto'")
        _limit(connection, str(memory), int(threads))


@contextmanager
def roomy(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let statements inside have as much memory as ever, for what does not fit into little."""
    _limit(connection, MEMORY_LIMIT, 1)
    try:
        yield
    finally:
        _limit(connection, FRUGAL_MEMORY, 1)


def _limit(connection: duckdb.DuckDBPyConnection, memory: str, threads: int) -> None:
    connection.execute("SET memory_limit = ?", [memory])
    connection.execute(f"SET threads = {threads:d}")


@contextmanager
def undone_on_failure(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Roll the present transaction back when anything at all goes wrong inside."""
    with ExitStack() as undoing:
        undoing.callback(_roll_back, connection)
        yield
        undoing.pop_all()


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.Error):  # a transaction that failed badly is over already
        connection.execute("ROLLBACK")


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Do everything inside in one transaction: all of it is stored, or nothing."""
    connection.execute("BEGIN")
    with undone_on_failure(connection):
        yield
    connection.execute("COMMIT")


def make_private(folder: Path) -> Path:
    """Create a folder that only its owner can enter, with its name durable, and return it."""
    if not folder.is_dir():
        if not folder.parent.is_dir():
            make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)
    folder.chmod(0o700)
    return folder


def _migrations() -> list[tuple[int, str]]:
    """Return (number, SQL) of every migration, in order; a gap or a double number is a packaging error."""
    found = sorted(
        (int(entry.name[:4]), entry.read_text(encoding="utf-8"))
        for entry in (files("m365audit.store") / "migrations").iterdir()
        if entry.name.endswith(".sql")
    )
    if [number for number, _ in found] != list(range(1, len(found) + 1)):
        raise StoreError("the numbered migrations have a gap or a double number", hint="install the package again")
    return found


def _migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the schema up to date, each migration with its number in one transaction."""
    connection.execute("CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER, applied_at TIMESTAMPTZ)")
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_versions").fetchone()
    present = int(row[0]) if row else 0
    migrations = _migrations()
    if present > len(migrations):
        raise StoreError(
            f"the working database has schema {present}, this program knows {len(migrations)}",
            hint="install the newer m365audit that wrote it; an older one would lose what it does not know",
        )
    for number, sql in migrations[present:]:
        connection.execute("BEGIN")
        connection.execute(sql)
        connection.execute("INSERT INTO schema_versions VALUES (?, ?)", [number, datetime.now(UTC)])
        connection.execute("COMMIT")


def _create(path: Path) -> None:
    """Create the database under another name and rename it: a kill in the first writes leaves junk."""
    unfinished = path.with_suffix(".creating")
    for leftover in (unfinished, unfinished.with_name(unfinished.name + ".wal")):
        leftover.unlink(missing_ok=True)
    with duckdb.connect(str(unfinished)) as connection:
        configure(connection)
        _migrate(connection)
        connection.execute("CHECKPOINT")
    sync_file(unfinished)
    unfinished.replace(path)
    sync_folder(path.parent)


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Hold the store's lock; a second run learns who holds it and since when.

    The kernel frees the lock when its holder dies, so nothing stale is ever left behind.

    Raises:
        StoreBusyError: another process holds it.
    """
    with (state / _LOCK_NAME).open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise StoreBusyError(
                f"another run is at work in {state} ({_holder(handle.read())})",
                hint="wait for it, or stop that process; what it has landed is safe",
            ) from None
        handle.truncate(0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        handle.write(json.dumps({"pid": os.getpid(), "since": since}))
        handle.flush()
        yield


def _holder(noted: str) -> str:
    """Return who holds the lock, by what it noted there."""
    try:
        holder = json.loads(noted)
        return f"process {holder['pid']}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "it has only just started"


@contextmanager
def open_store(state: Path, *, rows_in_a_group: int = ROWS_IN_A_GROUP) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the working database for one run, creating it when it is not there.

    Args:
        state: the private state folder; made with mode 0700, its files 0600.
        rows_in_a_group: how what this run stores is packed; a database may hold groups of any size.

    Yields:
        The one connection that may write.

    Raises:
        StoreBusyError: another run is at work.
        StoreError: the database cannot be opened.
    """
    os.umask(0o077)
    path = state / DATABASE_NAME
    with _errors_of_the_store(state), _alone(make_private(state)):
        rewriting.finish(state)  # what an erasure or a purge promised and was killed in
        if not path.exists():
            _create(path)
        connection = _connect(path, rows_in_a_group)
        try:
            configure(connection, make_private(state / "spill"))
            _migrate(connection)
            yield connection
        finally:
            connection.close()


def _connect(path: Path, rows_in_a_group: int) -> duckdb.DuckDBPyConnection:
    if not os.access(path, os.R_OK | os.W_OK):
        raise StoreError(
            f"this user may not read and write the working database {path}",
            hint="run as the account that owns it, or give the file back to it; the database itself is in order",
        )
    quoted = str(path).replace("'", "''")
    connection = duckdb.connect()
    try:
        # Attached, because only then DuckDB lets the size of row groups be chosen.
        connection.execute(f"ATTACH '{quoted}' AS working (ROW_GROUP_SIZE {rows_in_a_group:d})")
        connection.execute("USE working")
    except duckdb.Error as error:
        connection.close()
        raise StoreError(
            f"the working database {path} cannot be opened: {error}",
            hint="keep the file aside and run again: it is rebuilt from the spool's files by importing them",
        ) from error
    return connection


@contextmanager
def _errors_of_the_store(state: Path) -> Iterator[None]:
    """Turn what the disk or DuckDB refuse into a sentence; the handle is closed, and the next run looks for itself.

    An error from COMMIT does not tell whether it was stored; every insert is idempotent, so running again is right.
    """
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise StoreError(
            f"the store in {state} failed: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            hint="check the disk's room and permissions, then run the same command again; what was landed is safe",
        ) from error
