"""Reads newline-delimited JSON line by line, setting aside what is damaged: the careful way.

Must never hold more than one line in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from m365audit.exports.documents import split
from m365audit.exports.limits import EXCERPT_BYTES, MAX_RECORD_BYTES, MIB
from m365audit.exports.pieces import Piece, Place, Reading, Record, set_aside
from m365audit.exports.plaintext import PlainText
from m365audit.exports.records import take
from m365audit.exports.salvage import starts_like_page
from m365audit.exports.strict import NOT_JSON

_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


def read_lines(text: PlainText, reading: Reading) -> Iterator[Piece]:
    """Yield the records of ``text``; a line that is an array or a page gives all records in it."""
    with text.path.open("rb") as file:
        file.seek(text.start)
        ordinal, number, offset = 0, 0, text.start
        while line := file.readline(MAX_RECORD_BYTES + 3):
            number += 1
            start, is_whole = offset, line.endswith(b"\n")
            offset += len(line)
            if not is_whole and len(line) > MAX_RECORD_BYTES:
                size = len(line) + _skip_line(file)
                offset = start + size
                ordinal += 1
                place = Place(ordinal, number, start)
                yield set_aside(line[:EXCERPT_BYTES], place, f"the line is {size:,} bytes long, too long to read")
                continue
            for piece in _read_line(line, Place(ordinal + 1, number, start), reading):
                ordinal += 1
                if not isinstance(piece, Record) and not is_whole:
                    reading.has_broken_end |= piece.reason.startswith(NOT_JSON)
                yield piece


def _skip_line(file: IO[bytes]) -> int:
    size = 0
    while part := file.readline(MIB):
        size += len(part)
        if part.endswith(b"\n"):
            break
    return size


def _read_line(line: bytes, place: Place, reading: Reading) -> Iterator[Piece]:
    body = line.strip(_BLANK)
    while body.startswith(_BOM):
        body = body[len(_BOM) :].lstrip(_BLANK)
    if not body:
        return
    offset = (place.offset or 0) + line.index(body)
    if not _holds_several(body):
        yield take(body, Place(place.record, place.line, offset))
        return
    for index, element in enumerate(split(body, reading)):
        here = Place(place.record + index, place.line, offset + element.offset)
        yield set_aside(element.raw, here, element.fault) if element.fault else take(element.raw, here)


def _holds_several(body: bytes) -> bool:
    return body.startswith(b"[") or (body.startswith(b"{") and starts_like_page(body))
