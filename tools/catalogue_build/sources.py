"""Reads the source files as they are published; interprets nothing."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pathlib import Path

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Sources:
    """The source tables: see SOURCES.md for what each is and where it comes from."""

    permission_map: Rows
    permission_ids: Rows
    first_party_apps: Rows
    audit_record_types: Rows
    audit_operations: Rows

    @classmethod
    def read(cls, folder: Path) -> Sources:
        """Read all tables from a folder.

        Raises:
            FileNotFoundError: a source file is missing.
        """
        return cls(
            permission_map=_table(folder / "permissions_map.csv.gz"),
            permission_ids=_table(folder / "permission_guids_graph.csv"),
            first_party_apps=_table(folder / "first_party_apps.csv"),
            audit_record_types=_table(folder / "audit_record_types.csv"),
            audit_operations=_table(folder / "audit_operations.csv"),
        )


def _table(path: Path) -> Rows:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as packed:
            return _rows(packed)
    with path.open(encoding="utf-8-sig", newline="") as plain:
        return _rows(plain)


def _rows(file: TextIO) -> Rows:
    return list(csv.DictReader(file))
