"""Owns the directory of each tenant as Graph lists it at the snapshot. Must never say how it came to be so."""

from __future__ import annotations

from typing import Any

from m365audit.simulator.agreed_policy import PRIVACY_STATEMENT
from m365audit.simulator.auditor import auditor_grants, registration
from m365audit.simulator.directory_lines import graph_sp_id, scope_grant_id
from m365audit.simulator.integrations import (
    GRAPH,
    MICROSOFT_TENANT,
    MIGRATOR,
    RESOURCE_NAMES,
    RESOURCE_ROLES,
    SALSOFT_TENANT,
    SCOPE_IDS,
    TELEPHONY,
    App,
    Holdings,
    RoleGrant,
)
from m365audit.simulator.people import Group, Person, Tenant, fixed_id

_SERVICE = "https://graph.microsoft.com/v1.0"
_ENTITIES = {
    "organization": "organization",
    "service_principals": "servicePrincipals",
    "app_role_assignments": "appRoleAssignments",
    "delegated_permission_grants": "oauth2PermissionGrants",
    "users": "users",
    "groups": "groups(members())",
}
_PRIVACY_PROFILES = {
    "contoso": {"contactEmail": "privacy@contoso.example", "statementUrl": "https://contoso.example/privacy"}
}
_STATEMENTS = {SALSOFT_TENANT: PRIVACY_STATEMENT, TELEPHONY.owner_tenant: "https://3cx.example/privacy"}
"""Privacy statements that owners of apps show; nobody else shows one."""
_REPLY_URLS = {MIGRATOR: ["http://migration.tailspin.example/cb", "http://localhost:8400/"]}
_SECRETS = {("fabrikam", TELEPHONY): ("2025-10-02T08:00:00Z", "2028-10-02T08:00:00Z")}
"""Begin and end of secrets that were added to an app's service principal in a tenant."""
Record = dict[str, Any]


def listings(tenant: Tenant, held: Holdings) -> dict[str, Record]:
    """Return the listing of every state feed that the tenant exported, by feed.

    Each is its last page: a page that names a next one is, alone, not the whole.
    """
    listed = objects(tenant, held)
    if not tenant.has_group_export:
        del listed["groups"]
    return {
        feed: {"@odata.context": f"{_SERVICE}/$metadata#{_ENTITIES[feed]}", "value": value}
        for feed, value in listed.items()
    }


def objects(tenant: Tenant, held: Holdings) -> dict[str, list[Record]]:
    """Return the objects of the tenant's directory, by state feed; groups with their members."""
    return {
        "organization": [_organization(tenant)],
        "service_principals": _service_principals(tenant, held),
        "app_role_assignments": [_assignment(tenant, g) for g in (*held.roles, *auditor_grants(tenant))],
        "delegated_permission_grants": _scope_grants(tenant, held),
        "users": [_user(person) for person in tenant.people.values()],
        "groups": [_group(tenant, group) for group in tenant.groups.values()],
    }


def _organization(tenant: Tenant) -> Record:
    return {
        "id": tenant.id,
        "displayName": tenant.name,
        "tenantType": "AAD",
        "countryLetterCode": "NL",
        "verifiedDomains": [{"name": tenant.domain, "isDefault": True, "isInitial": False, "type": "Managed"}],
        "privacyProfile": _PRIVACY_PROFILES.get(tenant.key, {"contactEmail": None, "statementUrl": None}),
    }


def _user(person: Person) -> Record:
    return {
        "id": person.id,
        "displayName": person.name,
        "userPrincipalName": person.upn,
        "mail": person.upn,
        "userType": "Member",
        "accountEnabled": True,
    }


def _group(tenant: Tenant, group: Group) -> Record:
    members = [
        {"@odata.type": "#microsoft.graph.group", "id": tenant.groups[m].id, "displayName": tenant.groups[m].name}
        if m in tenant.groups
        else {
            "@odata.type": "#microsoft.graph.user",
            "id": tenant.people[m].id,
            "displayName": tenant.people[m].name,
            "userPrincipalName": tenant.people[m].upn,
        }
        for m in group.members
    ]
    return {
        "id": group.id,
        "displayName": group.name,
        "securityEnabled": True,
        "mailEnabled": False,
        "groupTypes": [],
        "members": members,
    }


def _service_principals(tenant: Tenant, held: Holdings) -> list[Record]:
    apis = [
        {
            **_service_principal(resource_sp_id(tenant, api), api, RESOURCE_NAMES[api], MICROSOFT_TENANT),
            "appRoles": [_app_role(name, role_id) for name, role_id in roles.items()],
            "oauth2PermissionScopes": [_scope(name, scope_id) for name, scope_id in SCOPE_IDS.items() if api == GRAPH],
        }
        for api, roles in RESOURCE_ROLES.items()
    ]
    return [*apis, *(_client(tenant, app) for app in (*held.apps, registration(tenant).app))]


def resource_sp_id(tenant: Tenant, api: str) -> str:
    """Return the object id of the service principal that one of Microsoft's APIs has in the tenant."""
    return fixed_id(tenant.key, "service-principal", api)


def _client(tenant: Tenant, app: App) -> Record:
    verified: Record = (
        {"displayName": app.publisher, "verifiedPublisherId": "9999999"} if app.publisher else {"displayName": None}
    )
    principal = _service_principal(app.sp_id(tenant), app.id, app.name, app.owner_tenant)
    return {
        **principal,
        "verifiedPublisher": verified,
        "info": {"privacyStatementUrl": _STATEMENTS.get(app.owner_tenant), "termsOfServiceUrl": None},
        "replyUrls": _REPLY_URLS.get(app, [f"https://app-{app.id[:8]}.example/signed-in"]),
        "passwordCredentials": [_secret(app, *dates) for key, dates in _SECRETS.items() if key == (tenant.key, app)],
    }


def _secret(app: App, begin: str, end: str) -> Record:
    key_id = fixed_id("secret", app.id, begin)
    return {"keyId": key_id, "displayName": "pbx", "hint": "q8X", "startDateTime": begin, "endDateTime": end}


def _service_principal(sp_id: str, app_id: str, name: str, owner: str) -> Record:
    return {
        "id": sp_id,
        "appId": app_id,
        "displayName": name,
        "appDisplayName": name,
        "appOwnerOrganizationId": owner,
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMultipleOrgs",
        "servicePrincipalNames": [app_id],
        "appRoles": [],
        "oauth2PermissionScopes": [],
        "resourceSpecificApplicationPermissions": [],
        "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
    }


def _app_role(name: str, role_id: str) -> Record:
    return {"id": role_id, "value": name, "displayName": name, "isEnabled": True, "allowedMemberTypes": ["Application"]}


def _scope(name: str, scope_id: str) -> Record:
    return {"id": scope_id, "value": name, "adminConsentDisplayName": name, "isEnabled": True, "type": "User"}


def _assignment(tenant: Tenant, grant: RoleGrant) -> Record:
    return {
        "id": fixed_id(tenant.key, "role-grant", grant.app.id, grant.permission).replace("-", ""),
        "createdDateTime": grant.since,
        "deletedDateTime": None,
        "appRoleId": RESOURCE_ROLES[grant.resource][grant.permission],
        "principalDisplayName": grant.app.name,
        "principalId": grant.app.sp_id(tenant),
        "principalType": "ServicePrincipal",
        "resourceDisplayName": RESOURCE_NAMES[grant.resource],
        "resourceId": resource_sp_id(tenant, grant.resource),
    }


def _scope_grants(tenant: Tenant, held: Holdings) -> list[Record]:
    return [
        {
            "id": scope_grant_id(tenant, grant),
            "clientId": grant.app.sp_id(tenant),
            "consentType": "Principal" if grant.principal else "AllPrincipals",
            "principalId": tenant.person(grant.principal).id if grant.principal else None,
            "resourceId": graph_sp_id(tenant),
            "scope": " " + " ".join(grant.scopes),
        }
        for grant in held.scopes
    ]
