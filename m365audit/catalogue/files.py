"""Reads the catalogue's CSV files, once per process; interprets nothing."""

from __future__ import annotations

import csv
from functools import cache

from m365audit.resources import data_dir


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of ``config/catalogue/<name>.csv`` as they are written.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    path = data_dir("config") / "catalogue" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def listed(cell: str) -> list[str] | None:
    """Return a list cell (names separated by ``;``), None when it is empty: nothing known, nothing compared."""
    return cell.split(";") if cell else None
