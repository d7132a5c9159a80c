"""Finding the records that cannot be stored, with their places; only files that hold any are walked line by line.

Must never hold more than one of them: there may be a million.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from m365audit.model import PreparedFile, Quarantined

_EXCERPT: Final = 200
_BLANKS: Final = " \t\r\n"
_READ_CATEGORIES: Final = {
    "microsoftgraphactivitylogs", "signinlogs", "noninteractiveusersigninlogs", "serviceprincipalsigninlogs",
    "managedidentitysigninlogs", "auditlogs",
}  # fmt: skip

_TELLING_FIELDS: Final = {
    "activityDisplayName", "activityDateTime", "initiatedBy", "createdDateTime", "userPrincipalName",
    "servicePrincipalId",
}  # fmt: skip
"""By these, and by a request URI, a record is known that carries another category, or none (see ``landing_sql``)."""


def find_unusable(prepared: PreparedFile) -> Iterator[Quarantined]:
    """Yield the records of a prepared file that have no id, or belong to a log category that is not read.

    The place is the record's ordinal in the file that the user named; line and byte offset are given where that file
    is read as it is.
    """
    skipped = _ordinals(prepared.quarantine)
    next_skipped = next(skipped, None)
    offset, ordinal = 0, 0
    with open(prepared.ndjson, "rb") as lines:  # noqa: PTH123 - a plain path from the exports room
        for number, line in enumerate(lines, start=1):
            if line.strip():
                ordinal += 1
                while next_skipped == ordinal:
                    ordinal += 1
                    next_skipped = next(skipped, None)
                # As text, because a number may have more digits than int takes.
                reason = _reason(json.loads(line, parse_int=str), prepared)
                if reason:
                    line_number, byte = (None, None) if prepared.is_temporary else (number, offset)
                    excerpt = line[:_EXCERPT].decode("utf-8", "replace")
                    yield Quarantined(ordinal, line_number, byte, reason, excerpt)
            offset += len(line)


def _ordinals(quarantine: str | None) -> Iterator[int]:
    """Yield the ordinals of the records that the exports room set aside; they rise."""
    if quarantine is not None:
        with open(quarantine, "rb") as notes:  # noqa: PTH123 - a plain path from the exports room
            for note in notes:
                yield json.loads(note)["record"]


def _reason(value: dict[str, Any], prepared: PreparedFile) -> str:
    """Return why a record cannot be stored, empty when it can."""
    record: Any = value
    is_call = prepared.kind == "graph_activity"
    if prepared.enveloped:
        category = str(value.get("category") or "").lower()
        record = value.get("properties")
        known = record if isinstance(record, dict) else {}
        has_uri = known.get("requestUri") is not None
        if category not in _READ_CATEGORIES and not has_uri and not _TELLING_FIELDS.intersection(known):
            return f"log category {repr(value.get('category'))[:60]} is not read"
        is_call = category == "microsoftgraphactivitylogs" or (category not in _READ_CATEGORIES and has_uri)
    name = "requestId" if is_call else "Id" if prepared.kind == "audit_records" else "id"
    held = record.get(name) if isinstance(record, dict) else None
    if prepared.kind == "policies" and isinstance(record, dict):
        held = held or record.get("@odata.type") or record.get("@odata.context")
    return (
        ""
        if str(held if held is not None else "").strip(_BLANKS)
        else f"has no {name!r}, so it cannot be told from others"
    )
