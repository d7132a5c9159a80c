"""Reads one row of a table whose columns collectors and portals have renamed: names folded, empty cells gone.

In a table an empty cell says nothing: neither that a fact is absent nor that it is not known. So it is left out. Must
never decide what a row is.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from m365audit.exports.pieces import one_line
from m365audit.exports.strict import UnreadableError, parse

Cells: TypeAlias = dict[str, msgspec.Raw]
"""Folded column name → the cell as raw JSON; empty cells are not in it."""

_ZONE = re.compile(r"\s*\[([^\]]*)\]$")
_UTC: Final = frozenset(("utc", "utc+00:00", "utc+0", "gmt"))
_PREFIX = re.compile(r"^(?:(?:properties|auditdata)[_.])+")
_SUFFIX = re.compile(r"(?:_(?:s|g|d|b|t|string|dynamic|real|datetime|long|int|guid|bool))?_?$")
_EMPTY: Final = (b"", b"null", b'""')
_MOST_BRACKETS: Final = 5_000
_EXCEL_CELL: Final = 32_767

_read_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_read_text = msgspec.json.Decoder(str).decode


@lru_cache(maxsize=4096)
def fold(name: str, known: frozenset[str]) -> str:
    """Return a column's name as the table's own schema has it, in lower case.

    ``CreatedDateTime [UTC]``, ``properties_createdDateTime_t`` and ``CreatedDateTime_datetime`` are all
    ``createddatetime``; a name that is ``known`` as it stands keeps its ending.

    Raises:
        UnreadableError: the column's times are in a zone that the file does not name.
    """
    plain = name.strip().lstrip("\ufeff").lower()
    if zone := _ZONE.search(plain):
        if zone[1].strip() not in _UTC:
            raise UnreadableError(
                f"the times of the column {name.strip()[:60]!r} are not in UTC: choose UTC, export again"
            )
        plain = plain[: zone.start()]
    for candidate in (plain, plain.replace(" ", "")):
        if candidate in known:
            return candidate
    bare = _PREFIX.sub("", plain)
    return bare if bare in known else _SUFFIX.sub("", bare)


def cells_of(raw: bytes, known: frozenset[str]) -> Cells:
    """Return the cells of the row ``raw``, a valid JSON object, that hold something.

    Raises:
        UnreadableError: two columns of one name say different things, or times are in no known zone.
    """
    cells: Cells = {}
    exact: set[str] = set()
    members = _read_members(raw)
    has_none_as_text = "TableName" in members  # as the Azure CLI writes: every value made a text
    for name, value in members.items():
        said = bytes(value).strip()
        if said in _EMPTY or (said.startswith(b'"') and _is_blank(said, has_none_as_text=has_none_as_text)):
            continue
        folded = fold(name, known)
        is_exact = name.strip().lower() == folded
        if folded not in cells or (is_exact and folded not in exact):
            cells[folded] = msgspec.Raw(said)
        elif is_exact and bytes(cells[folded]) != said:
            raise UnreadableError(f"the columns named {folded[:60]!r} say different things")
        exact |= {folded} if is_exact else set()
    return cells


def text_in(cells: Mapping[str, msgspec.Raw], name: str) -> str:
    """Return the cell as text, empty when there is none."""
    raw = bytes(cells.get(name, b""))
    return _read_text(raw).strip() if raw.startswith(b'"') else raw.decode("utf-8")


def structure(cell: msgspec.Raw, name: str) -> msgspec.Raw | None:
    """Return the object or array in a cell, JSON itself or as text in one; None when the cell holds plain text.

    Raises:
        UnreadableError: it begins as an object or array and is none, most likely because it was cut.
    """
    raw = bytes(cell)
    if raw[:1] in (b"{", b"["):
        return cell
    text = _read_text(raw).strip() if raw.startswith(b'"') else ""
    if text[:1] not in ("{", "["):
        return None
    body = text.encode("utf-8")
    try:
        parse(b'{"":' + body + b"}")
    except UnreadableError as error:
        if (literal := _literal(text)) is not None:
            return literal
        cause = " (cut at the length of an Excel cell)" if _EXCEL_CELL - 1 <= len(text) <= _EXCEL_CELL else ""
        raise UnreadableError(f"the column {name}: {error}{cause}") from None
    return msgspec.Raw(one_line(body))


def as_json(value: object) -> msgspec.Raw:
    """Return a plain value as raw JSON."""
    return msgspec.Raw(msgspec.json.encode(value))


def _is_blank(said: bytes, *, has_none_as_text: bool) -> bool:
    text = _read_text(said).strip()
    return not text or (has_none_as_text and text == "None")


def _literal(text: str) -> msgspec.Raw | None:
    """Return a Python literal as JSON: what a data frame writes for an object. None when it is none."""
    if sum(text.count(mark) for mark in "[{(") > _MOST_BRACKETS or len(text) > _EXCEL_CELL * 2:
        return None
    try:
        value = ast.literal_eval(text)
        body = json.dumps(value, allow_nan=False).encode("utf-8")
        parse(b'{"":' + body + b"}")
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return msgspec.Raw(body)
