"""The data dictionary: what every published table and column means, from the headers that stand beside the SQL."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from m365audit.errors import RuleError
from m365audit.resources import data_dir, yaml_values
from m365audit.store.queries import read_queries


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One published table: its name, what a row is, column → meaning in the table's order, column → DuckDB's type."""

    name: str
    grain: str
    columns: dict[str, str]
    types: dict[str, str]


@cache
def read_dictionary() -> tuple[TableEntry, ...]:
    """Return every published table, by name.

    Raises:
        RuleError: a header lacks its grain or its columns.
    """
    types: dict[str, dict[str, str]] = _yaml("column_types.yml")
    entries = [
        _entry(query.name, query.header, str(query.path), types)
        for folder in ("tables", "verdicts", "ledger")
        for query in read_queries(folder)
        if not query.header.get("temporary", False)
    ]
    entries += [_entry(name, header, "config/tables.yml", types) for name, header in _yaml("tables.yml").items()]
    return tuple(sorted(entries, key=lambda entry: entry.name))


def _yaml(name: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml_values((data_dir("config") / name).read_text(encoding="utf-8"))
    return values


def _entry(name: str, header: dict[str, Any], file: str, types: dict[str, dict[str, str]]) -> TableEntry:
    grain, columns = header.get("grain"), header.get("columns")
    if not grain or not isinstance(columns, dict) or not columns:
        raise RuleError(f"the table {name} has no grain or no columns", file=file, hint="describe them in the header")
    meanings = {str(column): " ".join(str(meaning).split()) for column, meaning in columns.items()}
    return TableEntry(name, " ".join(str(grain).split()), meanings, types.get(name, {}))


def dictionary_page() -> str:
    """Return the data dictionary as Markdown."""
    lines = [
        "# Published tables",
        "",
        "`publish/m365audit.duckdb` holds these tables. Open it with any DuckDB client, read-only, at any time: it is",
        "replaced whole, never changed. Times are `TIMESTAMPTZ` in UTC, ids are lower-case, unknown is `NULL` (never",
        "zero, never empty text). The same words stand in the database itself, as comments of its tables and",
        "columns (`SELECT column_name, comment FROM duckdb_columns()`), and in `m365audit query --tables TABLE`.",
        "This page is generated from the queries' headers; `tools/generate_docs.py` writes it.",
        "",
        *(f"* [{entry.name}](#{entry.name}): {entry.grain}" for entry in read_dictionary()),
        "",
    ]
    for entry in read_dictionary():
        lines += [
            f"## {entry.name}",
            "",
            f"One row: {entry.grain}.",
            "",
            "| column | type | meaning |",
            "|---|---|---|",
        ]
        lines += [
            f"| `{name}` | {entry.types.get(name, '')} | {meaning.replace('|', '/')} |"
            for name, meaning in entry.columns.items()
        ]
        lines.append("")
    return "\n".join(lines)
