"""Owns which service answers a call. Must never know aiohttp, and never answer itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from m365audit.simulator.service import graph_logs, login
from m365audit.simulator.service.calls import Answer, Call, RefusedError, graph_error, json_answer
from m365audit.simulator.service.gate import admit, need
from m365audit.simulator.service.graph_state import serve_state
from m365audit.simulator.service.paths import path_pattern, version_and_rest
from m365audit.simulator.service.simulation import Simulation
from m365audit.simulator.service.state_paths import PATTERNS

Handler = Callable[..., Answer]
_LOGIN: Final[tuple[tuple[str, re.Pattern[str], Handler], ...]] = (
    ("POST", path_pattern("/{}/oauth2/v2.0/token"), login.token),
    ("GET", path_pattern("/{}/v2.0/.well-known/openid-configuration"), login.openid_configuration),
    ("GET", path_pattern("/{}/discovery/v2.0/keys"), login.keys),
    ("GET", path_pattern("/common/discovery/instance"), login.instance_discovery),
)
_LOGS: Final[tuple[tuple[re.Pattern[str], Handler], ...]] = (
    (path_pattern("/auditLogs/signIns"), graph_logs.sign_ins),
    (path_pattern("/auditLogs/directoryAudits"), graph_logs.directory_audits),
)


def answer(simulation: Simulation, call: Call) -> Answer:
    """Answer a call; refusals are answers too."""
    try:
        if call.service == "login":
            return _login(simulation, call)
        return _graph(simulation, call)
    except RefusedError as refused:
        return refused.answer


def _login(simulation: Simulation, call: Call) -> Answer:
    for method, pattern, handler in _LOGIN:
        match = pattern.fullmatch(call.path)
        if match and method == call.method:
            return handler(simulation, call, *match.groups())
    return json_answer({"error": "not_found"}, status=404)


def _graph(simulation: Simulation, call: Call) -> Answer:
    version, rest = version_and_rest(call.path)
    if not version:
        return graph_error(400, "BadRequest", f"Invalid version: {call.path[:60]}")
    admit(simulation, call)
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
