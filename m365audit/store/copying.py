"""Copies of a database in which rows are changed or left out: a fresh file, so that no byte of what went is in it.

DELETE and UPDATE leave the old bytes in a DuckDB file, even after VACUUM and CHECKPOINT; a file that was written anew
does not hold them. Never changes the database that it copies.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb

from m365audit.store.candidate import STORAGE_VERSION
from m365audit.store.person_columns import person_columns

Row = dict[str, Any]
RowChange = Callable[[str, Row], Row]
"""Table and the text columns of a row → the same with other values; the same object when nothing changes."""

_AT_A_TIME: Final = 2_000
_ROW: Final = "rewritten_row"


@dataclass(frozen=True, slots=True)
class Changes:
    """What a copy is to have otherwise.

    Attributes:
        needles: in small letters; only rows that hold one of them, or an escape in JSON, are looked at.
        change: what becomes of such a row.
        without: table → condition on the rows that are left out; of tables that are not named, none is.
        instead: table → SELECT that gives its rows instead of the table itself; wins over the others, and may read
            ``changed_rows`` of the tables that were copied before it.
        derived: table → column → expression over the new values (``{column}``) for the rows that change.
        only: table → condition on the rows that are looked at; given that, needles are not, nor are other tables.
        tenant: only rows of this tenant, and rows of none, are changed; None for all.
    """

    needles: Sequence[str] = ()
    change: RowChange | None = None
    without: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    derived: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tenant: str | None = None
    only: Mapping[str, str] = field(default_factory=dict)


def copy_database(
    connection: duckdb.DuckDBPyConnection, source: str, target: Path, changes: Changes, *, workdir: Path
) -> dict[str, int]:
    """Write a database anew; return how many rows of each table were changed.

    Args:
        connection: where ``source`` is attached; no transaction is open.
        source: name of the attached database.
        target: file to create; must not exist.
        changes: what is to be otherwise.
        workdir: private folder for line files; only new values get there.

    Raises:
        duckdb.Error: the copy failed; the target is to be thrown away.
    """
    quoted = str(target).replace("'", "''")
    connection.execute(f"ATTACH '{quoted}' AS fresh (STORAGE_VERSION '{STORAGE_VERSION}')")
    try:
        connection.execute(f"COPY FROM DATABASE {source} TO fresh (SCHEMA)")
        searched = person_columns(connection, source)
        changed: dict[str, int] = {}
        copy = _Copy(connection, source, changes, workdir)
        for table in _tables(connection, source, changes.instead):
            is_searched = changes.change is not None and (not changes.only or table in changes.only)
            count = copy.table(table, searched.get(table, {}) if is_searched else {})
            if count:
                changed[table] = count
        connection.execute("CHECKPOINT fresh")
        return changed
    finally:
        connection.execute("DETACH fresh")


def _tables(connection: duckdb.DuckDBPyConnection, database: str, last: Collection[str]) -> list[str]:
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND NOT temporary ORDER BY table_oid",
        [database],
    ).fetchall()
    return sorted((row[0] for row in rows), key=lambda name: name in last)


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy that is being made."""

    connection: duckdb.DuckDBPyConnection
    source: str
    changes: Changes
    workdir: Path

    def table(self, table: str, columns: Mapping[str, str]) -> int:
        """Copy one table; return how many of its rows were changed."""
        given, instead = f'{self.source}.main."{table}"', self.changes.instead.get(table)
        if instead is not None:
            self.connection.execute(f'INSERT INTO fresh.main."{table}" BY NAME {instead}')
            return 0
        without = self.changes.without.get(table)
        kept = f"NOT coalesce(({without}), false)" if without else "true"
        lines = self.workdir / f"{table}.ndjson"
        count = self._write_changed(table, columns, kept, lines) if columns else 0
        if not count:
            self.connection.execute(f'INSERT INTO fresh.main."{table}" SELECT * FROM {given} AS t WHERE {kept}')
            return 0
        values = {name: _typed(f'c."{name}"', kind) for name, kind in columns.items()}
        values |= {name: text.format(**values) for name, text in self.changes.derived.get(table, {}).items()}
        replaced = ", ".join(
            f'CASE WHEN c.{_ROW} IS NULL THEN t."{name}" ELSE {value} END AS "{name}"' for name, value in values.items()
        )
        self.connection.execute(
            f'INSERT INTO fresh.main."{table}" SELECT t.* REPLACE ({replaced}) FROM {given} AS t '
            f"LEFT JOIN {changed_rows(lines, columns)} AS c ON t.rowid = c.{_ROW} WHERE {kept} ORDER BY t.rowid"
        )
        return count

    def _write_changed(self, table: str, columns: Mapping[str, str], kept: str, lines: Path) -> int:
        """Write the new values of every row that changes, one line each; return how many."""
        count, change = 0, self.changes.change
        given = f'{self.source}.main."{table}"'
        with lines.open("w", encoding="utf-8") as file:
            only = self.changes.only.get(table)
            of_tenant = only or self._of_tenant(table)
            needles = None if only else self.changes.needles
            for number, row in find_rows(self.connection, given, columns, needles, f"{kept} AND {of_tenant}"):
                after = change(table, row) if change else row
                if after != row:
                    file.write(json.dumps({_ROW: number, **{name: after[name] for name in columns}}) + "\n")
                    count += 1
        return count

    def _of_tenant(self, table: str) -> str:
        if self.changes.tenant is None:
            return "true"
        has_tenant = self.connection.execute(
            "SELECT 1 FROM duckdb_columns() WHERE database_name = ? AND table_name = ? AND column_name = 'tenant_id'",
            [self.source, table],
        ).fetchone()
        return f"coalesce(tenant_id = '{self.changes.tenant}', true)" if has_tenant else "true"


def changed_rows(lines: Path, columns: Mapping[str, str]) -> str:
    """Return the relation of the rows of a table that a copy changed: ``rewritten_row`` and the new values."""
    types = ", ".join(f"'{name}': '{_line_type(kind)}'" for name, kind in columns.items())
    path = str(lines).replace("'", "''")
    return f"read_ndjson('{path}', columns = {{'{_ROW}': 'BIGINT', {types}}}, maximum_object_size = 134217728)"


def _line_type(kind: str) -> str:
    return "VARCHAR" if kind == "JSON" else kind.replace("'", "''")


def _typed(value: str, kind: str) -> str:
    return f"{value}::JSON" if kind == "JSON" else value


def find_rows(
    connection: duckdb.DuckDBPyConnection, given: str, columns: Mapping[str, str], needles: Sequence[str] | None,
    kept: str = "true",
) -> Iterator[tuple[int, Row]]:  # fmt: skip
    """Yield number and text columns of every row that may hold one of the needles, however it is escaped.

    Args:
        connection: where the table is.
        given: the table, with its database.
        columns: name → type of its text columns.
        needles: in small letters; values of parameters, never part of the statement. None for every row.
        kept: condition that rows must meet besides.
    """
    tests = []
    for name, kind in columns.items():
        text = f'CAST("{name}" AS VARCHAR)'
        tests.append(f"list_bool_or(list_transform($needles, LAMBDA n: contains(lower({text}), n)))")
        if kind != "VARCHAR":
            tests.append(f"contains({text}, '\\u')")
    names = ", ".join(f'"{name}"' for name in columns)
    condition = f"({kept}) AND ({' OR '.join(tests)})" if needles is not None else kept
    asked = {"needles": list(needles)} if needles is not None else {}
    found = connection.execute(f"SELECT rowid FROM {given} WHERE {condition}", asked).fetchall()
    for first in range(0, len(found), _AT_A_TIME):
        part = [row[0] for row in found[first : first + _AT_A_TIME]]
        rows = connection.execute(
            f"SELECT rowid, {names} FROM {given} WHERE rowid IN (SELECT unnest($rows)) ORDER BY rowid", {"rows": part}
        ).fetchall()
        yield from ((row[0], dict(zip(columns, row[1:], strict=True))) for row in rows)
