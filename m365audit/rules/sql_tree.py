"""Reads the syntax tree the database makes of a SELECT: which tables and table functions it reads. Runs nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from m365audit.errors import QueryError

Columns = tuple[tuple[str, str], ...]
"""Name and DuckDB type of every column, in order."""


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
    found: set[tuple[str, str]] = set()
    _gather(parsed["statements"], frozenset(), found, may_recur="RECURSIVE_CTE_NODE" in text)
    return Tree(
        statements=len(parsed["statements"]),
        tables=frozenset(name for kind, name in found if kind == "table"),
        functions=frozenset(name for kind, name in found if kind == "function"),
    )


def columns(database: Database, sql: str, parameters: Mapping[str, object]) -> Columns:
    """Bind ``sql``, without running it, and return the name and the DuckDB type of every column.

    Raises:
        QueryError: it does not bind.
    """
    rows = database.execute(f"DESCRIBE {sql}", dict(parameters) or None)
    return tuple((str(row[0]), str(row[1])) for row in rows)


def _gather(node: object, scope: frozenset[str], found: set[tuple[str, str]], *, may_recur: bool) -> None:
    """Walk the tree; ``scope`` holds the common table expressions that stand for a name here."""
    if isinstance(node, dict):
        inner = scope
        if "cte_map" in node:
            for entry in (node["cte_map"] or {}).get("map", []):
                name = str(entry["key"]).lower()
                is_recursive = may_recur and "RECURSIVE_CTE_NODE" in json.dumps(entry["value"])
                _gather(entry["value"], inner | {name} if is_recursive else inner, found, may_recur=may_recur)
                inner |= {name}
        if "type" in node:
            _note(node, inner, found)
        members = [value for key, value in node.items() if key != "cte_map"]
    else:
        members, inner = (node if isinstance(node, list) else []), scope
    for member in members:
        if isinstance(member, dict | list):
            _gather(member, inner, found, may_recur=may_recur)


def _note(node: Mapping[str, Any], scope: frozenset[str], found: set[tuple[str, str]]) -> None:
    if node["type"] == "BASE_TABLE":
        name = str(node["table_name"])
        if node.get("schema_name") or node.get("catalog_name"):
            name = ".".join(filter(None, (node.get("catalog_name"), node.get("schema_name"), name)))
        if name.lower() not in scope:
            found.add(("table", name))
    elif node["type"] == "TABLE_FUNCTION":
        found.add(("function", str(node["function"].get("function_name", "")).lower()))
