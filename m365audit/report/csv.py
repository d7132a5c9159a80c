"""Owns the CSV form: one table per section, every field quoted, no cell that a spreadsheet takes for a formula.

Invisible characters are written out, so that a record is one line and a terminal shows what is there. The exact values
are in the JSON form, of those rows that it holds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from m365audit.report.display import inert, moment
from m365audit.report.rows import Reader
from m365audit.report.tables import table

_PIECE = 1 << 20
"""Characters that are gathered before they are handed on."""


def csv_pieces(reader: Reader, section: str | None = None, language: str = "en") -> Iterator[bytes]:
    """Yield one section as CSV, UTF-8, one header row; ``cells`` when none is named.

    Raises:
        QueryError: there is no such section.
    """
    chosen = table(reader, section or "cells", language)
    return _written(chosen.columns, chosen.rows)


def _written(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_field(value) for value in row])
        if out.tell() > _PIECE:
            yield out.getvalue().encode("utf-8")
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode("utf-8")


def _field(value: object) -> str:
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, tuple):
        return inert("; ".join(str(item) for item in value))
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
