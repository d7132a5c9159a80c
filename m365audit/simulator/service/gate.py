"""Owns who may ask what: the token, its tenant and its permissions. Must never answer with data."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import msgspec

from m365audit.simulator.service.calls import Answer, Call, RefusedError, graph_error, json_answer, manage_error
from m365audit.simulator.service.simulation import Simulation
from m365audit.simulator.service.tokens import InvalidTokenError


def admit(simulation: Simulation, call: Call) -> None:
    """Set tenant and bearer of a call by its token.

    Raises:
        RefusedError: there is none, or it is not taken.
    """
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized(call, "Access token is empty.")
    try:
        bearer = simulation.tokens.verified(token.strip(), simulation.audiences(call.service))
    except InvalidTokenError as error:
        raise _unauthorized(call, str(error)) from error
    tenant = simulation.tenant(bearer.tenant)
    if tenant is None:
        raise _unauthorized(call, "The identity of the calling tenant could not be established.")
    call.bearer, call.tenant = bearer, tenant
    made_before = simulation.challenged.get(tenant.id) if call.service == "graph" else None
    if made_before is not None and (not bearer.had_claims or bearer.number <= made_before):
        raise RefusedError(challenge(call, made_before))


def _unauthorized(call: Call, message: str) -> RefusedError:
    challenge = f'Bearer realm="", authorization_uri="{call.origin}/common/oauth2/authorize", error="invalid_token"'
    if call.service == "manage":
        return RefusedError(denied(challenge))
    return RefusedError(graph_error(401, "InvalidAuthenticationToken", message, WWW_Authenticate=challenge))


def denied(challenge: str) -> Answer:
    """Return how the Management Activity API refuses a token that it does not take: in words of its own, no AF code."""
    answer = json_answer({"Message": "Authorization has been denied for this request."}, status=401)
    answer.headers["WWW-Authenticate"] = challenge
    return answer


def need(call: Call, permissions: Iterable[str]) -> None:
    """Let a call pass that holds one of these permissions, as an application or for a person.

    Raises:
        RefusedError: it holds none.
    """
    held = call.bearer.roles | call.bearer.scopes if call.bearer else frozenset()
    wanted = tuple(permissions)
    if held.isdisjoint(wanted):
        raise lacking(call, wanted[0])


def lacking(call: Call, permission: str) -> RefusedError:
    """Return the error for a missing permission, as the service words it."""
    if call.service == "manage":
        said = "The permission set () sent in the request does not include the expected permission."
        return RefusedError(manage_error(401, "AF10001", said))
    if "/auditlogs/" in call.path.lower():
        said = f"Calling principal does not have required MSGraph permissions {permission}"
        return RefusedError(graph_error(403, "Authentication_MSGraphPermissionMissing", said))
    said = "Insufficient privileges to complete the operation."
    return RefusedError(graph_error(403, "Authorization_RequestDenied", said))


def challenge(call: Call, number: int) -> Answer:
    """Return a claims challenge, as continuous access evaluation gives it: each names another moment."""
    moment = str(1_789_459_200 + number)
    claims = msgspec.json.encode({"access_token": {"nbf": {"essential": True, "value": moment}}})
    header = (
        f'Bearer realm="", authorization_uri="{call.origin}/common/oauth2/authorize", '
        f'error="insufficient_claims", claims="{base64.b64encode(claims).decode()}"'
    )
    said = "Continuous access evaluation resulted in challenge with result: InteractionRequired"
    return graph_error(401, "InvalidAuthenticationToken", said, WWW_Authenticate=header)
