"""The store's part towards rules, on an in-memory database with empty tables: enough to prove and to run rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
from schema import create_statements

from m365audit.errors import QueryError


class MemoryDatabase:
    """What the store lends to rules; tests insert rows themselves."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": "1"})
        self.connection.execute("SET TimeZone = 'UTC'")
        for statement in create_statements():
            self.connection.execute(statement)

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[tuple[Any, ...]]:
        """Run one statement."""
        try:
            return self.connection.execute(sql, parameters).fetchall()
        except duckdb.Error as error:
            raise QueryError(str(error)) from error

    def insert(self, table: str, row: Mapping[str, object]) -> None:
        """Insert one row; columns that are not named are NULL."""
        names = ", ".join(row)
        marks = ", ".join(f"${name}" for name in row)
        self.connection.execute(f"INSERT INTO {table} ({names}) SELECT {marks}", dict(row))

    def clear(self) -> None:
        """Empty every table."""
        for statement in create_statements():
            self.connection.execute(statement.replace("CREATE TABLE", "CREATE OR REPLACE TABLE", 1))
