"""Every format that is read, from fixture file to rows: one folder per format."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from m365audit.exports import KINDS, declared_tenants, prepare
from m365audit.model import EXPORT_KINDS, PreparedFile
from m365audit.resources import yaml_values

FORMATS = Path(__file__).parent / "formats"


@cache
def database() -> duckdb.DuckDBPyConnection:
    """One connection for all tests: opening one takes longer than most of them."""
    return duckdb.connect(config={"threads": 1})


def rows_of(prepared: PreparedFile) -> list[Any]:
    """Read the prepared lines as the store does, so that what it would refuse fails here."""
    query = "SELECT json FROM read_ndjson_objects(?, maximum_object_size = 33554432)"
    if not Path(prepared.ndjson).stat().st_size:
        return []
    rows = database().execute(query, [prepared.ndjson]).fetchall()
    return [json.loads(row, parse_int=_int) for (row,) in rows]


def _int(digits: str) -> int | str:
    return int(digits) if len(digits) < 1000 else digits


@pytest.mark.parametrize("careful", [False, True], ids=["fast", "careful"])
@pytest.mark.parametrize("name", sorted(folder.name for folder in FORMATS.iterdir()))
def test_format(name: str, tmp_path: Path, *, careful: bool) -> None:
    expected = yaml_values((FORMATS / name / "expected.yml").read_text(encoding="utf-8"))
    path = FORMATS / name / expected["file"]
    prepared = prepare(path, workdir=tmp_path, careful=careful)
    rows = [json.loads(row) for row in expected["rows"]]
    assert (prepared.kind, prepared.enveloped) == (expected["kind"], expected["enveloped"])
    assert rows_of(prepared) == rows
    # Lines of Graph activity pass unread: the store is the first to count them.
    is_unread = prepared.kind == "graph_activity" and prepared.enveloped and not careful
    counted = None if is_unread else len(rows)
    assert (prepared.records, prepared.quarantined, prepared.quarantine) == (counted, 0, None)
    assert prepared.has_broken_end == expected["has_broken_end"]
    assert prepared.has_next_page == expected.get("has_next_page", False)
    assert prepared.covered_hour == expected.get("covered_hour")
    assert declared_tenants(prepared) == set(expected.get("tenants", declared_tenants(prepared)))
    passes = expected["passes_through"] and not careful
    assert (prepared.ndjson == str(path)) == passes
    assert prepared.is_temporary != passes
    left = [file for file in tmp_path.iterdir() if str(file) != prepared.ndjson]
    assert left == [], "no temporary file may stay behind"


def test_named_kind_agrees_with_content(tmp_path: Path) -> None:
    path = FORMATS / "users" / "users.json"
    assert prepare(path, workdir=tmp_path, kind="users").kind == "users"


def test_every_kind_has_a_help_text() -> None:
    assert tuple(KINDS) == EXPORT_KINDS
