"""Owns the style sheets and the script that pages name: a closed list of files, read once. Nothing else is served."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import web

from m365audit import report

ROUTES: Final = web.RouteTableDef()
_REPORT_STYLE: Final = Path(report.__file__).resolve().parent / "templates" / "report.css"
_FOLDER: Final = Path(__file__).resolve().parent / "static"


@ROUTES.get("/static/report.css")
async def report_style(_: web.Request) -> web.Response:
    """Return the report's own style sheet: one look for both."""
    return web.Response(text=_REPORT_STYLE.read_text(encoding="utf-8"), content_type="text/css", charset="utf-8")


@ROUTES.get("/static/review.css")
async def review_style(_: web.Request) -> web.Response:
    """Return what pages have and the report has not: forms, filters, the bar."""
    return web.Response(text=_read("review.css"), content_type="text/css", charset="utf-8")


@ROUTES.get("/static/review.js")
async def script(_: web.Request) -> web.Response:
    """Return the script; every page works without it."""
    return web.Response(text=_read("review.js"), content_type="text/javascript", charset="utf-8")


@ROUTES.get("/favicon.ico")
async def icon(_: web.Request) -> web.Response:
    """Return that there is none: browsers ask by themselves."""
    return web.Response(status=204)


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
