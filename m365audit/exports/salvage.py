"""Finds where the records of a document begin and end, whether the document as a whole is valid JSON or not.

JSON's structure is ASCII and no byte of a longer character looks like it, so the boundaries are exact in bytes. Must
never judge a record (whether one can be read is decided where it is parsed), and never hold more than a window of it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from typing import NamedTuple

import msgspec

from m365audit.exports import limits
from m365audit.exports.limits import EXCERPT_BYTES
from m365audit.exports.pieces import Reading
from m365audit.exports.window import Window

_SPACE = re.compile(rb"(?:[ \t\r\n]|\xef\xbb\xbf)*+")
_KEY = re.compile(rb'\s*"([^"\\]*+(?:\\.[^"\\]*+)*+)"\s*:\s*', re.DOTALL)
_FLAT = rb'(?:[^"\[\]{}]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_UP_TO_MARK = re.compile(_FLAT + rb"|[\[{]" + _FLAT + rb""")*+[\]}])*+("|[\[{]++|[\]}]++)?""", re.DOTALL)
"""Everything up to a bracket or a text without end; brackets with none in them are passed over with what they hold."""
_FIRST_KEY = re.compile(rb'\{[ \t\r\n]*"[^"\\]{0,200}"')
_SCALAR = re.compile(
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null|NaN|-?Infinity',
    re.DOTALL,
)
_is_value = msgspec.json.Decoder(msgspec.Raw).decode
_read_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

_PAGE_START = re.compile(
    rb'\s*\{\s*(?:"(?:@|odata\.)[^"\\]*"\s*:\s*(?:"[^"\\]*"|\d+|null|true|false)\s*,\s*)*'
    rb'"(?:value|records)"\s*:\s*\['
)

_NEXT_LINKS = ("@odata.nextLink", "odata.nextLink")
_BLANK = b" \t\r\n"
_MAX_GAP = 200
"""Blanks between two elements that the quick way looks across."""
_TRIES = 8
_STRIDE = 4096

PAGE_LISTS = frozenset(("value", "records"))
"""Members that hold the records of a page: Graph's ``value``, Event Hubs' ``records``."""


class Element(NamedTuple):
    """One element of a document.

    Attributes:
        raw: its bytes; only the first of them when ``fault`` says why it cannot be a record.
        offset: where it begins.
        line: the physical line where it begins.
        fault: why it cannot be a record, empty when nothing is known against it.
        is_lone: an object that stands for itself, in no array and on no page.
    """

    raw: bytes
    offset: int
    line: int
    fault: str = ""
    is_lone: bool = False


def is_page(names: Iterable[str]) -> bool:
    """Say whether an object with these member names is a page of records rather than a record."""
    others = [name for name in names if name not in PAGE_LISTS]
    return all(name.startswith(("@", "odata.")) for name in others)


def starts_like_page(head: bytes) -> bool:
    """Say whether the object that begins in ``head`` begins as a page of records does."""
    return _PAGE_START.match(head) is not None


def cut_document(window: Window, reading: Reading) -> Iterator[Element]:
    """Yield the elements in ``window``: arrays, pages and objects, one after the other, healthy or not."""
    position = _skip(window, window.base)
    while window.has(position):
        mark = window.at(position)
        if mark == b"[":
            position = yield from _cut_array(window, position, reading)
        elif mark == b"{":
            position = yield from _cut_object(window, position, reading)
        else:
            yield _head_at(window, position, "text that is not JSON")
            return
        position = _skip(window, position)


def _skip(window: Window, position: int) -> int:
    """Return where the next thing that is no blank stands."""
    while window.has(position):
        found = window.match(_SPACE, position)
        position = window.base + found.end() if found else position
        if position < window.end:
            break
    return position


def _cut_array(window: Window, position: int, reading: Reading) -> Generator[Element, None, int]:
    """Yield the elements of the array at ``position``; return where it ends."""
    position = quick_from = _skip(window, position + 1)
    while window.has(position):
        if window.at(position) == b"]":
            return position + 1
        if position >= quick_from:
            end = yield from _cut_many(window, position)
            quick_from = end if end > position else position + limits.BATCH_BYTES
        else:
            end = position
        if end == position:
            element, end = _cut_one(window, position, followers=b",]")
            if end < 0:
                element = element._replace(fault="the document is broken here; what follows could not be read")
            yield element
        position = _behind_comma(window, end) if end >= 0 else window.finish()
    reading.has_broken_end = True
    return position


def _behind_comma(window: Window, position: int) -> int:
    position = _skip(window, position)
    return _skip(window, position + 1) if window.at(position) == b"," else position


def _cut_many(window: Window, position: int) -> Generator[Element, None, int]:
    """Yield all elements in the next stretch by compiled code; return where they end, ``position`` when none do.

    A guess where an element begins (with the same key as the first) is proved by parsing: what parses from the
    beginning of an element to the end of another is exactly those elements.
    """
    head = window.match(_FIRST_KEY, position)
    before = position + limits.BATCH_BYTES
    for attempt in range(_TRIES if head else 0):
        end, guess = _guess_end(window, position, before, head[0] if head else b"")
        if guess < 0:
            break
        before = guess - (_STRIDE << attempt)  # a miss stands among objects inside a record: step out of it
        if end < 0:
            continue
        try:
            items = _read_array(b"[" + window.at(position, end - position) + b"]")
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
        yield from place(items, window, position)
        return end
    return position


def _guess_end(window: Window, position: int, before: int, head: bytes) -> tuple[int, int]:
    """Return where the element ends behind which another may begin, and that one's place; -1 where there is none."""
    start = position - window.base
    guess = window.data.rfind(head, start + 1, max(start, before - window.base))
    if guess < 0:
        return -1, -1
    stretch = max(start, guess - _MAX_GAP)
    gap = window.data[stretch:guess].rstrip(_BLANK)
    body = gap[:-1].rstrip(_BLANK)
    is_end = gap.endswith(b",") and body.endswith(b"}")
    return (window.base + stretch + len(body) if is_end else -1), window.base + guess


def place(items: list[msgspec.Raw], window: Window, position: int) -> Iterator[Element]:
    """Yield every item with its place: it is the first occurrence behind the one before."""
    for item in items:
        raw = bytes(item)
        position = window.base + window.data.index(raw, position - window.base)
        yield Element(raw, position, window.line_at(position))
        position += len(raw)


def _cut_one(window: Window, position: int, *, followers: bytes = b"") -> tuple[Element, int]:
    """Return the value at ``position`` and where it ends, -1 when that cannot be told."""
    head = _head_at(window, position, "the file ends in the middle of this record")
    end = _end_of_value(window, position, followers)
    if end is None:
        return head, -1
    if position < window.base:
        return head._replace(fault=f"the record is {end - position:,} bytes long, too long to read"), end
    return head._replace(raw=window.at(position, end - position), fault=""), end


def _head_at(window: Window, position: int, fault: str) -> Element:
    """Return the beginning of what cannot be a record."""
    return Element(window.at(position, EXCERPT_BYTES), position, window.line_at(position), fault)


def _cut_object(window: Window, position: int, reading: Reading) -> Generator[Element, None, int]:
    """Yield the object at ``position``, or the records in it when it is a page; return where it ends."""
    array = _page_list_at(window, position, reading)
    if array is None:
        element, end = _cut_one(window, position)
        yield element._replace(is_lone=True)
        reading.has_broken_end |= end < 0
        return end if end >= 0 else window.finish()
    position = yield from _cut_array(window, array, reading)
    return (yield from _cut_rest_of_page(window, position, reading))


def _page_list_at(window: Window, position: int, reading: Reading) -> int | None:
    """Return where the list of the page at ``position`` begins, None when it does not begin like a page."""
    members = _whole_object(window, position)
    if members is not None and not (is_page(members) and _lists(members) == 1):
        return None
    start = position
    position += 1
    while match := window.match(_KEY, position):
        name, value = match[1].decode("utf-8", "replace"), window.base + match.end()
        if name in PAGE_LISTS:
            if window.at(value) != b"[":
                return None
            said = window.at(start, value - start) + b"0}"
            note_page(members if members is not None else _members_of(said) or {}, reading)
            return value
        end = _end_of_value(window, value, is_near=True) if is_page((name,)) else None
        if end is None:
            return None
        after = window.match(_SPACE, end)
        position = window.base + after.end() if after else end
        position += window.at(position) == b","
    return None


def _lists(members: dict[str, msgspec.Raw]) -> int:
    return sum(bytes(members[name])[:1] == b"[" for name in PAGE_LISTS & members.keys())


def _whole_object(window: Window, position: int) -> dict[str, msgspec.Raw] | None:
    """Return the members of the object at ``position`` when it is valid and at hand as a whole."""
    end = _end_of_brackets(window, position, is_near=True)
    return None if end is None else _members_of(window.at(position, end - position))


def _members_of(raw: bytes) -> dict[str, msgspec.Raw] | None:
    try:
        return _read_object(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def note_page(members: dict[str, msgspec.Raw], reading: Reading) -> None:
    """Remember what a page says about itself: which collection, and whether another page follows."""
    said = {name: _said(raw) for name, raw in members.items() if name not in PAGE_LISTS}
    reading.context = str(said.get("@odata.context") or reading.context)
    reading.has_next_page = any(said.get(name) for name in _NEXT_LINKS)


def _said(raw: msgspec.Raw) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _cut_rest_of_page(window: Window, position: int, reading: Reading) -> Generator[Element, None, int]:
    """Yield what else the page holds whose list ended at ``position``; return where the page ends."""
    position = _skip(window, position)
    while window.at(position) == b",":
        start = _skip(window, position + 1)
        match = window.match(_KEY, start)
        value = window.base + match.end() if match else start
        name = match[1].decode("utf-8", "replace") if match else ""
        if match and name in PAGE_LISTS and window.at(value) == b"[":
            position = yield from _cut_array(window, value, reading)
        else:
            head, is_null = _head_at(window, start, "no member of a page of records"), window.at(value, 4) == b"null"
            end = _end_of_value(window, value) if match else None
            if end is None:
                break
            if name in _NEXT_LINKS:
                reading.has_next_page = not is_null
            elif not is_page((name,)):
                yield head._replace(raw=head.raw[: end - start])
            position = end
        position = _skip(window, position)
    if position >= window.base and window.at(position) == b"}":
        return position + 1
    reading.has_broken_end = True
    return position if position >= window.base else window.finish()


def _end_of_value(window: Window, position: int, followers: bytes = b"", *, is_near: bool = False) -> int | None:
    """Return where the value at ``position`` ends, None when that cannot be told.

    A value that is no valid JSON still ends where its brackets close; with ``followers`` given, only if one of
    them (or the end of the text) comes next, since a stray quote can make brackets close anywhere.
    """
    if window.at(position) not in (b"{", b"["):
        return _end_of_scalar(window, position, is_near=is_near)
    end = _end_of_brackets(window, position, is_near=is_near)
    if end is None or not followers:
        return end
    raw = window.at(position, end - position) if position >= window.base else b""
    after = window.at(_skip(window, end)) if position < window.base else _next_mark(window, end)
    return end if after in followers or _is_valid(raw) else None


def _next_mark(window: Window, position: int) -> bytes:
    """Return the first byte behind blanks, looking no further than what is at hand."""
    found = window.match(_SPACE, position)
    return window.at(window.base + found.end()) if found else b""


def _is_valid(raw: bytes) -> bool:
    try:
        _is_value(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True


def _end_of_scalar(window: Window, position: int, *, is_near: bool) -> int | None:
    if window.at(position) == b'"' and not is_near:
        return window.end_of_text(position + 1)
    found = window.match(_SCALAR, position)
    return window.base + found.end() if found else None


def _end_of_brackets(window: Window, position: int, *, is_near: bool = False) -> int | None:
    """Return where the brackets opened at ``position`` close; ``is_near``: among what is at hand, else anywhere."""
    depth = 1
    position += 1
    while True:
        match = window.match(_UP_TO_MARK, position)
        position = window.base + match.end() if match else position
        mark = match[1] if match else None
        if mark is None or mark == b'"':
            if is_near:
                return None
            further = window.end_of_text(position) if mark else position if window.advance(position) else None
            if further is None:
                return None
            position = further
            continue
        if mark[0] in b"[{":
            depth += len(mark)
        elif len(mark) < depth:
            depth -= len(mark)
        else:
            return position - len(mark) + depth
