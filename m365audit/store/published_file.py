"""Where the published database is. Imports no DuckDB, so that who only passes the path on does not pay for it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from m365audit.errors import StoreError

PUBLISHED_NAME: Final = "m365audit.duckdb"


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
