"""Owns which records a served world holds, by tenant and feed: what collecting it must come to. Must never collect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from m365audit.simulator.served import Record, ServedTenant, ServedWorld

_SIGN_IN_FEEDS: Final = {
    "interactiveUser": "sign_ins_interactive",
    "nonInteractiveUser": "sign_ins_non_interactive",
    "servicePrincipal": "sign_ins_service_principal",
    "managedIdentity": "sign_ins_managed_identity",
}
_AUDIT_FEEDS: Final = {
    "Exchange": "audit_exchange",
    "SharePoint": "audit_sharepoint",
    "OneDrive": "audit_sharepoint",
    "MicrosoftTeams": "audit_teams",
    "AzureActiveDirectory": "audit_entra",
}
"""Feed by the record's ``Workload``; what is not here is ``audit_other``."""

STATE_COLLECTIONS: Final = {
    "organization": "organization",
    "subscribedSkus": "subscribed_skus",
    "servicePrincipals": "service_principals",
    "applications": "applications",
    "oauth2PermissionGrants": "delegated_permission_grants",
    "appRoleAssignments": "app_role_assignments",
    "users": "users",
    "groups": "groups",
    "exchangeRoleAssignments": "exchange_role_assignments",
}
"""State feed by collection. Grants inside teams are ``rsc_grants``, the five kinds of policies ``policies``."""

_POLICIES: Final = (
    "permissionGrantPolicies",
    "authorizationPolicy",
    "adminConsentRequestPolicy",
    "identitySecurityDefaultsEnforcementPolicy",
    "conditionalAccessPolicies",
)
"""One of them has no id of its own: the collection's name is its id."""
_COUNTED: Final = "conditionalAccess"
"""Id of the record in which the auditor notes how many policies of conditional access there are."""


@dataclass(frozen=True, slots=True)
class Known:
    """One record that a tenant holds.

    Attributes:
        at: event time, truncated to microseconds; None for state.
        arrived_at: when it first shows; None for as soon as it is there.
    """

    tenant: str
    feed: str
    id: str
    at: datetime | None = None
    arrived_at: datetime | None = None

    def shows_at(self, now: datetime) -> bool:
        """Return whether it shows at that moment."""
        moment = self.arrived_at or self.at
        return moment is None or moment <= now


def moment(text: str) -> datetime:
    """Return a time as Microsoft writes it, truncated to microseconds; without zone it is UTC."""
    read = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def known_records(world: ServedWorld) -> frozenset[Known]:
    """Return every record of the world; one that arrives twice stands here once, with its first arrival."""
    return frozenset(known for tenant in world.tenants.values() for known in _of_tenant(tenant))


def known_ids(world: ServedWorld, *, now: datetime | None = None) -> Mapping[tuple[str, str], frozenset[str]]:
    """Return the ids by tenant id and feed; ``now`` leaves out what does not show yet."""
    found: dict[tuple[str, str], set[str]] = {}
    for known in known_records(world):
        if now is None or known.shows_at(now):
            found.setdefault((known.tenant, known.feed), set()).add(known.id)
    return {key: frozenset(ids) for key, ids in found.items()}


def _of_tenant(tenant: ServedTenant) -> Iterator[Known]:
    yield from _logged(tenant, "signIns", "createdDateTime", sign_in_feed)
    yield from _logged(tenant, "directoryAudits", "activityDateTime", lambda _record: "directory_audits")
    for name in ("callRecords", "pstnCalls", "directRoutingCalls"):
        yield from _logged(tenant, name, "startDateTime", lambda _record: "call_records")
    yield from _audited(tenant)
    for name, feed in STATE_COLLECTIONS.items():
        yield from (Known(tenant.id, feed, str(record["id"])) for record in tenant.collections[name])
    for name in _POLICIES:
        yield from (Known(tenant.id, "policies", str(r.get("id", name))) for r in tenant.collections[name])
    yield Known(tenant.id, "policies", _COUNTED)
    for grants in tenant.grants_below.values():
        yield from (Known(tenant.id, "rsc_grants", str(grant["id"])) for grant in grants)


def sign_in_feed(record: Record) -> str:
    """Return the feed of a sign-in in beta's shape."""
    return _SIGN_IN_FEEDS[record["signInEventTypes"][0]]


def _logged(tenant: ServedTenant, name: str, time: str, feed: Callable[[Record], str]) -> Iterator[Known]:
    for record in tenant.collections[name]:
        record_id = str(record["id"])
        yield Known(tenant.id, feed(record), record_id, moment(record[time]), tenant.arrivals.get(record_id))


def _audited(tenant: ServedTenant) -> Iterator[Known]:
    first: dict[str, Known] = {}
    for audit in tenant.audit:
        feed = _AUDIT_FEEDS.get(audit.record["Workload"], "audit_other")
        known = Known(tenant.id, feed, audit.record["Id"], moment(audit.record["CreationTime"]), audit.arrived_at)
        before = first.setdefault(known.id, known)
        if audit.arrived_at < (before.arrived_at or audit.arrived_at):
            first[known.id] = known
    yield from first.values()
