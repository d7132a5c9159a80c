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


class Table:
    """Rows as a table, or as records one below the other where the terminal is too narrow for all of their columns.

    Args:
        names: of the columns.
        first: the rows that the columns are measured on.
        total: how many rows there are; None when nobody knows yet.
    """

    def __init__(self, names: Sequence[str], first: Sequence[Sequence[str]], total: int | None) -> None:
        self._head = [harmless(name) for name in names]
        measured = map(_harmless_row, first)
        natural = [0] * len(self._head)
        for row in (self._head, *measured):
            natural = [max(width, text_width(cell)) for width, cell in zip(natural, row, strict=True)]
        widest = _fitting(natural, terminal_width())
        self._widths = None if widest is None else [min(width, widest) for width in natural]
        # In a pipe nothing wraps: what is wider than the measured rows is shown whole, only out of line.
        self._widest = _WIDEST if terminal_width() is None else 0
        self._total = "" if total is None else f" of {total}"
        self._shown = 0

    def head(self) -> Iterator[str]:
        """Yield the lines above the rows."""
        if self._widths is not None:
            yield _line(self._head, self._widths)
            yield (" " * _GAP).join("─" * width for width in self._widths)

    def lines(self, rows: Iterable[Sequence[str]]) -> Iterator[str]:
        """Yield the lines of some rows."""
        for row in map(_harmless_row, rows):
            self._shown += 1
            if self._widths is None:
                yield from self._record(row)
            else:
                yield _line(row, self._widths, self._widest)

    def _record(self, row: Sequence[str]) -> Iterator[str]:
        """Yield a row as a block of ``name value`` lines; values that are not known are left out."""
        margin = max(map(text_width, self._head))
        yield f"── {self._shown}{self._total} " + "─" * margin
        yield from (
            f"{name}{' ' * (margin - text_width(name))}  {value}"
            for name, value in zip(self._head, row, strict=True)
            if value
        )


def _harmless_row(row: Sequence[str]) -> list[str]:
    return [harmless(value[:_LONGEST]) for value in row]


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


def _line(cells: Sequence[str], widths: Sequence[int], widest: int = 0) -> str:
    shown = (cut(cell, max(width, widest)) for cell, width in zip(cells, widths, strict=True))
    padded = (text + " " * (width - text_width(text)) for text, width in zip(shown, widths, strict=True))
    return (" " * _GAP).join(padded).rstrip()
