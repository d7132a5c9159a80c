"""Finds where the records of a document begin and end when the document as a whole is not valid JSON.

Works on bytes read as Latin-1, where a character is a byte: JSON's structure is ASCII, so the boundaries are exact.
Must never judge a record; whether one can be read is decided where it is parsed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from typing import NamedTuple

from m365audit.exports.pieces import Reading

_SPACE = re.compile("(?:[ \t\r\n]|\xef\xbb\xbf)*")
_KEY = re.compile(r'\s*"([^"\\]*(?:\\.[^"\\]*)*)"\s*:\s*')
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]|"', re.DOTALL)
_decode = json.JSONDecoder(strict=False, parse_int=str, parse_float=str).raw_decode

_PAGE_START = re.compile(
    rb'\s*\{\s*(?:"(?:@|odata\.)[^"\\]*"\s*:\s*(?:"[^"\\]*"|\d+|null|true|false)\s*,\s*)*'
    rb'"(?:value|records)"\s*:\s*\['
)

_NEXT_LINKS = ("@odata.nextLink", "odata.nextLink")

PAGE_LISTS = frozenset(("value", "records"))
"""Members that hold the records of a page: Graph's ``value``, Event Hubs' ``records``."""


class Cut(NamedTuple):
    """One piece of the document: ``text[start:end]``; ``fault`` says why it cannot be a record, if known."""

    start: int
    end: int
    fault: str = ""
    is_lone: bool = False


def is_page(names: Iterator[str]) -> bool:
    """Say whether an object with these member names is a page of records rather than a record."""
    others = [name for name in names if name not in PAGE_LISTS]
    return all(name.startswith(("@", "odata.")) for name in others)


def starts_like_page(head: bytes) -> bool:
    """Say whether the object that begins in ``head`` begins as a page of records does."""
    return _PAGE_START.match(head) is not None


def cut_document(text: str, reading: Reading) -> Iterator[Cut]:
    """Yield the pieces of ``text``: arrays, pages and objects, one after the other, healthy or not."""
    position = _skip(text, 0)
    while position < len(text):
        if text[position] == "[":
            position = yield from _cut_array(text, position, reading)
        elif text[position] == "{":
            position = yield from _cut_object(text, position, reading)
        else:
            yield Cut(position, len(text), "text that is not JSON")
            return
        position = _skip(text, position)


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _cut_array(text: str, position: int, reading: Reading) -> Generator[Cut, None, int]:
    """Yield the elements of the array at ``position``; return where it ends."""
    position = _skip(text, position + 1)
    while position < len(text):
        if text[position] == "]":
            return position + 1
        end = _end_of_value(text, position, followers=",]")
        if end is None:
            reading.has_broken_end = True
            yield Cut(position, len(text), "the document is broken here; what follows could not be read")
            return len(text)
        yield Cut(position, end)
        position = _skip(text, end)
        if text[position : position + 1] == ",":
            position = _skip(text, position + 1)
    reading.has_broken_end = True
    return position


def _cut_object(text: str, position: int, reading: Reading) -> Generator[Cut, None, int]:
    """Yield the object at ``position``, or the records in it when it is a page; return where it ends."""
    array = _page_list_at(text, position)
    if array is None:
        end = _end_of_value(text, position)
        fault = "the file ends in the middle of this record" if end is None else ""
        reading.has_broken_end |= end is None
        yield Cut(position, end or len(text), fault, is_lone=True)
        return end or len(text)
    _note_page(text, position, array, reading)
    position = yield from _cut_array(text, array, reading)
    return (yield from _cut_rest_of_page(text, position, reading))


def _page_list_at(text: str, position: int) -> int | None:
    """Return where the list of the page at ``position`` begins, None when it does not begin like a page."""
    members = _whole_object(text, position)
    if members is not None and not (is_page(iter(members)) and _lists(members) == 1):
        return None
    position += 1
    while match := _KEY.match(text, position):
        if match[1] in PAGE_LISTS:
            return match.end() if text[match.end() : match.end() + 1] == "[" else None
        end = _end_of_value(text, match.end()) if is_page(iter((match[1],))) else None
        if end is None:
            return None
        position = _skip(text, end)
        position += text[position : position + 1] == ","
    return None


def _lists(members: dict[str, object]) -> int:
    return sum(isinstance(members.get(name), list) for name in PAGE_LISTS)


def _whole_object(text: str, position: int) -> dict[str, object] | None:
    try:
        value, _ = _decode(text, position)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _note_page(text: str, position: int, array: int, reading: Reading) -> None:
    members = _whole_object(text, position) or _whole_object(text[position:array] + "0}", 0) or {}
    note_page(members, reading)


def note_page(members: dict[str, object], reading: Reading) -> None:
    """Remember what a page says about itself: which collection, and whether another page follows."""
    reading.context = str(members.get("@odata.context") or reading.context)
    reading.has_next_page = any(members.get(name) for name in _NEXT_LINKS)


def _cut_rest_of_page(text: str, position: int, reading: Reading) -> Generator[Cut, None, int]:
    """Yield what else the page holds whose list ended at ``position``; return where the page ends."""
    position = _skip(text, position)
    while text[position : position + 1] == ",":
        match = _KEY.match(text, position + 1)
        start = _skip(text, position + 1)
        if match and match[1] in PAGE_LISTS and text[match.end() : match.end() + 1] == "[":
            position = yield from _cut_array(text, match.end(), reading)
        else:
            end = _end_of_value(text, match.end()) if match else None
            if match is None or end is None:
                break
            if match[1] in _NEXT_LINKS:
                reading.has_next_page = not text.startswith("null", match.end())
            elif not is_page(iter((match[1],))):
                yield Cut(start, end, "no member of a page of records")
            position = end
        position = _skip(text, position)
    if text[position : position + 1] == "}":
        return position + 1
    reading.has_broken_end = True
    return position


def _end_of_value(text: str, position: int, followers: str = "") -> int | None:
    """Return where the value at ``position`` ends, None when that cannot be told.

    A value that is no valid JSON still ends where its brackets close; with ``followers`` given, only if one of
    them (or the end of the text) comes next, since a stray quote can make brackets close anywhere.
    """
    try:
        return int(_decode(text, position)[1])
    except (ValueError, RecursionError):
        end = _end_of_brackets(text, position)
    if end is None or not followers:
        return end
    after = _skip(text, end)
    return end if text[after : after + 1] in followers else None


def _end_of_brackets(text: str, position: int) -> int | None:
    if text[position : position + 1] not in ("{", "["):
        return None
    depth = 0
    for match in _TOKEN.finditer(text, position):
        mark = match[0]
        if mark == '"':
            return None
        depth += (mark in "[{") - (mark in "]}")
        if depth == 0:
            return match.end()
    return None
