"""One event, told by a storage export and by every copy that people make of it, is one row with one verdict."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from landed import APP, GROUP, TENANT, USER, Desk, audit, call, envelope

WORKSPACE: Final = "abababab-0000-4000-8000-00000000000a"
SP: Final = "5b000000-0000-4000-8000-000000000001"
GRAPH_SP: Final = "9a000000-0000-4000-8000-000000000009"
WHEN: Final = "2026-05-04T10:15:00.1234567Z"
Json = dict[str, Any]

SIGN_IN: Final[Json] = {
    "id": "s-1", "createdDateTime": WHEN, "appId": APP, "appDisplayName": "CRM", "userId": USER,
    "userPrincipalName": "ann@contoso.example", "ipAddress": "203.0.113.7", "isInteractive": True,
    "conditionalAccessStatus": "success", "location": {"city": "Utrecht", "countryOrRegion": "NL"},
    "status": {"errorCode": 50126, "failureReason": "Invalid username or password."},
    "authenticationRequirement": "multiFactorAuthentication", "resourceId": "00000003-0000-0000-c000-000000000000",
    "uniqueTokenIdentifier": "AbC==", "clientAppUsed": "Browser",
}  # fmt: skip
CHANGE: Final[Json] = {
    "id": "Directory_1", "category": "ApplicationManagement", "correlationId": "c-1", "result": "success",
    "activityDisplayName": "Add app role assignment to service principal", "activityDateTime": WHEN,
    "loggedByService": "Core Directory", "operationType": "Assign",
    "initiatedBy": {"user": {"id": USER, "userPrincipalName": "ann@contoso.example"}},
    "targetResources": [
        {"id": GRAPH_SP, "displayName": "Microsoft Graph", "type": "ServicePrincipal", "modifiedProperties": [
            {"displayName": "AppRole.Id", "oldValue": None, "newValue": '"810c84a8-4a9e-49e6-bf7d-12d183f40d01"'},
            {"displayName": "AppRole.Value", "oldValue": None, "newValue": '"Mail.Read"'},
            {"displayName": "ServicePrincipal.ObjectID", "oldValue": None, "newValue": f'"{SP}"'},
            {"displayName": "ServicePrincipal.AppId", "oldValue": None, "newValue": f'"{APP}"'},
        ]},
        {"id": SP, "displayName": "CRM", "type": "ServicePrincipal", "modifiedProperties": []},
    ],
    "additionalDetails": [{"key": "AppId", "value": "00000003-0000-0000-c000-000000000000"}],
}  # fmt: skip
MAIL: Final[Json] = audit(
    "a-1", "2026-05-04T10:15:00", OrganizationId=TENANT, ClientIPAddress="203.0.113.7", OperationCount=2,
    Folders=[{"Path": "\\Inbox", "FolderItems": [{"Id": "i-1"}, {"Id": "i-2"}]}],
    OperationProperties=[{"Name": "MailAccessType", "Value": "Bind"}],
    AppAccessContext={"ClientAppId": APP, "UniqueTokenId": "AbC"},
)  # fmt: skip
CALL: Final[Json] = call("r-1", WHEN, ipAddress="203.0.113.7", C_Idtyp="app", durationMs=7, tenantId=TENANT)

WORKSPACE_COLUMNS: Final[Json] = {"TenantId": WORKSPACE, "SourceSystem": "Azure AD", "_ResourceId": ""}
ROWS: Final[Mapping[str, Json]] = {
    "MicrosoftGraphActivityLogs": {
        **{
            name[0].upper() + name[1:]: value
            for name, value in CALL["properties"].items()
            if name not in {"ipAddress", "tenantId"}
        },
        "TimeGenerated": WHEN, "IPAddress": "203.0.113.7", "AadTenantId": TENANT, "UserId": "",
        "Type": "MicrosoftGraphActivityLogs",
    },
    "SigninLogs": {
        "TimeGenerated": "2026-05-04T10:20:00Z", "CreatedDateTime": WHEN, "Id": "s-1", "AppId": APP,
        "AppDisplayName": "CRM",
        "UserId": USER, "UserPrincipalName": "ann@contoso.example", "IPAddress": "203.0.113.7", "IsInteractive": True,
        "ConditionalAccessStatus": "success", "Location": "NL", "LocationDetails": json.dumps(SIGN_IN["location"]),
        "Status": json.dumps(SIGN_IN["status"]), "ResultType": "50126", "ResultDescription": "Invalid username",
        "AuthenticationRequirement": "multiFactorAuthentication", "UniqueTokenIdentifier": "AbC==",
        "ResourceIdentity": "00000003-0000-0000-c000-000000000000",
        "ResourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
        "ClientAppUsed": "Browser", "AADTenantId": TENANT, "Category": "SignInLogs", "Type": "SigninLogs",
        "ServicePrincipalId": "",
    },
    "AuditLogs": {
        "TimeGenerated": WHEN, "ActivityDateTime": WHEN, "Id": "Directory_1", "Category": "ApplicationManagement",
        "OperationName": CHANGE["activityDisplayName"], "ActivityDisplayName": CHANGE["activityDisplayName"],
        "Result": "success", "ResultReason": "", "CorrelationId": "c-1", "LoggedByService": "Core Directory",
        "AADOperationType": "Assign", "InitiatedBy": json.dumps(CHANGE["initiatedBy"]),
        "TargetResources": json.dumps(CHANGE["targetResources"]),
        "AdditionalDetails": json.dumps(CHANGE["additionalDetails"]), "AADTenantId": TENANT, "Type": "AuditLogs",
    },
    "OfficeActivity": {
        "TimeGenerated": "2026-05-04T10:15:00Z", "OfficeId": "a-1", "SourceRecordId": "a-1",
        "Operation": "MailItemsAccessed",
        "OfficeWorkload": "Exchange", "RecordType": "ExchangeItemAggregated", "UserId": "ann@contoso.example",
        "UserId_": "ann@contoso.example",
        "UserType": "Regular", "ClientAppId": APP, "MailboxOwnerUPN": "ann@contoso.example",
        "ResultStatus": "Succeeded",
        "Client_IPAddress": "203.0.113.7", "OrganizationId": TENANT, "OfficeTenantId": TENANT, "OperationCount": 2,
        "Folders": json.dumps(MAIL["Folders"]), "OperationProperties": json.dumps(MAIL["OperationProperties"]),
        "AppAccessContext": json.dumps(MAIL["AppAccessContext"]), "Type": "OfficeActivity", "Logon_Type": "",
    },
}  # fmt: skip
MINIMUM: Final[Mapping[str, tuple[str, ...]]] = {
    "MicrosoftGraphActivityLogs": ("TimeGenerated", "RequestId", "RequestMethod", "RequestUri"),
    "SigninLogs": ("TimeGenerated", "Id", "AppId", "UserId"),
    "AuditLogs": ("TimeGenerated", "Id", "ActivityDisplayName"),
    "OfficeActivity": ("TimeGenerated", "OfficeId", "Operation", "OfficeWorkload"),
}
"""Columns of a query that asked for little."""


def native(desk: Desk) -> list[Path]:
    """Write what Microsoft's own exports hold, and the group that the consent record covers."""
    group = {"id": GROUP, "securityEnabled": True, "transitiveMembers": [
        {"@odata.type": "#microsoft.graph.user", "id": USER, "userPrincipalName": "ann@contoso.example"}]}  # fmt: skip
    user = {"id": USER, "userPrincipalName": "ann@contoso.example", "userType": "Member"}
    return [
        desk.write("calls.json", [CALL]),
        desk.write("signins.json", [envelope("SignInLogs", SIGN_IN)]),
        desk.write("audits.json", [envelope("AuditLogs", CHANGE)]),
        desk.write("ual.json", [MAIL]),
        desk.write("groups.json", json.dumps({"value": [group]}), at="2026-05-05T00:00:00+00:00"),
        desk.write("users.json", json.dumps({"value": [user]}), at="2026-05-05T00:00:00+00:00"),
    ]


def copies(desk: Desk) -> list[Path]:
    """Write the same events as people bring them out of Log Analytics; the poorest come last and are the youngest."""
    files = []
    for table, row in ROWS.items():
        whole = WORKSPACE_COLUMNS | row
        poor = {name: whole[name] for name in MINIMUM[table]}
        files += [
            desk.write(f"{table}.jsonl", [whole]),
            desk.write(f"{table}.answer.json", json.dumps(answer(whole))),
            desk.write(
                f"{table}.az.json",
                json.dumps([{name: as_text(v) for name, v in whole.items()} | {"TableName": "PrimaryResult"}]),
            ),
            desk.write(f"{table}.portal.csv", portal_csv(whole, separator=";")),
            desk.write(f"{table}.collector.csv", portal_csv({collected(name, v): v for name, v in whole.items()})),
            desk.write(f"{table}.poor.csv", portal_csv(poor), at="2026-06-01T00:00:00+00:00"),
        ]
    return files


def answer(row: Json) -> Json:
    """Return a row as the query API gives it."""
    columns = [
        {"name": name, "type": "dynamic" if as_text(value)[:1] in "[{" else "string"} for name, value in row.items()
    ]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": [list(row.values())]}]}


def as_text(value: object) -> str:
    """Return a value as the Azure CLI writes it."""
    return "None" if value in ("", None) else str(value)


def collected(name: str, value: object) -> str:
    """Return a column's name as a custom log has it."""
    return (
        name if name in {"TimeGenerated", "Type", "TenantId"} else f"properties_{name}_{'b' if value is True else 's'}"
    )


def portal_csv(row: Json, separator: str = ",") -> str:
    """Return a row as the portal's export writes it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerow([f"{name} [UTC]" if name.startswith("TimeGen") else name for name in row])
    writer.writerow(list(row.values()))
    return "\ufeff" + out.getvalue()


TABLES: Final = {
    "access_events": "* EXCLUDE (source_id, first_seen_at, origin)",
    "verdicts": "*",
    "sign_ins": "*",
    "directory_changes": "*",
    "grants": "* EXCLUDE (first_seen_at, last_seen_at)",
}


def answers(desk: Desk) -> dict[str, list[Any]]:
    """Return every row that a question about these events meets."""
    return {name: desk.published(f"SELECT {columns} FROM {name} ORDER BY ALL") for name, columns in TABLES.items()}  # noqa: S608


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What the storage exports alone lead to."""
    desk = Desk(tmp_path_factory.mktemp("native"))
    outcome = desk.judge(*native(desk))
    assert [file.stored for file in outcome.landed] == [1] * 6
    found = answers(desk)
    assert {name: len(rows) for name, rows in found.items()} == {
        "access_events": 2, "verdicts": 2, "sign_ins": 1, "directory_changes": 1, "grants": 1,
    }  # fmt: skip
    assert sorted(row[3] for row in found["verdicts"]) == ["outside", "within"]
    return found


@pytest.mark.parametrize("order", ["copies after", "copies before"])
def test_a_copy_changes_nothing(tmp_path: Path, expected: dict[str, list[Any]], order: str) -> None:
    desk = Desk(tmp_path)
    first, second = native(desk), copies(desk)
    files = first + second if order == "copies after" else second + first
    outcome = desk.judge(*files)
    assert [(file.path, file.outcome, file.message) for file in outcome.landed if file.outcome != "imported"] == []
    assert all(file.records == file.stored + file.duplicate == 1 for file in outcome.landed)
    assert answers(desk) == expected


def test_copies_alone_say_the_same(tmp_path: Path, expected: dict[str, list[Any]]) -> None:
    desk = Desk(tmp_path)
    desk.judge(*[file for file in native(desk) if file.stem in {"groups", "users"}], *copies(desk))
    assert answers(desk) == expected


@pytest.mark.parametrize("order", ["portal after", "portal before"])
def test_the_portal_s_tables_change_nothing(tmp_path: Path, expected: dict[str, list[Any]], order: str) -> None:
    """Its table of audit logs has no ids: where the record itself came, its row is not a second event."""
    desk = Desk(tmp_path)
    sign_in = {
        "Date (UTC)": WHEN, "Request ID": "s-1", "User ID": USER, "Application ID ": APP, "Status": "Failure",
    }  # fmt: skip
    change = {
        "Date (UTC)": "2026-05-04T10:15:00Z", "CorrelationId": "c-1", "Activity": CHANGE["activityDisplayName"],
        "Result": "success", "Target1ObjectId": GRAPH_SP,
    }  # fmt: skip
    portal = [
        desk.write("InteractiveSignIns_2026-05-04.csv", portal_csv(sign_in), at="2026-06-01T00:00:00+00:00"),
        desk.write("AuditLogs_2026-05-04.csv", portal_csv(change), at="2026-06-01T00:00:00+00:00"),
    ]
    files = native(desk) + portal if order == "portal after" else portal + native(desk)
    outcome = desk.judge(*files)
    assert [file.stored for file in outcome.landed] == [1] * 8
    assert answers(desk) == expected


def test_what_was_told_first_hand_is_preferred(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.bring("copy.json", [WORKSPACE_COLUMNS | ROWS["MicrosoftGraphActivityLogs"]], at="2026-06-01T00:00:00+00:00")
    desk.bring("calls.json", [CALL], at="2026-05-05T00:00:00+00:00")
    desk.bring("again.csv", portal_csv(ROWS["MicrosoftGraphActivityLogs"]), at="2026-07-01T00:00:00+00:00")
    assert desk.ask("SELECT is_retold FROM landed_calls WHERE is_newest") == [(False,)]


def test_what_nobody_asked_for_is_not_known(tmp_path: Path) -> None:
    """Roles without the column of scopes could be a user's call as well."""
    desk = Desk(tmp_path)
    row = {"TimeGenerated": WHEN, "RequestId": "r", "RequestUri": "https://graph.microsoft.com/v1.0/me/messages",
           "RequestMethod": "GET", "AppId": APP, "Roles": "Mail.Read"}  # fmt: skip
    desk.judge(desk.write("little.json", [row]))
    assert desk.published("SELECT access_kind, succeeded, ip_address FROM access_events") == [(None, None, None)]
    assert desk.published("SELECT verdict, reasons FROM verdicts") == [
        ("not_assessable", ["access_kind_unknown", "resource_unknown"])
    ]
