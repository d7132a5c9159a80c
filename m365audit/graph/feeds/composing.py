"""Puts what belongs together into one record without touching a byte of what Microsoft wrote.

Must never drop, rename or reorder a member of Microsoft's: what is added stands behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from m365audit.graph.failures import CollectionError

_DECODER: Final = msgspec.json.Decoder(dict[str, Any])


def read(record: bytes) -> dict[str, Any]:
    """Return an object's members, to be looked at; never to be written again.

    Raises:
        CollectionError: it is no JSON object.
    """
    try:
        return _DECODER.decode(record)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise CollectionError("error", "Microsoft answered with something that is no JSON object") from None


def text_of(members: Mapping[str, Any], name: str) -> str:
    """Return a member that is text, empty when it is none or not there."""
    value = members.get(name)
    return value if isinstance(value, str) else ""


def with_members(record: bytes, more: Mapping[str, str | bytes | list[bytes]]) -> bytes:
    """Return the object with more members behind its own, on one line; one that it has already stays as it is.

    Args:
        record: a JSON object.
        more: name → a text, bytes that are JSON already, or a list of such, which becomes an array.

    Raises:
        CollectionError: ``record`` is no JSON object.
    """
    known = read(record)
    added = [msgspec.json.encode(name) + b":" + _json(value) for name, value in more.items() if name not in known]
    inside = record.strip()[1:-1].strip()
    # A line feed in JSON can only stand between values.
    return (b"{" + b",".join([inside, *added] if inside else added) + b"}").replace(b"\r", b" ").replace(b"\n", b" ")


def _json(value: str | bytes | list[bytes]) -> bytes:
    if isinstance(value, bytes):
        return value
    return msgspec.json.encode(value) if isinstance(value, str) else b"[" + b",".join(value) + b"]"
