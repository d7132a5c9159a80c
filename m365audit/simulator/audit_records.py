"""Owns the shape of unified audit records, as the Management API gives them and as Purview's CSV wraps them."""

from __future__ import annotations

import json
from typing import Any

from m365audit.simulator.diary import Audited
from m365audit.simulator.integrations import ARCHIVE, EXCHANGE, GRAPH, App
from m365audit.simulator.people import Tenant, fixed_id

CSV_COLUMNS = (
    "RecordType",
    "CreationDate",
    "UserIds",
    "Operations",
    "AuditData",
    "ResultIndex",
    "ResultCount",
    "Identity",
    "IsValid",
    "ObjectState",
)
Record = dict[str, Any]
_TYPE_NAMES = {
    1: "ExchangeAdmin",
    2: "ExchangeItem",
    6: "SharePointFileOperation",
    15: "AzureActiveDirectoryStsLogon",
    25: "MicrosoftTeams",
    50: "ExchangeItemAggregated",
}


def audit_record(tenant: Tenant, audited: Audited) -> Record:
    """Return one record in the Management API's shape; times there have no zone and mean UTC."""
    if audited.said:
        return _command(tenant, audited)
    shape = {"MailItemsAccessed": _mail_read, "Send": _mail_sent, "MessagesListed": _chat_read}[audited.operation]
    return {
        "CreationTime": f"{audited.at:%Y-%m-%dT%H:%M:%S}",
        "Id": audited.id,
        "Operation": audited.operation,
        "OrganizationId": tenant.id,
        "ResultStatus": "Succeeded",
        "UserKey": "0000000000000000",
        "UserType": 0 if audited.user else 5,
        "Version": 1,
        "UserId": audited.user.upn if audited.user else f"ServicePrincipal_{audited.app.sp_id(tenant)}",
        "AppAccessContext": {
            "AADSessionId": "",
            "APIId": GRAPH,
            "ClientAppId": audited.app.id,
            "IssuedAtTime": f"{audited.at:%Y-%m-%dT%H:00:00}",
            "UniqueTokenId": audited.id.replace("-", "")[:22],
        },
        **shape(tenant, audited),
    }


def _command(tenant: Tenant, audited: Audited) -> Record:
    """Return a command of an administrator; ``AppId`` is the console."""
    assert audited.user  # noqa: S101  # a command is always somebody's
    return {
        "CreationTime": f"{audited.at:%Y-%m-%dT%H:%M:%S}",
        "Id": audited.id,
        "Operation": audited.operation,
        "OrganizationId": tenant.id,
        "RecordType": 1,
        "ResultStatus": "True",
        "UserKey": "1003200000000000",
        "UserType": 2,
        "Version": 1,
        "Workload": "Exchange",
        "ObjectId": dict(audited.said).get("Identity", ""),
        "UserId": audited.user.upn,
        "AppId": audited.app.id,
        "ClientAppId": "",
        "ClientIP": "198.51.100.7:24528",
        "ExternalAccess": False,
        "OrganizationName": f"{tenant.key}.onmicrosoft.com",
        "Parameters": [{"Name": name, "Value": value} for name, value in audited.said],
    }


def _mailbox(tenant: Tenant, audited: Audited) -> Record:
    """Return what every Exchange record says: ``AppId`` is the API, ``ClientAppId`` the app behind it."""
    owner = audited.mailbox.upn if audited.mailbox else ""
    by_old_door = audited.app.id in {EXCHANGE, ARCHIVE.id}
    return {
        "Workload": "Exchange",
        "AppId": EXCHANGE if by_old_door else GRAPH,
        "ClientAppId": audited.app.id,
        "ClientIPAddress": audited.app.address,
        "ClientInfoString": _client(audited.app),
        "ExternalAccess": "False",
        "InternalLogonType": 0,
        "LogonType": 0,
        "MailboxGuid": fixed_id("mailbox", owner),
        "MailboxOwnerUPN": owner,
        "OrganizationName": f"{tenant.key}.onmicrosoft.com",
        "OriginatingServer": "DB9PR01MB0001 (15.20.4200.000)\r\n",
        "TokenObjectId": audited.user.id if audited.user else audited.app.sp_id(tenant),
        "TokenTenantId": tenant.id,
    }


def _client(app: App) -> str:
    """Return by which door Exchange was entered."""
    doors = {EXCHANGE: "Client=OWA;Action=ViaProxy", ARCHIVE.id: "Client=POP3/IMAP4;Protocol=IMAP4"}
    return doors.get(app.id, "Client=REST;Client=RESTSystem;;")


def _mail_read(tenant: Tenant, audited: Audited) -> Record:
    items = [
        {"InternetMessageId": f"<{audited.id[:8]}.{n}@{tenant.domain}>", "SizeInBytes": 40_000 + n, "Id": f"RgAAA{n}"}
        for n in range(audited.items)
    ]
    return {
        "RecordType": 50,
        **_mailbox(tenant, audited),
        "OperationProperties": [
            {"Name": "MailAccessType", "Value": "Bind"},
            {"Name": "IsThrottled", "Value": str(audited.is_throttled)},
        ],
        "Folders": [{"Id": "LgAAAA", "Path": "\\Postvak IN", "FolderItems": items}],
        "OperationCount": audited.items,
    }


def _mail_sent(tenant: Tenant, audited: Audited) -> Record:
    return {
        "RecordType": 2,
        **_mailbox(tenant, audited),
        "Item": {
            "Id": "RgAAAB",
            "InternetMessageId": f"<{audited.id[:8]}@{tenant.domain}>",
            "ParentFolder": {"Id": "LgAAAC", "Path": "\\Verzonden items"},
            "SizeInBytes": 9_000,
            "Subject": "Bevestiging",
        },
    }


def _chat_read(_tenant: Tenant, audited: Audited) -> Record:
    return {
        "RecordType": 25,
        "Workload": "MicrosoftTeams",
        "UserId": "Application",
        "ItemName": None,
        "Messages": [
            {"Id": f"17568{n:08d}", "ChatThreadId": audited.chat, "Version": f"17568{n:08d}", "SizeInBytes": 120}
            for n in range(audited.items)
        ],
    }


def csv_row(number: int, total: int, record: Record) -> tuple[str, ...]:
    """Return a record as a row of Purview's export: American dates, the record itself as JSON in a cell."""
    day, clock = record["CreationTime"].split("T")
    year, month, date = (int(part) for part in day.split("-"))
    hour, minute, second = clock.split(":")
    half = "AM" if int(hour) < 12 else "PM"  # noqa: PLR2004  # noon
    return (
        _TYPE_NAMES[record["RecordType"]],
        f"{month}/{date}/{year} {(int(hour) + 11) % 12 + 1}:{minute}:{second} {half}",
        record["UserId"],
        record["Operation"],
        json.dumps(record, separators=(",", ":")),
        str(number),
        str(total),
        record["Id"],
        "True",
        "Unchanged",
    )
