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
_KNOWN: Final = frozenset(name.lower() for name in (*_DELEGATED, *_ASSIGNED))
_TIMES: Final = frozenset(("startTime", "expiryTime", "createdDateTime", "creationTimestamp"))


def is_table(columns: Collection[str]) -> bool:
    """Say whether a table with these columns (lower case) lists grants or assignments."""
    return set(columns) >= {"clientid", "consenttype", "scope"} or set(columns) >= {"approleid", "principalid"}


def retell(raw: bytes) -> bytes:
    """Return a row as the grant or assignment that it tells of.

    Raises:
        UnreadableError: it does not say who holds which permission on which API.
    """
    cells = cells_of(raw, _KNOWN)
    is_assigned = "approleid" in cells
    needed = _ASSIGNED_KEY if is_assigned else _DELEGATED_KEY
    missing = next((column for column in needed if column not in cells), None)
    if missing:
        raise UnreadableError(f"the column {missing!r} is missing or empty: the row does not say who holds what")
    fields = _ASSIGNED if is_assigned else _DELEGATED
    record: dict[str, object] = {name: cells[name.lower()] for name in fields if name.lower() in cells}
    record |= {name: in_iso(text_in(cells, name.lower())) for name in _TIMES & record.keys()}
    record.setdefault("id", _name(cells, needed))
    return msgspec.json.encode(record)


def _name(cells: Cells, needed: tuple[str, ...]) -> str:
    """Return a name for a row without an id: there is one grant of a kind for a client, an API and a user."""
    parts = [text_in(cells, column) for column in needed if column != "scope"]
    return "/".join(["table", *parts, text_in(cells, "principalid")]).lower()
