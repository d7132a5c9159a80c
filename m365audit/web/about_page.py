"""Owns the page about the page: who is in and how that is known, what is read, how to leave."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from m365audit.pipeline import reviewing
from m365audit.web import clocks, pages
from m365audit.web.desk import DESK
from m365audit.web.reading import Reading

ROUTES: Final = web.RouteTableDef()


@ROUTES.get("/about")
async def about(request: web.Request) -> web.Response:
    """Show who is in."""
    desk, actor = request.app[DESK], pages.actor_of(request)

    def read(reading: Reading) -> dict[str, Any]:
        runs = reading.reader.rows("report-run")
        return {"run": runs[0] if runs else None, "clocks": clocks.running(reading.reader, desk.words, desk.now())}

    values = await desk.published.ask(read)
    terms = await pages.in_thread(desk, lambda: reviewing.terms_of(desk.settings))
    values |= {
        "second_person": desk.settings.review.second_person,
        "is_named": not terms.people or actor.person in terms.people,
        "has_people": bool(terms.people),
        "origin": desk.place.origin,
    }
    return await pages.page(request, "about.html", values)
