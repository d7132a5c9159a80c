"""Rows on their way to a terminal, a file or a pipe: laid out as a table, CSV or JSON. Prints nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from json.encoder import encode_basestring
from typing import Any, Final

from m365audit.cli.harmless import harmless, harmless_json
from m365audit.cli.table import Table
from m365audit.errors import QueryError

FORMATS: Final = ("table", "csv", "json")
MEASURED: Final = 1000
"""Rows on which a table's columns are measured; what is wider further down is cut."""
_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212")
_BEFORE_FORMULA: Final = " \"'\ufeff\u200b\u00a0"


def plain(value: object) -> object:
    """Return a value as JSON has it: times as ISO 8601 with Z, bytes as hexadecimal, what else JSON lacks as text."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def as_json(value: object) -> str:
    """Return indented JSON that a terminal may show: what would command it stands as an escape."""
    return harmless_json(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


Batches = Iterable[Sequence[Sequence[Any]]]


def lay_out(names: Sequence[str], rows: Iterable[Sequence[Any]], form: str) -> str:
    """Return rows as ``table``, ``csv`` or ``json``.

    Raises:
        QueryError: there is no such format.
    """
    if form not in FORMATS:
        raise QueryError(f"there is no format {form!r}", hint=f"choose one of {', '.join(FORMATS)}, parquet")
    return "".join(in_pieces(names, [list(rows)], form)).rstrip("\r\n")


def in_pieces(names: Sequence[str], batches: Batches, form: str) -> Iterator[str]:
    """Yield an answer of any size as text with its line ends; no more than a batch of it is held.

    Only a table waits: its columns are measured on its first ``MEASURED`` rows.
    """
    if form == "csv":
        yield _csv_line(names)
        yield from ("".join(map(_csv_line, rows)) for rows in batches)
    elif form == "json":
        yield from _json_pieces(list(_distinct(names)), batches)
    else:
        yield from _table_pieces(names, iter(batches))


def _json_pieces(keys: Sequence[str], batches: Batches) -> Iterator[str]:
    heads = [f"    {_json_text(key)}: " for key in keys]
    between = "["
    for rows in batches:
        objects = [
            "\n  {\n"
            + ",\n".join([head + _json_value(value) for head, value in zip(heads, row, strict=True)])
            + "\n  }"
            for row in rows
        ]
        if objects:
            yield between + ",".join(objects)
            between = ","
    yield "[]\n" if between == "[" else "\n]\n"


def _json_value(value: object) -> str:
    kind = type(value)
    if value is None:
        return "null"
    if kind is str:
        return _json_text(str(value))
    return str(value) if kind is int else as_json(value).replace("\n", "\n    ")


def _json_text(text: str) -> str:
    written = encode_basestring(text)
    return written if text.isascii() and text.isprintable() else harmless_json(written)


def _table_pieces(names: Sequence[str], batches: Iterator[Sequence[Sequence[Any]]]) -> Iterator[str]:
    first: list[Sequence[str]] = []
    total: int | None = None
    while len(first) <= MEASURED:
        rows = next(batches, None)
        if rows is None:
            total = len(first)
            break
        first += map(_cells, rows)
    table = Table(names, first, total)
    yield "".join(f"{line}\n" for line in table.head())
    later: Iterator[list[Sequence[str]]] = ([_cells(row) for row in rows] for rows in batches)
    for some in chain([first], later):
        yield "".join(f"{line}\n" for line in table.lines(some))


def _cells(row: Sequence[Any]) -> list[str]:
    return [value if type(value) is str else _cell(_to_seconds(value)) for value in row]


def _distinct(names: Sequence[str]) -> Iterator[str]:
    """Yield the names with a number behind those that stood before: JSON would lose such a column."""
    seen: set[str] = set()
    for name in names:
        number, distinct = 1, name
        while distinct in seen:
            distinct, number = f"{name}_{number}", number + 1
        seen.add(distinct)
        yield distinct


def _to_seconds(value: object) -> object:
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


def _cell(value: object) -> str:
    shown = plain(value)
    if shown is None:
        return ""
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)


def _csv_line(values: Sequence[Any]) -> str:
    """Quote everything, keep a spreadsheet from taking a text for a formula, and a terminal from obeying one."""
    return ",".join([f'"{_inert(value)}"' for value in values]) + "\r\n"


def _inert(value: object) -> str:
    kind = type(value)
    if kind is int:
        return str(value)
    text = value if isinstance(value, str) else _cell(value)
    if kind is float or kind is bool:
        return text
    is_formula = not text[:1].isalnum() and text.lstrip(_BEFORE_FORMULA).startswith(_FORMULA)
    if not (text.isascii() and text.isprintable()):
        text = "\n".join(map(harmless, text.split("\n")))
    return ("'" if is_formula else "") + (text.replace('"', '""') if '"' in text else text)
