"""Owns faults that answer in place of a service: throttling, refusals, expiry, redirects. Must never serve records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Final

from m365audit.simulator.service import audit_queries, manage
from m365audit.simulator.service.aadsts import refusal
from m365audit.simulator.service.calls import Answer, Call, graph_error, json_answer, manage_error
from m365audit.simulator.service.faults import Fault
from m365audit.simulator.service.gate import challenge, denied, lacking
from m365audit.simulator.service.simulation import Simulation

Instead = Callable[[Simulation, Call, Fault], Answer | None]
"""What is answered in place of the service; None: the service answers after all."""

RETRY_AFTERS: Final = ("integer", "fraction", "date", "past_date", "zero", "negative", "huge", "empty", "foreign_digit")
"""Forms of a Retry-After header; ``detail["retry_after"]`` names one, or is the header itself."""


def retry_after(simulation: Simulation, form: str, seconds: float = 1) -> str:
    """Return a Retry-After header in one of its forms."""
    now = simulation.now()
    forms = {
        "integer": str(round(seconds)),
        "fraction": f"{seconds + 0.128:.3f}",
        "date": format_datetime(now + timedelta(seconds=seconds), usegmt=True),
        "past_date": format_datetime(now - timedelta(hours=1), usegmt=True),
        "zero": "0",
        "negative": "-5",
        "huge": "100000000000",
        "empty": "",
        "foreign_digit": "٢",
    }
    return forms.get(form, form)


def _throttled(simulation: Simulation, call: Call, fault: Fault) -> Answer:
    """``retry_after``: a form or the header itself; ``seconds``: for the forms that take them."""
    form = str(fault.detail.get("retry_after", "integer"))
    answer = too_many(call)
    answer.headers["Retry-After"] = retry_after(simulation, form, float(fault.detail.get("seconds", 1)))
    return answer


def too_many(call: Call) -> Answer:
    """Return a 429 as the service words it, without Retry-After."""
    said = "Too many requests. Method=GetBlob, PublisherId=00000000-0000-0000-0000-000000000000"
    if call.service == "manage":
        return manage_error(429, "AF429", said)
    if call.service == "login":
        return replace(refusal(90033, call.at), status=429)
    return graph_error(429, "TooManyRequests", "This request is throttled. Please try again later.")


def _throttled_without_header(_simulation: Simulation, call: Call, _fault: Fault) -> Answer:
    return too_many(call)


def _throttled_as_forbidden(simulation: Simulation, _call: Call, fault: Fault) -> Answer:
    """``retry_after``: as above; without it there is no header."""
    answer = forbidden_af429()
    if "retry_after" in fault.detail:
        answer.headers["Retry-After"] = retry_after(simulation, str(fault.detail["retry_after"]))
    return answer


def forbidden_af429() -> Answer:
    """Return how the Management Activity API throttles."""
    said = "Too many requests. Method=GetBlob, PublisherId=00000000-0000-0000-0000-000000000000"
    return manage_error(403, "AF429", said)


def _unavailable(simulation: Simulation, call: Call, fault: Fault) -> Answer:
    """``status``: 500, 502, 503 or 504; ``retry_after``: as above, none without."""
    status = int(fault.detail.get("status", 503))
    if status in {502, 504}:
        answer = Answer(status, b"<html><h1>Bad Gateway</h1></html>", {"Content-Type": "text/html"})
    elif call.service == "login":
        answer = replace(refusal(90033, simulation.now()), status=status)
    else:
        made = manage_error if call.service == "manage" else graph_error
        answer = made(status, "ServiceUnavailable" if status == 503 else "UnknownError", "")  # noqa: PLR2004
    if "retry_after" in fault.detail:
        answer.headers["Retry-After"] = retry_after(simulation, str(fault.detail["retry_after"]))
    return answer


def _html(_simulation: Simulation, _call: Call, fault: Fault) -> Answer:
    """``status``: 200 when not given."""
    page = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body></body></html>"
    return Answer(int(fault.detail.get("status", 200)), page, {"Content-Type": "text/html; charset=utf-8"})


def _empty_body(_simulation: Simulation, _call: Call, fault: Fault) -> Answer:
    return Answer(int(fault.detail.get("status", 200)), b"", {"Content-Type": "application/json"})


def _not_json(_simulation: Simulation, _call: Call, fault: Fault) -> Answer:
    """``body``: what is answered as JSON: ``null``, ``[]``, ``{}``, a number, NUL bytes … ."""
    body = fault.detail.get("body", b"null")
    return Answer(int(fault.detail.get("status", 200)), bytes(body), {"Content-Type": "application/json"})


def _skip_token_expired(simulation: Simulation, _call: Call, fault: Fault) -> Answer:
    """``status``: 400 or 410; ``all``: every skip token dies with it."""
    if fault.detail.get("all"):
        simulation.snapshots.expire()
    status = int(fault.detail.get("status", 400))
    code = {400: "Directory_ExpiredPageToken", 410: "SyncStateNotFound"}.get(status, "UnknownError")
    return graph_error(status, str(fault.detail.get("code", code)), "Invalid Skip Token: it has expired.")


def _token_expired(simulation: Simulation, call: Call, fault: Fault) -> Answer:
    """Every token of the tenant that was made so far is over."""
    token = call.headers.get("authorization", "").removeprefix("Bearer ")
    simulation.tokens.revoke(simulation.tokens.tenant_of(token))
    return _unauthorized(simulation, call, fault)


def _unauthorized(_simulation: Simulation, call: Call, _fault: Fault) -> Answer:
    said = "Lifetime validation failed, the token is expired."
    told = f'Bearer realm="", authorization_uri="{call.origin}/common/oauth2/authorize", error="invalid_token"'
    if call.service == "manage":
        return denied(told)
    return graph_error(401, "InvalidAuthenticationToken", said, WWW_Authenticate=told)


def _claims_challenge(simulation: Simulation, call: Call, _fault: Fault) -> Answer:
    """From now on the tenant's tokens must have been asked for with the claims of the challenge, after it was made."""
    tenant = simulation.tokens.tenant_of(call.headers.get("authorization", "").removeprefix("Bearer "))
    simulation.challenged[tenant] = simulation.tokens.made
    return challenge(call, simulation.tokens.made)


def _permission_removed(_simulation: Simulation, call: Call, fault: Fault) -> Answer:
    """``permission``: its name."""
    return lacking(call, str(fault.detail.get("permission", "AuditLog.Read.All"))).answer


def _licence_missing(_simulation: Simulation, _call: Call, _fault: Fault) -> Answer:
    said = "Neither tenant is B2C or tenant doesn't have premium license"
    return graph_error(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", said)


def _audit_disabled(_simulation: Simulation, call: Call, _fault: Fault) -> Answer:
    if call.service == "manage":
        return manage.auditing_is_off(call.path.split("/")[3], call.query.get("contentType", ""))
    return audit_queries.auditing_is_off()


def _login_refused(simulation: Simulation, _call: Call, fault: Fault) -> Answer:
    """``code``: AADSTS code; ``status``: another one than goes with it, as proxies and old endpoints answer (200)."""
    answer = refusal(int(fault.detail.get("code", 7000222)), simulation.now())
    return replace(answer, status=int(fault.detail.get("status", answer.status)))


def _proxy_refuses(_simulation: Simulation, _call: Call, _fault: Fault) -> Answer:
    return Answer(407, b"", {"Proxy-Authenticate": 'Basic realm="proxy"'})


def _redirected(simulation: Simulation, call: Call, fault: Fault) -> Answer:
    """``to``: address; the other server when not given; ``status``: 302."""
    target = str(fault.detail.get("to") or f"{simulation.elsewhere}{call.path}")
    return Answer(int(fault.detail.get("status", 302)), b"", {"Location": target})


def _content_expired(_simulation: Simulation, call: Call, _fault: Fault) -> Answer:
    return manage.expired(call.path.rpartition("/")[2])


def _subscription_disabled(simulation: Simulation, call: Call, _fault: Fault) -> Answer | None:
    """The content type that is asked for is switched off until somebody starts it again."""
    content_type, tenant = call.query.get("contentType", ""), call.path.split("/")[3].lower()
    simulation.disabled_subscriptions.add((tenant, content_type))
    return None


def _warming_up(_simulation: Simulation, _call: Call, _fault: Fault) -> Answer:
    """The subscription is new: no content is listed yet."""
    return json_answer([])


def _not_found(_simulation: Simulation, call: Call, _fault: Fault) -> Answer:
    if call.service == "manage":
        return manage_error(404, "AF20050", "The specified content ID does not exist.")
    return graph_error(404, "Request_ResourceNotFound", "Resource does not exist.")


INSTEAD: Final[dict[str, Instead]] = {
    "throttled": _throttled,
    "throttled_without_header": _throttled_without_header,
    "throttled_as_forbidden": _throttled_as_forbidden,
    "unavailable": _unavailable,
    "html": _html,
    "empty_body": _empty_body,
    "not_json": _not_json,
    "skip_token_expired": _skip_token_expired,
    "token_expired": _token_expired,
    "unauthorized": _unauthorized,
    "claims_challenge": _claims_challenge,
    "permission_removed": _permission_removed,
    "licence_missing": _licence_missing,
    "audit_disabled": _audit_disabled,
    "login_refused": _login_refused,
    "proxy_refuses": _proxy_refuses,
    "redirected": _redirected,
    "content_expired": _content_expired,
    "subscription_disabled": _subscription_disabled,
    "warming_up": _warming_up,
    "not_found": _not_found,
}
