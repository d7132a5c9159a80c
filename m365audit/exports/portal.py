"""Retells the Entra portal's tables of sign-ins and audit logs as the records that Graph returns.

The portal's tables lack much of what its JSON holds; what they lack stays unknown. A row of the audit log has no id:
it is known by all that it says, so that the same row is the same event wherever it comes from.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from m365audit.exports.columns import Cells, as_json, cells_of, text_in
from m365audit.exports.moments import in_iso
from m365audit.exports.strict import UnreadableError

_TIME: Final = "date (utc)"
_SIGN_IN_FIELDS: Final[Mapping[str, str]] = {
    "id": "request id",
    "correlationId": "correlation id",
    "userAgent": "user agent",
    "userId": "user id",
    "userDisplayName": "user",
    "userPrincipalName": "username",
    "userType": "user type",
    "crossTenantAccessType": "cross tenant access type",
    "incomingTokenType": "incoming token type",
    "authenticationProtocol": "authentication protocol",
    "uniqueTokenIdentifier": "unique token identifier",
    "clientCredentialType": "client credential type",
    "appDisplayName": "application",
    "appId": "application id",
    "resourceDisplayName": "resource",
    "resourceId": "resource id",
    "resourceTenantId": "resource tenant id",
    "homeTenantId": "home tenant id",
    "homeTenantName": "home tenant name",
    "ipAddress": "ip address",
    "clientAppUsed": "client app",
    "authenticationRequirement": "authentication requirement",
    "signInIdentifier": "sign-in identifier",
    "sessionId": "session id",
    "tokenIssuerType": "token issuer type",
    "tokenIssuerName": "token issuer name",
    "servicePrincipalId": "service principal id",
    "servicePrincipalName": "service principal name",
    "servicePrincipalCredentialKeyId": "credential key id",
    "servicePrincipalCredentialThumbprint": "credential thumbprint",
    "managedIdentityType": "managed identity type",
}
_OTHER_SIGN_IN_COLUMNS: Final = frozenset((_TIME, "status", "sign-in error code", "failure reason", "location"))
_SIGN_IN_COLUMNS: Final = _OTHER_SIGN_IN_COLUMNS | set(_SIGN_IN_FIELDS.values())
_AUDIT_FIELDS: Final[Mapping[str, str]] = {
    "correlationId": "correlationid",
    "loggedByService": "service",
    "category": "category",
    "activityDisplayName": "activity",
    "result": "result",
    "resultReason": "resultreason",
}
_ACTOR: Final[Mapping[str, Mapping[str, str]]] = {
    "user": {
        "id": "actorobjectid",
        "displayName": "actordisplayname",
        "userPrincipalName": "actoruserprincipalname",
        "ipAddress": "ipaddress",
    },
    "app": {"displayName": "actorserviceprincipalname", "servicePrincipalId": "actorserviceprincipalid"},
}
_TARGET = re.compile(r"target(\d+)(type|displayname|objectid|userprincipalname)")
_PROPERTY = re.compile(r"target(\d+)modifiedproperty(\d+)(name|oldvalue|newvalue)")
_DETAIL = re.compile(r"additionaldetail(\d+)(key|value)")
_TARGET_FIELDS: Final = {
    "type": "type",
    "displayname": "displayName",
    "objectid": "id",
    "userprincipalname": "userPrincipalName",
}
_PROPERTY_FIELDS: Final = {"name": "displayName", "oldvalue": "oldValue", "newvalue": "newValue"}
_REQUIREMENTS: Final = {
    "multifactorauthentication": "multiFactorAuthentication",
    "singlefactorauthentication": "singleFactorAuthentication",
}
_COUNTRY = re.compile(r"(?:^|, )([A-Z]{2})$")
_AUDIT_KEY: Final = frozenset((_TIME, "correlationid", "activity"))


def is_sign_in_table(columns: Collection[str]) -> bool:
    """Say whether these column names (lower case) are those of the portal's sign-ins."""
    return {_TIME, "request id"} <= set(columns)


def is_audit_table(columns: Collection[str]) -> bool:
    """Say whether these column names (lower case) are those of the portal's audit logs."""
    return set(columns) >= _AUDIT_KEY


def sign_in(raw: bytes, name: str) -> bytes:
    """Return a row of the portal's sign-ins as an enveloped record.

    Args:
        raw: the row.
        name: the file's own name: rows of interactive and of non-interactive sign-ins look the same, and the portal
            says only there which they are.

    Raises:
        UnreadableError: a column stands twice and says two things.
    """
    cells = cells_of(raw, _SIGN_IN_COLUMNS)
    record: dict[str, object] = {field: cells[column] for field, column in _SIGN_IN_FIELDS.items() if column in cells}
    _put_text(record, "createdDateTime", in_iso(text_in(cells, _TIME)))
    status = _status(cells)
    if status:
        record["status"] = status
    if found := _COUNTRY.search(text_in(cells, "location")):
        record["location"] = {"countryOrRegion": found[1]}
    requirement = text_in(cells, "authentication requirement").lower().replace("-", "").replace(" ", "")
    if requirement in _REQUIREMENTS:
        record["authenticationRequirement"] = _REQUIREMENTS[requirement]
    category = _category(cells, name.lower())
    return msgspec.json.encode({"category": category, "operationName": "Sign-in activity", "properties": record})


def audit(raw: bytes) -> bytes:
    """Return a row of the portal's audit logs as an enveloped record, with an id made of all that the row says.

    Raises:
        UnreadableError: it has no time, activity or correlation id, so that nothing tells it from others.
    """
    cells = cells_of(raw, _AUDIT_KEY)
    missing = next((column for column in sorted(_AUDIT_KEY) if column not in cells), None)
    if missing:
        raise UnreadableError(f"the column {missing!r} is missing or empty: nothing else tells the row from others")
    record: dict[str, object] = {field: cells[column] for field, column in _AUDIT_FIELDS.items() if column in cells}
    record["id"] = f"portal_{text_in(cells, 'correlationid')}_{_digest(cells)}"
    record["activityDateTime"] = in_iso(text_in(cells, _TIME))
    record["initiatedBy"] = _actor(cells)
    record["targetResources"] = _targets(cells)
    details = _numbered(cells, _DETAIL, {"key": "key", "value": "value"})
    record["additionalDetails"] = [details[index] for index in sorted(details)]
    return msgspec.json.encode({"category": "AuditLogs", "operationName": "Audit activity", "properties": record})


def _category(cells: Cells, name: str) -> str:
    if "service principal id" in cells and "user id" not in cells:
        is_managed = "managed identity type" in cells or "msisignin" in name or "managedidentity" in name
        return "ManagedIdentitySignInLogs" if is_managed else "ServicePrincipalSignInLogs"
    return "NonInteractiveUserSignInLogs" if "noninteractive" in name else "SignInLogs"


def _status(cells: Cells) -> dict[str, object]:
    """Return the status: its code where the table has one; the word alone says only of a success which code it had."""
    status: dict[str, object] = {}
    if "sign-in error code" in cells:
        status["errorCode"] = cells["sign-in error code"]
    elif text_in(cells, "status").lower() == "success":
        status["errorCode"] = 0
    if "failure reason" in cells:
        status["failureReason"] = cells["failure reason"]
    return status


def _actor(cells: Cells) -> dict[str, object]:
    """Return who did it. The user's columns hold an app's name too: only the actor's type tells them apart."""
    kind = "app" if text_in(cells, "actortype").lower() in {"application", "serviceprincipal", "app"} else "user"
    fields = dict(_ACTOR[kind])
    actor: dict[str, object] = {field: cells[column] for field, column in fields.items() if column in cells}
    if kind == "app" and "displayName" not in actor and "actordisplayname" in cells:
        actor["displayName"] = cells["actordisplayname"]
    return {kind: actor} if actor else {}


def _targets(cells: Cells) -> list[dict[str, object]]:
    targets = _numbered(cells, _TARGET, _TARGET_FIELDS)
    changed: dict[int, dict[int, dict[str, object]]] = {}
    for column, cell in cells.items():
        if found := _PROPERTY.fullmatch(column):
            place = changed.setdefault(int(found[1]), {}).setdefault(int(found[2]), {})
            place[_PROPERTY_FIELDS[found[3]]] = cell
    for number, properties in changed.items():
        named = [properties[index] for index in sorted(properties) if "displayName" in properties[index]]
        targets.setdefault(number, {})["modifiedProperties"] = named
    return [targets[number] for number in sorted(targets)]


def _numbered(cells: Cells, pattern: re.Pattern[str], fields: Mapping[str, str]) -> dict[int, dict[str, object]]:
    found: dict[int, dict[str, object]] = {}
    for column, cell in cells.items():
        if match := pattern.fullmatch(column):
            found.setdefault(int(match[1]), {})[fields[match[2]]] = cell
    return found


def _put_text(record: dict[str, object], field: str, text: str) -> None:
    if text:
        record[field] = as_json(text)


def _digest(cells: Cells) -> str:
    said = msgspec.json.encode({column: text_in(cells, column) for column in sorted(cells)})
    return hashlib.sha256(said).hexdigest()[:32]
