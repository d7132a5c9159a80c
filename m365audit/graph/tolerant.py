r"""Reads pages in which a text holds half a character (``"\ud800"``): somebody can have such a name.

msgspec refuses the whole page for it, and with it every other record. Here the page is taken apart all the same, so
that only the record itself is set aside later. Slow; for pages that the quick way refuses. Must never change a record.
"""

from __future__ import annotations

import json
import re
from typing import Final

MOST_BYTES: Final = 8 << 20
"""Largest page that is looked at: it is far slower than the quick way."""

_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_TEXT_OR_BLANKS: Final = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', re.DOTALL)
_decoder: Final = json.JSONDecoder(object_pairs_hook=len)  # what objects hold is of no interest, only where they end


def page(body: bytes) -> tuple[list[bytes], object]:
    """Return the elements of ``value`` and the next link of a page.

    Raises:
        ValueError: it is no page, or has no half of a character that would explain why others do not read it.
    """
    text, place = _opened(body, "{")
    records: list[bytes] | None = None
    link: object = None
    while text[place : place + 1] != "}":
        name, place = _decoder.raw_decode(text, place)
        place = _after(text, place, ":")
        if name == "value":
            records, place = _elements(text, place)
        else:
            value, place = _decoder.raw_decode(text, place)
            link = value if name == "@odata.nextLink" else link
        place = _next(text, place, "}")
    if records is None or _skipped(text, place + 1) != len(text):
        raise ValueError("no page")
    return records, link


def array(body: bytes) -> list[bytes]:
    """Return the elements of an array.

    Raises:
        ValueError: as for :func:`page`.
    """
    text, _ = _opened(body, "[")
    records, place = _elements(text, _skipped(text, 0))
    if _skipped(text, place) != len(text):
        raise ValueError("no array")
    return records


def is_document(body: bytes) -> bool:
    """Say whether a body is one whole object or array, half characters aside."""
    try:
        text, _ = _opened(body, "{[")
        _, end = _decoder.raw_decode(text, _skipped(text, 0))
    except (ValueError, RecursionError):
        return False
    return _skipped(text, end) == len(text)


def _opened(body: bytes, brackets: str) -> tuple[str, int]:
    """Return the text and the place behind its first bracket."""
    if len(body) > MOST_BYTES or not _HALF.search(body):
        raise ValueError("nothing that would explain it")
    text = body.decode("utf-8", "surrogateescape")
    place = _skipped(text, 0)
    if place == len(text) or text[place] not in brackets:
        raise ValueError("another beginning")
    return text, _skipped(text, place + 1)


def _elements(text: str, place: int) -> tuple[list[bytes], int]:
    if text[place : place + 1] != "[":
        raise ValueError("no list")
    found = []
    place = _skipped(text, place + 1)
    while text[place : place + 1] != "]":
        _, end = _decoder.raw_decode(text, place)
        record = text[place:end].encode("utf-8", "surrogateescape")
        found.append(_TEXT_OR_BLANKS.sub(rb"\1", record) if b"\n" in record or b"\r" in record else record)
        place = _next(text, end, "]")
    return found, place + 1


def _next(text: str, place: int, closing: str) -> int:
    """Return the place of the next member or element, or of the bracket that ends them."""
    place = _skipped(text, place)
    if text[place : place + 1] == closing:
        return place
    place = _after(text, place, ",")
    if text[place : place + 1] == closing:
        raise ValueError("a comma before the end")
    return place


def _after(text: str, place: int, sign: str) -> int:
    place = _skipped(text, place)
    if text[place : place + 1] != sign:
        raise ValueError("something else was expected")
    return _skipped(text, place + 1)


def _skipped(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place
