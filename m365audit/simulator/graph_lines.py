"""Owns the shape of a MicrosoftGraphActivityLogs line in a storage export. Must never decide what was called."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from m365audit.simulator.diary import Call
from m365audit.simulator.people import Tenant, fixed_id

_BEGIN_OF_TICKS = datetime(1, 1, 1)  # noqa: DTZ001  # .NET ticks know no zone


def wire_time(when: datetime) -> str:
    """Return UTC as Microsoft writes it: seven digits, of which a reader may keep six but must not round."""
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond:06d}7Z"


def graph_lines(tenant: Tenant, call: Call) -> list[dict[str, Any]]:
    """Return the call's line, once for every delivery: the same properties under a later envelope time."""
    properties = _properties(tenant, call)
    return [_envelope(tenant, call, properties, call.at + timedelta(seconds=41 * n)) for n in range(call.copies)]


def _envelope(tenant: Tenant, call: Call, properties: dict[str, Any], when: datetime) -> dict[str, Any]:
    return {
        "time": wire_time(when),
        "resourceId": f"/TENANTS/{tenant.id.upper()}/PROVIDERS/MICROSOFT.AADIAM",
        "operationName": "Microsoft Graph Activity",
        "operationVersion": call.version,
        "category": "MicrosoftGraphActivityLogs",
        "tenantId": tenant.id,
        "resultSignature": str(call.status),
        "durationMs": str(properties["durationMs"]),
        "callerIpAddress": properties["ipAddress"],
        "correlationId": call.request_id,
        "level": "Informational",
        "location": "West Europe",
        "properties": properties,
    }


def _properties(tenant: Tenant, call: Call) -> dict[str, Any]:
    moment = wire_time(call.at)
    address = call.app.address if call.app else "192.0.2.99"
    return {
        "__UDI_RequiredFields_TenantId": tenant.id,
        "__UDI_RequiredFields_UniqueId": call.request_id,
        "__UDI_RequiredFields_EventTime": _ticks(call.at),
        "__UDI_RequiredFields_RegionScope": "EU",
        "timeGenerated": moment,
        "location": "West Europe",
        "requestId": call.request_id,
        "operationId": call.operation_id,
        "clientRequestId": fixed_id("client", call.request_id),
        "apiVersion": call.version,
        "requestMethod": call.method,
        "responseStatusCode": call.status,
        "tenantId": tenant.id,
        "durationMs": 1000 + call.at.microsecond,
        "responseSizeBytes": call.at.microsecond % 90_000,
        "signInActivityId": call.request_id.replace("-", "")[:22],
        **({"appId": call.app.id} if call.app else {}),
        "identityProvider": f"https://sts.windows.net/{tenant.id}/",
        "clientAuthMethod": "0" if call.actor else "2",
        "wids": "",
        "C_Iat": str(int(call.at.timestamp()) - 1800),
        "ipAddress": address,
        "userAgent": "okhttp/4.12.0",
        "requestUri": f"https://graph.microsoft.com/{call.version}{call.path}",
        "atContentP": "",
        "atContentH": "",
        "tokenIssuedAt": wire_time(call.at - timedelta(minutes=30)),
        **_token(tenant, call),
    }


def _token(tenant: Tenant, call: Call) -> dict[str, Any]:
    """Return what the access token said: the app itself, or a user with the app."""
    if call.actor:
        return {
            "C_Idtyp": "user",
            "roles": "",
            "scopes": call.permissions,
            "userId": call.actor.id,
            "UserPrincipalObjectID": call.actor.id,
            "C_Sid": fixed_id("session", call.actor.id),
        }
    sp_id = call.app.sp_id(tenant) if call.app else None
    return {"C_Idtyp": "app", "roles": call.permissions, "scopes": "", "servicePrincipalId": sp_id}


def _ticks(when: datetime) -> int:
    """Return .NET ticks (100 ns since year 1)."""
    since = when.replace(tzinfo=None) - _BEGIN_OF_TICKS
    return (since.days * 86_400 + since.seconds) * 10_000_000 + since.microseconds * 10
