"""Owns the order in which a call meets limits, faults and services. Must never answer by itself."""

from __future__ import annotations

from functools import partial

from m365audit.simulator.service import batch, dispatch
from m365audit.simulator.service.calls import Answer, Call, RefusedError
from m365audit.simulator.service.fault_answers import INSTEAD
from m365audit.simulator.service.fault_pages import CHANGES
from m365audit.simulator.service.faults import Fault
from m365audit.simulator.service.gate import admit
from m365audit.simulator.service.limits import over_limit, usage
from m365audit.simulator.service.request_log import Logged
from m365audit.simulator.service.simulation import Simulation


def answered(simulation: Simulation, call: Call) -> tuple[Answer, list[Fault]]:
    """Return the answer to a call, and the faults that it met."""
    tenant = tenant_named(simulation, call)
    met = simulation.faults.meet(call, tenant)
    call.faults = [fault.kind for fault in met]
    for fault in met:
        instead = INSTEAD.get(fault.kind)
        answer = instead(simulation, call, fault) if instead else None
        if answer is not None:
            return answer, met
    answer = over_limit(simulation, call, tenant) or _served(simulation, call)
    answer.headers |= usage(simulation, call, tenant)
    for fault in met:
        change = CHANGES.get(fault.kind)
        answer = change(simulation, call, answer, fault) if change else answer
    return answer, met


def tenant_named(simulation: Simulation, call: Call) -> str:
    """Return the tenant that a call's path or token names, before anything is checked; empty when neither does."""
    parts = call.path.split("/")
    if call.service == "login":
        named = parts[1].lower() if len(parts) > 1 else ""
    elif call.service == "manage":
        named = parts[3].lower() if len(parts) > 3 else ""  # noqa: PLR2004
    else:
        named = simulation.tokens.tenant_of(call.headers.get("authorization", "").removeprefix("Bearer "))
    return named


def _served(simulation: Simulation, call: Call) -> Answer:
    if call.service != "graph" or not call.path.endswith("/$batch") or call.method != "POST":
        return dispatch.answer(simulation, call)
    try:
        admit(simulation, call)
        return batch.serve(call, partial(_inner, simulation))
    except RefusedError as refused:
        return refused.answer


def _inner(simulation: Simulation, call: Call) -> Answer:
    """Answer one request of a batch, and log it."""
    answer, _ = answered(simulation, call)
    logged = Logged(call.at, call.service, call.method, call.path, call.raw_query, is_inner=True)
    logged.status, logged.faults = answer.status, tuple(call.faults)
    logged.tenant = call.tenant.id if call.tenant else ""
    simulation.log.note(logged)
    return answer
