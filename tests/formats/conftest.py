"""The decided world and its document; made once, they are only read."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from report.reader import QueryReader, document_of

from m365audit.report import Document

from .world import decided_world


@pytest.fixture(scope="session")
def decided() -> Iterator[duckdb.DuckDBPyConnection]:
    """Database of the decided world."""
    connection = decided_world()
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def reader(decided: duckdb.DuckDBPyConnection) -> QueryReader:
    """Reader of the decided world."""
    return QueryReader(decided)


@pytest.fixture(scope="session")
def document(reader: QueryReader) -> Document:
    """Document of the decided world."""
    return document_of(reader)
