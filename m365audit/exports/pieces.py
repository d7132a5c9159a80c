"""What the readers of every container hand over: one record, or one piece that could not be read.

Must never decide of what kind a record is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from m365audit.exports.limits import EXCERPT_BYTES
from m365audit.model import Quarantined

JsonObject: TypeAlias = dict[str, object]

_NEWLINES_TO_BLANKS = bytes.maketrans(b"\r\n", b"  ")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a piece stands in its file.

    Attributes:
        record: 1-based ordinal.
        line: 1-based physical line, None when it is not known.
        offset: byte offset in the decompressed, decoded file, None when it is not known.
    """

    record: int
    line: int | None
    offset: int | None


@dataclass(frozen=True, slots=True)
class Record:
    """One readable JSON object.

    Attributes:
        raw: its bytes as exported, on one line.
        value: the same, parsed, for recognising; numbers may have been left as text.
        place: where it stands.
        is_retold: it came in another spelling and was put into Microsoft's own.
    """

    raw: bytes
    value: JsonObject
    place: Place
    is_retold: bool = False


Piece: TypeAlias = Record | Quarantined


@dataclass(slots=True)
class Reading:
    """What a reader learns about the file as a whole while it hands over pieces.

    Attributes:
        has_broken_end: the file ended early.
        has_next_page: the last page read names a next page, so the listing is not whole.
        context: ``@odata.context`` of the last page; it names the collection.
    """

    has_broken_end: bool = False
    has_next_page: bool = False
    context: str = ""


def one_line(raw: bytes) -> bytes:
    """Return ``raw`` without line breaks: valid JSON has raw ones between tokens only, where a blank is as good."""
    return raw.translate(_NEWLINES_TO_BLANKS)


def excerpt(raw: bytes) -> str:
    """Return the first bytes of ``raw`` as printable text, control and invisible characters escaped."""
    text = raw[:EXCERPT_BYTES].decode("utf-8", errors="replace")
    return "".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text)


def set_aside(raw: bytes, place: Place, reason: str) -> Quarantined:
    """Return the note about a piece that could not be read."""
    return Quarantined(record=place.record, line=place.line, offset=place.offset, reason=reason, excerpt=excerpt(raw))
