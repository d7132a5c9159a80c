"""Hands every record on in Microsoft's own spelling: rows of Log Analytics, of portals' tables, parts of calls.

What is spelled so already passes untouched. Must never drop a row: one that cannot be retold is set aside with the
reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Final

import msgspec

from m365audit.exports import answers, call_records, grant_tables, log_analytics, portal
from m365audit.exports.pieces import JsonObject, Piece, Reading, Record, one_line, set_aside
from m365audit.exports.records import take
from m365audit.exports.strict import UnreadableError, parse
from m365audit.model import Quarantined

_Teller = Callable[[bytes], bytes | None]
_read_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_ANSWER_LISTS: Final = frozenset(("tables", "results"))
_NO_CALL: Final = "a part of a call that does not say of which: export the page with its @odata.context, or $expand it"


def is_told_otherwise(value: JsonObject) -> bool:
    """Say whether the object is spelled in another way than Microsoft's own, so that it must be looked at closer."""
    keys = frozenset(key.lower() for key in value)
    return log_analytics.is_row(value) or call_records.is_part(keys) or not keys.isdisjoint(_ANSWER_LISTS)


def reads_table(columns: Collection[str]) -> bool:
    """Say whether the rows of a table with these columns (lower case) can be retold."""
    return (
        portal.is_sign_in_table(columns)
        or portal.is_audit_table(columns)
        or grant_tables.is_table(columns)
        or log_analytics.is_table(columns)
    )


def retold(pieces: Iterator[Piece], reading: Reading, name: str, columns: Collection[str] | None) -> Iterator[Piece]:
    """Yield ``pieces``, each record in Microsoft's own spelling.

    Args:
        pieces: what a reader found.
        reading: what it learns about the file meanwhile.
        name: the file's own name.
        columns: column names (lower case) when the file is a table of rows, None for JSON.
    """
    teller = _table_teller(columns, name) if columns is not None else None
    ordinal = 0
    for piece in pieces:
        for row in _open(piece, reading) if columns is None else (piece,):
            ordinal += 1
            yield _retell(_numbered(row, ordinal), teller, reading)


def _numbered(piece: Piece, ordinal: int) -> Piece:
    """Return the piece with its place among all: a query's answer is one record that holds many."""
    if isinstance(piece, Quarantined):
        return piece if piece.record == ordinal else replace(piece, record=ordinal)
    place = piece.place
    return piece if place.record == ordinal else replace(piece, place=replace(place, record=ordinal))


def _open(piece: Piece, reading: Reading) -> Iterator[Piece]:
    """Yield the rows of a query's answer, or the piece itself when it is none."""
    if isinstance(piece, Quarantined) or _ANSWER_LISTS.isdisjoint(key.lower() for key in piece.value):
        yield piece
        return
    members = _read_members(piece.raw)
    if not answers.is_answer(members):
        yield piece
        return
    reading.has_broken_end |= answers.is_cut(members)
    for row in answers.rows_of(members):
        yield set_aside(row.stood, piece.place, row.fault) if row.fault else take(row.record, piece.place)


def _table_teller(columns: Collection[str], name: str) -> _Teller | None:
    if portal.is_sign_in_table(columns):
        return lambda raw: portal.sign_in(raw, name)
    if portal.is_audit_table(columns):
        return portal.audit
    if grant_tables.is_table(columns):
        return grant_tables.retell
    return log_analytics.retell


def _record_teller(record: Record, reading: Reading) -> _Teller | None:
    if log_analytics.is_row(record.value):
        return log_analytics.retell
    if call_records.is_part(frozenset(key.lower() for key in record.value)):
        return lambda raw: _part(raw, reading.context)
    return None


def _part(raw: bytes, context: str) -> bytes:
    part = call_records.part_of_call(raw, context)
    if part is None:
        raise UnreadableError(_NO_CALL)
    return part


def _retell(piece: Piece, teller: _Teller | None, reading: Reading) -> Piece:
    """Return the record as its teller tells it; what needs none, or is a row of another table, stays as it is."""
    if isinstance(piece, Quarantined):
        return piece
    teller = teller or _record_teller(piece, reading)
    try:
        told = teller(piece.raw) if teller else None
        return Record(one_line(told), parse(told), piece.place, is_retold=True) if told else piece
    except UnreadableError as error:
        return set_aside(piece.raw, piece.place, str(error))
    except (msgspec.MsgspecError, UnicodeError) as error:
        return set_aside(piece.raw, piece.place, f"cannot be read as a row: {error}")
