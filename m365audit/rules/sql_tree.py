"""Reads the syntax tree the database makes of a SELECT: which tables and table functions it reads. Runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from m365audit.errors import QueryError


class Database(Protocol):
    """A DuckDB connection as the store lends it to rules: external access off, no extensions, configuration locked."""

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[tuple[Any, ...]]:
        """Run one statement and return its rows (none for a statement without a result).

        Raises:
            QueryError: the database refused or failed the statement, ran out of memory or of time.
        """


@dataclass(frozen=True, slots=True)
class Tree:
    """What a text of SQL consists of: number of statements, tables read, table functions called (lower-case)."""

    statements: int
    tables: frozenset[str]
    functions: frozenset[str]


def tree(database: Database, sql: str) -> Tree:
    """Return what ``sql`` reads; common table expressions are not tables.

    Raises:
        QueryError: ``sql`` cannot be parsed, or holds anything else than SELECT.
    """
    ((text,),) = database.execute("SELECT json_serialize_sql($sql)", {"sql": sql})
    parsed = json.loads(text)
    if parsed["error"]:
        raise QueryError(str(parsed.get("error_message", "not a SELECT")))
    found = list(_sources(parsed["statements"], frozenset()))
    return Tree(
        statements=len(parsed["statements"]),
        tables=frozenset(name for kind, name in found if kind == "table"),
        functions=frozenset(name for kind, name in found if kind == "function"),
    )


def columns(database: Database, sql: str, parameters: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Bind ``sql``, without running it, and return the name and the DuckDB type of every column.

    Raises:
        QueryError: it does not bind.
    """
    rows = database.execute(f"DESCRIBE {sql}", dict(parameters) or None)
    return tuple((str(row[0]), str(row[1])) for row in rows)


def _sources(node: object, scope: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Walk the tree; ``scope`` holds the common table expressions that stand for a name here."""
    if isinstance(node, list):
        for member in node:
            yield from _sources(member, scope)
    elif isinstance(node, dict):
        inner = scope
        for entry in (node.get("cte_map") or {}).get("map", []):
            name = str(entry["key"]).lower()
            recursive = {name} if "RECURSIVE_CTE_NODE" in json.dumps(entry["value"]) else set()
            yield from _sources(entry["value"], inner | recursive)
            inner |= {name}
        yield from _source(node, inner)
        for key, value in node.items():
            if key != "cte_map":
                yield from _sources(value, inner)


def _source(node: Mapping[str, Any], scope: frozenset[str]) -> Iterator[tuple[str, str]]:
    if node.get("type") == "BASE_TABLE":
        name = str(node["table_name"])
        if node.get("schema_name") or node.get("catalog_name"):
            name = ".".join(filter(None, (node.get("catalog_name"), node.get("schema_name"), name)))
        if name.lower() not in scope:
            yield "table", name
    elif node.get("type") == "TABLE_FUNCTION":
        yield "function", str(node["function"].get("function_name", "")).lower()
