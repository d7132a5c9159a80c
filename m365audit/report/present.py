"""Owns reading of tables that older programs did not publish: what is not there is not known, never empty."""

from __future__ import annotations

from dataclasses import dataclass

from m365audit.report.rows import Reader, Row


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that the database has, and the way to those that may be missing."""

    reader: Reader
    names: frozenset[str]

    def has(self, *tables: str) -> bool:
        """Tell whether all these tables are there."""
        return self.names >= set(tables)

    def rows(self, query_name: str, *tables: str, **params: object) -> list[Row]:
        """Run a query that needs these tables; no rows when one of them is missing."""
        return self.reader.rows(query_name, **params) if self.has(*tables) else []


def present(reader: Reader) -> Tables:
    """Look which tables there are."""
    return Tables(reader, frozenset(str(row["table_name"]) for row in reader.rows("report-present")))
