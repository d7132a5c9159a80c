"""Retells tables of delegated permission grants and app role assignments as the objects that Graph returns.

A table cannot tell null from empty: an empty cell is left out, and stays unknown. Must never make up a grant: a row
that does not say who holds which permission on which API is set aside.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from m365audit.exports.columns import Cells, cells_of, text_in
from m365audit.exports.moments import in_iso
from m365audit.exports.strict import UnreadableError

_DELEGATED: Final = (
    "id", "clientId", "consentType", "principalId", "resourceId", "scope", "startTime", "expiryTime",
)  # fmt: skip
_ASSIGNED: Final = (
    "id", "appRoleId", "principalId", "principalType", "principalDisplayName", "resourceId", "resourceDisplayName",
    "createdDateTime", "creationTimestamp", "deletedDateTime",
)  # fmt: skip
_DELEGATED_KEY: Final = ("clientid", "resourceid", "consenttype", "scope")
_ASSIGNED_KEY: Final = ("approleid", "principalid", "resourceid")
_REPORT_KEY: Final = ("permissiontype", "clientobjectid", "resourceobjectid", "permission")
_REPORT: Final = {
    "clientAppId": "appid",
    "principalDisplayName": "principaldisplayname",
    "resourceDisplayName": "resourcedisplayname",
    "createdDateTime": "creationtimestamp",
}
_KNOWN: Final = frozenset(name.lower() for name in (*_DELEGATED, *_ASSIGNED)) | {
    *_REPORT_KEY,
    *_REPORT.values(),
    "principalobjectid",
    "clientdisplayname",
    "appdisplayname",
}
_TIMES: Final = frozenset(("startTime", "expiryTime", "createdDateTime", "creationTimestamp"))


def is_table(columns: Collection[str]) -> bool:
    """Say whether a table with these columns (lower case) lists grants or assignments."""
    names = set(columns)
    return names >= {"clientid", "consenttype", "scope"} or names >= {"approleid", "principalid"} or is_report(names)


def is_report(columns: Collection[str]) -> bool:
    """Say whether a table is a report of permissions by Microsoft-Extractor-Suite or its kin: one permission a row."""
    return set(columns) >= set(_REPORT_KEY)


def retell(raw: bytes) -> bytes:
    """Return a row as the grant or assignment that it tells of.

    Raises:
        UnreadableError: it does not say who holds which permission on which API.
    """
    cells = cells_of(raw, _KNOWN)
    if "permissiontype" in cells:
        return _reported(cells)
    is_assigned = "approleid" in cells
    needed = _ASSIGNED_KEY if is_assigned else _DELEGATED_KEY
    _refuse_gap(cells, needed)
    fields = _ASSIGNED if is_assigned else _DELEGATED
    record: dict[str, object] = {name: cells[name.lower()] for name in fields if name.lower() in cells}
    record |= {name: in_iso(text_in(cells, name.lower())) for name in _TIMES & record.keys()}
    record.setdefault("id", _name(cells, needed))
    return msgspec.json.encode(record)


def _reported(cells: Cells) -> bytes:
    """Return a row of a report: it names a role and not its id, and says by its type which of the two it is."""
    _refuse_gap(cells, _REPORT_KEY)
    kind = text_in(cells, "permissiontype").lower()
    if kind not in {"delegated", "application"}:
        raise UnreadableError(f"the permission type {kind[:40]!r} is neither Delegated nor Application")
    record: dict[str, object] = {name: cells[column] for name, column in _REPORT.items() if column in cells}
    record |= {"resourceId": cells["resourceobjectid"], "id": _name(cells, (*_REPORT_KEY, "principalobjectid"))}
    if kind == "application":
        holder = {"principalId": cells["clientobjectid"], "principalType": "ServicePrincipal"}
        return msgspec.json.encode(record | holder | {"appRoleValue": cells["permission"]})
    _refuse_gap(cells, ("consenttype",))
    record |= {"clientId": cells["clientobjectid"], "scope": cells["permission"], "consentType": cells["consenttype"]}
    if "principalobjectid" in cells:
        record["principalId"] = cells["principalobjectid"]
    return msgspec.json.encode(record)


def _refuse_gap(cells: Cells, needed: tuple[str, ...]) -> None:
    missing = next((column for column in needed if column not in cells), None)
    if missing:
        raise UnreadableError(f"the column {missing!r} is missing or empty: the row does not say who holds what")


def _name(cells: Cells, needed: tuple[str, ...]) -> str:
    """Return a name for a row without an id: there is one grant of a kind for a client, an API and a user."""
    parts = [text_in(cells, column) for column in (*needed, "principalid") if column != "scope"]
    return "/".join(["table", *parts]).lower()
