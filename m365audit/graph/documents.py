"""Owns what a body says as a whole: one JSON document of ordinary depth, and the records that it lists, byte for byte.

A body is looked at once: finding that a page is whole and taking it apart are the same pass, because a day of sign-ins
is gigabytes. Must never change what a record says, or take what is no page for an empty one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import msgspec

from m365audit.graph import tolerant
from m365audit.graph.body import IncompleteError, TooLargeError
from m365audit.graph.failures import CollectionError

MAX_DEPTH: Final = 256
"""Deepest nesting of a document; of records, imports take no more either."""

MOST_RECORDS: Final = 50_000
"""Records on one page; Microsoft's largest pages have 1,000, its largest content blobs some thousands."""

_LARGE: Final = 8 << 20
_MOST_COMMAS: Final = 4_000_000
"""More values than a page could hold in memory at once; counted only where a body is large."""
OPENINGS: Final = (b"{", b"[")
"""What a document begins with, blanks aside."""
_IN_PAGE: Final = 2
_IN_ARRAY: Final = 1
"""How deep records lie."""
_CONTENT: Final = "Microsoft's answer is not a page of records"
_ESCAPE: Final = re.compile(rb"\\.", re.DOTALL)
_STRING: Final = re.compile(rb'"[^"]*"')
_ALL_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_NOT_STRUCTURE: Final = bytes(set(range(256)) - set(b'[]{}"'))

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed:
    """The parts of a document that lists records: a page (an object with ``value``) or an array.

    Attributes:
        records: each as it was sent, but on one line.
        link: to the next page; None when there is none.
        is_array: it is an array, which has no links.
    """

    records: list[bytes]
    link: str | None
    is_array: bool


class Answered(Protocol):
    """An answer, as far as its document is concerned."""

    @property
    def body(self) -> bytes:
        """Return the document."""
        ...

    @property
    def listed(self) -> Listed | None:
        """Return what :func:`require_document` said of it."""
        ...


class _Page(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


_read_page: Final = msgspec.json.Decoder(_Page).decode
_read_array: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


def require_document(body: bytes) -> Listed | None:
    """Make sure that a body is one whole JSON object or array of ordinary depth.

    Returns:
        Its parts, if it lists records.

    Raises:
        IncompleteError: empty, HTML, cut, or with something behind its end.
        TooLargeError: nested deeper than :data:`MAX_DEPTH`.
    """
    if body[:1] not in OPENINGS and body.lstrip()[:1] not in OPENINGS:
        raise IncompleteError("an answer is empty" if not body else "an answer is not JSON")
    if (listed := _listed(body)) is not None:
        return listed
    _require_depth(body)
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        if not tolerant.is_document(body):
            raise IncompleteError("an answer is not one whole JSON document") from None
    return None


def page_of(answer: Answered) -> tuple[list[bytes], str | None]:
    """Return the records of a page, each on one line, and the link to the next page.

    Raises:
        CollectionError: it is no page, or too large a one.
    """
    listed = answer.listed
    if listed is None or listed.is_array:
        return page_in(answer.body)
    return listed.records, _some_link(listed.link)


def page_in(body: bytes) -> tuple[list[bytes], str | None]:
    """Return the records and the link of a page that came inside of another document.

    Raises:
        CollectionError: it is no page, or too large a one.
    """
    _require_room(body)
    try:
        page = _read_page(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        records, link = _tolerantly(tolerant.page, body)
        if link is not None and not isinstance(link, str):
            raise CollectionError("error", _CONTENT) from None
        return records, _some_link(link)
    return _lines(page.value, body), _some_link(page.next_link)


def array_of(answer: Answered) -> list[bytes]:
    """Return the records of a body that is one array, each on one line.

    Raises:
        CollectionError: it is none, or too large a one.
    """
    listed = answer.listed
    if listed is not None and listed.is_array:
        return listed.records
    _require_room(answer.body)
    try:
        return _lines(_read_array(answer.body), answer.body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _tolerantly(tolerant.array, answer.body)


def _listed(body: bytes) -> Listed | None:
    """Return the parts of a whole document that lists records; None where the careful way must say what it is.

    Raises:
        TooLargeError: it is nested too deeply.
    """
    is_array = body.lstrip()[:1] == b"["
    try:
        _require_room(body)
        if is_array:
            records, link = _read_array(body), None
        else:
            page = _read_page(body)
            records, link = page.value, page.next_link
        listed = Listed(_lines(records, body), link, is_array)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, CollectionError):
        return None
    _require_depth(_around(body, records))
    room = MAX_DEPTH - (_IN_ARRAY if is_array else _IN_PAGE)
    for record in listed.records:
        # So few openings cannot nest more deeply, and to count them costs a quarter of following them.
        if record.count(b"{") + record.count(b"[") > room:
            _require_depth(record, room)
    return listed


def _around(body: bytes, records: list[msgspec.Raw]) -> bytes:
    """Return what stands before the first record and behind the last."""
    if not records:
        return body
    first, last = bytes(records[0]), bytes(records[-1])
    return body[: body.find(first)] + body[body.rfind(last) + len(last) :]


def _some_link(link: str | None) -> str | None:
    if link == "":
        raise CollectionError("error", "Microsoft's answer has an empty link to the next page")
    return link


def _tolerantly(read: Callable[[bytes], T], body: bytes) -> T:
    """Read what the quick way refused, if there is hope."""
    try:
        return read(body)
    except (ValueError, RecursionError):
        raise CollectionError("error", _CONTENT) from None


def _require_room(body: bytes) -> None:
    if len(body) > _LARGE and body.count(b",") > _MOST_COMMAS:
        raise CollectionError("error", "Microsoft's answer holds more values than any page of records has")


def _lines(raws: list[msgspec.Raw], body: bytes) -> list[bytes]:
    """Return each value as it was sent; where line feeds stand between its parts they are left out."""
    if len(raws) > MOST_RECORDS:
        raise CollectionError("error", f"Microsoft's answer holds {len(raws)} records, more than any page has")
    if b"\n" not in body and b"\r" not in body:
        return [bytes(raw) for raw in raws]
    return [_on_one_line(bytes(raw)) for raw in raws]


def _on_one_line(record: bytes) -> bytes:
    """Leave out the blanks between the parts of a record; numbers and texts stay as they were spelled."""
    if b"\n" not in record and b"\r" not in record:
        return record
    return msgspec.json.format(record, indent=-1)


def _require_depth(text: bytes, room: int = MAX_DEPTH) -> None:
    """Refuse deep nesting without nesting anything: what remains of the text are brackets, peeled from the inside.

    Raises:
        TooLargeError: nested deeper than ``room``.
    """
    text = _ESCAPE.sub(b"", text) if b"\\" in text else text
    text = _STRING.sub(b"", text.translate(_ALL_SQUARE, _NOT_STRUCTURE).replace(b'""', b""))
    too_deep = b"[" * (room + 1)
    for _ in range(room + 1):
        peeled = text.replace(b"[]", b"")
        if len(peeled) == len(text):
            return  # nothing is left, or brackets that do not match: the parser says so
        if too_deep in peeled:
            break
        text = peeled
    raise TooLargeError(f"an answer is nested more than {MAX_DEPTH} levels deep")
