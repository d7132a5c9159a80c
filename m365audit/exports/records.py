"""Takes one record out of the bytes that a reader found: parsed strictly, unwrapped, on one line.

Must never decide of what kind a record is.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from m365audit.exports.kinds import is_audit_record
from m365audit.exports.pieces import JsonObject, Piece, Place, Record, one_line, set_aside
from m365audit.exports.strict import UnreadableError, parse

_read_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_EXCEL_CELL = 32_767


def take(raw: bytes, place: Place) -> Piece:
    """Return the record in ``raw``, or the note why there is none.

    A row of ``Search-UnifiedAuditLog`` or of Graph's audit query wraps the record: what it wraps is taken.
    """
    try:
        value = parse(raw)
        wrapper = audit_data_key(value)
        if wrapper is None:
            return Record(one_line(raw), value, place)
        return _unwrapped(raw, value, wrapper, place)
    except UnreadableError as error:
        return set_aside(raw, place, str(error))


def audit_data_key(value: Mapping[str, object]) -> str | None:
    """Return the key under which the object wraps an audit record, None when it is no such wrapper."""
    keys = {key.lower(): key for key in value}
    return None if is_audit_record(frozenset(keys)) else keys.get("auditdata")


def parse_audit_data(raw: bytes) -> JsonObject:
    """Return the audit record in ``raw``.

    Raises:
        UnreadableError: it holds none.
    """
    try:
        value = parse(raw)
    except UnreadableError as error:
        is_cut = _EXCEL_CELL - 1 <= len(raw.decode("utf-8", "replace")) <= _EXCEL_CELL
        cause = " (cut at the length of an Excel cell: export again, do not save from Excel)" if is_cut else ""
        raise UnreadableError(f"AuditData: {error}{cause}") from None
    if not is_audit_record(frozenset(key.lower() for key in value)):
        raise UnreadableError("AuditData holds no audit record: CreationTime and Operation are missing")
    return value


def _unwrapped(raw: bytes, value: JsonObject, key: str, place: Place) -> Record:
    inner = value[key]
    if isinstance(inner, str):
        data = inner.encode("utf-8")
    elif isinstance(inner, dict):
        data = bytes(_read_object(raw)[key])
    else:
        raise UnreadableError("AuditData is neither an object nor JSON text")
    return Record(one_line(data), parse_audit_data(data), place)
