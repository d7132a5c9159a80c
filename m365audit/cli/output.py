"""Text on its way to a terminal or a pipe: made harmless, and laid out as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from m365audit.errors import QueryError

FORMATS: Final = ("table", "csv", "json")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_WIDEST: Final = 60


def harmless(text: str) -> str:
    """Return text that cannot command a terminal: control, direction and invisible characters show as code points."""
    return "".join(
        f"\\u{{{ord(char):x}}}" if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"} else char
        for char in text
    )


def plain(value: object) -> object:
    """Return a value as JSON has it: times as ISO 8601 with Z, everything unknown to JSON as text."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def as_json(value: object) -> str:
    """Return indented JSON."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False)


def lay_out(names: Sequence[str], rows: Iterable[Sequence[Any]], form: str) -> str:
    """Return rows as ``table``, ``csv`` or ``json``.

    Raises:
        QueryError: there is no such format.
    """
    if form == "table":
        return _table(names, rows)
    if form == "csv":
        return _csv(names, rows)
    if form == "json":
        return as_json([dict(zip(names, row, strict=True)) for row in rows])
    raise QueryError(f"there is no format {form!r}", hint=f"choose one of {', '.join(FORMATS)}, parquet")


def _cell(value: object) -> str:
    shown = plain(value)
    if shown is None:
        return ""
    if isinstance(shown, list | dict):
        return json.dumps(shown, ensure_ascii=False)
    return str(shown)


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Quote everything, and keep a spreadsheet from taking a text for a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_inert(value) for value in row])
    return buffer.getvalue().rstrip("\r\n")


def _inert(value: object) -> str:
    text = _cell(value)
    is_text = isinstance(value, str) or not isinstance(value, int | float)
    begins = text.lstrip(" \"'\ufeff")
    return f"'{text}" if is_text and begins.startswith(_FORMULA) else text


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    cells = [[_cut(harmless(_cell(value))) for value in row] for row in rows]
    lines = [[harmless(name) for name in names], *cells]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)] if names else []
    drawn = [
        "  ".join(_padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    ]
    drawn.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(drawn)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _width(text: str) -> int:
    """Return the columns that a terminal uses for ``text``."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
