"""Owns how a page is made: templates with every value escaped and made visible, the frame around it, its headers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

from aiohttp import web
from jinja2 import Environment
from markupsafe import Markup, escape

from m365audit.errors import StoreError
from m365audit.pipeline.completeness import is_noted_missing
from m365audit.pipeline.moment import set_back_behind
from m365audit.report import display, jinja
from m365audit.report.words import Words
from m365audit.store.journal import Actor
from m365audit.web.desk import DESK, SESSION, Desk
from m365audit.web.guards import HEADERS, content_policy
from m365audit.web.reading import Reading

_Value = TypeVar("_Value")
_TEMPLATES: Final = Path(__file__).resolve().parent / "templates"


async def page(
    request: web.Request,
    template: str,
    values: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    form_actions: tuple[str, ...] = (),
) -> web.Response:
    """Return a page made from ``templates/<template>``."""
    desk = request.app[DESK]
    text = render(desk, template, {**frame(request), **warnings(desk), **(values or {})})
    return html(
        text.encode("utf-8", "backslashreplace"), status=status, policy=content_policy(form_actions=form_actions)
    )


def html(body: bytes, *, status: int = 200, policy: str | None = None) -> web.Response:
    """Return an HTML answer with its Content-Security-Policy."""
    headers = {"Content-Security-Policy": policy or content_policy()}
    return web.Response(body=body, status=status, headers=headers, content_type="text/html", charset="utf-8")


def render(desk: Desk, template: str, values: Mapping[str, Any]) -> str:
    """Return a template with its values."""
    found = _environment(desk.words).get_template(template)
    return found.render(t=desk.words, now=desk.now(), place=desk.place, **values)


def warnings(desk: Desk) -> dict[str, Any]:
    """Return what is wrong with this machine, so that no page is read as if nothing were. Fails for no page."""
    try:
        behind = set_back_behind(desk.settings, desk.host())
        return {"is_missing": is_noted_missing(desk.settings), "set_back_behind": behind}
    except StoreError:
        return {"is_missing": True, "set_back_behind": None}


def part(desk: Desk, template: str, values: Mapping[str, Any]) -> Markup:
    """Return a part of a page; the template has escaped every value in it."""
    return Markup(render(desk, template, values))  # noqa: S704 - made by Jinja, with autoescape


def frame(request: web.Request) -> dict[str, Any]:
    """Return what the frame of every page shows: who is in, where we are, the forms' tokens."""
    desk = request.app[DESK]
    session = request.get(SESSION)
    return {
        "actor": session.who if session is not None else None,
        "has_session": session is not None,
        "path": request.path,
        "form_token": session.form_token if session is not None else (lambda _: ""),
        "has_sign_in": desk.sign_in is not None,
        "page_search": "",
    }


def actor_of(request: web.Request) -> Actor:
    """Return who is in; the edge lets nobody else come to a page."""
    who = request[SESSION].who
    if not isinstance(who, Actor):
        raise web.HTTPForbidden
    return who


async def in_thread(desk: Desk, work: Callable[[], _Value]) -> _Value:
    """Run what touches a file in a thread."""
    return await asyncio.get_running_loop().run_in_executor(desk.pool, work)


def hashes_of(body: bytes) -> dict[str, tuple[str, ...]]:
    """Return the hashes of the style and script blocks of a page of our own making; values of data are escaped."""
    return {
        kind: tuple(jinja.hash_of(block) for block in re.findall(rf"<{kind}>(.*?)</{kind}>".encode(), body, re.DOTALL))
        for kind in ("style", "script")
    }


def tenant_names(reading: Reading) -> dict[str, str]:
    """Return the names of all audited tenants by their ids."""
    return {
        str(row["tenant_id"]): str(row["name"] or row["tenant_id"]) for row in reading.reader.rows("report-tenants")
    }


def finding_path(tenant: str, finding: str) -> str:
    """Return the path of a finding's page."""
    return f"/findings/{quote(tenant, safe='')}/{quote(finding, safe='')}"


def query_of(values: Mapping[str, object]) -> str:
    """Return a query string of what is set."""
    found = {name: str(value) for name, value in values.items() if value not in (None, "", ())}
    return f"?{urlencode(found)}" if found else ""


def secure(response: web.StreamResponse) -> web.StreamResponse:
    """Give an answer the headers that every answer has."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Content-Security-Policy", content_policy())
    response.headers["Server"] = "m365audit"
    return response


_ENGLISH: Final = Markup(' lang="en"')
"""Marks a text that is not in the page's language."""
_ENVIRONMENTS: Final[dict[int, Environment]] = {}


def _environment(words: Words) -> Environment:
    """Return the templates with the reader's words."""
    known = _ENVIRONMENTS.get(id(words))
    if known is not None:
        return known
    made = jinja.environment(words.placed, _TEMPLATES)
    made.filters |= {"iso": display.moment, "left": _left, "whole": _whole}
    made.globals |= {"finding_path": finding_path, "query_of": query_of, "raw": raw}
    made.globals["spoken"] = {"en": _ENGLISH, words.language: Markup()}.__getitem__
    made.tests["mixed_scripts"] = display.has_mixed_scripts
    _ENVIRONMENTS[id(words)] = made
    return made


def _left(due: datetime, now: datetime) -> int:
    """Return how many seconds are left; negative when the time is over."""
    return int((due - now).total_seconds())


def _whole(text: str) -> Markup:
    """Return a sentence of our own making: visible, escaped, never cut, because its end is what counts."""
    return escape(display.visible(text))


def raw(value: str) -> Markup:
    """Return what a person typed, or a token, as it is: escaped, for the value of a field."""
    return escape(value)
