"""Opens the answers of query APIs, which give column names once and rows as lists.

The query API of Log Analytics answers ``{"tables": [{"columns": […], "rows": [[…], …]}]}``, advanced hunting
``{"schema": […], "results": [{…}, …]}``. Must never drop a row: one that has not as many cells as there are columns is
handed on with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

_NAMES = ("name", "columnname")
_read_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_read_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_Members = Mapping[str, msgspec.Raw]


class Row(NamedTuple):
    """A row of an answer: as an object, as it stood in the answer, and why it cannot be a record, if known."""

    record: bytes
    stood: bytes
    fault: str = ""


def is_answer(members: _Members) -> bool:
    """Say whether an object with these members is the answer of a query API."""
    tables, results = _member(members, "tables"), _member(members, "results")
    if _is_list(results) and _is_list(_member(members, "schema")):
        return True
    return _is_list(tables) and b'"' in bytes(tables) and all(_columns(table) is not None for table in _tables(tables))


def is_cut(members: _Members) -> bool:
    """Say whether the answer says itself that it is not whole."""
    error = bytes(_member(members, "error"))
    return error.startswith(b"{")


def rows_of(members: _Members) -> Iterator[Row]:
    """Yield the rows of an answer, table after table, in order."""
    results = _member(members, "results")
    if _is_list(results):
        for item in _read_array(results):
            yield Row(bytes(item), bytes(item))
        return
    for table in _tables(_member(members, "tables")):
        names = _columns(table) or []
        for row in _read_array(_member(table, "rows")):
            yield object_of(bytes(row), names)


def object_of(raw: bytes, names: list[str]) -> Row:
    """Return a row of cells as an object."""
    try:
        cells = _read_array(raw)
    except msgspec.MsgspecError:
        cells = None
    if cells is None or len(cells) != len(names):
        given = "is no list" if cells is None else f"has {len(cells)} cells"
        return Row(raw, raw, f"the row {given}, the table {len(names)} columns")
    if len(set(names)) != len(names):
        return Row(raw, raw, "two columns of the table have the same name")
    return Row(msgspec.json.encode(dict(zip(names, cells, strict=True))), raw)


def _tables(raw: msgspec.Raw) -> list[dict[str, msgspec.Raw]]:
    try:
        return _read_objects(raw)
    except msgspec.MsgspecError:
        return []


def _columns(table: _Members) -> list[str] | None:
    """Return a table's column names, None when it is no table of columns and rows."""
    return column_names(_member(table, "columns")) if _is_list(_member(table, "rows")) else None


def column_names(columns: msgspec.Raw) -> list[str] | None:
    """Return the names in a description of columns, None when it is none."""
    try:
        described = [{key.lower(): value for key, value in column.items()} for column in _read_objects(columns)]
        return [str(msgspec.json.decode(next(column[key] for key in _NAMES if key in column))) for column in described]
    except (msgspec.MsgspecError, StopIteration, RuntimeError):
        return None


def _member(members: _Members, name: str) -> msgspec.Raw:
    return next((value for key, value in members.items() if key.lower() == name), msgspec.Raw(b""))


def _is_list(raw: msgspec.Raw) -> bool:
    return bytes(raw).startswith(b"[")
