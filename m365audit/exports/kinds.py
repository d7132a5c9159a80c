"""Recognises, by its content, of what kind a record is.

Must never look at a file's name except to break a tie, and never read values that it need not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from m365audit.exports.call_records import is_call
from m365audit.exports.pieces import JsonObject

KINDS: Final[Mapping[str, str]] = {
    "graph_activity": "Microsoft Graph activity logs: diagnostic settings to storage (PT1H.json)",
    "sign_ins": "Entra sign-in logs: storage export, Graph /auditLogs/signIns, or the portal's JSON download",
    "directory_audits": "Entra audit logs: storage export, Graph /auditLogs/directoryAudits, portal's JSON download",
    "audit_records": "unified audit log: Purview CSV, Search-UnifiedAuditLog, Management Activity API blobs",
    "service_principals": "Graph /servicePrincipals",
    "delegated_permission_grants": "Graph /oauth2PermissionGrants",
    "app_role_assignments": "Graph /servicePrincipals/{id}/appRoleAssignments or appRoleAssignedTo",
    "users": "Graph /users",
    "groups": "Graph /groups, with members or transitiveMembers when expanded",
    "organization": "Graph /organization",
    "subscribed_skus": "Graph /subscribedSkus: licences and their service plans",
    "applications": "Graph /applications",
    "rsc_grants": "Graph /teams/{id}/permissionGrants and /chats/{id}/permissionGrants: grants inside one team or chat",
    "exchange_role_assignments": "Graph beta /roleManagement/exchange/roleAssignments, roleDefinition expanded",
    "policies": "Graph /policies: authorizationPolicy, permissionGrantPolicies, adminConsentRequestPolicy, "
    "identitySecurityDefaultsEnforcementPolicy; /identity/conditionalAccess/policies",
    "call_records": "Graph /communications/callRecords, getPstnCalls and getDirectRoutingCalls",
}
"""What each value of ``--kind`` stands for."""

SIGN_IN_CATEGORIES: Final = frozenset(
    ("signinlogs", "noninteractiveusersigninlogs", "serviceprincipalsigninlogs", "managedidentitysigninlogs")
)
_AUDIT_CATEGORY = "auditlogs"
_ACTIVITY_CATEGORY = "microsoftgraphactivitylogs"
_ACTIVITY_OPERATION = "microsoft graph activity"

_ENVELOPE = frozenset(
    ("time", "resourceid", "operationname", "operationversion", "category", "calleripaddress", "resultsignature")
)
_ACTIVITY = frozenset(("requesturi", "requestmethod"))
_AUDIT = frozenset(
    ("activitydisplayname", "activitydatetime", "targetresources", "initiatedby", "loggedbyservice", "operationtype")
)
_SIGN_IN = frozenset(
    (
        "conditionalaccessstatus",
        "isinteractive",
        "clientappused",
        "signineventtypes",
        "risklevelduringsignin",
        "authenticationrequirement",
        "appliedconditionalaccesspolicies",
        "tokenissuertype",
        "resourcedisplayname",
        "ipaddress",
        "uniquetokenidentifier",
        "devicedetail",
        "authenticationprotocol",
        "riskstate",
    )
)
_SIGNATURES: Final = {
    "graph_activity": _ACTIVITY,
    "delegated_permission_grants": frozenset(("clientid", "consenttype", "scope")),
    "app_role_assignments": frozenset(("approleid", "principalid", "resourceid")),
    "rsc_grants": frozenset(("clientappid", "permission", "permissiontype")),
    "subscribed_skus": frozenset(("skuid", "skupartnumber", "serviceplans")),
    "applications": frozenset(("requiredresourceaccess", "signinaudience")),
}
_SIGN_IN_ACTORS = frozenset(("userprincipalname", "userid", "serviceprincipalid", "serviceprincipalname"))
_SERVICE_PRINCIPAL = frozenset(
    ("serviceprincipaltype", "appownerorganizationid", "serviceprincipalnames", "approleassignmentrequired")
)
_GROUP = frozenset(
    (
        "grouptypes",
        "securityenabled",
        "mailenabled",
        "members",
        "transitivemembers",
        "membershiprule",
        "members@delta",
        "isassignabletorole",
    )
)
_ORGANIZATION = frozenset(("verifieddomains", "tenanttype", "technicalnotificationmails"))
_USER = frozenset(("userprincipalname", "usertype", "givenname", "jobtitle", "accountenabled"))

_ODATA_TYPES = {
    "signin": "sign_ins",
    "directoryaudit": "directory_audits",
    "serviceprincipal": "service_principals",
    "oauth2permissiongrant": "delegated_permission_grants",
    "approleassignment": "app_role_assignments",
    "user": "users",
    "group": "groups",
    "organization": "organization",
    "subscribedsku": "subscribed_skus",
    "application": "applications",
    "resourcespecificpermissiongrant": "rsc_grants",
    "authorizationpolicy": "policies",
    "permissiongrantpolicy": "policies",
    "adminconsentrequestpolicy": "policies",
    "identitysecuritydefaultsenforcementpolicy": "policies",
    "conditionalaccesspolicy": "policies",
}
_COLLECTIONS = {
    "signins": "sign_ins",
    "directoryaudits": "directory_audits",
    "serviceprincipals": "service_principals",
    "oauth2permissiongrants": "delegated_permission_grants",
    "approleassignments": "app_role_assignments",
    "approleassignedto": "app_role_assignments",
    "users": "users",
    "groups": "groups",
    "organization": "organization",
    "subscribedskus": "subscribed_skus",
    "applications": "applications",
    "permissiongrants": "rsc_grants",
    "authorizationpolicy": "policies",
    "permissiongrantpolicies": "policies",
    "adminconsentrequestpolicy": "policies",
    "identitysecuritydefaultsenforcementpolicy": "policies",
    "policies": "policies",
}
_EXCHANGE_ROLES = "rolemanagement/exchange/roleassignments"
_CONTEXT_CHARS = 300
_CONTEXT_END = re.compile(r"([A-Za-z0-9]+)(?:\([^()']*(?:\([^()]*\)[^()]*)*\))?(?:/\$entity)?$")


@dataclass(frozen=True, slots=True)
class Recognised:
    """A record's kind, one of ``EXPORT_KINDS``, and whether it lies in a diagnostic-settings envelope."""

    kind: str
    enveloped: bool = False


def recognise(value: JsonObject) -> Recognised | None:
    """Return the kind of the record, None when nothing in it tells."""
    keys = {key.lower(): key for key in value}
    properties = value.get(keys.get("properties", ""))
    if isinstance(properties, dict) and len(_ENVELOPE & keys.keys()) > 1:
        kind = _enveloped_kind(value, keys, properties)
        return Recognised(kind, enveloped=True) if kind else None
    kind = _typed_kind(value) or _plain_kind(frozenset(keys))
    return Recognised(kind) if kind else None


def text_of(value: JsonObject, keys: Mapping[str, str], name: str) -> str:
    """Return the member ``name`` (given in lower case) as lower-case text, empty when it is none."""
    member = value.get(keys.get(name, ""))
    return member.lower() if isinstance(member, str) else ""


def kind_of_context(context: str) -> str | None:
    """Return the kind of the collection that ``@odata.context`` names, None when it is none of ours."""
    if "callrecords" in context.lower():
        return "call_records"
    if _EXCHANGE_ROLES in context.lower():  # those of the directory have the same name
        return "exchange_role_assignments"
    match = _CONTEXT_END.search(context.partition("#")[2][-_CONTEXT_CHARS:])
    return _COLLECTIONS.get(match[1].lower()) if match else None


def kind_of_name(name: str) -> str | None:
    """Return the kind that a file's name suggests; a hint for records that could be of several kinds."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    words = [word for word in _COLLECTIONS if word in plain]
    found = {_COLLECTIONS[word] for word in words if not any(word in other for other in words if other != word)}
    return found.pop() if len(found) == 1 else None


def is_directory_object(value: JsonObject) -> bool:
    """Say whether the record is some object of the directory, of which only id and name were exported."""
    return {key.lower() for key in value if not key.startswith("@")} <= {"id", "displayname", "appid"} and any(
        key.lower() == "id" for key in value
    )


def is_audit_record(keys: frozenset[str]) -> bool:
    """Say whether lower-case ``keys`` are those of a unified audit log record."""
    return {"creationtime", "operation"} <= keys


def _enveloped_kind(value: JsonObject, keys: Mapping[str, str], properties: JsonObject) -> str | None:
    category = text_of(value, keys, "category")
    inner = frozenset(key.lower() for key in properties)
    if category in SIGN_IN_CATEGORIES:
        return "sign_ins"
    if category == _AUDIT_CATEGORY:
        return "directory_audits"
    is_activity = category == _ACTIVITY_CATEGORY or text_of(value, keys, "operationname") == _ACTIVITY_OPERATION
    if is_activity or inner >= _ACTIVITY:
        return "graph_activity"
    return "directory_audits" if len(inner & _AUDIT) > 1 else None


def _typed_kind(value: JsonObject) -> str | None:
    name = value.get("@odata.type")
    return _ODATA_TYPES.get(name.rpartition(".")[2].lower()) if isinstance(name, str) else None


def _plain_kind(keys: frozenset[str]) -> str | None:
    if is_audit_record(keys):
        return "audit_records"
    whole = next((kind for kind, needed in _SIGNATURES.items() if needed <= keys), None)
    if whole or is_call(keys):
        return whole or "call_records"
    if {"approlevalue", "principalid", "resourceid"} <= keys:
        return "app_role_assignments"
    if len(keys & _AUDIT) > 1:
        return "directory_audits"
    if len(keys & _SIGN_IN) > 1 and keys & _SIGN_IN_ACTORS:
        return "sign_ins"
    return _directory_kind(keys)


def _directory_kind(keys: frozenset[str]) -> str | None:
    if keys & _ORGANIZATION:
        return "organization"
    if keys & _SERVICE_PRINCIPAL:
        return "service_principals"
    if keys & _GROUP:
        return "groups"
    return "users" if keys & _USER else None
