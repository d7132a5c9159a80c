"""Owns the list of findings: searched, filtered, paged; each filter is an address that can be kept and sent on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from m365audit.model import SEVERITIES
from m365audit.web import asking, clocks, pages
from m365audit.web.asking import Filter
from m365audit.web.desk import DESK
from m365audit.web.reading import Reading
from m365audit.web.showing import title_of

ROUTES = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class _Page:
    first: int
    last: int
    total: int
    number: int
    pages: int


@ROUTES.get("/findings")
async def findings(request: web.Request) -> web.Response:
    """Show the findings that the address asks for."""
    desk = request.app[DESK]
    wanted = Filter.read(request.query)

    def asked(reading: Reading) -> dict[str, Any]:
        rows = reading.reader.rows("page-findings", **wanted.parameters)
        return {
            "rows": [{**row, "title": title_of(row, reading.people, desk.words.language)} for row in rows],
            "choices": _choices(reading),
            "clocks": clocks.running(reading.reader, desk.words, desk.now()),
        }

    found = await desk.published.ask(asked)
    values = {
        **found,
        "wanted": wanted,
        "severities": tuple(reversed(SEVERITIES)),
        "decisions": asking.DECISIONS,
        "waitings": asking.WAITING,
        "states": asking.STATES,
        "here": _page(found["rows"], wanted),
        "page_search": pages.raw(wanted.q),
    }
    return await pages.page(request, "findings.html", values)


def _choices(reading: Reading) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {"tenant": [], "rule": [], "integration": []}
    for row in reading.reader.rows("page-choices"):
        found[str(row["kind"])].append(row)
    return found


def _page(rows: list[dict[str, Any]], wanted: Filter) -> _Page:
    total = int(rows[0]["total"]) if rows else 0
    first = (wanted.page - 1) * asking.PER_PAGE
    return _Page(first + 1, first + len(rows), total, wanted.page, -(-total // asking.PER_PAGE))
