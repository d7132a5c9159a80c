"""The list of columns that can hold a person is complete: every text column of both databases is in it, or out."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from m365audit.store.person_columns import HOLDS, NEVER, can_hold, text_columns

from .audited import Audited


@pytest.mark.parametrize("folder", ["state", "publish"])
def test_every_text_column_is_thought_of(audited: Audited, folder: str) -> None:
    path: Path = getattr(audited.settings, folder) / "m365audit.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        columns = text_columns(connection, "m365audit")
    unknown = {f"{table}.{name}" for table, names in columns.items() for name in names} - {
        f"{table}.{name}" for table, names in columns.items() for name in names if name in HOLDS or name in NEVER
    }
    assert unknown == set(), "say in store/person_columns.py whether these can hold a person (they are searched anyway)"


def test_no_column_is_in_both_lists() -> None:
    assert not HOLDS.keys() & NEVER


def test_a_column_that_nobody_thought_of_is_searched() -> None:
    assert can_hold("some_table", "a_column_of_tomorrow")
    assert can_hold("landed_records", "record")
    assert not can_hold("cells", "record")
