"""Owns Graph's listings of the present state: select, expand, page sizes. Must never know what a path lists."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from m365audit.simulator.served import Record, ServedTenant
from m365audit.simulator.service.calls import GRAPH_JSON, Answer, Call, Page, RefusedError, graph_error
from m365audit.simulator.service.filters import NO_FILTER, Filter, FilterError, read_filter
from m365audit.simulator.service.paging import Snapshot, next_link, own_query, skip_token
from m365audit.simulator.service.simulation import Simulation
from m365audit.simulator.service.state_paths import Listed


def serve_state(simulation: Simulation, call: Call, listed: Listed, ids: tuple[str, ...]) -> Answer:
    """Answer a listing, or one object, of the present state."""
    tenant = tenant_of(call)
    records = listed.source(tenant, ids)
    if records is None:
        gone = f"Resource '{ids[0] if ids else call.path}' does not exist."
        raise RefusedError(graph_error(404, "Request_ResourceNotFound", gone))
    if listed.is_single:
        return _one(simulation, call, _shaped(records, listed, call, tenant))
    query = own_query(call)
    if "$skiptoken" in call.query:
        return page(simulation, call, *simulation.snapshots.resumed(call.query["$skiptoken"], query))
    asked = wanted(call, "")
    found = records if asked.is_trivial else [r for r in records if asked.test(r)]
    size = page_size(call, listed.default_size, listed.longest_size)
    shaped = _shaped(found, listed, call, tenant)
    return page(simulation, call, simulation.snapshots.open(query, shaped, size, selected(call)), 0)


def tenant_of(call: Call) -> ServedTenant:
    """Return the tenant of a call whose token was verified."""
    assert call.tenant is not None  # noqa: S101  # the gate sets it before any service is asked
    return call.tenant


def selected(call: Call) -> tuple[str, ...]:
    """Return the properties of ``$select``, without paths below them."""
    names = [name.strip().partition("/")[0] for name in call.query.get("$select", "").split(",")]
    return tuple(dict.fromkeys(name for name in names if name and name != "*"))


def wanted(call: Call, time_property: str) -> Filter:
    """Return the filter of a call.

    Raises:
        RefusedError: it cannot be read.
    """
    text = call.query.get("$filter", "")
    if not text.strip():
        return NO_FILTER
    try:
        return read_filter(text, time_property)
    except FilterError as error:
        raise RefusedError(graph_error(400, "Request_UnsupportedQuery", str(error))) from error


def page_size(call: Call, default: int, longest: int) -> int:
    """Return the records on a page.

    Raises:
        RefusedError: ``$top`` is no number or too large.
    """
    text = call.query.get("$top", str(default))
    if not text.isdecimal() or not 1 <= int(text) <= longest:
        if text == str(default):
            return default
        said = f"Invalid page size specified: '{text[:20]}'. Must be between 1 and {longest} inclusive."
        raise RefusedError(graph_error(400, "Request_UnsupportedQuery", said))
    return int(text)


def page(simulation: Simulation, call: Call, snapshot: Snapshot, offset: int) -> Answer:
    """Answer one page of a listing."""
    call.place = snapshot, offset
    end = offset + snapshot.size
    records = simulation.encoder.encoded(snapshot.records[offset:end], snapshot.select)
    link = next_link(call, skip_token(snapshot, end)) if end < len(snapshot.records) else None
    return Answer(200, headers={"Content-Type": GRAPH_JSON}, page=Page(_opening(call), records, link))


def _opening(call: Call) -> bytes:
    version, _, entity = call.path.strip("/").partition("/")
    context = msgspec.json.encode(f"{call.origin}/{version}/$metadata#{entity}")
    return b'{"@odata.context":' + context + b',"value":'


def _one(simulation: Simulation, call: Call, records: Sequence[Record]) -> Answer:
    body = simulation.encoder.encoded(records[:1], selected(call))[0]
    context = _opening(call).removesuffix(b'"value":')
    return Answer(200, context + body[1:], {"Content-Type": GRAPH_JSON})


def _shaped(records: Sequence[Record], listed: Listed, call: Call, tenant: ServedTenant) -> Sequence[Record]:
    """Return records with what comes only when it is selected, or expanded, left out or put in."""
    expand = call.query.get("$expand", "")
    if expand.startswith("members"):
        return [_with_members(record, tenant) for record in records]
    if not listed.on_select or selected(call):
        return records
    return [{k: v for k, v in record.items() if k not in listed.on_select} for record in records]


def _with_members(record: Record, tenant: ServedTenant) -> Record:
    """Return a group with its members: twenty at most, as ``$expand`` gives."""
    members: list[Record] = tenant.members.get(str(record.get("id"))) or record.get("members", [])
    return record | {"members": members[:20]}
