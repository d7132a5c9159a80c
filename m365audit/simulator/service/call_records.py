"""Owns call records of Graph: the listing, and the calls over the telephone network by function. Must never page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from m365audit.simulator.served import Record, ServedTenant
from m365audit.simulator.service.calls import GRAPH_JSON, Answer, Call, RefusedError, graph_error
from m365audit.simulator.service.clock import ticks, ticks_of
from m365audit.simulator.service.filters import Filter
from m365audit.simulator.service.gate import need
from m365audit.simulator.service.graph_state import page, page_size, tenant_of, wanted
from m365audit.simulator.service.paging import own_query
from m365audit.simulator.service.simulation import Simulation

_ROLES: Final = ("CallRecords.Read.All",)
_PSTN_ROLES: Final = ("CallRecord-PstnCalls.Read.All", "CallRecords.Read.All")
_KEPT: Final = timedelta(days=30)
_LONGEST: Final = timedelta(days=90)
_PAGE: Final = 60
_FUNCTION_PAGE: Final = 1_000
FUNCTIONS: Final = {"getpstncalls": "pstnCalls", "getdirectroutingcalls": "directRoutingCalls"}


def listing(simulation: Simulation, call: Call) -> Answer:
    """Answer ``/communications/callRecords``."""
    need(call, _ROLES)
    tenant, query = tenant_of(call), own_query(call)
    if "$skiptoken" in call.query:
        return page(simulation, call, *simulation.snapshots.resumed(call.query["$skiptoken"], query))
    asked = wanted(call, "startDateTime")
    asked = replace(asked, begin=max(asked.begin, ticks_of(simulation.now() - _KEPT)))
    found = [r for r in _shown(simulation, tenant, "callRecords", asked) if asked.test(r)]
    size = page_size(call, _PAGE, _PAGE)
    return page(simulation, call, simulation.snapshots.open(query, found, size), 0)


def one(simulation: Simulation, call: Call, call_id: str) -> Answer:
    """Answer one call record."""
    need(call, _ROLES)
    found = [r for r in tenant_of(call).collections["callRecords"] if r.get("id") == call_id]
    if not found:
        raise RefusedError(graph_error(404, "NotFound", "The call record was not found."))
    return Answer(200, simulation.encoder.encoded(found[:1])[0], {"Content-Type": GRAPH_JSON})


def function(simulation: Simulation, call: Call, name: str, begin_text: str, end_text: str) -> Answer:
    """Answer ``getPstnCalls`` or ``getDirectRoutingCalls`` for a window; both of its ends belong to it."""
    need(call, _PSTN_ROLES)
    tenant, query = tenant_of(call), own_query(call)
    if "$skiptoken" in call.query:
        return page(simulation, call, *simulation.snapshots.resumed(call.query["$skiptoken"], query))
    begin, end = ticks(begin_text), ticks(end_text)
    longest = _LONGEST // timedelta(microseconds=1) * 10
    if begin is None or end is None or not 0 <= end - begin <= longest:
        raise RefusedError(graph_error(400, "BadRequest", "The time range is not valid; it may span 90 days at most."))
    asked = Filter(lambda _record: True, begin, end + 1)
    found = _shown(simulation, tenant, FUNCTIONS[name.lower()], asked)
    return page(simulation, call, simulation.snapshots.open(query, found, _FUNCTION_PAGE), 0)


def _shown(simulation: Simulation, tenant: ServedTenant, collection: str, asked: Filter) -> list[Record]:
    now = simulation.now()
    bounds = replace(asked, end=min(asked.end, ticks_of(now) + 1))
    found = simulation.time_order.window(tenant.collections[collection], "startDateTime", bounds)
    return [r for r in found if tenant.arrivals.get(str(r.get("id")), now) <= now]
