"""Reads one JSON object as strictly as the strictest reader of the product does, and says why when it cannot.

Must never change a record. Python's and DuckDB's parsers each let something pass that the other refuses (``NaN``,
lone surrogates, trailing commas) and disagree on duplicate keys; what passes here means the same to both.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

import msgspec

from m365audit.exports.limits import MAX_DEPTH, MAX_RECORD_BYTES
from m365audit.exports.pieces import JsonObject

NOT_JSON = "not valid JSON"
"""How the reason begins when a piece does not even parse; an end that was cut off shows so."""

_COUNT_MISLEADS = re.compile(rb'\\u0022|\\u003[aA]|"[ \t\r\n]+:')
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_JSON_NAMES = {list: "an array", str: "a text", bool: "true or false", type(None): "null"}


class UnreadableError(ValueError):
    """A piece of a file is not one JSON object that every reader understands alike; the text says why."""


def parse(raw: bytes) -> JsonObject:
    """Return the one JSON object in ``raw``; numbers may come back as text.

    Raises:
        UnreadableError: too long, not UTF-8, not JSON, not an object, a duplicate key at any depth, a lone
            surrogate, a number that JSON does not have, nested too deeply.
    """
    if len(raw) > MAX_RECORD_BYTES:
        raise UnreadableError(f"the record is longer than {MAX_RECORD_BYTES:,} bytes")
    value = _parse_healthy(raw)
    return _parse_thoroughly(raw) if value is None else value


def _parse_healthy(raw: bytes) -> JsonObject | None:
    """Return the object when compiled code alone can vouch for it, else None.

    A duplicate key vanishes in parsing, so writing the object again gives one ``":`` less than was read.
    """
    if _COUNT_MISLEADS.search(raw) or raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        return None
    try:
        value = msgspec.json.decode(raw)
        written = msgspec.json.encode(value)
    except (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError):
        return None
    is_sound = isinstance(value, dict) and written.count(b'":') == raw.count(b'":')
    return value if is_sound else None


def _parse_thoroughly(raw: bytes) -> JsonObject:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"invalid UTF-8 at byte {error.start} of the record") from None
    if _depth(raw) > MAX_DEPTH:
        raise UnreadableError(f"nested more than {MAX_DEPTH} levels deep")
    value = _loads(text)
    if not isinstance(value, dict):
        raise UnreadableError(f"not a JSON object but {_JSON_NAMES.get(type(value), 'a number')}")
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(value)
    return value


def _loads(text: str) -> object:
    try:
        value: object = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_Number,
            parse_float=_Number,
        )
    except json.JSONDecodeError as error:
        raise UnreadableError(f"{NOT_JSON}: {error.msg} at character {error.pos} of the record") from None
    except RecursionError:
        raise UnreadableError(f"nested more than {MAX_DEPTH} levels deep") from None
    return value


class _Number(str):
    """A number kept as its own digits: converting it could lose some, or refuse a very long one."""

    __slots__ = ()


def _without_duplicates(pairs: list[tuple[str, object]]) -> JsonObject:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise UnreadableError(f"the key {name[:60]!r} stands twice in one object")
        seen.add(name)
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise UnreadableError(f"{name} is not a JSON value")


def _refuse_lone_surrogates(value: JsonObject) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise UnreadableError("a lone surrogate (half a character) in a text") from None


def _depth(raw: bytes) -> int:
    """Return how deeply ``raw`` nests; exact counting is for the rare record with many brackets."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for match in _STRING_OR_BRACKET.finditer(raw):
        mark = match[0]
        if mark in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in b"]}":
            depth -= 1
    return deepest
