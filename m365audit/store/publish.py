"""Publishing: a finished candidate takes the place of the published database in one rename.

Readers keep the file they have open, and see the new one when they open it again; nobody is ever locked out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from m365audit.store.database import sync_folder

PUBLISHED_NAME: Final = "m365audit.duckdb"
_UNFINISHED: Final = ".unfinished-"


def new_candidate_path(folder: Path) -> Path:
    """Return a fresh file name beside the published database, after removing what killed runs left there."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    for leftover in folder.glob(f"{_UNFINISHED}*"):
        leftover.unlink(missing_ok=True)
    return folder / f"{_UNFINISHED}{os.getpid()}.duckdb"


def put_in_place(finished: Path, target: Path) -> None:
    """Make a finished file durable and rename it to its published name, readable by the folder's group."""
    handle = os.open(finished, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    finished.chmod(0o640)
    finished.replace(target)
    sync_folder(target.parent)


def write_in_place(content: bytes, target: Path) -> None:
    """Write a report so that a reader sees the old one or the new one, never half of one."""
    target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    unfinished = target.with_name(f"{_UNFINISHED}{os.getpid()}-{target.name}")
    unfinished.write_bytes(content)
    put_in_place(unfinished, target)
