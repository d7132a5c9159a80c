"""Owns Microsoft's published limits, in simulated time. Must never hold a request back: it only refuses."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from m365audit.simulator.service.calls import Answer, Call
from m365audit.simulator.service.fault_answers import forbidden_af429, too_many
from m365audit.simulator.service.simulation import Simulation

Passed = deque[tuple[float, int]]
"""When something passed, and what it cost."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So much in so many seconds.

    Attributes:
        name: for people.
        service: which service.
        path: paths that count.
        most: how much, as a sum of costs.
        seconds: in which time.
        is_per_tenant: counted for each tenant; else over all of the application's.
        cost: what a request costs; one, mostly.
    """

    name: str
    service: str
    path: re.Pattern[str]
    most: int
    seconds: float
    is_per_tenant: bool = True
    cost: Callable[[Call], int] = lambda _call: 1


_REPORTS: Final = re.compile(r"/(v1\.0|beta)/(auditLogs|reports)/.*", re.IGNORECASE)
_DIRECTORY: Final = re.compile(
    r"/(v1\.0|beta)/(applications|servicePrincipals|oauth2PermissionGrants|users|groups|organization|subscribedSkus"
    r"|policies)(/.*)?",
    re.IGNORECASE,
)
_UNITS: Final = {"applications": 2, "oauth2permissiongrants": 2, "subscribedskus": 3, "users": 2}
_FEW_RECORDS: Final = 20
_SIZES: Final = ((50, 3_500), (500, 5_000))
_LARGE: Final = 8_000
_WORTH_TELLING: Final = 0.8


def resource_units(call: Call) -> int:
    """Return what a request costs of the directory's resource units."""
    parts = call.path.lower().strip("/").split("/")
    units = 2 if "approleassign" in parts[-1] else _UNITS.get(parts[1], 1)
    query = call.query
    units -= "$select" in query
    units += "$expand" in query
    units -= query.get("$top", "100").isdecimal() and int(query.get("$top", "100")) < _FEW_RECORDS
    return max(1, units)


LIMITS: Final[tuple[Limit, ...]] = (
    Limit("reports of a tenant", "graph", _REPORTS, 5, 10),
    Limit("reports of all tenants", "graph", _REPORTS, 122, 10, is_per_tenant=False),
    Limit("directory", "graph", _DIRECTORY, _LARGE, 10, cost=resource_units),
    Limit("directory of all tenants", "graph", _DIRECTORY, 150_000, 20, is_per_tenant=False, cost=resource_units),
    Limit("call records", "graph", re.compile(r".*/communications/callRecords.*", re.IGNORECASE), 1_500, 20),
    Limit("teams", "graph", re.compile(r".*/(teams|chats)(/.*)?", re.IGNORECASE), 30, 1),
    Limit("management activity", "manage", re.compile(r".*"), 2_000, 60),
)
"""Published limits (learn.microsoft.com/graph/throttling-limits; the Management Activity API's reference)."""


def over_limit(simulation: Simulation, call: Call, tenant: str) -> Answer | None:
    """Return the refusal of a call that is one too many; None lets it pass, and counts it."""
    counts = simulation.limits
    if not counts.is_enforced:
        return None
    now = simulation.clock.seconds()
    concerned = [limit for limit in LIMITS if limit.service == call.service and limit.path.fullmatch(call.path)]
    kept = [(limit, counts.passed[limit.name, tenant if limit.is_per_tenant else ""]) for limit in concerned]
    wait, limit = max(
        ((_wait(limit, _most(simulation, limit, tenant), queue, call, now), limit) for limit, queue in kept),
        key=lambda pair: pair[0],
        default=(0.0, None),
    )
    if wait > 0 and limit is not None:
        counts.refused += 1
        return _refusal(call, wait, limit, tenant)
    for limit, queue in kept:
        queue.append((now, limit.cost(call)))
    return None


def _refusal(call: Call, wait: float, limit: Limit, tenant: str) -> Answer:
    answer = forbidden_af429() if call.service == "manage" else too_many(call)
    scope = f"Tenant_Application/Read/client/{tenant}" if limit.is_per_tenant else "Application/Read/client"
    answer.headers |= {"Retry-After": str(math.ceil(wait)), "x-ms-throttle-scope": scope}
    return answer


def _most(simulation: Simulation, limit: Limit, tenant_id: str) -> int:
    """Return how much a limit gives a tenant: of the directory, the more the larger it is."""
    tenant = simulation.tenant(tenant_id)
    if limit.name != "directory" or tenant is None:
        return limit.most
    people = len(tenant.collections["users"])
    return next((units for size, units in _SIZES if people <= size), _LARGE)


def _wait(limit: Limit, most: int, queue: Passed, call: Call, now: float) -> float:
    """Return the seconds until a call may pass; 0 when it may now."""
    while queue and queue[0][0] <= now - limit.seconds:
        queue.popleft()
    too_much = sum(cost for _, cost in queue) + limit.cost(call) - most
    for at, cost in queue:
        if too_much <= 0:
            break
        too_much -= cost
        if too_much <= 0:
            return at + limit.seconds - now
    return 0.0


def usage(simulation: Simulation, call: Call, tenant: str) -> dict[str, str]:
    """Return the headers that tell what a call cost of the directory's limit, and how near the limit is."""
    if not simulation.limits.is_enforced or call.service != "graph" or not _DIRECTORY.fullmatch(call.path):
        return {}
    limit = next(limit for limit in LIMITS if limit.name == "directory")
    used = sum(cost for _, cost in simulation.limits.passed[limit.name, tenant])
    share = used / _most(simulation, limit, tenant)
    near = {"x-ms-throttle-limit-percentage": f"{share:.1f}"} if share >= _WORTH_TELLING else {}
    return {"x-ms-resource-unit": str(resource_units(call))} | near
