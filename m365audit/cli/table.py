"""Draws rows for a person's eyes: as wide as the terminal; record by record where the columns do not fit."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from m365audit.cli.harmless import harmless

_WIDEST: Final = 120
"""Columns of one cell where the reader is no terminal."""
_NARROWEST: Final = 14
"""Columns below which a cell says too little: records are shown one below the other instead."""
_LONGEST: Final = 600
"""Characters of one value in a record."""
_GAP: Final = 2


def terminal_width() -> int | None:
    """Return the terminal's columns, None when stdout is a file or a pipe."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return max(20, shutil.get_terminal_size().columns) if is_terminal else None


def draw(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the rows as a table, or as records where the terminal is too narrow for all of their columns."""
    head = [harmless(name) for name in names]
    cells = [[harmless(value[:_LONGEST]) for value in row] for row in rows]
    natural = [max(map(text_width, column)) for column in zip(head, *cells, strict=True)]
    widest = _fitting(natural, terminal_width())
    if widest is None:
        return "\n".join(_records(head, cells))
    return "\n".join(_lines(head, cells, [min(width, widest) for width in natural]))


def text_width(text: str) -> int:
    """Return the columns that a terminal uses for ``text``."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def cut(text: str, width: int) -> str:
    """Return the text, ended with a mark where it is wider than ``width`` columns."""
    if text_width(text) <= width:
        return text
    kept, used = [], 1
    for char in text:
        used += text_width(char)
        if used > width:
            break
        kept.append(char)
    return "".join(kept) + "…"


def _fitting(natural: Sequence[int], available: int | None) -> int | None:
    """Return how wide the widest cell may be so that a row fits, None when not even narrow ones would."""
    if available is None:
        return _WIDEST
    room = available - _GAP * (len(natural) - 1)
    widths = range(max(natural, default=1), 0, -1)
    widest = next((width for width in widths if sum(min(each, width) for each in natural) <= room), 0)
    return widest if widest >= min(_NARROWEST, max(natural, default=0)) else None


def _lines(head: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    yield _line(head, widths)
    yield (" " * _GAP).join("─" * width for width in widths)
    for row in cells:
        yield _line(row, widths)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = (cut(cell, width) for cell, width in zip(cells, widths, strict=True))
    padded = (text + " " * (width - text_width(text)) for text, width in zip(shown, widths, strict=True))
    return (" " * _GAP).join(padded).rstrip()


def _records(head: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield every row as a block of ``name value`` lines; values that are not known are left out."""
    margin = max(map(text_width, head))
    for number, row in enumerate(cells, start=1):
        yield f"── {number} of {len(cells)} " + "─" * margin
        yield from (
            f"{name}{' ' * (margin - text_width(name))}  {value}"
            for name, value in zip(head, row, strict=True)
            if value
        )
