"""Rows on their way to a terminal, a file or a pipe: laid out as a table, CSV or JSON. Prints nothing."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from m365audit.cli.harmless import harmless, harmless_json
from m365audit.cli.table import draw
from m365audit.errors import QueryError

FORMATS: Final = ("table", "csv", "json")
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


def lay_out(names: Sequence[str], rows: Iterable[Sequence[Any]], form: str) -> str:
    """Return rows as ``table``, ``csv`` or ``json``.

    Raises:
        QueryError: there is no such format.
    """
    if form == "table":
        return draw(names, ([_cell(_to_seconds(value)) for value in row] for row in rows))
    if form == "csv":
        return _csv(names, rows)
    if form == "json":
        keys = list(_distinct(names))
        return as_json([dict(zip(keys, row, strict=True)) for row in rows])
    raise QueryError(f"there is no format {form!r}", hint=f"choose one of {', '.join(FORMATS)}, parquet")


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


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Quote everything, keep a spreadsheet from taking a text for a formula, and a terminal from obeying one."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([_inert(name) for name in names])
    for row in rows:
        writer.writerow([_inert(value) for value in row])
    return buffer.getvalue().rstrip("\r\n")


def _inert(value: object) -> str:
    text = _cell(value)
    is_number = isinstance(value, int | float)
    is_formula = not is_number and text.lstrip(_BEFORE_FORMULA).startswith(_FORMULA)
    visible = "\n".join(map(harmless, text.split("\n")))
    return f"'{visible}" if is_formula else visible
