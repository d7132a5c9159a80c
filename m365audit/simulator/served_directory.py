"""Owns what the API shows of each tenant's directory beyond the exports: licences, apps, teams, roles, policies.

Must never say how it came to be so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from m365audit.simulator.auditor import Registration, auditor_grants, registration
from m365audit.simulator.directory_state import objects
from m365audit.simulator.integrations import (
    APP_MAIL_READ,
    GRAPH,
    RESOURCE_ROLES,
    App,
    Holdings,
    RoleGrant,
)
from m365audit.simulator.people import Group, Tenant, fixed_id
from m365audit.simulator.served import P1, P2, Record

PLANS: Final = {
    "contoso": (P1, P2, "EXCHANGE_S_ENTERPRISE", "M365_ADVANCED_AUDITING", "MCOEV", "TEAMS1"),
    "fabrikam": ("EXCHANGE_S_ENTERPRISE", "MCOEV", "TEAMS1"),
    "tailspin": (P1, "EXCHANGE_S_STANDARD", "TEAMS1"),
}
"""Service plans that are on. Fabrikam's Entra P1 lapsed on 14 September: what was exported until then it still has."""

_PRODUCTS = {"contoso": "SPE_E5", "fabrikam": "ENTERPRISEPACK", "tailspin": "SPB"}
_LAPSED = {"fabrikam": (P1,)}
_USER_CONSENT = {
    "contoso": ["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"],
    "fabrikam": ["ManagePermissionGrantsForSelf.microsoft-user-default-low"],
    "tailspin": [],
}
_SERVICES = {
    "AAD": "AADPremiumService",
    "EXCHANGE": "exchange",
    "M365": "exchange",
    "MCOEV": "MicrosoftCommunicationsOnline",
}
_MINOR = "e.smit"
_AGES = {"ageGroup": None, "consentProvidedForMinor": None, "legalAgeGroupClassification": None}
_AGES_OF_MINOR = {
    "ageGroup": "minor",
    "consentProvidedForMinor": "granted",
    "legalAgeGroupClassification": "minorWithParentalConsent",
}
_ROLE_DEFINITIONS = {APP_MAIL_READ: fixed_id("exchange-role", APP_MAIL_READ)}


def directory(tenant: Tenant, held: Holdings) -> dict[str, list[Record]]:
    """Return the tenant's state collections as ``ServedTenant.collections`` names them.

    Members of groups and grants inside teams have places of their own: `members`, `team_grants`.
    """
    known = objects(tenant, held)
    return {
        "organization": [{**known["organization"][0], "assignedPlans": _assigned_plans(tenant)}],
        "subscribedSkus": _skus(tenant),
        "servicePrincipals": known["service_principals"],
        "applications": _applications(tenant, held),
        "oauth2PermissionGrants": known["delegated_permission_grants"],
        "appRoleAssignments": known["app_role_assignments"],
        "users": [_with_age(tenant, user) for user in known["users"]],
        "groups": [_shown_group(tenant, group) for group in known["groups"]],
        "teams": [_team(group) for group in _teams(tenant)],
        "permissionGrantPolicies": _permission_grant_policies(),
        "authorizationPolicy": [_authorization_policy(tenant)],
        "adminConsentRequestPolicy": [_admin_consent_policy(tenant)],
        "identitySecurityDefaultsEnforcementPolicy": [_security_defaults(tenant)],
        "conditionalAccessPolicies": _conditional_access(tenant),
        "exchangeRoleAssignments": _exchange_assignments(tenant, held),
        "exchangeRoleDefinitions": [_role_definition(name, role_id) for name, role_id in _ROLE_DEFINITIONS.items()],
    }


def members(tenant: Tenant, held: Holdings) -> dict[str, list[Record]]:
    """Return every group's members as ``/groups/{id}/members`` shows them; nested groups are members themselves."""
    return {group["id"]: group["members"] for group in objects(tenant, held)["groups"]}


def team_grants(tenant: Tenant, held: Holdings) -> dict[str, list[Record]]:
    """Return the resource-specific grants by team; only a call for each team shows them."""
    found: dict[str, list[Record]] = {}
    for grant in held.teams:
        team = tenant.groups[grant.team].id
        found.setdefault(team, []).append(
            {
                "id": fixed_id(tenant.key, "team-grant", grant.app.id, grant.permission).replace("-", ""),
                "deletedDateTime": None,
                "clientId": grant.app.sp_id(tenant),
                "clientAppId": grant.app.id,
                "resourceAppId": GRAPH,
                "permissionType": "Application",
                "permission": grant.permission,
            }
        )
    return found


def _assigned_plans(tenant: Tenant) -> list[Record]:
    return [
        {
            "assignedDateTime": "2025-08-01T00:00:00Z",
            "capabilityStatus": "Enabled",
            "service": _SERVICES.get(plan.partition("_")[0], "TeamspaceAPI"),
            "servicePlanId": fixed_id("service-plan", plan),
        }
        for plan in PLANS[tenant.key]
    ]


def _skus(tenant: Tenant) -> list[Record]:
    skus = [_sku(tenant, _PRODUCTS[tenant.key], PLANS[tenant.key], "Enabled")]
    if tenant.key in _LAPSED:
        skus.append(_sku(tenant, "AAD_PREMIUM", _LAPSED[tenant.key], "Suspended"))
    return skus


def _sku(tenant: Tenant, name: str, plans: tuple[str, ...], status: str) -> Record:
    is_on = status == "Enabled"
    sku_id = fixed_id("sku", name)
    return {
        "id": f"{tenant.id}_{sku_id}",
        "accountId": tenant.id,
        "accountName": tenant.key,
        "appliesTo": "User",
        "capabilityStatus": status,
        "consumedUnits": len(tenant.people) if is_on else 0,
        "prepaidUnits": {"enabled": 25 if is_on else 0, "suspended": 0 if is_on else 25, "warning": 0, "lockedOut": 0},
        "skuId": sku_id,
        "skuPartNumber": name,
        "servicePlans": [
            {
                "servicePlanId": fixed_id("service-plan", plan),
                "servicePlanName": plan,
                "provisioningStatus": "Success" if is_on else "Disabled",
                "appliesTo": "User",
            }
            for plan in plans
        ],
    }


def _applications(tenant: Tenant, held: Holdings) -> list[Record]:
    """Return the applications registered in the tenant; of what others registered only a service principal shows."""
    registered = registration(tenant)
    homed = [app for app in held.apps if app.owner_tenant == tenant.id]
    own = [_application(app, [g for g in held.roles if g.app == app]) for app in homed]
    return [*own, {**_application(registered.app, auditor_grants(tenant)), **_credential(registered)}]


def _application(app: App, asked: Iterable[RoleGrant]) -> Record:
    wanted: dict[str, list[Record]] = {}
    for grant in asked:
        role = {"id": RESOURCE_ROLES[grant.resource][grant.permission], "type": "Role"}
        wanted.setdefault(grant.resource, []).append(role)
    return {
        "id": fixed_id("application", app.id),
        "appId": app.id,
        "displayName": app.name,
        "createdDateTime": "2019-03-04T09:50:00Z",
        "publisherDomain": None,
        "signInAudience": "AzureADMyOrg",
        "requiredResourceAccess": [{"resourceAppId": api, "resourceAccess": roles} for api, roles in wanted.items()],
        "passwordCredentials": [],
        "keyCredentials": [],
        "web": {"redirectUris": []},
        "publicClient": {"redirectUris": ["http://localhost"]},
    }


def _credential(registered: Registration) -> Record:
    about = {
        "displayName": "auditor",
        "keyId": fixed_id("key", registered.app.id),
        "startDateTime": "2026-08-20T09:00:00Z",
        "endDateTime": registered.ends_at,
    }
    if registered.credential == "certificate":
        return {"keyCredentials": [{**about, "type": "AsymmetricX509Cert", "usage": "Verify", "key": None}]}
    return {"passwordCredentials": [{**about, "hint": "abc", "secretText": None}]}


def _with_age(tenant: Tenant, user: Record) -> Record:
    """Add what is shown on ``$select`` only; null there is not the same as adult."""
    is_minor = user["userPrincipalName"] == f"{_MINOR}@{tenant.domain}"
    return {**user, "usageLocation": "NL", **(_AGES_OF_MINOR if is_minor else _AGES)}


def _teams(tenant: Tenant) -> list[Group]:
    """Return the groups that are teams: those with people alone, for a team's group can neither nest nor be nested."""
    nested = {member for group in tenant.groups.values() for member in group.members}
    return [g for g in tenant.groups.values() if g.key not in nested and not any(m in tenant.groups for m in g.members)]


def _shown_group(tenant: Tenant, group: Record) -> Record:
    """Return a group as its listing shows it: without members."""
    is_team = group["id"] in {team.id for team in _teams(tenant)}
    as_team = {"groupTypes": ["Unified"], "mailEnabled": True, "resourceProvisioningOptions": ["Team"]}
    plain: Record = {"resourceProvisioningOptions": []}
    shown = {name: value for name, value in group.items() if name != "members"}
    return {**shown, **(as_team if is_team else plain)}


def _team(group: Group) -> Record:
    return {
        "id": group.id,
        "displayName": group.name,
        "description": group.name,
        "visibility": "private",
        "isArchived": False,
        "tenantId": None,
    }


def _permission_grant_policies() -> list[Record]:
    low = {
        "id": fixed_id("condition-set", "low"),
        "permissionType": "delegated",
        "permissionClassification": "low",
        "clientApplicationsFromVerifiedPublisherOnly": True,
        "permissions": ["all"],
        "resourceApplication": "any",
        "clientApplicationIds": ["all"],
        "clientApplicationTenantIds": ["all"],
        "clientApplicationPublisherIds": ["all"],
    }
    anything = {**low, "permissionClassification": "all", "clientApplicationsFromVerifiedPublisherOnly": False}
    return [
        {
            "id": f"microsoft-user-default-{name}",
            "displayName": f"Default user consent policy ({name})",
            "description": "",
            "includes": [condition],
            "excludes": [],
        }
        for name, condition in (("low", low), ("legacy", {**anything, "id": fixed_id("condition-set", "legacy")}))
    ]


def _authorization_policy(tenant: Tenant) -> Record:
    return {
        "id": "authorizationPolicy",
        "displayName": "Authorization Policy",
        "description": "Used to manage authorization related settings across the company.",
        "allowInvitesFrom": "adminsAndGuestInviters",
        "allowUserConsentForRiskyApps": False,
        "allowedToUseSSPR": True,
        "blockMsolPowerShell": True,
        "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
        "defaultUserRolePermissions": {
            "allowedToCreateApps": tenant.key == "contoso",
            "allowedToCreateSecurityGroups": False,
            "allowedToReadOtherUsers": True,
            "permissionGrantPoliciesAssigned": _USER_CONSENT[tenant.key],
        },
    }


def _admin_consent_policy(tenant: Tenant) -> Record:
    is_on = tenant.key == "fabrikam"
    return {
        "isEnabled": is_on,
        "notifyReviewers": is_on,
        "remindersEnabled": is_on,
        "requestDurationInDays": 30 if is_on else 0,
        "version": 0,
        "reviewers": [],
    }


def _security_defaults(tenant: Tenant) -> Record:
    """Return Microsoft's own settings: Fabrikam switched them off when it bought P1, and P1 has lapsed since."""
    return {
        "id": "00000000-0000-0000-0000-000000000005",
        "displayName": "Security Defaults",
        "description": "Security defaults is a set of basic identity security mechanisms recommended by Microsoft.",
        "isEnabled": tenant.key == "tailspin",
    }


def _conditional_access(tenant: Tenant) -> list[Record]:
    if tenant.key != "contoso":
        return []
    return [
        {
            "id": fixed_id(tenant.key, "conditional-access", "everybody"),
            "displayName": "Second factor for everybody",
            "state": "enabled",
            "createdDateTime": "2025-02-03T09:00:00Z",
            "conditions": {
                "clientAppTypes": ["all"],
                "users": {"includeUsers": ["All"], "excludeUsers": [], "excludeGroups": [], "excludeRoles": []},
                "applications": {"includeApplications": ["All"], "excludeApplications": []},
                "signInRiskLevels": [],
                "userRiskLevels": [],
                "platforms": None,
                "locations": None,
            },
            "grantControls": {"operator": "OR", "builtInControls": ["mfa"], "authenticationStrength": None},
        }
    ]


def _exchange_assignments(tenant: Tenant, held: Holdings) -> list[Record]:
    return [
        {
            "id": fixed_id(tenant.key, "exchange-assignment", role.app.id, role.role),
            "principalId": f"/ServicePrincipals/{role.app.sp_id(tenant)}",
            "roleDefinitionId": _ROLE_DEFINITIONS[role.role],
            "directoryScopeId": "/",
            "appScopeId": None,
        }
        for role in held.exchange
    ]


def _role_definition(name: str, role_id: str) -> Record:
    return {
        "id": role_id,
        "displayName": name,
        "description": "Allows the app to read all mail in the scope of the assignment.",
        "isEnabled": True,
        "isBuiltIn": True,
        "version": "0.12 (14.0.451.0)",
        "rolePermissions": [{"allowedResourceActions": [name], "condition": None}],
    }
