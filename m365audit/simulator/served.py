"""Owns what a simulated Microsoft 365 holds: tenants, clients, people, listings and logs, as plain data.

Must never answer a request and never know how one is made: `simulator/service` does that.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

Record = dict[str, Any]
"""One object as Microsoft's API writes it. Once served it is never changed in place: put another in its stead."""

P1: Final = "AAD_PREMIUM"
P2: Final = "AAD_PREMIUM_P2"

COLLECTIONS: Final[tuple[str, ...]] = (
    "organization",
    "subscribedSkus",
    "servicePrincipals",
    "applications",
    "oauth2PermissionGrants",
    "appRoleAssignments",
    "users",
    "groups",
    "teams",
    "chats",
    "permissionGrantPolicies",
    "authorizationPolicy",
    "adminConsentRequestPolicy",
    "identitySecurityDefaultsEnforcementPolicy",
    "conditionalAccessPolicies",
    "exchangeRoleAssignments",
    "exchangeRoleDefinitions",
    "exchangeCustomAppScopes",
    "signIns",
    "directoryAudits",
    "callRecords",
    "pstnCalls",
    "directRoutingCalls",
)
"""Names of the lists in ``ServedTenant.collections``. What each holds:

* ``appRoleAssignments``: all of the tenant; ``resourceId`` and ``principalId`` say below which service principals they
  show (``appRoleAssignedTo``, ``appRoleAssignments``).
* ``authorizationPolicy``, ``adminConsentRequestPolicy`` and ``identitySecurityDefaultsEnforcementPolicy``: one record
  each, or none.
* ``signIns``: the four kinds together, in beta's shape; ``signInEventTypes`` tells them apart (none: interactive).
* ``teams``, ``chats``: what their listings show; their grants are in ``ServedTenant.grants_below``.
"""


CONTENT_TYPES: Final = {
    "Exchange": "Audit.Exchange",
    "MicrosoftTeams": "Audit.General",
    "AzureActiveDirectory": "Audit.AzureActiveDirectory",
    "SharePoint": "Audit.SharePoint",
}
"""Content type by the record's ``Workload``."""


@dataclass(slots=True)
class ServedClient:
    """A client application (the auditor, mostly) and what it may do in one tenant.

    Attributes:
        secret: its client secret.
        certificate: PEM of the certificate that was registered; an assertion must be signed with its key.
        federated_issuer: issuer of trusted workload tokens; its public key as PEM is ``federated_key``.
        federated_subject: subject that such a token must name.
        roles: application permissions on Graph (``AuditLog.Read.All`` …).
        manage_roles: application permissions on the Management Activity API (``ActivityFeed.Read``).
        scopes: delegated permissions on Graph that a signed-in person's token carries.
        is_secret_expired: the secret is right, but over.
        redirect_uris: where an authorization code may be sent; loopback addresses match with any port.
    """

    secret: str | None = None
    certificate: str | None = None
    federated_issuer: str | None = None
    federated_subject: str | None = None
    federated_key: str | None = None
    roles: tuple[str, ...] = ()
    manage_roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    is_secret_expired: bool = False
    redirect_uris: tuple[str, ...] = ("http://localhost", "http://127.0.0.1")


@dataclass(slots=True)
class ServedPerson:
    """Somebody who can sign in.

    Attributes:
        id: object id.
        name: display name.
        upn: user principal name.
        roles: app roles on the client that a token of theirs carries (``roles`` in the id token).
    """

    id: str
    name: str
    upn: str
    roles: tuple[str, ...] = ()


@dataclass(slots=True)
class ServedAudit:
    """One record of the unified audit log.

    Attributes:
        content_type: ``Audit.Exchange``, ``Audit.SharePoint``, ``Audit.AzureActiveDirectory``, ``Audit.General``.
        arrived_at: when it became available: ``contentCreated`` of the blob that holds it. The event may be much older.
        record: as the Management API writes it (``Id``, ``CreationTime`` without zone, ``RecordType``, …).
        blob: records of the same type, arrival and name here share a blob.
    """

    content_type: str
    arrived_at: datetime
    record: Record
    blob: str = ""


def _no_collections() -> dict[str, list[Record]]:
    return {name: [] for name in COLLECTIONS}


@dataclass(slots=True)
class ServedTenant:
    """One tenant, whole.

    Attributes:
        id: tenant id.
        name: display name.
        clients: client id → what is registered for it here.
        people: who can sign in, by user principal name.
        plans: service plans that are enabled (``AAD_PREMIUM`` …): they decide which logs exist.
        collections: what the listings show, by the names in `COLLECTIONS`.
        members: group id → members as ``groups/{id}/members`` shows them; no entry: ``members`` of the group's record.
        grants_below: team id or chat id → resource-specific permission grants.
        arrivals: id of a sign-in, directory audit or call record → when it first shows; none: as soon as it happened.
        audit: unified audit log.
        is_audit_enabled: unified auditing is on.
        subscriptions: content types that were subscribed to, and when; ``subscriptions/start`` adds to it.
        audit_query_cap: records that one audit query returns at most.
        polls_to_finish: polls until an audit query is over.
    """

    id: str
    name: str
    clients: dict[str, ServedClient] = field(default_factory=dict)
    people: dict[str, ServedPerson] = field(default_factory=dict)
    plans: list[str] = field(default_factory=lambda: [P1])
    collections: dict[str, list[Record]] = field(default_factory=_no_collections)
    members: dict[str, list[Record]] = field(default_factory=dict)
    grants_below: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))
    arrivals: dict[str, datetime] = field(default_factory=dict)
    audit: list[ServedAudit] = field(default_factory=list)
    is_audit_enabled: bool = True
    subscriptions: dict[str, datetime] = field(default_factory=dict)
    audit_query_cap: int = 1_000_000
    polls_to_finish: int = 2

    @property
    def has_premium(self) -> bool:
        """Whether the tenant has the licence that the reports of sign-ins ask for."""
        return P1 in self.plans or P2 in self.plans


@dataclass(slots=True)
class ServedWorld:
    """Everything that one simulator serves.

    Attributes:
        tenants: by tenant id.
        now: where the simulated clock starts; later events do not show yet.
    """

    tenants: dict[str, ServedTenant] = field(default_factory=dict)
    now: datetime = datetime(2026, 9, 15, 8, tzinfo=UTC)

    @classmethod
    def of(cls, *tenants: ServedTenant, now: datetime | None = None) -> ServedWorld:
        """Return a world of these tenants."""
        by_id = {tenant.id: tenant for tenant in tenants}
        return cls(by_id) if now is None else cls(by_id, now)
