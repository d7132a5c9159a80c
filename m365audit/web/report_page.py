"""Owns the report as it is now: the same document as the file, with today's decisions, and ways to the pages."""

from __future__ import annotations

from aiohttp import web

from m365audit.report import build_document
from m365audit.report.html import Live, render_html
from m365audit.web import clocks, pages
from m365audit.web.desk import DESK
from m365audit.web.guards import content_policy
from m365audit.web.reading import Reading

ROUTES = web.RouteTableDef()


@ROUTES.get("/")
async def report(request: web.Request) -> web.Response:
    """Show the report."""
    desk = request.app[DESK]
    now = desk.now()
    values = pages.frame(request)

    def made(reading: Reading) -> bytes:
        shown = {**values, "clocks": clocks.running(reading.reader, desk.words, now)}
        live = Live(bar=pages.part(desk, "live_bar.html", shown), finding_path=pages.finding_path)
        document = build_document(
            reading.bare, now=now, people=reading.people, language=desk.words.language, time_zone=str(desk.words.zone)
        )
        return render_html(document, live=live)

    body = await desk.published.ask(made)
    return pages.html(body, policy=content_policy(hashes=pages.hashes_of(body)))
