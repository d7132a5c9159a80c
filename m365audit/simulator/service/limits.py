"""Owns Microsoft's published limits, in simulated time. Must never hold a request back: it only refuses."""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass
from typing import Final

from m365audit.simulator.service.calls import Answer, Call
from m365audit.simulator.service.fault_answers import forbidden_af429, too_many
from m365audit.simulator.service.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds.

    Attributes:
        name: for people.
        service: which service.
        path: paths that count.
        requests: how many.
        seconds: in which time.
        is_per_tenant: counted for each tenant; else over all of the application's.
    """

    name: str
    service: str
    path: re.Pattern[str]
    requests: int
    seconds: float
    is_per_tenant: bool = True


_REPORTS: Final = re.compile(r"/(v1\.0|beta)/(auditLogs|reports)/.*", re.IGNORECASE)
LIMITS: Final[tuple[Limit, ...]] = (
    Limit("reports of a tenant", "graph", _REPORTS, 5, 10),
    Limit("reports of all tenants", "graph", _REPORTS, 122, 10, is_per_tenant=False),
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
    queues = [(limit, counts.passed[limit.name, tenant if limit.is_per_tenant else ""]) for limit in concerned]
    wait = max((_wait(limit, queue, now) for limit, queue in queues), default=0.0)
    if wait > 0:
        counts.refused += 1
        answer = forbidden_af429() if call.service == "manage" else too_many(call)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer
    for _, queue in queues:
        queue.append(now)
    return None


def _wait(limit: Limit, queue: deque[float], now: float) -> float:
    while queue and queue[0] <= now - limit.seconds:
        queue.popleft()
    return queue[0] + limit.seconds - now if len(queue) >= limit.requests else 0.0
