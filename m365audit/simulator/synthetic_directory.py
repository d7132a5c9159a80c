"""Owns the directory of a synthetic tenant: people, nested groups, apps, grants, teams. Must never hold a log."""

from __future__ import annotations

from collections.abc import Sequence

from m365audit.simulator.auditor import READS_EVERYTHING
from m365audit.simulator.integrations import GRAPH, MICROSOFT_TENANT, RESOURCE_NAMES, RESOURCE_ROLES
from m365audit.simulator.people import fixed_id
from m365audit.simulator.served import Record

GROUPS = 4
_TEAMS = 3


def user_ids(seed: str, tenant: str, count: int) -> list[str]:
    """Return the object ids of the tenant's people."""
    return [fixed_id(seed, tenant, "user", str(number)) for number in range(count)]


def app_ids(seed: str, tenant: str) -> list[str]:
    """Return the application ids of the tenant's integrations."""
    return [fixed_id(seed, tenant, "app", str(number)) for number in range(3)]


def group_ids(tenant: str) -> list[str]:
    """Return the object ids of the tenant's groups; the first holds the second, the last is empty."""
    return [fixed_id(tenant, "group", str(number)) for number in range(GROUPS)]


def directory(tenant: str, users: Sequence[str], apps: Sequence[str], client: str) -> dict[str, list[Record]]:
    """Return the tenant's state collections; ``client`` is the auditor's application id."""
    return {
        "organization": [
            {"id": tenant, "displayName": f"Synthetic {tenant[:8]}", "tenantType": "AAD", "countryLetterCode": "NL",
             "verifiedDomains": [{"name": "synthetic.example", "isDefault": True}], "assignedPlans": []}
        ],
        "subscribedSkus": [_sku(tenant)],
        "servicePrincipals": _service_principals(tenant, (*apps, client)),
        "applications": [_application(client)],
        "oauth2PermissionGrants": [_scopes(tenant, app, user) for app in apps for user in (None, users[0])],
        "appRoleAssignments": _assignments(tenant, apps, client),
        "users": [_user(user, number) for number, user in enumerate(users)],
        "groups": [_group(group, number) for number, group in enumerate(group_ids(tenant))],
        "teams": [{"id": team, "displayName": f"team {team[:8]}"} for team in team_ids(tenant)],
        "permissionGrantPolicies": [
            {"id": "microsoft-user-default-low", "displayName": "low", "includes": [], "excludes": []}
        ],
        "authorizationPolicy": [
            {"id": "authorizationPolicy", "allowUserConsentForRiskyApps": False,
             "defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": []}}
        ],
        "adminConsentRequestPolicy": [{"isEnabled": False, "version": 0, "reviewers": []}],
        "identitySecurityDefaultsEnforcementPolicy": [
            {"id": "00000000-0000-0000-0000-000000000005", "isEnabled": False}
        ],
        "conditionalAccessPolicies": [
            {"id": fixed_id("conditional-access"), "displayName": "second factor", "state": "enabled",
             "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
             "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}}
        ],
        "exchangeRoleAssignments": [_exchange_assignment(tenant, apps[0])],
        "exchangeRoleDefinitions": [
            {"id": fixed_id("exchange-role"), "displayName": "Application Mail.Read", "isEnabled": True}
        ],
    }  # fmt: skip


def team_ids(tenant: str) -> list[str]:
    """Return the ids of the tenant's teams."""
    return [fixed_id(tenant, "team", str(number)) for number in range(_TEAMS)]


def team_grants(tenant: str, apps: Sequence[str]) -> dict[str, list[Record]]:
    """Return the grants inside each team; the last team has none."""
    return {
        team: [
            {"id": fixed_id(team, "grant", app), "clientId": fixed_id(tenant, app), "clientAppId": app,
             "resourceAppId": GRAPH, "permissionType": "Application", "permission": "ChannelMessage.Read.Group"}
            for app in apps[:number]
        ]
        for number, team in zip((2, 1, 0), team_ids(tenant), strict=True)
    }  # fmt: skip


def members(tenant: str, users: Sequence[str]) -> dict[str, list[Record]]:
    """Return the members of each group; everybody is in the third."""
    first, second, third, last = group_ids(tenant)
    people = [{"@odata.type": "#microsoft.graph.user", **_named(user)} for user in users]
    nested: Record = {"@odata.type": "#microsoft.graph.group", "id": second, "displayName": "group 1"}
    return {first: [*people[:2], nested], second: people[2:4], third: people, last: []}


def _named(user: str) -> Record:
    return {"id": user, "displayName": f"user {user[:8]}", "userPrincipalName": f"{user[:8]}@synthetic.example"}


def _user(user: str, number: int) -> Record:
    is_minor = number % 11 == 0
    return {
        **_named(user),
        "mail": f"{user[:8]}@synthetic.example",
        "userType": "Member",
        "accountEnabled": True,
        "usageLocation": "NL",
        "ageGroup": "minor" if is_minor else None,
        "consentProvidedForMinor": "granted" if is_minor else None,
        "legalAgeGroupClassification": "minorWithParentalConsent" if is_minor else None,
    }


def _group(group: str, number: int) -> Record:
    return {"id": group, "displayName": f"group {number}", "securityEnabled": True, "mailEnabled": False,
            "groupTypes": [], "resourceProvisioningOptions": []}  # fmt: skip


def _sku(tenant: str) -> Record:
    plans = [{"servicePlanName": plan, "provisioningStatus": "Success"} for plan in ("AAD_PREMIUM", "TEAMS1")]
    return {"id": f"{tenant}_sku", "skuPartNumber": "SPB", "capabilityStatus": "Enabled", "servicePlans": plans}


def _service_principals(tenant: str, clients: Sequence[str]) -> list[Record]:
    apis = [
        {**_service_principal(tenant, api, RESOURCE_NAMES[api], MICROSOFT_TENANT),
         "appRoles": [{"id": i, "value": n, "allowedMemberTypes": ["Application"]} for n, i in roles.items()]}
        for api, roles in RESOURCE_ROLES.items()
    ]  # fmt: skip
    return [*apis, *(_service_principal(tenant, app, f"app {app[:8]}", tenant) for app in clients)]


def _service_principal(tenant: str, app: str, name: str, owner: str) -> Record:
    return {
        "id": fixed_id(tenant, app),
        "appId": app,
        "displayName": name,
        "appOwnerOrganizationId": owner,
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "servicePrincipalNames": [app],
        "appRoles": [],
        "oauth2PermissionScopes": [],
        "verifiedPublisher": {"displayName": None},
    }


def _application(client: str) -> Record:
    return {"id": fixed_id("application", client), "appId": client, "displayName": "m365audit",
            "signInAudience": "AzureADMyOrg", "requiredResourceAccess": [], "passwordCredentials": [],
            "keyCredentials": []}  # fmt: skip


def _assignments(tenant: str, apps: Sequence[str], client: str) -> list[Record]:
    held = [(client, name) for name in READS_EVERYTHING] + [(app, "Mail.Read") for app in apps]
    return [
        {"id": fixed_id(tenant, app, name).replace("-", ""), "appRoleId": RESOURCE_ROLES[GRAPH][name],
         "principalId": fixed_id(tenant, app), "principalType": "ServicePrincipal",
         "principalDisplayName": f"app {app[:8]}", "resourceId": fixed_id(tenant, GRAPH),
         "resourceDisplayName": RESOURCE_NAMES[GRAPH], "createdDateTime": "2026-01-01T00:00:00Z"}
        for app, name in held
    ]  # fmt: skip


def _scopes(tenant: str, app: str, user: str | None) -> Record:
    return {
        "id": fixed_id(tenant, "scopes", app, user or "all").replace("-", ""),
        "clientId": fixed_id(tenant, app),
        "consentType": "Principal" if user else "AllPrincipals",
        "principalId": user,
        "resourceId": fixed_id(tenant, GRAPH),
        "scope": " Calendars.Read User.Read" if user else " User.Read",
    }


def _exchange_assignment(tenant: str, app: str) -> Record:
    return {"id": fixed_id(tenant, "exchange", app), "principalId": f"/ServicePrincipals/{fixed_id(tenant, app)}",
            "roleDefinitionId": fixed_id("exchange-role"), "directoryScopeId": "/", "appScopeId": None}  # fmt: skip
