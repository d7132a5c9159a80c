"""The headers of the tables' files say what the tables are: every column is there and described, in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb
import pytest

from m365audit.store.queries import QueryFile, read_queries

from .wire import WireFile, built

QUERIES: Final = read_queries("tables")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A candidate without evidence, beside the working database."""
    tenant = "11111111-1111-4111-8111-111111111111"
    with built(tmp_path_factory.mktemp("empty"), [WireFile(tenant, "users", refused=True)]) as connection:
        yield connection


@pytest.mark.parametrize("query", [pytest.param(q, id=q.name) for q in QUERIES if not q.header.get("temporary")])
def test_columns_are_the_header_s(empty: duckdb.DuckDBPyConnection, query: QueryFile) -> None:
    described = query.header["columns"]
    cursor = empty.execute(f"SELECT * FROM candidate.{query.name} LIMIT 0")  # noqa: S608 - a file's name
    assert [column[0] for column in cursor.description or ()] == list(described)
    assert all(str(text).strip() for text in described.values())
    assert query.header["table"] == query.name
    assert query.header["grain"]


def test_columns_of_temporary_tables_are_the_header_s(tmp_path: Path) -> None:
    columns: dict[str, list[str]] = {}
    with built(tmp_path, [WireFile("t", "users", refused=True)], columns=columns):
        pass
    temporary = {query.name: list(query.header["columns"]) for query in QUERIES if query.header.get("temporary")}
    assert {name: columns[name] for name in temporary} == temporary


def test_empty_evidence_gives_empty_tables(empty: duckdb.DuckDBPyConnection) -> None:
    for table in ("access_events", "verdicts", "grants", "sign_ins", "directory_changes"):
        assert empty.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)]  # noqa: S608
