"""Owns the directory of each tenant as Graph lists it at the snapshot. Must never say how it came to be so."""

from __future__ import annotations

from typing import Any

from m365audit.simulator.directory_lines import graph_sp_id, scope_grant_id
from m365audit.simulator.integrations import (
    EXCHANGE,
    EXCHANGE_ROLE_IDS,
    GRAPH,
    MICROSOFT_TENANT,
    ROLE_IDS,
    SCOPE_IDS,
    App,
    Holdings,
    RoleGrant,
)
from m365audit.simulator.people import Group, Tenant, fixed_id

_SERVICE = "https://graph.microsoft.com/v1.0"


def listings(tenant: Tenant, held: Holdings) -> dict[str, dict[str, Any]]:
    """Return the listing of every state feed that the tenant exported, by feed."""
    listed = {
        "organization": _page("organization", [_organization(tenant)]),
        "service_principals": _page("servicePrincipals", _service_principals(tenant, held)),
        "app_role_assignments": _page("appRoleAssignments", [_assignment(tenant, g) for g in held.roles]),
        "delegated_permission_grants": _page("oauth2PermissionGrants", _scope_grants(tenant, held)),
        "users": _page("users", _users(tenant)),
    }
    if tenant.has_group_export:
        listed["groups"] = _page("groups(members())", [_group(tenant, g) for g in tenant.groups.values()])
    return listed


def _page(entity: str, value: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a listing as its last page: a page that names a next one is, alone, not the whole."""
    return {"@odata.context": f"{_SERVICE}/$metadata#{entity}", "value": value}


def _organization(tenant: Tenant) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "displayName": tenant.name,
        "tenantType": "AAD",
        "countryLetterCode": "NL",
        "verifiedDomains": [{"name": tenant.domain, "isDefault": True, "isInitial": False, "type": "Managed"}],
    }


def _users(tenant: Tenant) -> list[dict[str, Any]]:
    return [
        {
            "id": p.id,
            "displayName": p.name,
            "userPrincipalName": p.upn,
            "mail": p.upn,
            "userType": "Member",
            "accountEnabled": True,
        }
        for p in tenant.people.values()
    ]


def _group(tenant: Tenant, group: Group) -> dict[str, Any]:
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


def _service_principals(tenant: Tenant, held: Holdings) -> list[dict[str, Any]]:
    return [
        {
            **_service_principal(graph_sp_id(tenant), GRAPH, "Microsoft Graph", MICROSOFT_TENANT),
            "appRoles": [_app_role(name, role_id) for name, role_id in ROLE_IDS.items()],
            "oauth2PermissionScopes": [_scope(name, scope_id) for name, scope_id in SCOPE_IDS.items()],
        },
        {
            **_service_principal(_exchange_sp_id(tenant), EXCHANGE, "Office 365 Exchange Online", MICROSOFT_TENANT),
            "appRoles": [_app_role(name, role_id) for name, role_id in EXCHANGE_ROLE_IDS.items()],
        },
        *(_client(tenant, app) for app in held.apps),
    ]


def _exchange_sp_id(tenant: Tenant) -> str:
    return fixed_id(tenant.key, "service-principal", EXCHANGE)


def _client(tenant: Tenant, app: App) -> dict[str, Any]:
    verified = (
        {"displayName": app.publisher, "verifiedPublisherId": "9999999"} if app.publisher else {"displayName": None}
    )
    principal = _service_principal(app.sp_id(tenant), app.id, app.name, app.owner_tenant)
    return {**principal, "verifiedPublisher": verified}


def _service_principal(sp_id: str, app_id: str, name: str, owner: str) -> dict[str, Any]:
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


def _app_role(name: str, role_id: str) -> dict[str, Any]:
    return {"id": role_id, "value": name, "displayName": name, "isEnabled": True, "allowedMemberTypes": ["Application"]}


def _scope(name: str, scope_id: str) -> dict[str, Any]:
    return {"id": scope_id, "value": name, "adminConsentDisplayName": name, "isEnabled": True, "type": "User"}


def _assignment(tenant: Tenant, grant: RoleGrant) -> dict[str, Any]:
    is_graph = grant.resource == GRAPH
    return {
        "id": fixed_id(tenant.key, "role-grant", grant.app.id, grant.permission).replace("-", ""),
        "createdDateTime": grant.since,
        "deletedDateTime": None,
        "appRoleId": ROLE_IDS[grant.permission] if is_graph else EXCHANGE_ROLE_IDS[grant.permission],
        "principalDisplayName": grant.app.name,
        "principalId": grant.app.sp_id(tenant),
        "principalType": "ServicePrincipal",
        "resourceDisplayName": "Microsoft Graph" if is_graph else "Office 365 Exchange Online",
        "resourceId": graph_sp_id(tenant) if is_graph else _exchange_sp_id(tenant),
    }


def _scope_grants(tenant: Tenant, held: Holdings) -> list[dict[str, Any]]:
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
