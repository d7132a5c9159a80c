"""Owns the logs as the Graph API shows them: sign-ins, directory audits, calls, and when each of them first shows.

The records are those of the exports, so that collecting and importing an event gives one row. Must never add an event.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from m365audit.simulator.diary import Diary, at
from m365audit.simulator.directory_lines import directory_line, sign_in_line
from m365audit.simulator.graph_lines import wire_time
from m365audit.simulator.integrations import TELEPHONY
from m365audit.simulator.people import Tenant, fixed_id
from m365audit.simulator.served import Record

_EVENT_TYPES: Final = {
    "SignInLogs": "interactiveUser",
    "NonInteractiveUserSignInLogs": "nonInteractiveUser",
    "ServicePrincipalSignInLogs": "servicePrincipal",
    "ManagedIdentitySignInLogs": "managedIdentity",
}
FORGOTTEN_TRUNK: Final = "sbc-oud.belhuis.example"
"""A trunk of earlier days over which one call in four still goes; no record names it."""
_CALL_PATH = "/communications/callRecords/"


def sign_ins(diary: Diary) -> list[Record]:
    """Return the sign-ins in beta's shape, the four kinds together."""
    return [
        _as_api(sign_in_line(diary.tenant, sign_in)["properties"], "createdDateTime")
        | {"signInEventTypes": [_EVENT_TYPES[sign_in.kind]]}
        for sign_in in sorted(diary.sign_ins, key=lambda s: (s.at, s.id))
    ]


def directory_audits(diary: Diary) -> list[Record]:
    """Return the audit events of the directory."""
    changes = sorted(diary.changes, key=lambda c: (c.at, c.id))
    return [_as_api(directory_line(diary.tenant, change)["properties"], "activityDateTime") for change in changes]


def _as_api(record: Record, time: str) -> Record:
    """Return the record with its time as the API spells it: the same moment, with Z."""
    return {**record, time: record[time].replace("+00:00", "Z")}


def arrivals(diary: Diary) -> dict[str, datetime]:
    """Return when sign-ins and audits first show: after minutes, one in fifty sign-ins after hours."""
    found = {change.id: change.at + timedelta(minutes=3) for change in diary.changes}
    for number, sign_in in enumerate(diary.sign_ins, start=1):
        is_quick = sign_in.kind == "SignInLogs"
        wait = timedelta(hours=5) if number % 50 == 0 else timedelta(minutes=8 if is_quick else 25)
        found[sign_in.id] = sign_in.at + wait
    return found


def call_records(diary: Diary) -> list[Record]:
    """Return the calls that the telephony of the story asked for, each ended minutes before it did."""
    asked = [c for c in diary.calls if c.app == TELEPHONY and c.path.startswith(_CALL_PATH)]
    staff = _staff(diary.tenant)
    return [
        _call(diary.tenant, call.path.removeprefix(_CALL_PATH).partition("?")[0], call.at, number % len(staff))
        for number, call in enumerate(asked)
    ]


def _staff(tenant: Tenant) -> list[str]:
    return [key for key in tenant.people if key not in {"admin", "noreply"}]


def _call(tenant: Tenant, call_id: str, asked_at: datetime, number: int) -> Record:
    staff = _staff(tenant)
    caller, callee = (tenant.person(staff[(number + step) % len(staff)]) for step in (0, 1))
    begin, end = asked_at - timedelta(minutes=34), asked_at - timedelta(minutes=20)
    return {
        "id": call_id,
        "version": 1,
        "type": "peerToPeer",
        "modalities": ["audio"],
        "startDateTime": wire_time(begin),
        "endDateTime": wire_time(end),
        "lastModifiedDateTime": wire_time(end + timedelta(minutes=10)),
        "joinWebUrl": None,
        "organizer": {"user": {"id": caller.id, "displayName": caller.name}},
        "participants": [{"user": {"id": person.id, "displayName": person.name}} for person in (caller, callee)],
        "organizer_v2": _participant(tenant, caller.key),
        "participants_v2": [_participant(tenant, person.key) for person in (caller, callee)],
    }


def _participant(tenant: Tenant, key: str) -> Record:
    person = tenant.person(key)
    user = {"id": person.id, "displayName": person.name, "userPrincipalName": person.upn, "tenantId": tenant.id}
    return {"id": person.id, "identity": {"user": user}, "administrativeUnitInfos": []}


def pstn_calls(tenant: Tenant) -> list[Record]:
    """Return calls over Microsoft's telephone network: two a day, for customers."""
    return [_pstn(tenant, number, when) for number, when in enumerate(_daily(10, 15))]


def _daily(*hours: int) -> Iterable[datetime]:
    return (at(day, hour, 12) for day in range(1, 15) for hour in hours)


def _pstn(tenant: Tenant, number: int, begin: datetime) -> Record:
    staff = _staff(tenant)
    person = tenant.person(staff[number % len(staff)])
    seconds = 60 + 7 * number
    return {
        "id": fixed_id(tenant.key, "pstn", str(number)),
        "callId": fixed_id(tenant.key, "pstn-call", str(number)),
        "userId": person.id,
        "userPrincipalName": person.upn,
        "userDisplayName": person.name,
        "startDateTime": wire_time(begin),
        "endDateTime": wire_time(begin + timedelta(seconds=seconds)),
        "duration": seconds,
        "charge": 0.0,
        "connectionCharge": 0.0,
        "callType": "user_out",
        "currency": "EUR",
        "callerNumber": "+31205550100",
        "calleeNumber": f"+3120555{number:04d}",
        "usageCountryCode": "NL",
        "tenantCountryCode": "NL",
        "destinationContext": "Domestic",
        "destinationName": "Netherlands",
        "conferenceId": None,
        "licenseCapability": "MCOPSTN1",
        "inventoryType": "Subscriber",
        "operator": "Microsoft",
        "callDurationSource": "microsoft",
    }


def direct_routing_calls(tenant: Tenant) -> list[Record]:
    """Return calls over trunks of the tenant's own: one a day."""
    return [_direct(tenant, number, when) for number, when in enumerate(_daily(11), start=1)]


def _direct(tenant: Tenant, number: int, begin: datetime) -> Record:
    staff = _staff(tenant)
    person = tenant.person(staff[number % len(staff)])
    is_answered = number % 5 != 0
    seconds = 45 + 11 * number if is_answered else 0
    return {
        "id": fixed_id(tenant.key, "direct-routing", str(number)),
        "correlationId": fixed_id(tenant.key, "direct-routing-call", str(number)),
        "userId": person.id,
        "userPrincipalName": person.upn,
        "userDisplayName": person.name,
        "startDateTime": wire_time(begin + timedelta(seconds=12)),
        "inviteDateTime": wire_time(begin),
        "failureDateTime": "0001-01-01T00:00:00Z" if is_answered else wire_time(begin + timedelta(seconds=30)),
        "endDateTime": wire_time(begin + timedelta(seconds=12 + seconds)),
        "duration": seconds,
        "callType": "ByotIn",
        "successfulCall": is_answered,
        "callerNumber": f"+3110555{number:04d}",
        "calleeNumber": "+31205550100",
        "mediaPathLocation": "EUWE",
        "signalingLocation": "EUNO",
        "finalSipCode": 0 if is_answered else 486,
        "callEndSubReason": 0 if is_answered else 540486,
        "finalSipCodePhrase": "BYE" if is_answered else "Busy Here",
        "trunkFullyQualifiedDomainName": FORGOTTEN_TRUNK if number % 4 == 0 else f"sbc.{tenant.domain}",
        "mediaBypassEnabled": False,
    }
