"""Knows call records: whole calls, calls over the telephone network or direct routing, and the parts of a call.

Sessions and participants are listed on pages of their own, which name their call in ``@odata.context`` alone: each
such part is given its call's id, so that it can neither be mistaken for a call nor lose it. Must never read a number.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

_CALLS: Final = tuple(
    frozenset(names)
    for names in (
        ("modalities", "startdatetime", "lastmodifieddatetime"),
        ("modalities", "startdatetime", "organizer"),
        ("modalities", "startdatetime", "organizer_v2"),
        ("modalities", "startdatetime", "sessions"),
        ("modalities", "participants_v2"),
    )
)
_TELEPHONY: Final = tuple(
    frozenset(names)
    for names in (
        ("calltype", "startdatetime", "callid", "usagecountrycode"),
        ("calltype", "startdatetime", "callernumber", "charge"),
        ("calltype", "startdatetime", "trunkfullyqualifieddomainname"),
        ("calltype", "startdatetime", "finalsipcode"),
        ("calltype", "callernumber", "calleenumber"),
    )
)
_SESSION: Final = frozenset(("modalities", "caller", "callee"))
_PARTICIPANT: Final = frozenset(("id", "identity"))
_CONTEXT = re.compile(r"callRecords\('([^'/]{1,200})'\)/(sessions|participants_v2)", re.IGNORECASE)
_read_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def is_call(keys: frozenset[str]) -> bool:
    """Say whether an object with these keys (lower case) is a call, or a part of one that names its call."""
    return any(needed <= keys for needed in (*_CALLS, *_TELEPHONY)) or {"callid", "part"} <= keys


def is_part(keys: frozenset[str]) -> bool:
    """Say whether an object with these keys (lower case) is a session or a participant, which names no call itself."""
    return not is_call(keys) and (keys >= _SESSION or keys == _PARTICIPANT)


def part_of_call(raw: bytes, context: str) -> bytes | None:
    """Return a session or participant with its call's id, None when ``@odata.context`` names no call.

    Its own id stays readable behind the call's: ids of parts repeat from call to call, and may be the call's own.
    """
    found = _CONTEXT.search(context)
    if found is None:
        return None
    members = _read_members(raw)
    own = msgspec.json.decode(members["id"]) if "id" in members else ""
    name = f"{found[1]}/{found[2].lower()}/{own}" if own else ""
    said = {"id": name, "callId": found[1], "part": found[2].lower()}
    return msgspec.json.encode({**members, **said})
