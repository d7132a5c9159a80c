"""Owns audit queries of Graph: jobs that are made, polled, and then paged. Every POST makes another one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final

from m365audit.simulator.served import Record, ServedAudit, ServedTenant
from m365audit.simulator.service.calls import GRAPH_JSON, Answer, Call, RefusedError, graph_error, json_answer
from m365audit.simulator.service.clock import ticks, wire
from m365audit.simulator.service.gate import need
from m365audit.simulator.service.graph_state import page, page_size, tenant_of
from m365audit.simulator.service.jobs import Job, status
from m365audit.simulator.service.paging import own_query
from m365audit.simulator.service.simulation import Simulation

ROLES: Final = (
    "AuditLogsQuery.Read.All",
    "AuditLogsQuery-Exchange.Read.All",
    "AuditLogsQuery-Entra.Read.All",
    "AuditLogsQuery-SharePoint.Read.All",
    "AuditLogsQuery-OneDrive.Read.All",
)
RECORD_TYPES: Final = {
    1: "ExchangeAdmin",
    2: "ExchangeItem",
    3: "ExchangeItemGroup",
    4: "SharePoint",
    6: "SharePointFileOperation",
    8: "AzureActiveDirectory",
    9: "AzureActiveDirectoryAccountLogon",
    11: "ComplianceDLPSharePoint",
    14: "SharePointSharingOperation",
    15: "AzureActiveDirectoryStsLogon",
    25: "MicrosoftTeams",
    50: "ExchangeItemAggregated",
    52: "DataGovernance",
}
_MOST_AT_ONCE: Final = 50
_LIMIT: Final = 10


def make(simulation: Simulation, call: Call) -> Answer:
    """Answer the POST that makes a query."""
    need(call, ROLES)
    tenant = tenant_of(call)
    if not tenant.is_audit_enabled:
        raise RefusedError(auditing_is_off())
    body = call.json()
    if not isinstance(body, dict):
        raise RefusedError(graph_error(400, "BadRequest", "Unable to read JSON request payload."))
    running = [j for j in simulation.jobs.made.values() if j.tenant == tenant.id and not _is_over(j, tenant)]
    if len(running) >= (_LIMIT if simulation.limits.is_enforced else _MOST_AT_ONCE):
        raise RefusedError(graph_error(429, "TooManyRequests", "Too many audit log queries are queued or running."))
    found = [_shown(audit) for audit in _asked(simulation, tenant, body)]
    cap = tenant.audit_query_cap
    job = Job(str(uuid.uuid4()), tenant.id, body, found[:cap], len(found) > cap, wire(simulation.now()))
    simulation.jobs.made[job.id] = job
    answer = json_answer(_described(job, tenant), status=201, content_type=GRAPH_JSON)
    answer.headers["Location"] = f"{call.origin}{call.path.rstrip('/')}/{job.id}"
    return answer


def auditing_is_off() -> Answer:
    """Return the error of a tenant without unified auditing."""
    return graph_error(400, "UnknownError", '{"code":"AuditingDisabledTenant","message":"Auditing is disabled."}')


def _is_over(job: Job, tenant: ServedTenant) -> bool:
    return status(job, tenant) not in {"notStarted", "running"}


def listing(simulation: Simulation, call: Call) -> Answer:
    """Answer the queries of a tenant, newest first."""
    need(call, ROLES)
    tenant = tenant_of(call)
    query = own_query(call)
    if "$skiptoken" in call.query:
        return page(simulation, call, *simulation.snapshots.resumed(call.query["$skiptoken"], query))
    jobs = [_described(job, tenant) for job in simulation.jobs.made.values() if job.tenant == tenant.id]
    snapshot = simulation.snapshots.open(query, jobs[::-1], page_size(call, 100, 999))
    return page(simulation, call, snapshot, 0)


def poll(simulation: Simulation, call: Call, job_id: str) -> Answer:
    """Answer the state of a query."""
    need(call, ROLES)
    tenant = tenant_of(call)
    job = simulation.jobs.of(tenant, job_id)
    job.polls += 1
    return json_answer(_described(job, tenant), content_type=GRAPH_JSON)


def records(simulation: Simulation, call: Call, job_id: str) -> Answer:
    """Answer the records of a query that is over."""
    need(call, ROLES)
    tenant = tenant_of(call)
    job = simulation.jobs.of(tenant, job_id)
    if status(job, tenant) != "succeeded":
        raise RefusedError(graph_error(400, "BadRequest", "The audit log query has not completed."))
    query = own_query(call)
    if "$skiptoken" in call.query:
        return page(simulation, call, *simulation.snapshots.resumed(call.query["$skiptoken"], query))
    snapshot = simulation.snapshots.open(query, job.records, page_size(call, 150, 999))
    return page(simulation, call, snapshot, 0)


def _described(job: Job, tenant: ServedTenant) -> dict[str, Any]:
    is_over = _is_over(job, tenant)
    return {
        "@odata.type": "#microsoft.graph.security.auditLogQuery",
        "id": job.id,
        "createdDateTime": job.made_at,
        "displayName": job.body.get("displayName"),
        "filterStartDateTime": job.body.get("filterStartDateTime"),
        "filterEndDateTime": job.body.get("filterEndDateTime"),
        "recordTypeFilters": job.body.get("recordTypeFilters", []),
        "keywordFilter": job.body.get("keywordFilter"),
        "serviceFilter": job.body.get("serviceFilter"),
        "serviceFilters": job.body.get("serviceFilters", []),
        "operationFilters": job.body.get("operationFilters", []),
        "userPrincipalNameFilters": job.body.get("userPrincipalNameFilters", []),
        "ipAddressFilters": [],
        "objectIdFilters": [],
        "administrativeUnitIdFilters": [],
        "status": status(job, tenant),
        "recordCountLimit": tenant.audit_query_cap,
        "approximateReturnedRecordCount": len(job.records) if is_over else None,
        "isRecordCountLimitExceeded": job.is_capped if is_over else None,
    }


def _asked(simulation: Simulation, tenant: ServedTenant, body: dict[str, Any]) -> list[ServedAudit]:
    """Return what a query finds: by event time, of what has arrived; each record once."""
    begin, end = ticks(str(body.get("filterStartDateTime"))), ticks(str(body.get("filterEndDateTime")))
    if begin is None or end is None or begin >= end:
        raise RefusedError(graph_error(400, "BadRequest", "filterStartDateTime must be before filterEndDateTime."))
    tests = _tests(body)
    now = simulation.now()
    found: dict[str, ServedAudit] = {}
    for audit in tenant.audit:
        at = ticks(str(audit.record.get("CreationTime"))) or 0
        if begin <= at < end and audit.arrived_at <= now and all(test(audit.record) for test in tests):
            found.setdefault(str(audit.record.get("Id")), audit)
    return list(found.values())


def _tests(body: dict[str, Any]) -> list[Callable[[Record], bool]]:
    services = {str(s).lower() for s in [*(body.get("serviceFilters") or []), body.get("serviceFilter")] if s}
    types = {str(name).lower() for name in body.get("recordTypeFilters") or []}
    operations = {str(name).lower() for name in body.get("operationFilters") or []}
    tests: list[Callable[[Record], bool]] = []
    if services:
        tests.append(lambda record: str(record.get("Workload")).lower() in services)
    if types:
        tests.append(lambda record: _type_name(record).lower() in types)
    if operations:
        tests.append(lambda record: str(record.get("Operation")).lower() in operations)
    return tests


def _type_name(record: Record) -> str:
    number = record.get("RecordType")
    return RECORD_TYPES.get(number, str(number)) if isinstance(number, int) else str(number)


def _shown(audit: ServedAudit) -> Record:
    """Return a record as a query returns it: camelCase outside, the untouched record inside."""
    record = audit.record
    return {
        "id": record.get("Id"),
        "createdDateTime": f"{record.get('CreationTime')}Z",
        "auditLogRecordType": _type_name(record),
        "operation": record.get("Operation"),
        "organizationId": record.get("OrganizationId"),
        "userType": "Regular",
        "userId": record.get("UserId"),
        "service": record.get("Workload"),
        "objectId": record.get("ObjectId"),
        "userPrincipalName": record.get("UserId"),
        "clientIp": record.get("ClientIP"),
        "administrativeUnits": [""],
        "auditData": {"@odata.type": "#microsoft.graph.security.defaultAuditData", **record},
    }
