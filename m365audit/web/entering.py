"""Owns the way in and out: the one-time link, signing in with Entra, signing out. A GET changes nothing here either.

Links are followed by previews and by mistake; a button is pressed. So the link shows a button, and only that lets in.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Any, Final

from aiohttp import web

from m365audit.config import Settings
from m365audit.errors import ReviewError
from m365audit.store.journal import Actor
from m365audit.web import edge
from m365audit.web.desk import DESK, SESSION, Desk, SignIn
from m365audit.web.guards import RefusedError
from m365audit.web.pages import in_thread, page
from m365audit.web.place import Place

ROUTES: Final = web.RouteTableDef()
_FLOW_SECONDS: Final = 600.0
_MOST_FLOWS: Final = 50


@ROUTES.get("/enter")
async def ask_to_enter(request: web.Request) -> web.Response:
    """Show the button that uses the link up."""
    token = request.query.get("t", "")
    if not request.app[DESK].sessions.is_link(token):
        raise RefusedError(403, "link")
    return await page(request, "enter.html", {"token": token})


@ROUTES.post("/enter")
async def enter(request: web.Request) -> web.Response:
    """Let the browser in."""
    desk = request.app[DESK]
    fields = await edge.form(request)
    cookie = desk.sessions.enter(fields.get("t", ""), None if desk.sign_in is not None else desk.here)
    if cookie is None:
        raise RefusedError(403, "link")
    return _let_in(desk, cookie, "/sign-in" if desk.sign_in is not None else "/")


@ROUTES.get("/sign-in")
async def ask_to_sign_in(request: web.Request) -> web.Response:
    """Show the button that leads to Entra's page."""
    desk = request.app[DESK]
    sign_in = _sign_in(desk)
    _check_may_sign_in(request, desk)
    # Browsers hold a form's redirect against form-action too.
    return await page(request, "sign_in.html", form_actions=(sign_in.origin,))


@ROUTES.post("/sign-in")
async def begin_to_sign_in(request: web.Request) -> web.Response:
    """Send the person to Entra's page, with what has to come back noted under a cookie of its own."""
    desk = request.app[DESK]
    sign_in = _sign_in(desk)
    _check_may_sign_in(request, desk)
    address, flow = await in_thread(desk, sign_in.begin)
    cookie = secrets.token_urlsafe(32)
    _keep_flow(desk, cookie, flow)
    answer = web.Response(status=303, headers={"Location": address})
    return _with_cookie(desk, answer, _flow_cookie(desk), cookie, int(_FLOW_SECONDS))


@ROUTES.get("/signed-in")
async def ask_to_go_on(request: web.Request) -> web.Response:
    """Show what came back from Entra's page as a form of our own: with it, and only with it, the cookie comes."""
    _sign_in(request.app[DESK])
    return await page(request, "signed_in.html", {"answer": dict(request.query)})


@ROUTES.post("/signed-in")
async def signed_in(request: web.Request) -> web.Response:
    """Exchange the code for who it is; begin a new session for that person."""
    desk = request.app[DESK]
    sign_in, actor_of = _sign_in(desk), desk.actor_of
    if actor_of is None:
        raise web.HTTPNotFound
    fields = await edge.form(request)
    flow = _taken_flow(desk, request.cookies.get(_flow_cookie(desk), ""))
    person = await in_thread(desk, lambda: sign_in.finish(flow, fields))
    actor = actor_of(person)
    check_named(desk.settings, desk.place, actor)
    desk.sessions.close(request.cookies.get(desk.place.cookie))
    answer = _let_in(desk, desk.sessions.open(actor), "/")
    answer.del_cookie(_flow_cookie(desk), path="/")
    return answer


@ROUTES.post("/leave")
async def leave(request: web.Request) -> web.Response:
    """End the session."""
    desk = request.app[DESK]
    desk.sessions.close(request.cookies.get(desk.place.cookie))
    del request[SESSION]
    answer = await page(request, "refused.html", {"reason": "left"})
    answer.del_cookie(desk.place.cookie, path="/", secure=desk.place.is_secure, httponly=True, samesite="Strict")
    return answer


def _sign_in(desk: Desk) -> SignIn:
    """Return the way to sign in somewhere else.

    Raises:
        HTTPNotFound: nobody signs in here.
    """
    if desk.sign_in is None:
        raise web.HTTPNotFound
    return desk.sign_in


def _check_may_sign_in(request: web.Request, desk: Desk) -> None:
    """On loopback the link comes first: other users of this machine have no business here."""
    if desk.place.is_loopback and request.get(SESSION) is None:
        raise RefusedError(401, "no_session")


def check_named(settings: Settings, place: Place, actor: Actor) -> None:
    """Make sure that no account of the tenant, a guest's for one, reads along from elsewhere.

    Raises:
        ReviewError: others than this machine reach the page, and the configuration does not name who signed in.
    """
    if not place.is_loopback and settings.review.person_of(actor.id) is None:
        hint = f"add {actor.id} to the ids of one of review.people in the configuration"
        what = "the configuration does not name who signed in, and others may not read this"
        raise ReviewError(what, hint=hint, key="not_named_here", id=actor.id)


def _let_in(desk: Desk, cookie: str, where: str) -> web.Response:
    answer = web.Response(status=303, headers={"Location": where})
    return _with_cookie(desk, answer, desk.place.cookie, cookie)


def _with_cookie(desk: Desk, answer: web.Response, name: str, value: str, seconds: int | None = None) -> web.Response:
    answer.set_cookie(
        name, value, max_age=seconds, path="/", httponly=True, samesite="Strict", secure=desk.place.is_secure
    )
    return answer


def _flow_cookie(desk: Desk) -> str:
    return f"{desk.place.cookie}-sign-in"


def _keep_flow(desk: Desk, cookie: str, flow: dict[str, Any]) -> None:
    now = time.monotonic()
    for key in [key for key, (begun, _) in desk.flows.items() if now - begun > _FLOW_SECONDS]:
        del desk.flows[key]
    while len(desk.flows) >= _MOST_FLOWS:
        del desk.flows[next(iter(desk.flows))]
    desk.flows[_digest(cookie)] = now, flow


def _taken_flow(desk: Desk, cookie: str) -> dict[str, Any]:
    """Return the sign-in that this browser began; it can be finished once.

    Raises:
        RefusedError: it began none, or too long ago.
    """
    begun, flow = desk.flows.pop(_digest(cookie), (0.0, {}))
    if not flow or time.monotonic() - begun > _FLOW_SECONDS:
        raise RefusedError(403, "flow")
    return flow


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()
