"""Reads what the path of a storage export and the first records say about the file: its hour and its tenants.

Must never decide whether a file belongs to a tenant; it only tells what the file declares.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Final

import msgspec

from m365audit.exports.limits import MAX_RECORD_BYTES
from m365audit.exports.pieces import JsonObject
from m365audit.model import PreparedFile

_RECORDS: Final = 200
_HOUR = re.compile(r"(?:^|[/!])y=(\d{4})/m=(\d{2})/d=(\d{2})/h=(\d{2})/m=\d{2}/[^/]+$")
_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_IS_GUID = re.compile(_GUID)
_TENANT_IN_PATH = re.compile(rf"[/!]tenantid=({_GUID})/")
_TENANT_IN_RESOURCE = re.compile(rf"/tenants/({_GUID})(?:/|$)")
_NOBODY = "00000000-0000-0000-0000-000000000000"
_TENANT_KEYS = frozenset(("tenantid", "organizationid", "__udi_requiredfields_tenantid"))


def covered_hour(path: PurePath) -> str | None:
    """Return the hour that a storage path names, as ``2026-07-16T13:00:00Z``; None when it names none."""
    match = _HOUR.search(path.as_posix())
    if match is None:
        return None
    year, month, day, hour = (int(part) for part in match.groups())
    try:
        return datetime(year, month, day, hour, tzinfo=UTC).strftime("%Y-%m-%dT%H:00:00Z")
    except ValueError:
        return None


def declared_tenants(prepared: PreparedFile) -> set[str]:
    """Return the tenant ids (lower case) that the path and the first records of a prepared file name.

    Empty when nothing names one: most Graph answers do not.
    """
    tenants = set(_TENANT_IN_PATH.findall("/" + PurePath(prepared.path).as_posix().lower()))
    with Path(prepared.ndjson).open("rb") as file:
        for _ in range(_RECORDS):
            line = file.readline(MAX_RECORD_BYTES + 2)
            if not line:
                break
            tenants |= _tenants_of(line, prepared.kind)
    return tenants - {_NOBODY}


def _tenants_of(line: bytes, kind: str) -> set[str]:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return set()
    if not isinstance(value, dict):
        return set()
    names = _named(value)
    inner = value.get("properties")
    if isinstance(inner, dict):
        names |= _named(inner)
    if kind == "organization":
        names.add(str(value.get("id", "")).lower())
    return {name for name in names if _IS_GUID.fullmatch(name)}


def _named(value: JsonObject) -> set[str]:
    texts = {key.lower(): member.lower() for key, member in value.items() if isinstance(member, str)}
    resource = _TENANT_IN_RESOURCE.match(texts.get("resourceid", ""))
    names = {texts[key] for key in _TENANT_KEYS & texts.keys()}
    return names | {resource[1]} if resource else names
