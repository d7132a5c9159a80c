"""The rich world, its document and its three forms; made once, they are only read."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from m365audit.report import Document

from .reader import QueryReader, document_of
from .world import build_world


@pytest.fixture(scope="session")
def report_world() -> Iterator[duckdb.DuckDBPyConnection]:
    """Database of the rich world."""
    connection = build_world()
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def document(report_world: duckdb.DuckDBPyConnection) -> Document:
    """Document of the rich world."""
    return document_of(QueryReader(report_world))
