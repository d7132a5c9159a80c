"""Owns the audit records of every tenant's everyday: people sign in and open files.

Must never add an access to a workload that is audited.
"""

from __future__ import annotations

from datetime import datetime

from m365audit.simulator.audit_records import Record, audit_record
from m365audit.simulator.diary import Diary, at
from m365audit.simulator.people import Person, Tenant, fixed_id


def audit_records(diary: Diary) -> list[Record]:
    """Return the tenant's whole unified audit log, oldest first; empty where auditing is off."""
    if not diary.audited:
        return []
    told = [(a.at, a.id, audit_record(diary.tenant, a)) for a in diary.audited]
    common = [(_when(record), str(record["Id"]), record) for record in _everyday(diary.tenant)]
    return [record for _, _, record in sorted([*told, *common], key=lambda entry: entry[:2])]


def belated(tenant: Tenant) -> list[Record]:
    """Return the records that show only after the first collection: two sign-ins and a file of the last day."""
    reader = _somebody(tenant)
    first, second = (_signed_in(tenant, reader, at(14, hour, 5)) for hour in (12, 16))
    return [first, second, _opened(tenant, reader, at(14, 16, 30))]


def _when(record: Record) -> datetime:
    return datetime.fromisoformat(record["CreationTime"] + "+00:00")


def _everyday(tenant: Tenant) -> list[Record]:
    reader = _somebody(tenant)
    signed_in = [_signed_in(tenant, reader, at(day, 6, 45)) for day in range(1, 15)]
    opened = [_opened(tenant, reader, at(day, 9, 20)) for day in range(1, 15, 2)]
    return [*signed_in, *opened, *belated(tenant)]


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
