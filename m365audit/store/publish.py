"""Publishing: a finished candidate takes the place of the published database in one rename.

Readers keep the file they have open, and see the new one when they open it again; nobody is ever locked out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from m365audit.errors import StoreError
from m365audit.store import published_file
from m365audit.store.durable import sync_file, sync_folder

PUBLISHED_NAME: Final = published_file.PUBLISHED_NAME
_UNFINISHED: Final = ".unfinished-"


def make_readable(folder: Path) -> None:
    """Create a folder that its group may read, whatever the process's mask; one that is there stays as it is.

    Raises:
        StoreError: it cannot be made.
    """
    try:
        if not folder.is_dir():
            folder.mkdir(mode=0o750, parents=True)
            folder.chmod(0o750)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be written: {error.strerror or error}",
        hint="check that the folder is there, that this user may write there, and that the disk has room",
    )


def new_candidate_path(folder: Path) -> Path:
    """Return a fresh file name beside the published database, after removing what killed runs left there."""
    make_readable(folder)
    for leftover in folder.glob(f"{_UNFINISHED}*"):
        leftover.unlink(missing_ok=True)
    return folder / f"{_UNFINISHED}{os.getpid()}.duckdb"


def put_in_place(finished: Path, target: Path) -> None:
    """Make a finished file durable and rename it to its published name, readable by the folder's group.

    Raises:
        StoreError: the disk refuses; the file that was published before is still there.
    """
    try:
        sync_file(finished)
        finished.chmod(0o640)
        finished.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error


def write_in_place(content: Iterable[bytes], target: Path) -> None:
    """Write a report, piece by piece, so that a reader sees the old one or the new one, never half of one.

    Raises:
        StoreError: it cannot be written.
    """
    make_readable(target.parent)
    unfinished = target.with_name(f"{_UNFINISHED}{os.getpid()}-{target.name}")
    try:
        with unfinished.open("wb") as file:
            file.writelines(content)
        put_in_place(unfinished, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        unfinished.unlink(missing_ok=True)
