"""A world of two tenants for the simulator's own tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from m365audit.simulator.served import ServedAudit, ServedClient, ServedTenant, ServedWorld

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"
AUDITOR = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
SECRET = "a secret for the tests"  # noqa: S105
ROLES = (
    "Application.Read.All",
    "AuditLog.Read.All",
    "AuditLogsQuery.Read.All",
    "CallRecords.Read.All",
    "Directory.Read.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "Policy.Read.All",
    "ResourceSpecificPermissionGrant.ReadForTeam.All",
    "RoleManagement.Read.Exchange",
    "User.Read.All",
)
KINDS = ("interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity")


def wire(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def sign_in(number: int, at: datetime) -> dict[str, Any]:
    kind = KINDS[number % 4]
    return {
        "id": f"sign-in-{number}",
        "createdDateTime": wire(at),
        "appId": AUDITOR,
        "signInEventTypes": [kind],
        "uniqueTokenIdentifier": f"token-{number}",
    }


def tenant(tenant_id: str, *, records: int = 40, roles: tuple[str, ...] = ROLES) -> ServedTenant:
    """A tenant with ``records`` of every log, one a minute, the newest a minute ago."""
    times = [NOW - timedelta(minutes=n + 1) for n in range(records)]
    served = ServedTenant(tenant_id, "Small")
    served.clients[AUDITOR] = ServedClient(secret=SECRET, roles=roles, manage_roles=("ActivityFeed.Read",))
    served.collections["signIns"] = [sign_in(n, at) for n, at in enumerate(times)]
    served.collections["directoryAudits"] = [
        {"id": f"audit-{n}", "activityDateTime": wire(at), "activityDisplayName": "Add member to group"}
        for n, at in enumerate(times)
    ]
    served.collections["users"] = [
        {"id": f"user-{n}", "userPrincipalName": f"u{n}@small.example", "ageGroup": "minor"} for n in range(records)
    ]
    served.audit = [
        ServedAudit(
            "Audit.Exchange",
            at + timedelta(seconds=30),
            {"Id": f"record-{n}", "CreationTime": f"{at:%Y-%m-%dT%H:%M:%S}", "RecordType": 50, "Workload": "Exchange"},
        )
        for n, at in enumerate(times)
    ]
    return served


def small_world(*, records: int = 40) -> ServedWorld:
    return ServedWorld.of(tenant(ONE, records=records), tenant(TWO, records=4), now=NOW)
