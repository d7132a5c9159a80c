"""Where the published database is. Imports no DuckDB, so that who only passes the path on does not pay for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from m365audit.errors import StoreError

PUBLISHED_NAME: Final = "m365audit.duckdb"


FileStamp = tuple[int, int, int, int]
"""What tells one published file from the next: device, inode, when it was written, its size."""


def file_stamp(folder: Path) -> FileStamp | None:
    """Return which file is published now; None where there is none that can be looked at."""
    try:
        status = os.stat(folder / PUBLISHED_NAME)  # noqa: PTH116 - one call, no object
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


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
            key="nothing_published",
        )
    return path
