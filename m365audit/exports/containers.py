"""Recognises how a file holds its records (lines, documents, a table) and whether its lines may pass as they are.

Must never change anything, and never look at more than the head except by compiled code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

import msgspec

from m365audit.errors import EvidenceError
from m365audit.exports.foreign import Foreign, foreign_bytes, foreign_table, foreign_text
from m365audit.exports.limits import HEAD_BYTES, HEAD_LINES, MAX_RECORD_BYTES, MIB
from m365audit.exports.long_answers import is_long_answer
from m365audit.exports.pieces import JsonObject
from m365audit.exports.plaintext import PlainText
from m365audit.exports.retelling import reads_table
from m365audit.exports.salvage import starts_like_page
from m365audit.exports.strict import UnreadableError, parse
from m365audit.exports.tables import AUDIT_DATA, header_of

_BLANK = b" \t\r\n"
_BLOCK_BYTES = 4 * MIB


class _Object(msgspec.Struct):
    """Any JSON object; nothing of it is kept."""


_OBJECTS = msgspec.json.Decoder(_Object)
"""Stricter than DuckDB's reader, which lets NaN, trailing commas and bare values pass; as fast as it can be read."""


class Container(Enum):
    """How a file holds its records."""

    LINES = "one JSON object per line"
    DOCUMENTS = "JSON documents"
    TABLE = "a table (CSV)"
    LONG_ANSWER = "the answer of a query API"


def recognise_container(text: PlainText) -> Container:
    """Return how ``text`` holds its records.

    Raises:
        EvidenceError: it is no log at all; says what it is.
    """
    _refuse(foreign_bytes(text.head), text)
    if is_long_answer(text):
        return Container.LONG_ANSWER
    if _is_lines(text):
        return Container.LINES
    if text.head.lstrip(_BLANK)[:1] in (b"{", b"["):
        return Container.DOCUMENTS
    header = header_of(text.head)
    if header is None or len(header.columns) < 2:  # noqa: PLR2004 - one column is just a line of text
        _refuse(foreign_text(text.head), text)
    elif AUDIT_DATA not in header.columns and not reads_table(header.columns):
        _refuse(foreign_table(frozenset(header.columns)) or foreign_text(text.head), text)
    elif header.columns.count(AUDIT_DATA) > 1:
        raise EvidenceError("the table has two columns AuditData", file=str(text.source), hint="export it again")
    return Container.TABLE


def head_objects(text: PlainText) -> Iterator[JsonObject | None]:
    """Yield the first whole lines of ``text`` as objects, None for a line that is no object."""
    for line in _head_lines(text):
        try:
            yield parse(line.strip(_BLANK))
        except UnreadableError:
            yield None


def count_clean_lines(path: Path, tell: Callable[[str, int, int], None]) -> int | None:
    """Return how many lines hold something; None when a line needs a closer look than the store's reader takes."""
    records, total = 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            rest = file.readline(MAX_RECORD_BYTES + 1)
            if len(rest) + len(block) - block.rfind(b"\n") - 1 > MAX_RECORD_BYTES:
                return None
            lines = _count_objects(block + rest)
            if lines is None:
                return None
            records += lines
            tell("checking", file.tell(), total)
    return records


def _count_objects(block: bytes) -> int | None:
    """Return how many lines hold an object; None when one holds anything else, or an object spans or shares a line."""
    try:
        found = len(_OBJECTS.decode_lines(block))
    except (msgspec.MsgspecError, RecursionError):
        return None
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    if found != lines:
        lines = sum(1 for line in block.split(b"\n") if line.strip(_BLANK))
    return found if found == lines else None


def _refuse(foreign: Foreign | None, text: PlainText) -> None:
    if foreign:
        raise EvidenceError(f"this is {foreign.what}", file=str(text.source), hint=foreign.hint)


def _is_lines(text: PlainText) -> bool:
    """Say whether at least half of the first lines are whole objects, pages or arrays by themselves."""
    lines = [line.strip(_BLANK) for line in _head_lines(text)]
    if not lines:
        return not starts_like_page(text.head) and text.head.lstrip(_BLANK).startswith(b"{")
    is_cut_short = len(lines) == 1 and len(text.head) >= HEAD_BYTES
    if is_cut_short and (lines[0].startswith(b"[") or starts_like_page(lines[0])):
        return False
    return 2 * sum(_is_whole(line) for line in lines) >= len(lines)


def _is_whole(line: bytes) -> bool:
    body = b'{"":' + line + b"}" if line.startswith(b"[") else line
    try:
        parse(body)
    except UnreadableError:
        return False
    return True


def _head_lines(text: PlainText) -> list[bytes]:
    """Return the first lines that hold something; a line that the head cuts is read to its end, within bounds."""
    with text.path.open("rb") as file:
        file.seek(text.start)
        size = 0
        lines: list[bytes] = []
        while size < HEAD_BYTES and len(lines) < HEAD_LINES:
            line = file.readline(MAX_RECORD_BYTES + 3)
            if not line or len(line) > MAX_RECORD_BYTES + 2:
                break
            if line.strip(_BLANK):
                size += len(line)
                lines.append(line)
    return lines
