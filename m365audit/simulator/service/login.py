"""Owns the token endpoint for applications and what login publishes about itself. Must never serve data."""

from __future__ import annotations

import hmac
from typing import Any, Final

from m365audit.simulator.served import ServedClient, ServedTenant
from m365audit.simulator.service.aadsts import refusal
from m365audit.simulator.service.assertions import BadAssertionError
from m365audit.simulator.service.calls import Answer, Call, RefusedError, json_answer
from m365audit.simulator.service.simulation import Simulation
from m365audit.simulator.service.tokens import LIFETIME, key_set

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_HOME: Final = ("organizations", "common")


def client_credentials(simulation: Simulation, call: Call, tenant_id: str) -> Answer:
    """Answer a token request of an application."""
    tenant, client_id, client = known_client(simulation, call, tenant_id)
    form = call.form()
    check_credential(simulation, call, tenant, client_id, client)
    resource = form.get("scope", "").split(" ")[0]
    if not resource.endswith("/.default"):
        raise refused(simulation, 70011)
    audience = resource.removesuffix("/.default")
    roles = simulation.roles(client, audience)
    if roles is None:
        raise refused(simulation, 70011, f"The resource {audience[:100]} was not found.")
    had_claims = '"nbf"' in form.get("claims", "")
    token = simulation.tokens.access(tenant.id, client_id, audience, roles=roles, had_claims=had_claims)
    return json_answer(
        {"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": token}
    )


def known_client(simulation: Simulation, call: Call, tenant_id: str) -> tuple[ServedTenant, str, ServedClient]:
    """Return tenant, client id and client of a token request.

    Raises:
        RefusedError: the tenant or the client is unknown, or the field is missing.
    """
    client_id = call.form().get("client_id", "").lower()
    tenant = simulation.tenant(tenant_id)
    if tenant is None and tenant_id in _HOME:
        tenant = next((t for t in simulation.world.tenants.values() if client_id in t.clients), None)
    if tenant is None:
        raise refused(simulation, 90002, f"Tenant '{tenant_id[:60]}' not found.")
    call.tenant = tenant
    if not client_id:
        raise refused(simulation, 90014, "client_id")
    client = tenant.clients.get(client_id)
    if client is None:
        raise refused(simulation, 700016, f"Application with identifier '{client_id[:60]}' was not found.")
    return tenant, client_id, client


def check_credential(
    simulation: Simulation, call: Call, tenant: ServedTenant, client_id: str, client: ServedClient
) -> None:
    """Accept the secret or the assertion of a token request.

    Raises:
        RefusedError: neither is right.
    """
    form = call.form()
    if form.get("client_assertion_type") == _ASSERTION_TYPE:
        try:
            simulation.assertions.check(form.get("client_assertion", ""), client_id, client, _audiences(call, tenant))
        except BadAssertionError as error:
            raise refused(simulation, error.code, error.detail) from error
        return
    if "client_secret" not in form:
        raise refused(simulation, 7000218)
    if client.secret is None or not hmac.compare_digest(form["client_secret"].encode(), client.secret.encode()):
        raise refused(simulation, 7000215, f"A secret was added to app '{client_id}'?")
    if client.is_secret_expired:
        raise refused(simulation, 7000222, f"App '{client_id}'.")


def _audiences(call: Call, tenant: ServedTenant) -> set[str]:
    return {f"{call.origin}/{tenant.id}{tail}" for tail in ("/oauth2/v2.0/token", "/oauth2/token", "/v2.0", "")}


def refused(simulation: Simulation, code: int, detail: str = "") -> RefusedError:
    """Return the error that answers with an AADSTS code."""
    return RefusedError(refusal(code, simulation.now(), detail))


def openid_configuration(simulation: Simulation, call: Call, tenant_id: str) -> Answer:
    """Answer what a tenant's login offers."""
    if tenant_id not in _HOME and simulation.tenant(tenant_id) is None:
        raise refused(simulation, 90002, f"Tenant '{tenant_id[:60]}' not found.")
    base = f"{call.origin}/{tenant_id}"
    issued = "{tenantid}" if tenant_id in _HOME else tenant_id
    return json_answer(
        {
            "issuer": f"{call.origin}/{issued}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code", "id_token", "code id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "tenant_region_scope": "EU",
        }
    )


def instance_discovery(_simulation: Simulation, call: Call) -> Answer:
    """Answer which hosts are login's: this one."""
    host = call.origin.removeprefix("https://")
    metadata: list[dict[str, Any]] = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
    named = call.query.get("authorization_endpoint", f"{call.origin}/common/oauth2/v2.0/authorize")
    tenant = named.removeprefix(call.origin).strip("/").split("/")[0]
    endpoint = f"{call.origin}/{tenant}/v2.0/.well-known/openid-configuration"
    return json_answer({"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": metadata})


def keys(_simulation: Simulation, _call: Call, _tenant_id: str) -> Answer:
    """Answer the keys that verify tokens."""
    return json_answer(key_set())
