"""Owns the audit records of every tenant's everyday: what people and services do all day, and nobody judges.

Must never add an access to a workload that is audited. Every kind of log has some each morning: a log that is silent
for days cannot be told from one that is off.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from m365audit.simulator.audit_records import Record, audit_record
from m365audit.simulator.diary import Diary, at
from m365audit.simulator.people import Person, Tenant, fixed_id

_TIMES: Final = ((6, 15), (8, 15))


def audit_records(diary: Diary) -> list[Record]:
    """Return the tenant's whole unified audit log, oldest first; empty where auditing is off."""
    told = [audit_record(diary.tenant, audited) for audited in diary.audited]
    return sorted((*told, *everyday_records(diary)), key=lambda r: (r["CreationTime"], r["Id"]))


def everyday_records(diary: Diary) -> list[Record]:
    """Return what is in the log beside the story."""
    if not diary.audited:
        return []
    tenant, reader = diary.tenant, _somebody(diary.tenant)
    times = [at(day, hour, minute) for day in range(1, 15) for hour, minute in _TIMES]
    kinds = (_signed_in, _opened, _card_used, _user_set)
    return [*(kind(tenant, reader, when) for when in times for kind in kinds), *belated(tenant)]


def belated(tenant: Tenant) -> list[Record]:
    """Return the records that show only after the first collection: two sign-ins and a file of the last day."""
    moments: tuple[tuple[Callable[[Tenant, Person, datetime], Record], datetime], ...] = (
        (_signed_in, at(14, 12, 5)),
        (_signed_in, at(14, 16, 5)),
        (_opened, at(14, 16, 30)),
    )
    return [kind(tenant, _somebody(tenant), when) for kind, when in moments]


def _somebody(tenant: Tenant) -> Person:
    return next(iter(tenant.people.values()))


def _common(tenant: Tenant, reader: Person, when: datetime, operation: str, workload: str) -> Record:
    return {
        "CreationTime": f"{when:%Y-%m-%dT%H:%M:%S}",
        "Id": fixed_id(tenant.key, "everyday", operation, f"{when:%d%H%M}"),
        "Operation": operation,
        "OrganizationId": tenant.id,
        "ResultStatus": "Success",
        "UserKey": reader.id,
        "UserType": 0,
        "Version": 1,
        "Workload": workload,
        "ClientIP": "198.51.100.7",
        "UserId": reader.upn,
    }


def _signed_in(tenant: Tenant, reader: Person, when: datetime) -> Record:
    return {
        **_common(tenant, reader, when, "UserLoggedIn", "AzureActiveDirectory"),
        "RecordType": 15,
        "ObjectId": "00000002-0000-0ff1-ce00-000000000000",
        "AzureActiveDirectoryEventType": 1,
        "ExtendedProperties": [{"Name": "ResultStatusDetail", "Value": "Success"}],
        "ModifiedProperties": [],
        "Actor": [{"ID": reader.id, "Type": 0}, {"ID": reader.upn, "Type": 5}],
        "ActorContextId": tenant.id,
        "ApplicationId": "00000002-0000-0ff1-ce00-000000000000",
        "ErrorNumber": "0",
    }


def _opened(tenant: Tenant, reader: Person, when: datetime) -> Record:
    site = f"https://{tenant.key}.sharepoint.example/sites/work"
    return {
        **_common(tenant, reader, when, "FileAccessed", "SharePoint"),
        "RecordType": 6,
        "ObjectId": f"{site}/Shared Documents/plan.docx",
        "EventSource": "SharePoint",
        "ItemType": "File",
        "SiteUrl": f"{site}/",
        "SourceFileName": "plan.docx",
        "UserAgent": "Mozilla/5.0",
    }


def _card_used(tenant: Tenant, reader: Person, when: datetime) -> Record:
    return {**_common(tenant, reader, when, "PerformedCardAction", "MicrosoftTeams"), "RecordType": 25}


def _user_set(tenant: Tenant, reader: Person, when: datetime) -> Record:
    """Return a command that Exchange gives itself, all day long."""
    return {
        **_common(tenant, reader, when, "Set-User", "Exchange"),
        "RecordType": 1,
        "ResultStatus": "True",
        "UserType": 3,
        "UserId": "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)",
        "ObjectId": reader.upn,
        "AppId": "",
        "ClientAppId": "",
        "ExternalAccess": True,
        "Parameters": [{"Name": "Identity", "Value": reader.upn}],
    }
