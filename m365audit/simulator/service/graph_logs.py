"""Owns Graph's sign-ins and directory audits: windows, order, licence, retention, what each version shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from m365audit.simulator.served import Record, ServedTenant
from m365audit.simulator.service.calls import Answer, Call, RefusedError, graph_error
from m365audit.simulator.service.clock import ticks_of
from m365audit.simulator.service.filters import Filter
from m365audit.simulator.service.gate import need
from m365audit.simulator.service.graph_state import page, page_size, selected, tenant_of, wanted
from m365audit.simulator.service.paging import own_query
from m365audit.simulator.service.simulation import Simulation

_ROLES: Final = ("AuditLog.Read.All",)
_LONGEST: Final = 1_000
_FREE, _PREMIUM = timedelta(days=7), timedelta(days=30)
_BETA_ONLY: Final = frozenset(
    {
        "signInEventTypes",
        "uniqueTokenIdentifier",
        "clientCredentialType",
        "resourceServicePrincipalId",
        "servicePrincipalId",
        "servicePrincipalName",
        "authenticationRequirement",
        "incomingTokenType",
        "userType",
    }
)
"""Properties of a sign-in that v1.0 does not have (published metadata)."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log that Graph lists.

    Attributes:
        path: below ``/auditLogs/``.
        time_property: what it is ordered and filtered by.
        needs_premium: without the licence there is none.
    """

    path: str
    time_property: str
    needs_premium: bool


SIGN_INS: Final = Log("signIns", "createdDateTime", needs_premium=True)
DIRECTORY_AUDITS: Final = Log("directoryAudits", "activityDateTime", needs_premium=False)


def sign_ins(simulation: Simulation, call: Call, version: str) -> Answer:
    """Answer ``/auditLogs/signIns``."""
    asked = wanted(call, SIGN_INS.time_property)
    if version == "v1.0":
        _refuse_beta_names(asked)
    elif call.query.get("$filter", "").lower().count("signineventtypes/any") > 1:
        raise RefusedError(graph_error(400, "BadRequest", "Invalid filter clause: event types cannot be combined."))
    return _serve(simulation, call, SIGN_INS, asked, version)


def _refuse_beta_names(asked: Filter) -> None:
    unknown = {name.partition("/")[0] for name in asked.names} & _BETA_ONLY
    if unknown:
        said = f"Could not find a property named '{min(unknown)}' on type 'microsoft.graph.signIn'."
        raise RefusedError(graph_error(400, "BadRequest", said))


def directory_audits(simulation: Simulation, call: Call, version: str) -> Answer:
    """Answer ``/auditLogs/directoryAudits``."""
    asked = wanted(call, DIRECTORY_AUDITS.time_property)
    if "createdDateTime" in asked.names:
        said = "Could not find a property named 'createdDateTime' on type 'microsoft.graph.directoryAudit'."
        raise RefusedError(graph_error(400, "BadRequest", said))
    return _serve(simulation, call, DIRECTORY_AUDITS, asked, version)


def _serve(simulation: Simulation, call: Call, log: Log, asked: Filter, version: str) -> Answer:
    need(call, _ROLES)
    tenant = tenant_of(call)
    if log.needs_premium and not tenant.has_premium:
        said = "Neither tenant is B2C or tenant doesn't have premium license"
        raise RefusedError(graph_error(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", said))
    query = own_query(call)
    if "$skiptoken" in call.query:
        return page(simulation, call, *simulation.snapshots.resumed(call.query["$skiptoken"], query))
    found = _found(simulation, tenant, log, asked)
    if log is SIGN_INS and not any(name.startswith("signInEventTypes") for name in asked.names):
        found = [record for record in found if _is_interactive(record)]
    if not _is_ascending(call, log):
        found = found[::-1]
    if log is SIGN_INS and version == "v1.0":
        found = [{name: value for name, value in record.items() if name not in _BETA_ONLY} for record in found]
    size = page_size(call, _LONGEST, _LONGEST)
    return page(simulation, call, simulation.snapshots.open(query, found, size, selected(call)), 0)


def _found(simulation: Simulation, tenant: ServedTenant, log: Log, asked: Filter) -> Sequence[Record]:
    """Return what the log shows now, oldest first."""
    now = simulation.now()
    kept = now - (_PREMIUM if tenant.has_premium else _FREE)
    shown = replace(asked, begin=max(asked.begin, ticks_of(kept)), end=min(asked.end, ticks_of(now) + 1))
    found = simulation.time_order.window(tenant.collections[log.path], log.time_property, shown)
    if tenant.arrivals:
        found = [r for r in found if tenant.arrivals.get(str(r.get("id")), now) <= now]
    return found if asked.is_trivial else [r for r in found if asked.test(r)]


def _is_ascending(call: Call, log: Log) -> bool:
    """Return whether the oldest come first; without ``$orderby`` the newest do.

    Raises:
        RefusedError: the log is not ordered by what was asked for.
    """
    text = call.query.get("$orderby", "").strip()
    name, _, direction = text.partition(" ")
    if text and name != log.time_property:
        raise RefusedError(graph_error(400, "BadRequest", f"Sorting by '{name[:60]}' is not supported."))
    return bool(text) and direction.strip().lower() != "desc"


def _is_interactive(record: Record) -> bool:
    return "interactiveUser" in record.get("signInEventTypes", ["interactiveUser"])
