"""Reads whole JSON documents: arrays, Graph pages, single objects, and several of them one after the other.

A short healthy document is split at once by compiled code; a long or a broken one stretch by stretch in ``salvage``.
Must never lose a byte that is not a bracket, comma or page member: what is no record is set aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from m365audit.errors import EvidenceError
from m365audit.exports import limits
from m365audit.exports.pieces import Piece, Place, Reading, set_aside
from m365audit.exports.plaintext import PlainText
from m365audit.exports.records import take
from m365audit.exports.salvage import PAGE_LISTS, Element, cut_document, is_page, note_page, place
from m365audit.exports.window import Window

_BLANK = b" \t\r\n"
_MEMBER = re.compile(rb'\s*,?\s*"([^"\\]*)"\s*:\s*')
_END_OF_OBJECT = re.compile(rb"\s*\}\s*\Z")
_read_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_documents(text: PlainText, reading: Reading) -> Iterator[Piece]:
    """Yield the records of the document in ``text``.

    Raises:
        EvidenceError: one object with foreign text behind it.
    """
    with text.path.open("rb") as file:
        file.seek(text.start)
        window = Window(file, text.start)
        for ordinal, element in enumerate(_split(window, reading, file=str(text.source)), start=1):
            where = Place(ordinal, element.line, element.offset)
            yield set_aside(element.raw, where, element.fault) if element.fault else take(element.raw, where)


def split(body: bytes, reading: Reading) -> Iterator[Element]:
    """Yield the elements of ``body``, healthy or not."""
    return _split(Window.of(body), reading)


def _split(window: Window, reading: Reading, *, file: str | None = None) -> Iterator[Element]:
    if window.is_end and len(window.data) <= limits.BATCH_BYTES:
        elements = _split_healthy(window, reading)
        if elements is not None:
            return elements
    return _refuse_screen_copy(cut_document(window, reading), file)


def _split_healthy(window: Window, reading: Reading) -> Iterator[Element] | None:
    """Return the elements of one valid document, None when it is not one valid document."""
    body = window.data
    first = body.lstrip(_BLANK)[:1]
    try:
        if first == b"[":
            return place(_read_array(body), window, window.base)
        members = _read_object(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    lists = [name for name in PAGE_LISTS & members.keys() if bytes(members[name])[:1] == b"["]
    if len(lists) == 1 and is_page(members):
        return _split_page(window, members, lists[0], reading)
    offset = window.base + len(body) - len(body.lstrip(_BLANK))
    return iter([Element(body.strip(_BLANK), offset, window.line_at(offset))])


def _split_page(
    window: Window, members: dict[str, msgspec.Raw], name: str, reading: Reading
) -> Iterator[Element] | None:
    """Return the records of a page, None when it needs a closer look.

    A member that occurs twice is such a case: parsing alone would hide the first.
    """
    starts = _member_starts(window.data, members)
    if starts is None:
        return None
    items = _read_array(members[name])
    note_page(members, reading)
    return place(items, window, window.base + starts[name])


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


def _refuse_screen_copy(elements: Iterator[Element], file: str | None) -> Iterator[Element]:
    """Pass on the elements of a document that is broken, or longer than a batch.

    Raises:
        EvidenceError: ``file`` was given and the document is one object with foreign text behind it.
    """
    before: list[bool] = []
    for element in elements:
        is_text = element.fault and not element.is_lone and element.raw[:1] not in (b"{", b"[")
        if file and is_text and before == [True]:
            raise EvidenceError(
                "this is one JSON object with other text behind it, copied from a screen rather than exported",
                file=file,
                hint="export with ConvertTo-Json -Depth 20, or import the object alone",
            )
        before = [*before[:1], element.is_lone]
        if element.raw:
            yield element
