"""Owns the pages about controls, clause by clause, and about what people attested; an attestation is never evidence."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from m365audit.errors import ReviewError
from m365audit.findings.requests import end_of
from m365audit.findings.roles import check_may
from m365audit.pipeline import casework, reviewing
from m365audit.report.control_texts import ControlTexts, control_texts
from m365audit.report.controls import OUTCOMES
from m365audit.report.present import present
from m365audit.report.rows import Row, text
from m365audit.store.journal import Entry
from m365audit.web import acting, attempts, clocks, edge, pages
from m365audit.web.attempts import NOTHING, Attempt
from m365audit.web.desk import DESK, Desk
from m365audit.web.forms import Field, Form, day_of
from m365audit.web.reading import Reading

ROUTES: Final = web.RouteTableDef()
_MOST: Final = 2_000
_DECIDERS: Final = frozenset({"dpo", "risk_owner", "analyst", "admin"})


@ROUTES.get("/controls")
async def controls(request: web.Request) -> web.Response:
    """Show the controls that the address asks for."""
    desk = request.app[DESK]
    outcome = request.query.get("outcome", "")
    tenant = request.query.get("tenant", "")
    values = await desk.published.ask(lambda reading: _frame(desk, reading))
    outcome, tenant = outcome if outcome in OUTCOMES else "", tenant if tenant in values["tenants"] else ""
    rows = [
        row
        for row in values["controls"]
        if (not outcome or row["outcome"] == outcome) and (not tenant or row["tenant_id"] == tenant)
    ]
    counts = {name: sum(row["outcome"] == name for row in values["controls"]) for name in OUTCOMES}
    values |= {"rows": rows, "outcome": outcome, "tenant": tenant, "outcomes": OUTCOMES, "counts": counts}
    return await pages.page(request, "controls.html", values)


@ROUTES.get("/attestations")
async def attestations(request: web.Request) -> web.Response:
    """Show what was attested."""
    return await _show(request, attempts.done(request, "attest"))


@ROUTES.post("/attestations")
async def attest(request: web.Request) -> web.Response:
    """Write a statement down."""
    desk, sent, actor = request.app[DESK], await edge.form(request), pages.actor_of(request)
    values = await desk.published.ask(lambda reading: _frame(desk, reading))

    def write() -> Entry:
        until = day_of(sent.get("valid_until", ""), "valid_until")
        if until is None:
            raise ReviewError("valid_until is empty", hint="say until when", key="empty", field="valid_until")
        if sent.get("tenant") not in values["tenants"]:
            raise ReviewError("no such tenant is audited", hint="choose one", key="no_choice", field="tenant")
        statement = casework.Statement(
            sent.get("control", ""), sent.get("attestation_kind", ""), sent.get("ref", ""), sent.get("by_role", ""),
            end_of(until, reviewing.zone_of(desk.settings)),
        )  # fmt: skip
        return casework.attest(acting.doing(desk, actor), sent["tenant"], statement, values["known"])

    try:
        await pages.in_thread(desk, lambda: acting.in_turn(write))
    except ReviewError as error:
        return await _show(request, Attempt(here="attest", typed=sent, error=error))
    raise web.HTTPSeeOther("/attestations?done=attest")


async def _show(request: web.Request, attempt: Attempt = NOTHING) -> web.Response:
    desk, actor = request.app[DESK], pages.actor_of(request)
    values = await desk.published.ask(lambda reading: _frame(desk, reading))
    terms = await pages.in_thread(desk, lambda: reviewing.terms_of(desk.settings))
    control = request.query.get("control", "")
    fields = (
        Field("tenant", "choice", tuple(values["tenants"]), "tenant", is_needed=True),
        Field("control", "text", is_needed=True, value=control if control in values["known"] else ""),
        Field("attestation_kind", "text", is_needed=True),
        Field("ref", "text", is_needed=True),
        Field("by_role", "text", is_needed=True),
        Field("valid_until", "day", is_needed=True),
    )
    why = acting.refusal(desk.words, lambda: check_may(terms, actor, _DECIDERS, "attest a control"))
    values |= {"forms": [Form("attest", "/attestations", fields, 0, why)]}
    return await attempts.page(request, "attestations.html", values, attempt)


def _frame(desk: Desk, reading: Reading) -> dict[str, Any]:
    tables = present(reading.reader)
    own = control_texts(desk.words.language)
    rows = [_told(row, own) for row in tables.rows("report-controls", "controls", limit=_MOST)]
    return {
        "is_known": tables.has("controls"),
        "controls": rows,
        "known": sorted({str(row["control"]) for row in rows}),
        "attested": tables.rows("report-attestations", "attestations", limit=_MOST),
        "tenants": pages.tenant_names(reading),
        "clocks": clocks.running(reading.reader, desk.words, desk.now()),
    }


def _told(row: Row, own: ControlTexts) -> Row:
    """Return a control with its texts in the reader's language, and with what is left in English by its name."""
    texts, said = own.of(str(row["control"])), own.sentence(text(row, "said"))
    told = {
        "title": texts.get("title") or row["title"],
        "sentence": said or row["sentence"],
        "attach": row["attach"] and (texts.get("attach") or row["attach"]),
    }
    return {**row, **told, "text_language": own.language if texts else "en", "said_in": own.language if said else "en"}
