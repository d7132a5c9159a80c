"""Owns the edge: every request is checked before a page sees it, every failure becomes a page that tells no secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from m365audit.errors import AuditError, QueryError, ReviewError, StaleVersionError, StoreError
from m365audit.log import get_logger
from m365audit.web import guards, pages
from m365audit.web.desk import DESK, SESSION
from m365audit.web.guards import RefusedError
from m365audit.web.refusals import told

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

OPEN: Final = ("/enter", "/sign-in", "/signed-in")
"""What a browser may see that has not come in yet; besides the style sheets and the script."""
STATIC: Final = "/static/"
TOKEN: Final = "form_token"  # noqa: S105 - the name of a field
_STATUS_REASONS: Final[Mapping[int, str]] = {404: "unknown", 405: "method", 413: "too_large"}
_MOST_FIELDS: Final = 60
_LAST_WORDS: Final = "A fault of the product; see the log of the program that serves this page.\n"


@web.middleware
async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check a request, answer it in time, and say what went wrong without a trace of how."""
    try:
        async with asyncio.timeout(guards.SECONDS):
            return pages.secure(await _answer(request, handler))
    except RefusedError as refused:
        response = await _refusal(request, refused.status, refused.reason)
    except TimeoutError:
        response = await _refusal(request, 503, "slow")
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004 - a redirect
            return pages.secure(web.Response(status=error.status, headers={"Location": error.headers["Location"]}))
        response = await _refusal(request, error.status, _STATUS_REASONS.get(error.status, "refused"))
    except StaleVersionError:
        response = await _refusal(request, 409, "stale")
    except AuditError as error:
        response = await _explained(request, error)
    except Exception as error:  # noqa: BLE001 - the server's edge: one page that fails must not take the others with it
        get_logger().error("page_failed", error=type(error).__name__, exc_info=True)
        response = await _refusal(request, 500, "fault")
    return pages.secure(response)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    desk = request.app[DESK]
    guards.check_request(request.method, request.headers, desk.place.origin)
    if request.path.startswith(STATIC) or request.path == "/favicon.ico":
        return await handler(request)
    session = desk.sessions.find(request.cookies.get(desk.place.cookie))
    if session is not None:
        request[SESSION] = session
    if request.path in OPEN:
        return await handler(request)
    if session is None:
        raise RefusedError(401, "no_session")
    if desk.sign_in is not None and session.who is None:
        raise web.HTTPSeeOther("/sign-in")
    if request.method == "POST":
        await _check_form(request)
    return await handler(request)


async def _check_form(request: web.Request) -> None:
    """Make sure that a form is one of ours, made for this session and this address.

    Raises:
        RefusedError: it is not.
    """
    fields = await form(request)
    if not request[SESSION].is_form_token(request.rel_url.raw_path, fields.get(TOKEN, "")):
        raise RefusedError(403, "form_token")


async def form(request: web.Request) -> dict[str, str]:
    """Return the fields of a form.

    Raises:
        RefusedError: a field comes twice or is no text, or there are too many.
    """
    sent = await request.post()
    if len(sent) > _MOST_FIELDS or len(set(sent)) != len(sent):
        raise RefusedError(400, "form")
    if any(not isinstance(value, str) for value in sent.values()):
        raise RefusedError(400, "form")
    return {name: str(value).replace("\r\n", "\n").strip() for name, value in sent.items()}


async def _refusal(request: web.Request, status: int, reason: str) -> web.Response:
    try:
        response = await pages.page(request, "refused.html", {"reason": reason}, status=status)
    except Exception as error:  # noqa: BLE001 - where even this page fails, a line without markup is left
        get_logger().error("page_failed", error=type(error).__name__, exc_info=True)
        return web.Response(status=500, text=_LAST_WORDS)
    if status == 405:  # noqa: PLR2004
        response.headers["Allow"] = "GET, HEAD, POST"
    return response


async def _explained(request: web.Request, error: AuditError) -> web.Response:
    """Say what the product itself says; a store that is not there yet is no fault of anybody."""
    if isinstance(error, ReviewError):
        status = 409
    elif isinstance(error, QueryError):
        status = 503
        get_logger().warning("page_question_failed", error=error.message)
        return await _refusal(request, status, "question")
    elif hasattr(error, "is_refused"):  # a sign-in, of a room that is imported only where people sign in
        status = 403
    else:
        status = 503 if isinstance(error, StoreError) else 500
    values = {"reason": "explained", "why": told(request.app[DESK].words, error)}
    return await pages.page(request, "refused.html", values, status=status)
