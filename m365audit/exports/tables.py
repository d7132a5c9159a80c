"""Reads tables (CSV): the record is JSON in the column ``AuditData``, or the row itself as an object.

Rows are told apart here and not by the csv module: it would merge rows at a broken quote without a word. Must
never drop a row: one that cannot be read is set aside with its line number.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from m365audit.exports import limits
from m365audit.exports.limits import MAX_CSV_ROW_LINES
from m365audit.exports.line_breaks import LineReader
from m365audit.exports.pieces import Piece, Place, Reading, Record, one_line, set_aside
from m365audit.exports.plaintext import PlainText
from m365audit.exports.records import parse_audit_data
from m365audit.exports.strict import UnreadableError, parse

AUDIT_DATA = "auditdata"
_DELIMITERS = ",;\t"
_BLANK = b" \t\r\n"
_NO_HEADER = (b"#TYPE", b"sep=", b"SEP=")
"""How a line above the header begins: PowerShell's type, Excel's separator."""


class Header(NamedTuple):
    """The header row of a table: its delimiter, and its column names, as written and in lower case."""

    delimiter: str
    names: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the column names in lower case."""
        return tuple(name.lower() for name in self.names)


class _Line(NamedTuple):
    raw: bytes
    number: int
    offset: int
    size: int

    @property
    def is_too_long(self) -> bool:
        """Only its beginning is at hand."""
        return self.size > len(self.raw)


@dataclass(slots=True)
class _Lines:
    """Physical lines of a file, which can be put back."""

    reader: LineReader
    offset: int
    number: int = 0
    waiting: deque[_Line] = field(default_factory=deque)

    def next(self) -> _Line | None:
        if self.waiting:
            return self.waiting.popleft()
        raw, size = self.reader.next()
        if not raw:
            return None
        self.number += 1
        line = _Line(raw, self.number, self.offset, size)
        self.offset += size
        return line

    def put_back(self, lines: list[_Line]) -> None:
        self.waiting.extendleft(reversed(lines))


def header_of(head: bytes) -> Header | None:
    """Return the header of the table that ``head`` begins with, None when it begins with no table."""
    row = next((line for line in head.splitlines() if line.strip() and not line.startswith(_NO_HEADER)), b"")
    for delimiter in _DELIMITERS:
        try:
            columns = _fields(row, delimiter)
        except UnreadableError:
            continue
        if len(columns) > 1:
            return Header(delimiter, tuple(column.strip() for column in columns))
    return None


def read_table(text: PlainText, reading: Reading) -> Iterator[Piece]:
    """Yield the records of the table ``text``: what its column ``AuditData`` holds, else its rows as objects."""
    header = header_of(text.head)
    if header is None:
        return
    with text.path.open("rb") as file:
        file.seek(text.start)
        lines = _Lines(LineReader(file, text.head), text.start)
        _skip_header(lines)
        ordinal = 0
        while row := _next_row(lines):
            if not b"".join(line.raw for line in row).strip(_BLANK):
                continue
            ordinal += 1
            piece = _read_row(row, lines, header, ordinal)
            reading.has_broken_end |= not isinstance(piece, Record) and not row[-1].raw.endswith(b"\n")
            yield piece


def _skip_header(lines: _Lines) -> None:
    while (line := lines.next()) and (not line.raw.strip() or line.raw.startswith(_NO_HEADER)):
        pass


def _next_row(lines: _Lines) -> list[_Line]:
    """Return the physical lines of one row: a row ends at the first line break outside quotes."""
    row: list[_Line] = []
    quotes = size = 0
    while len(row) < MAX_CSV_ROW_LINES and size <= limits.MAX_RECORD_BYTES and (line := lines.next()):
        row.append(line)
        quotes += line.raw.count(b'"')
        size += len(line.raw)
        if line.is_too_long or (quotes % 2 == 0 and line.raw.endswith(b"\n")):
            break
    return row


def _read_row(row: list[_Line], lines: _Lines, header: Header, ordinal: int) -> Piece:
    place = Place(ordinal, row[0].number, row[0].offset)
    raw = b"".join(line.raw for line in row)
    try:
        _refuse_too_long(row)
        fields = _fields(raw, header.delimiter, count=len(header.columns))
    except UnreadableError as error:
        # A stray quote runs rows together: only its own line is set aside, the others are read again.
        lines.put_back(row[1:])
        return set_aside(row[0].raw, place, str(error))
    if AUDIT_DATA in header.columns:
        return _read_audit_data(fields[header.columns.index(AUDIT_DATA)], raw, place)
    return _read_object(fields, header, raw, place)


def _refuse_too_long(row: list[_Line]) -> None:
    if row[-1].is_too_long:
        raise UnreadableError(f"the row is longer than {limits.MAX_RECORD_BYTES:,} bytes, too long to read")


def _read_object(fields: list[str], header: Header, raw: bytes, place: Place) -> Piece:
    """Return the row as an object; an empty cell of a name that stands twice gives way to the other."""
    row: dict[str, str] = {}
    for name, cell in zip(header.names, fields, strict=True):
        if cell and row.get(name) and row[name] != cell:
            return set_aside(raw, place, f"the column {name[:60]!r} stands twice and says two things")
        row[name] = row.get(name) or cell
    body = json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        return Record(body, parse(body), place)
    except UnreadableError as error:
        return set_aside(raw, place, str(error))


def _read_audit_data(data: str, raw: bytes, place: Place) -> Piece:
    body = data.strip().encode("utf-8")
    if not body:
        return set_aside(raw, place, "AuditData is empty")
    try:
        return Record(one_line(body), parse_audit_data(body), place)
    except UnreadableError as error:
        return set_aside(raw, place, str(error))


def _fields(raw: bytes, delimiter: str, *, count: int | None = None) -> list[str]:
    """Return the fields of one row.

    Raises:
        UnreadableError: not UTF-8, its quotes do not match, or it has not ``count`` fields.
    """
    csv.field_size_limit(limits.MAX_RECORD_BYTES)
    try:
        text = raw.decode("utf-8").rstrip("\r\n")
        rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    except UnicodeDecodeError as error:
        raise UnreadableError(f"invalid UTF-8 at byte {error.start} of the row") from None
    except csv.Error as error:
        raise UnreadableError(f"not a row of CSV: {error}") from None
    fields = rows[0] if rows else []
    if count is not None and len(fields) != count:
        raise UnreadableError(f"the row has {len(fields)} columns, the header {count}")
    return fields
