"""Owns the Management Activity API: subscriptions, content by arrival, expiry. Must never order by event time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from m365audit.simulator.served import ServedTenant
from m365audit.simulator.service.blobs import KEPT, Blob
from m365audit.simulator.service.calls import JSON, Answer, Call, RefusedError, json_answer, manage_error
from m365audit.simulator.service.clock import ticks, ticks_of
from m365audit.simulator.service.graph_state import tenant_of
from m365audit.simulator.service.simulation import Simulation

CONTENT_TYPES: Final = ("Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All")
_DAY: Final = timedelta(days=1)
_BACKFILL: Final = timedelta(hours=22)
_TICKS_OF_A_DAY: Final = 864_000_000_000


def check_tenant(call: Call, tenant_id: str) -> ServedTenant:
    """Return the tenant that path and token both name.

    Raises:
        RefusedError: they differ, or auditing is off there.
    """
    tenant = tenant_of(call)
    if tenant.id != tenant_id.lower():
        said = "The tenant ID passed in the URL does not match the tenant ID passed in the access token."
        raise RefusedError(manage_error(400, "AF20010", said))
    if not tenant.is_audit_enabled:
        raise RefusedError(auditing_is_off(tenant_id, call.query.get("contentType", "")))
    return tenant


def auditing_is_off(tenant_id: str, content_type: str) -> Answer:
    """Return the error of a tenant without unified auditing, as it was seen in the field."""
    code = f"StartSubscription [TenantId={tenant_id},ContentType={content_type}] failed. Exception"
    said = f"Microsoft.Office.Compliance.Audit.DataServiceException: Tenant {tenant_id} does not exist."
    return manage_error(400, code, said)


def list_subscriptions(simulation: Simulation, call: Call, tenant_id: str) -> Answer:
    """Answer ``subscriptions/list``."""
    tenant = check_tenant(call, tenant_id)
    return json_answer([_subscription(simulation, tenant, name) for name in tenant.subscriptions])


def _subscription(simulation: Simulation, tenant: ServedTenant, content_type: str) -> dict[str, Any]:
    status = "disabled" if (tenant.id, content_type) in simulation.disabled_subscriptions else "enabled"
    return {"contentType": content_type, "status": status, "webhook": None}


def start(simulation: Simulation, call: Call, tenant_id: str) -> Answer:
    """Answer ``subscriptions/start``: the one write that an auditor makes."""
    tenant = check_tenant(call, tenant_id)
    content_type = _content_type(call)
    key = (tenant.id, content_type)
    if content_type in tenant.subscriptions and key not in simulation.disabled_subscriptions:
        said = "The subscription is already enabled. No property change."
        raise RefusedError(manage_error(400, "AF20024", said))
    simulation.disabled_subscriptions.discard(key)
    tenant.subscriptions[content_type] = simulation.now()
    return json_answer(_subscription(simulation, tenant, content_type))


def _content_type(call: Call) -> str:
    found = call.query.get("contentType", "")
    if found not in CONTENT_TYPES:
        raise RefusedError(manage_error(400, "AF20020", "The specified content type is not valid."))
    return found


def content(simulation: Simulation, call: Call, tenant_id: str) -> Answer:
    """Answer ``subscriptions/content``: what became available in a window."""
    tenant = check_tenant(call, tenant_id)
    content_type = _content_type(call)
    if content_type not in tenant.subscriptions:
        said = "No subscription found for the specified content type."
        raise RefusedError(manage_error(400, "AF20022", said))
    if (tenant.id, content_type) in simulation.disabled_subscriptions:
        raise RefusedError(manage_error(400, "AF20023", "The subscription was disabled by the tenant admin."))
    begin, end = _window(simulation, call)
    shown = tenant.subscriptions[content_type] - _BACKFILL, simulation.now()
    blobs = [
        blob
        for blob in simulation.blobs.of(tenant).values()
        if blob.content_type == content_type
        and shown[0] <= blob.created_at <= shown[1]
        and begin <= ticks_of(blob.created_at) < end
    ]
    return _content_page(simulation, call, tenant, blobs)


def _window(simulation: Simulation, call: Call) -> tuple[int, int]:
    """Return the window that was asked for, in ticks.

    Raises:
        RefusedError: it is longer than a day, older than seven, or half of it is missing.
    """
    named = [call.query.get(name, "") for name in ("startTime", "endTime")]
    now = simulation.now()
    if not any(named):
        return ticks_of(now - _DAY), ticks_of(now) + 1
    begin, end = (ticks(text) for text in named)
    said = (
        "Start time and end time must both be specified (or both omitted) and must be less than or equal to 24 hours "
        "apart, with the start time prior to end time and no more than 7 days in the past."
    )
    if begin is None or end is None or not 0 < end - begin <= _TICKS_OF_A_DAY:
        raise RefusedError(manage_error(400, "AF20030", said))
    if begin < ticks_of(now - KEPT):
        raise RefusedError(manage_error(400, "AF20055", said))
    return begin, end


def _content_page(simulation: Simulation, call: Call, tenant: ServedTenant, blobs: Sequence[Blob]) -> Answer:
    offset = call.query.get("nextPage", "0")
    if not offset.isdecimal():
        raise RefusedError(manage_error(400, "AF20031", "Invalid nextPage Input."))
    end = int(offset) + simulation.blobs_on_a_page
    listed = [_listed(call, tenant, blob) for blob in blobs[int(offset) : end]]
    answer = json_answer(listed)
    if end < len(blobs):
        query = {**call.query, "nextPage": f"{end:08d}"}
        answer.headers["NextPageUri"] = f"{call.origin}{quote(call.path)}?{urlencode(query)}"
    return answer


def _listed(call: Call, tenant: ServedTenant, blob: Blob) -> dict[str, str]:
    return {
        "contentUri": f"{call.origin}/api/v1.0/{tenant.id}/activity/feed/audit/{blob.id}",
        "contentId": blob.id,
        "contentType": blob.content_type,
        "contentCreated": f"{blob.created_at:%Y-%m-%dT%H:%M:%S.000Z}",
        "contentExpiration": f"{blob.expires_at:%Y-%m-%dT%H:%M:%S.000Z}",
    }


def blob_content(simulation: Simulation, call: Call, tenant_id: str, content_id: str) -> Answer:
    """Answer the records of one blob."""
    tenant = check_tenant(call, tenant_id)
    blob = simulation.blobs.of(tenant).get(content_id)
    if blob is None or blob.created_at > simulation.now():
        said = f"The specified content ID ({content_id[:100]}) does not exist."
        raise RefusedError(manage_error(400, "AF20050", said))
    if simulation.now() >= blob.expires_at:
        raise RefusedError(expired(content_id))
    records = simulation.encoder.encoded([audit.record for audit in blob.audits])
    return Answer(200, b"[" + b",".join(records) + b"]", {"Content-Type": JSON})


def expired(content_id: str) -> Answer:
    """Return the error of content that is older than seven days."""
    said = f"Content requested with the key {content_id[:100]} has already expired. Content older than 7 days is gone."
    return manage_error(400, "AF20051", said)
