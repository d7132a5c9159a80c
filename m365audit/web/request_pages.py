"""Owns the pages about requests of people (GDPR Art. 15-21): the two clocks, and what was answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from aiohttp import web

from m365audit.errors import ReviewError
from m365audit.findings import requests as law
from m365audit.findings.requests import SubjectRequest
from m365audit.pipeline import casework, reviewing
from m365audit.store.journal import Actor, Entry, open_journal
from m365audit.web import acting, attempts, clocks, edge, pages
from m365audit.web.acting import TRIAL
from m365audit.web.attempts import NOTHING, Attempt
from m365audit.web.desk import DESK, Desk
from m365audit.web.forms import Field, Form, day_of, reason, version_of
from m365audit.web.reading import Reading
from m365audit.web.showing import history_of

ROUTES: Final = web.RouteTableDef()
_ACTS: Final = ("answer", "extend", "refuse")


@ROUTES.get("/requests")
async def requests(request: web.Request) -> web.Response:
    """List the requests, those that wait first."""
    return await _list(request, attempts.done(request, "request"))


@ROUTES.post("/requests")
async def add(request: web.Request) -> web.Response:
    """Write down a request that came in."""
    desk, sent, actor = request.app[DESK], await edge.form(request), pages.actor_of(request)
    names = await desk.published.ask(pages.tenant_names)

    def write() -> Entry:
        received = day_of(sent.get("received_on", ""), "received_on")
        if received is None:
            raise ReviewError("received_on is empty", hint="say on which day", key="empty", field="received_on")
        if sent.get("tenant") not in names:
            raise ReviewError("no such tenant is audited", hint="choose one", key="no_choice", field="tenant")
        reference = sent.get("reference", "")
        return casework.add_request(
            acting.doing(desk, actor), sent["tenant"], sent.get("kind", ""), received, reference
        )

    try:
        await pages.in_thread(desk, lambda: acting.in_turn(write))
    except ReviewError as error:
        return await _list(request, Attempt(here="add_request", typed=sent, error=error))
    raise web.HTTPSeeOther("/requests?done=request")


@ROUTES.get("/requests/{id}")
async def one(request: web.Request) -> web.Response:
    """Show a request."""
    return await _show(request, attempts.done(request, "request"))


@ROUTES.post("/requests/{id}/{act}")
async def act(request: web.Request) -> web.Response:
    """Answer, extend or refuse a request."""
    desk, sent, actor = request.app[DESK], await edge.form(request), pages.actor_of(request)
    name, found_id = request.match_info["act"], request.match_info["id"]
    if name not in _ACTS:
        raise web.HTTPNotFound
    await pages.in_thread(desk, lambda: _found(desk, found_id))

    def write() -> Entry:
        doing = acting.doing(desk, actor, version_of(sent))
        if name == "extend":
            return casework.extend_request(doing, found_id, sent.get("reason", ""))
        return casework.end_request(doing, found_id, sent.get("reason", ""), is_refused=name == "refuse")

    try:
        await pages.in_thread(desk, lambda: acting.in_turn(write))
    except ReviewError as error:
        return await _show(request, Attempt(here=f"{name}_request", typed=sent, error=error))
    raise web.HTTPSeeOther(f"/requests/{found_id}?done=request")


async def _list(request: web.Request, attempt: Attempt = NOTHING) -> web.Response:
    desk, actor = request.app[DESK], pages.actor_of(request)
    values = await desk.published.ask(lambda reading: _frame(desk, reading))
    found = await pages.in_thread(desk, lambda: casework.all_requests(desk.settings))
    found.sort(key=lambda each: (not each.is_running, each.due_on, each.request_id))
    values |= {
        "requests": found,
        "forms": [await pages.in_thread(desk, lambda: _adding(desk, actor, values["tenants"]))],
    }
    return await attempts.page(request, "requests.html", values, attempt)


async def _show(request: web.Request, attempt: Attempt = NOTHING) -> web.Response:
    desk, actor = request.app[DESK], pages.actor_of(request)
    found, entries = await pages.in_thread(desk, lambda: _found(desk, request.match_info["id"]))
    values = await desk.published.ask(lambda reading: _frame(desk, reading))
    history = history_of(entries, actor, values["people"])
    values |= {
        "item": found,
        "forms": await pages.in_thread(desk, lambda: _forms(desk, found, actor)),
    }
    return await attempts.page(request, "request.html", values, attempt, history)


def _found(desk: Desk, wanted: str) -> tuple[SubjectRequest, list[Entry]]:
    """Return a request and its history.

    Raises:
        HTTPNotFound: there is none.
    """
    found = next((each for each in casework.all_requests(desk.settings) if each.request_id == wanted), None)
    if found is None:
        raise web.HTTPNotFound
    with open_journal(desk.settings.state) as journal:
        return found, journal.entries(kind="request", subject=wanted)


def _frame(desk: Desk, reading: Reading) -> dict[str, Any]:
    return {
        "tenants": pages.tenant_names(reading),
        "people": reading.people,
        "clocks": clocks.running(reading.reader, desk.words, desk.now()),
    }


def _adding(desk: Desk, actor: Actor, tenants: Mapping[str, str]) -> Form:
    terms, today = reviewing.terms_of(desk.settings), _today(desk)
    why = acting.refusal(desk.words, lambda: law.add(terms, actor, law.KINDS[0], today, "-", today=today))
    fields = (
        Field("tenant", "choice", tuple(tenants), "tenant", is_needed=True),
        Field("kind", "choice", law.KINDS, "request_kind", is_needed=True),
        Field("received_on", "day", is_needed=True),
        Field("reference", "text"),
    )
    return Form("add_request", "/requests", fields, 0, why)


def _forms(desk: Desk, found: SubjectRequest, actor: Actor) -> list[Form]:
    terms, today, now = reviewing.terms_of(desk.settings), _today(desk), desk.now()
    trials = {
        "answer": lambda: law.end(terms, found, actor, TRIAL, at=now, is_refused=False),
        "extend": lambda: law.extend(terms, found, actor, TRIAL, today=today, clocks=terms.clocks),
        "refuse": lambda: law.end(terms, found, actor, TRIAL, at=now, is_refused=True),
    }
    return [
        Form(
            f"{name}_request", f"/requests/{found.request_id}/{name}", (reason(),), found.version,
            acting.refusal(desk.words, trials[name]), is_grave=name == "refuse",
        )
        for name in _ACTS
    ]  # fmt: skip


def _today(desk: Desk) -> date:
    return desk.now().astimezone(desk.words.zone).date()
