"""Reads whole JSON documents: arrays, Graph pages, single objects, and several of them one after the other.

A healthy document is split by compiled code; a broken one record by record in ``salvage``. Must never lose a byte
that is not a bracket, comma or page member: what is no record is set aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from m365audit.errors import EvidenceError
from m365audit.exports.limits import MAX_DOCUMENT_BYTES
from m365audit.exports.pieces import Piece, Place, Reading, set_aside
from m365audit.exports.plaintext import PlainText
from m365audit.exports.records import take
from m365audit.exports.salvage import PAGE_LISTS, Cut, cut_document, is_page, note_page

_BLANK = b" \t\r\n"
_MEMBER = re.compile(rb'\s*,?\s*"([^"\\]*)"\s*:\s*')
_END_OF_OBJECT = re.compile(rb"\s*\}\s*\Z")
_read_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Element(NamedTuple):
    """One element of a document: its bytes, where they begin, and why it cannot be a record, if known."""

    raw: bytes
    offset: int
    fault: str = ""


def read_documents(text: PlainText, reading: Reading) -> Iterator[Piece]:
    """Yield the records of the document in ``text``.

    Raises:
        EvidenceError: too large to be split in memory, or one object with foreign text behind it.
    """
    if text.path.stat().st_size > MAX_DOCUMENT_BYTES:
        raise EvidenceError(
            f"one JSON document of more than {MAX_DOCUMENT_BYTES // 2**20:,} MiB",
            file=str(text.source),
            hint="export one object per line, or a shorter time",
        )
    body = text.path.read_bytes()[text.start :]
    line, seen = 1, 0
    for ordinal, element in enumerate(split(body, reading, file=str(text.source)), start=1):
        line += body.count(b"\n", seen, element.offset)
        seen = element.offset
        place = Place(ordinal, line, text.start + element.offset)
        yield set_aside(element.raw, place, element.fault) if element.fault else take(element.raw, place)


def split(body: bytes, reading: Reading, *, file: str | None = None) -> Iterator[Element]:
    """Yield the elements of ``body``, healthy or not.

    Raises:
        EvidenceError: ``file`` was given and the body is one object with foreign text behind it.
    """
    elements = _split_healthy(body, reading)
    if elements is None:
        return _split_broken(body, reading, file=file)
    return iter(elements)


def _split_healthy(body: bytes, reading: Reading) -> list[Element] | None:
    """Return the elements of one valid document, None when it is not one valid document."""
    first = body.lstrip(_BLANK)[:1]
    try:
        if first == b"[":
            return _place(_read_array(body), body, 0)
        members = _read_object(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    lists = [name for name in PAGE_LISTS & members.keys() if bytes(members[name])[:1] == b"["]
    if len(lists) == 1 and is_page(iter(members)):
        return _split_page(body, members, lists[0], reading)
    return [Element(body.strip(_BLANK), len(body) - len(body.lstrip(_BLANK)))]


def _split_page(body: bytes, members: dict[str, msgspec.Raw], name: str, reading: Reading) -> list[Element] | None:
    """Return the records of a page, None when it needs a closer look.

    A member that occurs twice is such a case: parsing alone would hide the first.
    """
    starts = _member_starts(body, members)
    if starts is None:
        return None
    try:
        said = {key: msgspec.json.decode(raw) for key, raw in members.items() if key != name}
        items = _read_array(members[name])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    note_page(said, reading)
    return _place(items, body, starts[name])


def _member_starts(body: bytes, members: dict[str, msgspec.Raw]) -> dict[str, int] | None:
    starts: dict[str, int] = {}
    position = body.index(b"{") + 1
    for name, raw in members.items():
        match = _MEMBER.match(body, position)
        if match is None or match[1].decode("utf-8", "replace") != name or not body.startswith(raw, match.end()):
            return None
        starts[name] = match.end()
        position = match.end() + len(memoryview(raw))
    return starts if _END_OF_OBJECT.match(body, position) else None


def _place(items: list[msgspec.Raw], body: bytes, position: int) -> list[Element]:
    """Give every item its offset: it is the first occurrence behind the one before."""
    elements = []
    for item in items:
        raw = bytes(item)
        position = body.index(raw, position)
        elements.append(Element(raw, position))
        position += len(raw)
    return elements


def _split_broken(body: bytes, reading: Reading, *, file: str | None = None) -> Iterator[Element]:
    before: list[Cut] = []
    for cut in cut_document(body.decode("latin-1"), reading):
        is_first_text = cut.fault and not cut.is_lone and len(before) == 1 and before[0].is_lone
        if file and is_first_text and body[cut.start : cut.start + 1] not in (b"{", b"["):
            raise EvidenceError(
                "this is one JSON object with other text behind it, copied from a screen rather than exported",
                file=file,
                hint="export with ConvertTo-Json -Depth 20, or import the object alone",
            )
        before = [*before[:1], cut]
        if cut.start < cut.end:
            yield Element(body[cut.start : cut.end], cut.start, cut.fault)
