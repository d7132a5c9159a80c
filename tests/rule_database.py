"""The store's part towards rules, on an in-memory database with empty tables: enough to prove and to run rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
from schema import TABLES, create_statements

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

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Limit nothing: the store's own tests prove what its limit does."""
        assert seconds > 0
        yield

    def present(self) -> list[dict[str, Any]]:
        """Return the findings that the rules found, in the order of rule and subject."""
        cursor = self.connection.execute("SELECT * FROM present_findings ORDER BY rule, tenant_id, subject")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def insert(self, table: str, row: Mapping[str, object]) -> None:
        """Insert one row; columns that are not named are NULL."""
        names = ", ".join(row)
        marks = ", ".join(f"${name}" for name in row)
        self.connection.execute(f"INSERT INTO {table} ({names}) SELECT {marks}", dict(row))

    def insert_all(self, table: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Insert many rows; those with the same columns by one statement."""
        alike: dict[tuple[str, ...], list[object]] = {}
        for row in rows:
            alike.setdefault(tuple(row), []).extend(row.values())
        for names, values in alike.items():
            marks = f"({', '.join('?' * len(names))})"
            many = ", ".join([marks] * (len(values) // len(names)))
            self.connection.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES {many}", values)  # noqa: S608 - the names are the tests' own

    def clear(self) -> None:
        """Empty every table."""
        self.connection.execute("DROP TABLE IF EXISTS present_findings")
        self.connection.execute(";".join(f"DELETE FROM {table}" for table in TABLES))  # noqa: S608
