"""Reads the answer of a query API that is longer than a record may be: row by row, through a window.

Short answers are opened by ``answers``; both hand over the same objects. Must never hold more than a window of the
file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from m365audit.exports import limits
from m365audit.exports.answers import column_names, object_of
from m365audit.exports.pieces import Piece, Place, Reading, set_aside
from m365audit.exports.plaintext import PlainText
from m365audit.exports.records import take
from m365audit.exports.salvage import cut_document
from m365audit.exports.window import Window

_START = re.compile(
    rb'\s*\{\s*"[Tt]ables"\s*:\s*\[\s*\{(?:\s*"[^"\\]*"\s*:\s*"[^"\\]*"\s*,)*'
    rb'\s*"[Cc]olumns"\s*:\s*(\[[^\]]*\])\s*,\s*"[Rr]ows"\s*:\s*(?=\[)'
)
_END = re.compile(rb"\}\s*\]\s*(?:\}\s*\Z|,)")


def is_long_answer(text: PlainText) -> bool:
    """Say whether the file is one answer that is too long to be taken as one record."""
    return text.path.stat().st_size > limits.MAX_RECORD_BYTES and _names(text.head) is not None


def read_long_answer(text: PlainText, reading: Reading) -> Iterator[Piece]:
    """Yield the rows of the answer in ``text`` as objects; what stands behind its first table is set aside."""
    start, names = _names(text.head) or (0, [])
    line = text.head.count(b"\n", 0, start)
    reading.has_broken_end = True  # until its end is seen
    with text.path.open("rb") as file:
        file.seek(text.start + start)
        window = Window(file, text.start + start)
        for ordinal, element in enumerate(cut_document(window, reading), start=1):
            place = Place(ordinal, element.line + line, element.offset)
            if element.raw.startswith(b"}"):
                reading.has_broken_end = b'"error"' in element.raw
                if _END.match(element.raw) is None:
                    yield set_aside(element.raw, place, "a second table of the answer: export it to a file of its own")
                return
            row = object_of(element.raw, names)
            fault = element.fault or row.fault
            yield set_aside(element.raw, place, fault) if fault else take(row.record, place)


def _names(head: bytes) -> tuple[int, list[str]] | None:
    """Return where the rows begin and what the columns are called, None when the text does not begin so."""
    found = _START.match(head)
    names = column_names(msgspec.Raw(found[1])) if found else None
    return (found.end(), names) if found and names else None
