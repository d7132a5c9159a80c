"""Owns the one page that shows who is behind a token: one at a time, with a reason that is written down first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from m365audit.errors import ReviewError
from m365audit.web import acting, attempts, clocks, edge, pages
from m365audit.web.attempts import NOTHING, Attempt
from m365audit.web.desk import DESK, Desk
from m365audit.web.forms import Field, Form, reason
from m365audit.web.reading import Reading

ROUTES: Final = web.RouteTableDef()
_LONGEST: Final = 40


@ROUTES.get("/identity")
async def ask(request: web.Request) -> web.Response:
    """Show the form."""
    token = request.query.get("token", "")[:_LONGEST]
    return await _show(request, token=token)


@ROUTES.post("/identity")
async def reveal(request: web.Request) -> web.Response:
    """Write down who asks and why, then show the one person."""
    desk, sent, actor = request.app[DESK], await edge.form(request), pages.actor_of(request)
    token, why = sent.get("token", "").upper(), sent.get("reason", "")
    found = await desk.published.ask(lambda reading: _find(reading, token))
    if found is None:
        what = "no person that the logs name has this token"
        nobody = ReviewError(what, hint="copy it from the page, e.g. P-ABC…", key="no_token")
        return await _show(request, Attempt(here="identity", typed=sent, error=nobody))
    try:
        tenant = str(found["tenant_id"] or "")
        await pages.in_thread(desk, lambda: acting.note_view(desk, actor, tenant, token, why))
    except ReviewError as error:
        return await _show(request, Attempt(here="identity", typed=sent, error=error))
    return await _show(request, found={**found, "token": token})


async def _show(
    request: web.Request, attempt: Attempt = NOTHING, *, found: Mapping[str, object] | None = None, token: str = ""
) -> web.Response:
    desk = request.app[DESK]
    values = await desk.published.ask(lambda reading: _frame(desk, reading))
    fields = (Field("token", "text", is_needed=True, value=token), reason())
    values |= {"forms": [Form("identity", "/identity", fields)], "found": found}
    return await attempts.page(request, "identity.html", values, attempt)


def _frame(desk: Desk, reading: Reading) -> dict[str, Any]:
    return {"clocks": clocks.running(reading.reader, desk.words, desk.now()), "tenants": pages.tenant_names(reading)}


def _find(reading: Reading, token: str) -> dict[str, object] | None:
    """Return the one person of a token, the row that says most of them."""
    best: dict[str, object] | None = None
    for rows in reading.bare.batches("report-people"):
        for row in rows:
            value = row["person_id"] or row["person_name"]
            if value and reading.people.token(str(row["tenant_id"] or ""), str(value)) == token:
                best = row if best is None or (row["person_name"] and not best["person_name"]) else best
    return best
