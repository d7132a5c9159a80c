"""Owns the list of pages, and the application made of them. No page's content, no socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from aiohttp import web

from m365audit.web import (
    about_page,
    case_pages,
    control_pages,
    edge,
    entering,
    finding_list,
    finding_page,
    guards,
    identity_page,
    report_page,
    request_pages,
    statics,
)
from m365audit.web.desk import DESK, Desk

_PARTS: Final = (
    entering, statics, report_page, finding_list, finding_page, case_pages, request_pages, control_pages,
    identity_page, about_page,
)  # fmt: skip


def application(desk: Desk) -> web.Application:
    """Return the application that answers from ``desk``."""
    app = web.Application(middlewares=[edge.edge], client_max_size=guards.LONGEST_BODY)
    app[DESK] = desk
    for part in _PARTS:
        app.add_routes(part.ROUTES)
    app.cleanup_ctx.append(_watching)
    return app


async def _watching(app: web.Application) -> AsyncIterator[None]:
    """Let go of replaced files while the application runs, and of everything at its end."""
    published = app[DESK].published
    watch = asyncio.create_task(published.watch())
    yield
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch
    await published.close()
