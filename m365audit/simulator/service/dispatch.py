"""Owns which service answers a call. Must never know aiohttp, and never answer itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from m365audit.simulator.service import (
    audit_queries,
    call_records,
    graph_logs,
    login,
    manage,
    managed_identity,
    sign_in,
)
from m365audit.simulator.service.calls import Answer, Call, RefusedError, graph_error, json_answer, manage_error
from m365audit.simulator.service.gate import admit, need
from m365audit.simulator.service.graph_state import serve_state
from m365audit.simulator.service.paths import path_pattern, version_and_rest
from m365audit.simulator.service.simulation import Simulation
from m365audit.simulator.service.state_paths import PATTERNS

Handler = Callable[..., Answer]
Route = tuple[str, re.Pattern[str], Handler]
_GRANTS: Final[dict[str, Handler]] = {
    "client_credentials": login.client_credentials,
    "urn:ietf:params:oauth:grant-type:device_code": sign_in.by_device_code,
    "device_code": sign_in.by_device_code,
    "authorization_code": sign_in.by_code,
    "refresh_token": sign_in.by_refresh_token,
}


def token_endpoint(simulation: Simulation, call: Call, tenant_id: str) -> Answer:
    """Answer the token endpoint, by its grant."""
    kind = call.form().get("grant_type", "")
    if kind not in _GRANTS:
        raise login.refused(simulation, 70003, f"The grant type '{kind[:60]}' is not supported.")
    return _GRANTS[kind](simulation, call, tenant_id)


_LOGIN: Final[tuple[Route, ...]] = (
    ("POST", path_pattern("/{}/oauth2/v2.0/token"), token_endpoint),
    ("POST", path_pattern("/{}/oauth2/v2.0/devicecode"), sign_in.device_code),
    ("GET", path_pattern("/{}/oauth2/v2.0/authorize"), sign_in.authorize),
    ("GET", path_pattern("/{}/v2.0/.well-known/openid-configuration"), login.openid_configuration),
    ("GET", path_pattern("/{}/discovery/v2.0/keys"), login.keys),
    ("GET", path_pattern("/common/discovery/instance"), login.instance_discovery),
    ("GET", path_pattern("/metadata/identity/oauth2/token"), managed_identity.token),
    ("GET", path_pattern("/MSI/token"), managed_identity.token),
)
_FEED: Final = "/api/v1.0/{}/activity/feed"
_MANAGE: Final[tuple[Route, ...]] = (
    ("GET", path_pattern(f"{_FEED}/subscriptions/list"), manage.list_subscriptions),
    ("POST", path_pattern(f"{_FEED}/subscriptions/start"), manage.start),
    ("GET", path_pattern(f"{_FEED}/subscriptions/content"), manage.content),
    ("GET", path_pattern(f"{_FEED}/audit/{{}}"), manage.blob_content),
)
_QUERIES: Final = "/security/auditLog/queries"
_CALLS: Final = "/communications/callRecords"
_CALL_FUNCTION: Final = re.compile(
    rf"{_CALLS}/(?:microsoft\.graph\.callRecords\.)?(get\w+Calls)\(fromDateTime=([^,]+),toDateTime=([^)]+)\)",
    re.IGNORECASE,
)
_GRAPH: Final[tuple[Route, ...]] = (
    ("POST", path_pattern(_QUERIES), audit_queries.make),
    ("GET", path_pattern(_QUERIES), audit_queries.listing),
    ("GET", path_pattern(f"{_QUERIES}/{{}}"), audit_queries.poll),
    ("GET", path_pattern(f"{_QUERIES}/{{}}/records"), audit_queries.records),
    ("GET", path_pattern(_CALLS), call_records.listing),
    ("GET", _CALL_FUNCTION, call_records.function),
    ("GET", path_pattern(f"{_CALLS}/{{}}"), call_records.one),
)
_LOGS: Final[tuple[tuple[re.Pattern[str], Handler], ...]] = (
    (path_pattern("/auditLogs/signIns"), graph_logs.sign_ins),
    (path_pattern("/auditLogs/directoryAudits"), graph_logs.directory_audits),
)


def answer(simulation: Simulation, call: Call) -> Answer:
    """Answer a call; refusals are answers too."""
    try:
        return {"login": _login, "manage": _manage, "graph": _graph}[call.service](simulation, call)
    except RefusedError as refused:
        return refused.answer


def _routed(routes: tuple[Route, ...], simulation: Simulation, call: Call, path: str) -> Answer | None:
    for method, pattern, handler in routes:
        match = pattern.fullmatch(path)
        if match and method == call.method:
            return handler(simulation, call, *match.groups())
    return None


def _login(simulation: Simulation, call: Call) -> Answer:
    return _routed(_LOGIN, simulation, call, call.path) or json_answer({"error": "not_found"}, status=404)


def _manage(simulation: Simulation, call: Call) -> Answer:
    admit(simulation, call)
    need(call, ("ActivityFeed.Read",))
    found = _routed(_MANAGE, simulation, call, call.path)
    return found or manage_error(404, "AF20001", "The request is not known here.")


def _graph(simulation: Simulation, call: Call) -> Answer:
    version, rest = version_and_rest(call.path)
    if not version:
        return graph_error(400, "BadRequest", f"Invalid version: {call.path[:60]}")
    admit(simulation, call)
    found = _routed(_GRAPH, simulation, call, rest)
    if found is not None:
        return found
    if call.method != "GET":
        return graph_error(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    for pattern, handler in _LOGS:
        if pattern.fullmatch(rest):
            return handler(simulation, call, version)
    return _state(simulation, call, version, rest)


def _state(simulation: Simulation, call: Call, version: str, rest: str) -> Answer:
    for pattern, listed in PATTERNS:
        match = pattern.fullmatch(rest)
        if match and not (listed.is_beta_only and version != "beta"):
            need(call, listed.roles)
            return serve_state(simulation, call, listed, match.groups())
    return graph_error(400, "BadRequest", f"Resource not found for the segment '{rest.strip('/').split('/')[0][:60]}'.")
