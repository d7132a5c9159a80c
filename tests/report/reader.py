"""Reads the product's report queries from a test database, as the store does from the published one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from m365audit.report import Document, People, build_document
from m365audit.report import pieces as report_pieces
from m365audit.report.rows import Reader
from m365audit.resources import data_dir

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
"""The clock of the tests: an hour and a half after the rich world's run."""


def people(*, is_identified: bool = False) -> People:
    """Return tokens made with a key that is no secret."""
    return People(b"k" * 32, is_identified=is_identified)


def document_of(reader: Reader, **more: Any) -> Document:
    """Return the document as of the tests' clock."""
    given: dict[str, Any] = {"now": NOW, "people": people()} | more
    return build_document(reader, **given)


def pieces(reader: Reader, form: str, section: str | None = None, **more: Any) -> Iterator[bytes]:
    """Return the report in one form as of the tests' clock."""
    given: dict[str, Any] = {"now": NOW, "people": people()} | more
    return report_pieces(reader, form, section, **given)


@dataclass(frozen=True)
class QueryReader:
    """A reader over one open connection; a query's name is its file's name."""

    connection: duckdb.DuckDBPyConnection

    def rows(self, query_name: str, **params: object) -> list[dict[str, object]]:
        """Run one named query."""
        sql = (data_dir("queries") / "report" / f"{query_name}.sql").read_text(encoding="utf-8")
        cursor = self.connection.execute(sql, params or None)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def batches(self, query_name: str, **params: object) -> Iterator[list[dict[str, object]]]:
        """Run one named query; two rows at a time, so that batches have borders."""
        rows = self.rows(query_name, **params)
        yield from (rows[at : at + 2] for at in range(0, len(rows), 2))


_OURS = frozenset({
    "tenant_id", "workload", "verdict", "recorded", "granted", "coverage", "state", "severity", "change", "outcome",
    "feed",
})  # fmt: skip
"""Columns that only the product writes, from closed lists, or that rows are grouped by."""


@dataclass(frozen=True)
class ReplacedReader:
    """A reader that gives another's rows with one text in place of every text that comes from outside the product."""

    reader: QueryReader
    text: str
    cache: dict[str, list[dict[str, object]]]
    ours: frozenset[str] = _OURS

    def rows(self, query_name: str, **params: object) -> list[dict[str, object]]:
        """Give the rows of one named query, changed."""
        if query_name not in self.cache:
            self.cache[query_name] = self.reader.rows(query_name, **params)
        return [{name: self._changed(name, value) for name, value in row.items()} for row in self.cache[query_name]]

    def batches(self, query_name: str, **params: object) -> Iterator[list[dict[str, object]]]:
        """Give them in one batch."""
        yield self.rows(query_name, **params)

    def _changed(self, name: str, value: object) -> object:
        if name in self.ours or not isinstance(value, (str, list)):
            return value
        return self.text if isinstance(value, str) else [self.text for _ in value]
