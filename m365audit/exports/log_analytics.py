"""Retells rows of Log Analytics and Sentinel, and tables made like them, as the records that storage exports hold.

Recognised by its columns, whoever exported it: the query API, the portal's CSV, the Azure CLI, a data frame. Must never
make a fact of an empty column.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from m365audit.exports.columns import Cells, as_json, cells_of, fold, structure, text_in
from m365audit.exports.moments import in_iso
from m365audit.exports.schemas import AUDITS, CALLS, KNOWN_COLUMNS, OFFICE, SIGN_INS, TABLES, Schema
from m365audit.exports.strict import UnreadableError

_TELLING: Final = (
    (CALLS, frozenset(("requesturi", "requestmethod", "requestid"))),
    (OFFICE, frozenset(("officeworkload", "operation"))),
    (OFFICE, frozenset(("officeid", "operation"))),
    (OFFICE, frozenset(("id", "creationtime", "operation"))),
    (AUDITS, frozenset(("initiatedby", "targetresources"))),
    (AUDITS, frozenset(("activitydisplayname", "id"))),
    (SIGN_INS, frozenset(("id", "createddatetime", "appid"))),
    (SIGN_INS, frozenset(("id", "appdisplayname", "ipaddress"))),
    (SIGN_INS, frozenset(("id", "appid", "userid"))),
    (SIGN_INS, frozenset(("id", "appid", "serviceprincipalid"))),
)
"""Schema → columns of which a row of it has all; a row need not say of which table it is."""

_EVENT_TIMES: Final = frozenset(("timegenerated", "createddatetime", "activitydatetime", "creationtime"))
_COUNTRY_LETTERS: Final = 2
_CATEGORIES: Final = {CALLS.name: "MicrosoftGraphActivityLogs", AUDITS.name: "AuditLogs"}

_read_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_Tree = dict[str, object]


def is_row(names: Collection[str]) -> bool:
    """Say whether an object with these keys is a row of Log Analytics rather than a record of an API."""
    return "properties" not in names and any(name.partition(" [")[0] == "TimeGenerated" for name in names)


def is_table(columns: Collection[str]) -> bool:
    """Say whether a table with these columns holds such rows, be it from Log Analytics or made like it."""
    try:
        folded = {fold(column, KNOWN_COLUMNS) for column in columns}
    except UnreadableError:
        return True  # every row will say what is wrong
    return not folded.isdisjoint(_EVENT_TIMES) and any(needed <= folded for _, needed in _TELLING)


def retell(raw: bytes) -> bytes | None:
    """Return the row ``raw`` in the spelling of a storage export or of the unified audit log, None for another table.

    Raises:
        UnreadableError: a column that matters cannot be read.
    """
    cells = cells_of(raw, KNOWN_COLUMNS)
    found = _schema_of(cells)
    if found is None:
        return None
    schema, category = found
    record = _record(cells, schema)
    if not schema.operation:
        return msgspec.json.encode(record)
    envelope: _Tree = {"category": category, "operationName": schema.operation}
    if "aadtenantid" in cells:
        envelope["tenantId"] = cells["aadtenantid"]
    return msgspec.json.encode({**envelope, "properties": record})


def table_name(raw: bytes) -> str:
    """Return what a row says of its table, empty when it says nothing."""
    return text_in(cells_of(raw, KNOWN_COLUMNS), "type")


def _schema_of(cells: Cells) -> tuple[Schema, str] | None:
    """Return the schema and storage category of a row: by its table's name, else by its category, else by its columns.

    People overwrite ``Type`` with a column of their own; but what calls itself a log and is none of ours, is none.
    """
    for name in (text_in(cells, "type"), text_in(cells, "category")):
        table = name.lower().removesuffix("_cl")
        if table in TABLES:
            return TABLES[table]
        if table.endswith("logs"):
            return None
    schema = next((schema for schema, needed in _TELLING if needed <= cells.keys()), None)
    if schema is None:
        return None
    return schema, _sign_in_category(cells) if schema is SIGN_INS else _CATEGORIES.get(schema.name, "")


def _sign_in_category(cells: Cells) -> str:
    if "serviceprincipalid" in cells and "userid" not in cells:
        return "ServicePrincipalSignInLogs"
    return "NonInteractiveUserSignInLogs" if text_in(cells, "isinteractive").lower() == "false" else "SignInLogs"


def _record(cells: Cells, schema: Schema) -> _Tree:
    record: _Tree = {}
    for field, columns in schema.fields.items():
        column = next((name for name in columns if name in cells), None)
        if column is None:
            continue
        value = _value(cells[column], field, column, schema)
        if value is not None:
            _put(record, field.split("."), value)
    return record


def _value(cell: msgspec.Raw, field: str, column: str, schema: Schema) -> msgspec.Raw | None:
    if field in schema.structured:
        return structure(cell, column)
    if field in schema.times and bytes(cell).startswith(b'"'):
        return as_json(in_iso(text_in({column: cell}, column)))
    is_no_country = field == "location.countryOrRegion" and len(text_in({column: cell}, column)) != _COUNTRY_LETTERS
    return None if is_no_country else cell


def _put(record: _Tree, path: list[str], value: msgspec.Raw) -> None:
    """Put a value into the record unless a better one is there; an object that came whole is opened for it."""
    name, *rest = path
    if not rest:
        record.setdefault(name, value)
        return
    inner = record.setdefault(name, {})
    if isinstance(inner, msgspec.Raw) and bytes(inner).startswith(b"{"):
        inner = record[name] = dict(_read_members(inner))
    if isinstance(inner, dict):
        _put(inner, rest, value)
