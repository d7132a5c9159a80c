"""Owns who the auditor is in each tenant: its registered app, what it may read there, and with what it signs in.

Must never hold a permission that writes, or one that opens mail, calendars, contacts, chats or files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from m365audit.simulator.integrations import MANAGEMENT, App, RoleGrant
from m365audit.simulator.people import Tenant, fixed_id

SINCE: Final = "2026-08-20T09:00:00Z"
"""When an administrator let the auditor in: before the watched fortnight, so that no log tells of it."""

_READS_THE_DIRECTORY = (
    "Application.Read.All",
    "AuditLog.Read.All",
    "AuditLogsQuery.Read.All",
    "Organization.Read.All",
    "Policy.Read.All",
    "Policy.Read.PermissionGrant",
    "ResourceSpecificPermissionGrant.ReadForTeam.All",
    "RoleManagement.Read.Exchange",
    "Team.ReadBasic.All",
    "User.Read.All",
)
_READS_MORE = {
    "contoso": ("CallRecords.Read.All", "Directory.Read.All", "GroupMember.Read.All"),
    "fabrikam": ("Directory.Read.All", "GroupMember.Read.All"),
    "tailspin": ("DelegatedPermissionGrant.Read.All",),
}
"""Call records only where the auditor is recorded for them; Tailspin lets nobody see who is in its groups."""

READS_EVERYTHING: Final = tuple(sorted({*_READS_THE_DIRECTORY, *_READS_MORE["contoso"]}))
"""All that the auditor can make use of on Microsoft Graph."""

_READS_AUDIT_LOG: Final = "ActivityFeed.Read"
CredentialKind = Literal["certificate", "secret_file"]


@dataclass(frozen=True, slots=True)
class Registration:
    """How the auditor is registered in one tenant.

    Attributes:
        app: the application; every tenant registered its own.
        permissions: application permissions on Microsoft Graph.
        credential: how it signs in.
        file: name of the file that holds the credential, in the configuration's folder.
        ends_at: end of the credential's life.
    """

    app: App
    permissions: tuple[str, ...]
    credential: CredentialKind
    file: str
    ends_at: str

    @property
    def secret(self) -> str:
        """The client secret where there is one; of an invented world, and opening nothing else."""
        return hashlib.sha256(f"simulated secret of {self.app.id}".encode()).hexdigest()[:40]


def registration(tenant: Tenant) -> Registration:
    """Return how the auditor is registered: a certificate at Contoso, secrets elsewhere; Tailspin's ends soon."""
    is_certified = tenant.key == "contoso"
    return Registration(
        app=App(fixed_id(tenant.key, "auditor"), "m365audit", tenant.id, tenant.name, "192.0.2.200"),
        permissions=tuple(sorted((*_READS_THE_DIRECTORY, *_READS_MORE[tenant.key]))),
        credential="certificate" if is_certified else "secret_file",
        file=f"credentials/{tenant.key}{'.pem' if is_certified else '-secret.txt'}",
        ends_at="2026-10-10T09:00:00Z" if tenant.key == "tailspin" else "2027-08-20T09:00:00Z",
    )


def auditor_grants(tenant: Tenant) -> tuple[RoleGrant, ...]:
    """Return what the auditor was granted in the tenant."""
    registered = registration(tenant)
    on_graph = tuple(RoleGrant(registered.app, permission, SINCE) for permission in registered.permissions)
    return (*on_graph, RoleGrant(registered.app, _READS_AUDIT_LOG, SINCE, MANAGEMENT))
