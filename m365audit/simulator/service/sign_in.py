"""Owns how people sign in: device codes, authorization codes with PKCE, refresh tokens. Must never ask for a password.

Nobody types anything: the person that ``approves`` names, or the tenant's first, has signed in as soon as asked.
"""

from __future__ import annotations

import secrets
import time
from html import escape
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec

from m365audit.simulator.served import ServedClient, ServedPerson, ServedTenant
from m365audit.simulator.service.calls import Answer, Call, RefusedError, json_answer
from m365audit.simulator.service.login import check_credential, known_client, refused
from m365audit.simulator.service.promises import Promise
from m365audit.simulator.service.simulation import Simulation
from m365audit.simulator.service.tokens import LIFETIME, challenge_of, unpadded

_CODE_LIFE: Final = 900
_OIDC: Final = frozenset({"openid", "profile", "email", "offline_access"})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def device_code(simulation: Simulation, call: Call, tenant_id: str) -> Answer:
    """Answer a request for a device code."""
    tenant, client_id, _ = known_client(simulation, call, tenant_id)
    device, user = secrets.token_urlsafe(48), secrets.token_hex(4).upper()
    promise = Promise(tenant.id, client_id, call.form().get("scope", ""))
    if not simulation.sign_ins.waits:
        promise.person = _who(simulation, tenant)
    simulation.sign_ins.devices[device] = promise
    simulation.sign_ins.user_codes[user] = device
    page = f"{call.origin}/device"
    return json_answer(
        {
            "user_code": user,
            "device_code": device,
            "verification_uri": page,
            "expires_in": _CODE_LIFE,
            "interval": 1,
            "message": f"To sign in, open {page} and enter the code {user} to authenticate.",
        }
    )


def approve(simulation: Simulation, user_code: str, upn: str | None = None) -> None:
    """Let a person sign in to the device that shows this code; None: the person says no.

    Raises:
        KeyError: no device shows it, or nobody has this name.
    """
    promise = simulation.sign_ins.devices[simulation.sign_ins.user_codes[user_code]]
    if upn is None:
        promise.is_declined = True
    else:
        promise.person = simulation.world.tenants[promise.tenant].people[upn]


def _who(simulation: Simulation, tenant: ServedTenant, hint: str = "") -> ServedPerson:
    named = simulation.sign_ins.approves or hint
    person = tenant.people.get(named) if named else next(iter(tenant.people.values()), None)
    if person is None:
        raise refused(simulation, 50034, f"The user account {named[:60]} does not exist in the directory.")
    return person


def by_device_code(simulation: Simulation, call: Call, tenant_id: str) -> Answer:
    """Answer a poll with a device code."""
    _, client_id, _ = known_client(simulation, call, tenant_id)
    code = call.form().get("device_code", "")
    promise = simulation.sign_ins.devices.get(code)
    if promise is None or promise.client != client_id:
        raise refused(simulation, 70018)
    if promise.is_declined:
        raise RefusedError(json_answer({"error": "authorization_declined"}, status=400))
    if promise.person is None:
        raise refused(simulation, 70016)
    del simulation.sign_ins.devices[code]
    return _tokens(simulation, promise)


def authorize(simulation: Simulation, call: Call, tenant_id: str) -> Answer:
    """Answer the page of sign-in: it sends the browser back with a code at once."""
    query = call.query
    tenant = _asked_tenant(simulation, tenant_id, query.get("client_id", "").lower())
    client = tenant.clients[query["client_id"].lower()]
    redirect = query.get("redirect_uri", "")
    if not _is_registered(redirect, client):
        raise RefusedError(
            Answer(400, b"AADSTS50011: The redirect URI does not match.", {"Content-Type": "text/plain"})
        )
    if query.get("code_challenge_method", "S256") != "S256" or (not client.secret and not query.get("code_challenge")):
        return _back(redirect, query, error="invalid_request", error_description="AADSTS501491: PKCE S256 is needed.")
    code = secrets.token_urlsafe(48)
    simulation.sign_ins.codes[code] = Promise(
        tenant.id,
        query["client_id"].lower(),
        query.get("scope", ""),
        _who(simulation, tenant, query.get("login_hint", "")),
        redirect,
        query.get("code_challenge", ""),
        query.get("nonce", ""),
        # Told to who asks how long ago it may be, as OpenID Connect has it.
        signed_in_at=int(time.time()) if "max_age" in query else 0,
    )
    return _back(redirect, query, code=code, session_state=secrets.token_hex(8))


def _asked_tenant(simulation: Simulation, tenant_id: str, client_id: str) -> ServedTenant:
    """Return the tenant of a sign-in page that knows the client.

    Raises:
        RefusedError: there is none.
    """
    found = simulation.tenant(tenant_id)
    if found is None and tenant_id in {"organizations", "common"}:
        found = next((t for t in simulation.world.tenants.values() if client_id in t.clients), None)
    if found is None:
        raise refused(simulation, 90002, f"Tenant '{tenant_id[:60]}' not found.")
    if client_id not in found.clients:
        raise refused(simulation, 700016, f"Application with identifier '{client_id[:60]}' was not found.")
    return found


def _back(redirect: str, query: dict[str, str], **values: str) -> Answer:
    kept = {"state": query["state"]} if "state" in query else {}
    if query.get("response_mode") == "form_post":
        fields = "".join(f'<input type="hidden" name="{k}" value="{escape(v)}">' for k, v in (values | kept).items())
        form = f'<form method="post" action="{escape(redirect)}">{fields}</form>'
        page = f'<!DOCTYPE html><html><body onload="document.forms[0].submit()">{form}</body></html>'
        return Answer(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})
    glue = "&" if "?" in redirect else "?"
    return Answer(302, b"", {"Location": f"{redirect}{glue}{urlencode(values | kept)}"})


def _is_registered(redirect: str, client: ServedClient) -> bool:
    """Return whether a code may be sent there; on loopback the port does not matter (RFC 8252)."""
    if redirect in client.redirect_uris:
        return True
    asked = urlsplit(redirect)
    known = [urlsplit(uri) for uri in client.redirect_uris]
    return asked.hostname in _LOOPBACK and any(
        (asked.scheme, asked.hostname, asked.path.rstrip("/")) == (uri.scheme, uri.hostname, uri.path.rstrip("/"))
        for uri in known
    )


def by_code(simulation: Simulation, call: Call, tenant_id: str) -> Answer:
    """Answer the exchange of an authorization code."""
    tenant, client_id, client = known_client(simulation, call, tenant_id)
    form = call.form()
    promise = simulation.sign_ins.codes.pop(form.get("code", ""), None)
    if promise is None or (promise.client, promise.redirect) != (client_id, form.get("redirect_uri", "")):
        raise refused(simulation, 70000, "The provided authorization code is malformed or was used before.")
    if promise.challenge and challenge_of(form.get("code_verifier", "")) != promise.challenge:
        raise refused(simulation, 501481)
    if client.secret or client.certificate:
        check_credential(simulation, call, tenant, client_id, client)
    return _tokens(simulation, promise)


def by_refresh_token(simulation: Simulation, call: Call, tenant_id: str) -> Answer:
    """Answer the exchange of a refresh token; the old one stays good, as Microsoft's do."""
    _, client_id, _ = known_client(simulation, call, tenant_id)
    form = call.form()
    promise = simulation.sign_ins.refreshes.get(form.get("refresh_token", ""))
    if promise is None or promise.client != client_id:
        raise refused(simulation, 700082)
    return _tokens(simulation, promise, form.get("scope", ""), form.get("claims", ""))


def _tokens(simulation: Simulation, promise: Promise, scope: str = "", claims: str = "") -> Answer:
    tenant = simulation.world.tenants[promise.tenant]
    client, person = tenant.clients[promise.client], promise.person
    assert person is not None  # noqa: S101  # the callers have looked
    asked = (scope or promise.scope).split()
    audience, granted = _resource(simulation, asked, client)
    token = simulation.tokens.access(
        tenant.id, promise.client, audience, scopes=granted, person=person.id, had_claims='"nbf"' in claims
    )
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": " ".join(granted),
        "expires_in": LIFETIME,
        "ext_expires_in": LIFETIME,
        "access_token": token,
    }
    if "offline_access" in asked:
        answer["refresh_token"] = secrets.token_urlsafe(64)
        simulation.sign_ins.refreshes[answer["refresh_token"]] = promise
    if "openid" in asked:
        answer["id_token"] = _id_token(simulation, promise, person)
        answer["client_info"] = client_info(person, tenant)
    return json_answer(answer)


def _resource(simulation: Simulation, asked: list[str], client: ServedClient) -> tuple[str, tuple[str, ...]]:
    """Return the audience and the scopes of a token for a person.

    Raises:
        RefusedError: something was asked for that nobody granted.
    """
    wanted = [name for name in asked if name not in _OIDC]
    bases = {name.rpartition("/")[0] for name in wanted if "://" in name}
    audience = min(bases, default=simulation.origins["graph"])
    if audience not in simulation.audiences("graph") | simulation.audiences("manage"):
        raise refused(simulation, 70011)
    names = {name.rpartition("/")[2] for name in wanted} - {".default"}
    if not names <= set(client.scopes):
        raise refused(simulation, 65001, f"Missing: {' '.join(sorted(names - set(client.scopes)))[:100]}.")
    return audience, client.scopes


def _id_token(simulation: Simulation, promise: Promise, person: ServedPerson) -> str:
    claims: dict[str, Any] = {
        "oid": person.id,
        "sub": person.id,
        "name": person.name,
        "preferred_username": person.upn,
    }
    claims |= {"auth_time": promise.signed_in_at} if promise.signed_in_at else {}
    claims |= {"nonce": promise.nonce} if promise.nonce else {}
    claims |= {"roles": list(person.roles)} if person.roles else {}
    return simulation.tokens.signed(promise.tenant, promise.client, claims)


def client_info(person: ServedPerson, tenant: ServedTenant) -> str:
    """Return how MSAL learns whose account it is."""
    return unpadded(msgspec.json.encode({"uid": person.id, "utid": tenant.id}))
