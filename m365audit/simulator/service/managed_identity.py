"""Owns the address where a machine asks for its own identity's token. Plain http on loopback, as on a real machine."""

from __future__ import annotations

import time

from m365audit.simulator.service.calls import Answer, Call, json_answer
from m365audit.simulator.service.simulation import Simulation
from m365audit.simulator.service.tokens import LIFETIME


def token(simulation: Simulation, call: Call) -> Answer:
    """Answer ``/metadata/identity/oauth2/token``: the identity is the world's ``machine`` (tenant and client id)."""
    if call.headers.get("metadata", "").lower() != "true":
        return json_answer({"error": "invalid_request", "error_description": "Metadata header missing"}, status=400)
    resource, machine = call.query.get("resource", "").rstrip("/"), simulation.machine
    if machine is None:
        return json_answer({"error": "invalid_request", "error_description": "Identity not found"}, status=400)
    tenant_id, client_id = machine
    if call.query.get("client_id", client_id).lower() != client_id:
        return json_answer({"error": "invalid_request", "error_description": "Identity not found"}, status=400)
    roles = simulation.roles(simulation.world.tenants[tenant_id].clients[client_id], resource)
    if roles is None:
        return json_answer({"error": "invalid_resource", "error_description": "AADSTS500011"}, status=400)
    return json_answer(
        {
            "access_token": simulation.tokens.access(tenant_id, client_id, resource, roles=roles),
            "client_id": client_id,
            "expires_in": str(LIFETIME),
            "expires_on": str(int(time.time()) + LIFETIME),
            "ext_expires_in": str(LIFETIME),
            "not_before": str(int(time.time())),
            "resource": resource,
            "token_type": "Bearer",
        }
    )
