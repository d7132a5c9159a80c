"""Documents and rows in which hostile strings stand wherever a text from outside can stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from report.reader import QueryReader
from report.replaced import replaced

from m365audit.report import Document

Row = dict[str, object]


def slim(document: Document) -> Document:
    """Return the document with one or two of everything: every field, and little to render."""
    thin: Any = _thin(document)
    # Page 1 asks for every source of a tenant.
    coverage = tuple(line for line in document.coverage if line.tenant_id == document.coverage[0].tenant_id)
    made: Document = dataclasses.replace(thin, coverage=coverage)
    return made


def _thin(value: Any) -> Any:
    if isinstance(value, tuple):
        kept = value[:2] if value and dataclasses.is_dataclass(value[0]) else value[:3]
        return tuple(_thin(item) for item in kept)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value, **{field.name: _thin(getattr(value, field.name)) for field in dataclasses.fields(value)}
        )
    return value


def rotating(document: Document, strings: Sequence[str], start: int) -> Document:
    """Return the document with another string in every field; over all starts every field has had every string."""
    at = count(start)
    return replaced(document, lambda _: strings[next(at) % len(strings)])


OURS = frozenset({
    "tenant_id", "workload", "verdict", "recorded", "granted", "coverage", "state", "severity", "change", "outcome",
    "feed", "table_name", "differs", "clause", "decision", "pending", "returned", "control", "observed_coverage",
    "kind", "resource_kind",
})  # fmt: skip
"""Columns that only the product writes, from closed lists, or that rows are grouped by."""


@dataclass(frozen=True)
class PackedReader:
    """Gives one row of another reader for each string, with that string in place of every text from outside."""

    reader: QueryReader
    strings: Sequence[str]

    def rows(self, query_name: str, **params: object) -> list[Row]:
        """Give the rows of one named query; those that are told apart by the tenant stay as they are."""
        rows = self.reader.rows(query_name, **params)
        if query_name in {"report-present", "report-people", "report-names", "report-coverage"}:
            return rows
        fullest = max(rows, key=lambda row: sum(value is not None for value in row.values()), default=None)
        return [] if fullest is None else [self._with(fullest, string) for string in self.strings]

    def batches(self, query_name: str, **params: object) -> Iterator[list[Row]]:
        """Give them in one batch."""
        yield self.rows(query_name, **params)

    @staticmethod
    def _with(row: Row, string: str) -> Row:
        return {name: _changed(name, value, string) for name, value in row.items()}


def _changed(name: str, value: object, string: str) -> object:
    if name in OURS or not isinstance(value, (str, list)):
        return value
    return string if isinstance(value, str) else [string]
