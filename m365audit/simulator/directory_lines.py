"""Owns the shapes of directory audit events and sign-ins in a storage export. Must never decide who did what."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from m365audit.simulator import integrations
from m365audit.simulator.diary import DirectoryChange, SignIn
from m365audit.simulator.graph_lines import wire_time
from m365audit.simulator.integrations import GRAPH, ROLE_IDS, App
from m365audit.simulator.people import Tenant, fixed_id

Target = dict[str, Any]
_APPS = {app.id: app for app in vars(integrations).values() if isinstance(app, App)}
_CITIES = {
    "NL": {"city": "Amsterdam", "state": "Noord-Holland"},
    "US": {"city": "Ashburn", "state": "Virginia"},
}
_CREDENTIALS = frozenset({"clientSecret", "federatedIdentityCredential"})
_SERVICE = {"group": "GroupManagement", "app": "ApplicationManagement"}


def graph_sp_id(tenant: Tenant) -> str:
    """Return the object id of Microsoft Graph's service principal in the tenant."""
    return fixed_id(tenant.key, "service-principal", GRAPH)


def _envelope(tenant: Tenant, category: str, name: str, when: datetime, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "time": wire_time(when),
        "resourceId": f"/tenants/{tenant.id}/providers/Microsoft.aadiam",
        "operationName": name,
        "operationVersion": "1.0",
        "category": category,
        "tenantId": tenant.id,
        "resultSignature": "None",
        "durationMs": 0,
        "callerIpAddress": properties.get("ipAddress", "198.51.100.7"),
        "correlationId": properties["correlationId"],
        "Level": 4,
        "properties": properties,
    }


def directory_line(tenant: Tenant, change: DirectoryChange) -> dict[str, Any]:
    """Return one AuditLogs line; its envelope time is the time of ingestion."""
    properties: dict[str, Any] = {
        "id": change.id,
        "category": _SERVICE["group" if "group" in change.facts else "app"],
        "correlationId": change.id.split("_")[1],
        "result": "success",
        "resultReason": "",
        "activityDisplayName": change.activity,
        "activityDateTime": wire_time(change.at).replace("Z", "+00:00"),
        "loggedByService": "Core Directory",
        "operationType": "Assign",
        "userAgent": None,
        "initiatedBy": {
            "user": {
                "id": change.actor.id,
                "displayName": None,
                "userPrincipalName": change.actor.upn,
                "ipAddress": "198.51.100.7",
                "roles": [],
            }
        },
        "targetResources": _targets(tenant, change),
        "additionalDetails": [{"key": "User-Agent", "value": "EvoSTS"}, {"key": "AppId", "value": _app_detail(change)}],
    }
    return _envelope(tenant, "AuditLogs", change.activity, change.at + timedelta(seconds=95), properties)


def _app_detail(change: DirectoryChange) -> str:
    return change.facts.get("app", "") if change.activity == "Consent to application" else GRAPH


def _targets(tenant: Tenant, change: DirectoryChange) -> list[dict[str, Any]]:
    if "group" in change.facts:
        return _membership_targets(tenant, change)
    app = _APPS[change.facts["app"]]
    client = {"id": app.sp_id(tenant), "displayName": app.name, "type": "ServicePrincipal", "administrativeUnits": []}
    if change.activity == "Consent to application":
        return [{**client, "modifiedProperties": _consent(tenant, change, app)}]
    if change.activity in _ABOUT_THE_APP:
        return _ABOUT_THE_APP[change.activity](tenant, change, app, client)
    resource = {"id": graph_sp_id(tenant), "displayName": "Microsoft Graph", "type": "ServicePrincipal"}
    changed = _delegated_grant if "delegated" in change.activity else _role_assignment
    return [
        {**resource, "modifiedProperties": changed(tenant, change, app), "administrativeUnits": []},
        {**client, "displayName": app.id, "modifiedProperties": []},
    ]


def _changed(values: dict[str, str], *, removed: bool = False) -> list[dict[str, Any]]:
    """Return modified properties; a value there is JSON in a string."""
    side, other = ("oldValue", "newValue") if removed else ("newValue", "oldValue")
    return [{"displayName": name, other: None, side: json.dumps(value)} for name, value in values.items()]


def _membership_targets(tenant: Tenant, change: DirectoryChange) -> list[dict[str, Any]]:
    person, group = tenant.person(change.facts["member"]), tenant.groups[change.facts["group"]]
    values = {"Group.ObjectID": group.id, "Group.DisplayName": group.name}
    return [
        {
            "id": person.id,
            "displayName": None,
            "type": "User",
            "userPrincipalName": person.upn,
            "modifiedProperties": _changed(values, removed=change.activity.startswith("Remove")),
            "administrativeUnits": [],
        },
        {
            "id": group.id,
            "displayName": None,
            "type": "Group",
            "groupType": "azureAD",
            "modifiedProperties": [],
            "administrativeUnits": [],
        },
    ]


def _granted_scopes(tenant: Tenant, change: DirectoryChange, app: App) -> tuple[str, str, str]:
    """Return grant id, principal id and scopes of what was consented to, from what the tenant holds."""
    held = integrations.holdings(tenant)
    for grant in held.scopes:
        if grant.app == app and grant.principal in {None, change.actor.key}:
            principal = tenant.person(grant.principal).id if grant.principal else ""
            return scope_grant_id(tenant, grant), principal, " ".join(grant.scopes)
    return "AAAA", "", "User.Read"


def scope_grant_id(tenant: Tenant, grant: integrations.ScopeGrant) -> str:
    """Return the id of a delegated permission grant."""
    return fixed_id(tenant.key, "scope-grant", grant.app.id, grant.principal or "all").replace("-", "")


def _consent(tenant: Tenant, change: DirectoryChange, app: App) -> list[dict[str, Any]]:
    grant_id, principal, scopes = _granted_scopes(tenant, change, app)
    reach = change.facts["reach"]
    grant = (
        f"[] => [[Id: {grant_id}, ClientId: {app.sp_id(tenant)}, PrincipalId: {principal}, "
        f"ResourceId: {graph_sp_id(tenant)}, ConsentType: {reach}, Scope:  {scopes}, "
        f"CreatedDateTime: , LastModifiedDateTime ]]; "
    )
    is_admin = str(reach == "AllPrincipals")
    return _changed(
        {
            "ConsentContext.IsAdminConsent": is_admin,
            "ConsentContext.IsAppOnly": "False",
            "ConsentContext.OnBehalfOfAll": is_admin,
            "ConsentContext.Tags": "WindowsAzureActiveDirectoryIntegratedApp",
            "ConsentAction.Permissions": grant,
            "TargetId.ServicePrincipalNames": app.id,
        }
    )


def _delegated_grant(tenant: Tenant, change: DirectoryChange, app: App) -> list[dict[str, Any]]:
    _, _, scopes = _granted_scopes(tenant, change, app)
    return _changed(
        {
            "DelegatedPermissionGrant.Scope": scopes,
            "DelegatedPermissionGrant.ConsentType": change.facts["reach"],
            "ServicePrincipal.ObjectID": app.sp_id(tenant),
            "ServicePrincipal.DisplayName": "",
            "ServicePrincipal.AppId": app.id,
            "TargetId.ServicePrincipalNames": f"https://graph.microsoft.com/;{GRAPH}",
        }
    )


def _role_assignment(tenant: Tenant, change: DirectoryChange, app: App) -> list[dict[str, Any]]:
    permission = change.facts["permission"]
    return _changed(
        {
            "AppRole.Id": ROLE_IDS[permission],
            "AppRole.Value": permission,
            "AppRoleAssignment.CreatedDateTime": wire_time(change.at),
            "ServicePrincipal.ObjectID": app.sp_id(tenant),
            "ServicePrincipal.DisplayName": app.name,
            "ServicePrincipal.AppId": app.id,
            "ServicePrincipal.Name": app.id,
            "TargetId.ServicePrincipalNames": f"https://graph.microsoft.com/;{GRAPH}",
        },
        removed=change.activity.startswith("Remove"),
    )


def _credentials(_tenant: Tenant, change: DirectoryChange, app: App, client: Target) -> list[Target]:
    """A key was added beside the one that was there; the log never tells a secret."""
    old, new = (
        f"[KeyIdentifier={fixed_id(change.id, which)},KeyType={kind},KeyUsage=Verify,DisplayName={name}]"
        for which, kind, name in (("old", "AsymmetricX509Cert", "CN=salsoft"), ("new", "Password", "tmp"))
    )
    values: dict[str, Target] = {
        "KeyDescription": {"oldValue": json.dumps([old]), "newValue": json.dumps([old, new])},
        "TargetId.ServicePrincipalNames": {"oldValue": None, "newValue": json.dumps(app.id)},
    }
    return [{**client, "modifiedProperties": [{"displayName": name, **value} for name, value in values.items()]}]


def _owner(tenant: Tenant, change: DirectoryChange, app: App, client: Target) -> list[Target]:
    owner = tenant.person(change.facts["owner"])
    values = {"ServicePrincipal.ObjectID": app.sp_id(tenant), "ServicePrincipal.AppId": app.id}
    person = {"id": owner.id, "displayName": None, "type": "User", "userPrincipalName": owner.upn}
    return [
        {**person, "modifiedProperties": _changed(values), "administrativeUnits": []},
        {**client, "modifiedProperties": []},
    ]


def _addresses(_tenant: Tenant, change: DirectoryChange, app: App, client: Target) -> list[Target]:
    kept, added = (
        {"AddressType": 0, "Address": at} for at in ("https://forms.salsoft.example/", change.facts["address"])
    )
    values: dict[str, Target] = {
        "AppAddress": {"oldValue": json.dumps([kept]), "newValue": json.dumps([kept, added])},
        "TargetId.ServicePrincipalNames": {"oldValue": None, "newValue": json.dumps(app.id)},
    }
    return [{**client, "modifiedProperties": [{"displayName": name, **value} for name, value in values.items()]}]


_ABOUT_THE_APP = {
    "Add service principal credentials": _credentials,
    "Add owner to service principal": _owner,
    "Update service principal": _addresses,
}


def sign_in_line(tenant: Tenant, sign_in: SignIn) -> dict[str, Any]:
    """Return one sign-in line of its category; its envelope time is minutes after the sign-in."""
    who = _signed_in_user(sign_in) if sign_in.user else _signed_in_app(tenant, sign_in.app, sign_in.client)
    properties = {
        "id": sign_in.id,
        "createdDateTime": wire_time(sign_in.at).replace("Z", "+00:00"),
        "appId": sign_in.app.id,
        "ipAddress": sign_in.app.address,
        "correlationId": fixed_id("sign-in-correlation", sign_in.id),
        "conditionalAccessStatus": "notApplied",
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": GRAPH,
        "resourceServicePrincipalId": graph_sp_id(tenant),
        "status": {"errorCode": sign_in.error},
        "location": {**_CITIES[sign_in.country], "countryOrRegion": sign_in.country},
        "uniqueTokenIdentifier": sign_in.id.replace("-", "")[:22],
        "tenantId": tenant.id,
        **who,
    }
    return _envelope(tenant, sign_in.kind, "Sign-in activity", sign_in.at + timedelta(seconds=310), properties) | {
        "resultType": str(sign_in.error)
    }


def _signed_in_user(sign_in: SignIn) -> dict[str, Any]:
    assert sign_in.user  # noqa: S101  # the caller has looked
    factor = "multiFactorAuthentication" if sign_in.has_mfa else "singleFactorAuthentication"
    return {
        "userId": sign_in.user.id,
        "userPrincipalName": sign_in.user.upn,
        "userDisplayName": sign_in.user.name,
        "appDisplayName": sign_in.app.name,
        "clientAppUsed": sign_in.client,
        "isInteractive": sign_in.kind == "SignInLogs",
        "authenticationRequirement": factor,
        "authenticationDetails": [{"authenticationMethod": "Password", "succeeded": sign_in.error == 0}],
    }


def _signed_in_app(tenant: Tenant, app: App, client: str) -> dict[str, Any]:
    return {
        "userId": "",
        "isInteractive": False,
        "servicePrincipalId": app.sp_id(tenant),
        "servicePrincipalName": app.name,
        "clientCredentialType": client if client in _CREDENTIALS else "certificate",
    }
