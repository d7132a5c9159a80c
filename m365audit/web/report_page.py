"""Owns the report as it is now: the same document as the file, with today's decisions, and ways to the pages.

It is made once for a publication, a state of the journal and a minute; only the bar on top is made for each reader.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from m365audit.pipeline.circumstances import circumstances
from m365audit.report import build_document
from m365audit.report.html import Live, render_html
from m365audit.web import clocks, pages
from m365audit.web.clocks import Clock
from m365audit.web.desk import DESK, Desk
from m365audit.web.guards import content_policy
from m365audit.web.reading import Reading

ROUTES = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Made:
    """The report without its bar: what stands before and after it, the clocks, the hashes of style and script."""

    before: bytes
    after: bytes
    clocks: tuple[Clock, ...]
    hashes: Mapping[str, tuple[str, ...]]


@ROUTES.get("/")
async def report(request: web.Request) -> web.Response:
    """Show the report."""
    desk = request.app[DESK]
    made = await desk.published.ask_once(lambda reading: _made(desk, reading))
    bar = pages.part(desk, "live_bar.html", {**pages.frame(request), "clocks": made.clocks})
    body = made.before + bar.encode("utf-8", "backslashreplace") + made.after
    return pages.html(body, policy=content_policy(hashes=made.hashes))


def _made(desk: Desk, reading: Reading) -> Made:
    reading.today.need_controls()  # before anything is read for nothing
    now = desk.now()
    document = build_document(
        reading.bare,
        now=now,
        people=reading.people,
        language=desk.words.language,
        time_zone=str(desk.words.zone),
        circumstances=circumstances(desk.settings, host=desk.host(), ask=reading.bare.database.execute),
    )
    # Nobody can know it beforehand, so no name in the data can be taken for the place of the bar.
    place = f"<!-- {secrets.token_hex(16)} -->"
    body = render_html(document, live=Live(bar=Markup(place), finding_path=pages.finding_path))  # noqa: S704 - ours
    before, after = body.split(place.encode())
    running = tuple(clocks.running(reading.reader, desk.words, now))
    return Made(before, after, running, pages.hashes_of(body))
