"""The file of the journal: making it whole, opening it, saying what SQLite refuses. Knows no entry's meaning."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from m365audit.errors import StoreBusyError, StoreError
from m365audit.store.database import make_private
from m365audit.store.durable import sync_folder

_PATIENCE: Final = 30.0
"""Seconds to wait for another process that is just writing."""

SCHEMA_VERSION: Final = 1
"""Version of the file; those of before it had a number say 0 and are the same."""

_SCHEMA: Final = f"""
PRAGMA journal_mode = WAL;
PRAGMA user_version = {SCHEMA_VERSION};
BEGIN;
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, tenant TEXT NOT NULL, subject TEXT NOT NULL,
    version INTEGER NOT NULL, event TEXT NOT NULL, actor TEXT NOT NULL, body_hash TEXT NOT NULL,
    previous TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
    UNIQUE (tenant, kind, subject, version)
);
CREATE TABLE bodies (seq INTEGER PRIMARY KEY, salt TEXT NOT NULL, text TEXT NOT NULL, erased_at TEXT);
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never removed'); END;
CREATE TRIGGER entries_follow BEFORE INSERT ON entries
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entries)
BEGIN SELECT RAISE(ABORT, 'entries follow one another'); END;
CREATE TRIGGER bodies_stay BEFORE UPDATE ON bodies
WHEN NEW.erased_at IS NULL OR NEW.seq IS NOT OLD.seq OR NEW.erased_at <= OLD.erased_at
BEGIN SELECT RAISE(ABORT, 'texts are only ever erased'); END;
CREATE TRIGGER bodies_remain BEFORE DELETE ON bodies
BEGIN SELECT RAISE(ABORT, 'texts are never removed'); END;
CREATE TRIGGER bodies_follow BEFORE INSERT ON bodies
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM bodies)
BEGIN SELECT RAISE(ABORT, 'texts follow one another'); END;
COMMIT;
"""


def refuse_links(path: Path) -> None:
    """Make sure that the name is no symbolic link: what is read and written would be another file than what is copied.

    Raises:
        StoreError: it is one.
    """
    if path.is_symlink():
        raise StoreError(
            f"the journal of decisions, {path}, is a symbolic link",
            hint="put the file itself there, or name its folder as the state folder",
        )


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for reading and writing.

    Raises:
        StoreError: this user may not, or a newer program wrote it.
    """
    if not os.access(path, os.R_OK | os.W_OK):
        raise StoreError(
            f"this user may not read and write the decisions in {path}",
            hint="run as the account that owns the state folder, or give the file back to it",
        )
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE,
                                 isolation_level=None)  # fmt: skip
    connection.row_factory = sqlite3.Row
    _check_version(connection, path)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Look at the version before anything is asked for: an older program must not write what it does not know."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        connection.close()
        raise StoreError(
            f"the decisions in {path} have schema {version}, this program knows {SCHEMA_VERSION}",
            hint="install the newer m365audit that wrote them; nothing was written",
        )


def create(path: Path) -> None:
    """Make the file whole under another name, then give it its own: nobody ever sees half of it."""
    unfinished = make_private(path.parent) / f"{path.name}.{os.getpid()}.creating"
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        connection = sqlite3.connect(unfinished, isolation_level=None)
        connection.executescript(_SCHEMA)
        connection.close()
        with suppress(FileExistsError):  # another process was faster; its file is as good
            os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def errors_of_the_journal(path: Path) -> Iterator[None]:
    """Turn what SQLite or the disk refuse into a sentence."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if "locked" in str(error):
            raise StoreBusyError(
                f"another process has been writing decisions in {path} for {_PATIENCE:g} seconds",
                hint="try again; nothing was written",
            ) from error
        raise StoreError(
            f"the decisions in {path} cannot be used: {error}",
            hint="check the disk's room and permissions; if the file is damaged, put back its newest copy",
        ) from error
