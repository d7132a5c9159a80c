"""Owns what each path of Graph lists: records, permissions, page sizes, what may be filtered. Must never page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from m365audit.simulator.served import Record, ServedTenant
from m365audit.simulator.service.paths import path_pattern

Source = Callable[[ServedTenant, tuple[str, ...]], list[Record] | None]
"""Tenant and ids in the path → records; None: there is no such object."""

_DIRECTORY_READ = ("Directory.Read.All", "Directory.ReadWrite.All")
_APPLICATIONS = ("Application.Read.All", "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", *_DIRECTORY_READ)
_GROUPS = ("GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All")
_POLICIES = ("Policy.Read.All",)
_TEAM_GRANTS = (
    "ResourceSpecificPermissionGrant.ReadForTeam.All",
    "TeamsAppInstallation.ReadForTeam.All",
    "TeamsAppInstallation.ReadWriteForTeam.All",
)
_CHAT_GRANTS = (
    "ResourceSpecificPermissionGrant.ReadForChat.All",
    "TeamsAppInstallation.ReadForChat.All",
    "TeamsAppInstallation.ReadWriteForChat.All",
)
_EXCHANGE = ("RoleManagement.Read.Exchange", "RoleManagement.ReadWrite.Exchange", "RoleManagement.Read.All")


@dataclass(frozen=True, slots=True)
class Listed:
    """One path that lists records.

    Attributes:
        path: below the version; ``{}`` stands for an id.
        source: where the records come from.
        roles: permissions of which one is enough.
        default_size: records on a page when ``$top`` is not given.
        longest_size: largest ``$top``.
        on_select: properties that come only when they are selected.
        is_beta_only: v1.0 does not have it.
        is_single: one object, not a list.
    """

    path: str
    source: Source
    roles: tuple[str, ...]
    default_size: int = 100
    longest_size: int = 999
    on_select: frozenset[str] = frozenset()
    is_beta_only: bool = False
    is_single: bool = False


def _all(name: str) -> Source:
    return lambda tenant, _ids: tenant.collections.get(name, [])


def _one(name: str) -> Source:
    return lambda tenant, ids: [r for r in tenant.collections.get(name, []) if r.get("id") == ids[0]] or None


def _roles_by(name: str) -> Source:
    def source(tenant: ServedTenant, ids: tuple[str, ...]) -> list[Record] | None:
        if not any(r.get("id") == ids[0] for r in tenant.collections["servicePrincipals"]):
            return None
        return [r for r in tenant.collections["appRoleAssignments"] if r.get(name) == ids[0]]

    return source


def _members(tenant: ServedTenant, ids: tuple[str, ...]) -> list[Record] | None:
    if ids[0] in tenant.members:
        return tenant.members[ids[0]]
    group = next((r for r in tenant.collections["groups"] if r.get("id") == ids[0]), None)
    return None if group is None else list(group.get("members", []))


def _grants_below(name: str) -> Source:
    def source(tenant: ServedTenant, ids: tuple[str, ...]) -> list[Record] | None:
        known = ids[0] in tenant.grants_below or any(r.get("id") == ids[0] for r in tenant.collections[name])
        return tenant.grants_below.get(ids[0], []) if known else None

    return source


def _single(name: str) -> Source:
    return lambda tenant, _ids: tenant.collections.get(name, [])[:1] or None


USER_ON_SELECT: Final = frozenset(
    {
        "ageGroup",
        "consentProvidedForMinor",
        "legalAgeGroupClassification",
        "usageLocation",
        "userType",
        "accountEnabled",
        "signInActivity",
        "assignedPlans",
        "assignedLicenses",
        "createdDateTime",
        "identities",
        "externalUserState",
    }
)
_USERS = ("User.Read.All", "User.ReadWrite.All", *_DIRECTORY_READ)
_ORGANIZATION = ("Organization.Read.All", "Organization.ReadWrite.All", *_DIRECTORY_READ)

LISTED: Final[tuple[Listed, ...]] = (
    Listed("/organization", _all("organization"), _ORGANIZATION),
    Listed("/subscribedSkus", _all("subscribedSkus"), ("LicenseAssignment.Read.All", *_ORGANIZATION), 1_000_000),
    Listed("/servicePrincipals", _all("servicePrincipals"), _APPLICATIONS),
    Listed("/servicePrincipals/{}", _one("servicePrincipals"), _APPLICATIONS, is_single=True),
    Listed("/servicePrincipals/{}/appRoleAssignedTo", _roles_by("resourceId"), _APPLICATIONS),
    Listed("/servicePrincipals/{}/appRoleAssignments", _roles_by("principalId"), _APPLICATIONS),
    Listed("/applications", _all("applications"), _APPLICATIONS),
    Listed("/applications/{}", _one("applications"), _APPLICATIONS, is_single=True),
    Listed(
        "/oauth2PermissionGrants",
        _all("oauth2PermissionGrants"),
        ("Directory.Read.All", "Directory.ReadWrite.All", "DelegatedPermissionGrant.Read.All"),
    ),
    Listed("/users", _all("users"), _USERS, on_select=USER_ON_SELECT),
    Listed("/users/{}", _one("users"), _USERS, on_select=USER_ON_SELECT, is_single=True),
    Listed("/groups", _all("groups"), (*_GROUPS, *_DIRECTORY_READ), on_select=frozenset({"members"})),
    Listed(
        "/groups/{}", _one("groups"), (*_GROUPS, *_DIRECTORY_READ), on_select=frozenset({"members"}), is_single=True
    ),
    Listed("/groups/{}/members", _members, (*_GROUPS, *_DIRECTORY_READ)),
    Listed("/teams", _all("teams"), ("Team.ReadBasic.All", "TeamSettings.Read.All", *_GROUPS, *_DIRECTORY_READ)),
    Listed("/teams/{}/permissionGrants", _grants_below("teams"), _TEAM_GRANTS),
    Listed("/chats", _all("chats"), ("Chat.ReadBasic.All", "Chat.Read.All", "Chat.ReadWrite.All"), 20, 50),
    Listed("/chats/{}/permissionGrants", _grants_below("chats"), _CHAT_GRANTS),
    Listed(
        "/policies/permissionGrantPolicies",
        _all("permissionGrantPolicies"),
        ("Policy.Read.PermissionGrant", *_POLICIES),
    ),
    Listed("/policies/authorizationPolicy", _single("authorizationPolicy"), _POLICIES, is_single=True),
    Listed("/policies/adminConsentRequestPolicy", _single("adminConsentRequestPolicy"), _POLICIES, is_single=True),
    Listed(
        "/policies/identitySecurityDefaultsEnforcementPolicy",
        _single("identitySecurityDefaultsEnforcementPolicy"),
        ("Policy.Read.All", "Policy.ReadWrite.SecurityDefaults"),
        is_single=True,
    ),
    Listed(
        "/identity/conditionalAccess/policies",
        _all("conditionalAccessPolicies"),
        ("Policy.Read.All", "Policy.Read.ConditionalAccess", "Policy.ReadWrite.ConditionalAccess"),
    ),
    Listed("/roleManagement/exchange/roleAssignments", _all("exchangeRoleAssignments"), _EXCHANGE, is_beta_only=True),
    Listed("/roleManagement/exchange/roleDefinitions", _all("exchangeRoleDefinitions"), _EXCHANGE, is_beta_only=True),
    Listed("/roleManagement/exchange/customAppScopes", _all("exchangeCustomAppScopes"), _EXCHANGE, is_beta_only=True),
)
"""Everything of Graph that lists the present state. Permissions: `graph/permissions-reference` and measured notes."""

PATTERNS: Final = tuple((path_pattern(listed.path), listed) for listed in LISTED)
