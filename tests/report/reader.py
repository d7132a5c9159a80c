"""Reads the product's report queries from a test database, as the store does from the published one."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from m365audit.resources import data_dir


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
