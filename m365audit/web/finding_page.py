"""Owns a finding's page: what the machine says, its evidence, its history, and what this person may do now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from m365audit.errors import ReviewError
from m365audit.pipeline import casework
from m365audit.pipeline.reviewing import FindingKey
from m365audit.report.rows import count
from m365audit.report.rule_texts import RuleText, rule_texts
from m365audit.store.journal import Actor
from m365audit.web import acting, attempts, clocks, edge, pages
from m365audit.web.attempts import NOTHING, Attempt
from m365audit.web.desk import DESK, Desk
from m365audit.web.forms import Field, Form, day_of, lines_of, reason, version_of
from m365audit.web.reading import Reading
from m365audit.web.showing import history_of, question_of, subject_of, title_of

ROUTES = web.RouteTableDef()
_EVIDENCE: Final = 50
NO_TEXT: Final = RuleText(None, None, None, (), "en")
_DONE: Final = ("decide", "approve", "deny", "opinion")


@ROUTES.get("/findings/{tenant}/{finding}")
async def finding(request: web.Request) -> web.Response:
    """Show a finding."""
    return await _show(request, attempts.done(request, *_DONE))


@ROUTES.post("/findings/{tenant}/{finding}/{act:decide|approve|deny|opinion}")
async def act(request: web.Request) -> web.Response:
    """Write down what a person wants; on a refusal show why, with everything that was typed."""
    desk, fields, name = request.app[DESK], await edge.form(request), request.match_info["act"]
    tenant, finding_id = _named(request)
    actor = pages.actor_of(request)
    await desk.published.ask(lambda reading: _found(reading, tenant, finding_id))
    try:
        await pages.in_thread(desk, lambda: _do(desk, name, actor, FindingKey(tenant, finding_id), fields))
    except ReviewError as error:
        return await _show(request, Attempt(here=name, typed=fields, error=error))
    raise web.HTTPSeeOther(f"{pages.finding_path(tenant, finding_id)}?done={name}")


@ROUTES.post("/findings/{tenant}/{finding}/seen")
async def seen(request: web.Request) -> web.Response:
    """Note that a person looks at it; sent by the page itself, because reading changes nothing."""
    desk, (tenant, finding_id), actor = request.app[DESK], _named(request), pages.actor_of(request)
    await desk.published.ask(lambda reading: _found(reading, tenant, finding_id))
    await pages.in_thread(desk, lambda: acting.looked_at(desk, actor, FindingKey(tenant, finding_id)))
    return web.Response(status=204)


def _do(desk: Desk, name: str, actor: Actor, key: FindingKey, fields: Mapping[str, str]) -> None:
    version, why = version_of(fields), fields.get("reason", "")
    if name == "decide":
        wish = acting.wish(
            desk,
            to=fields.get("to", ""),
            reason=why,
            evidence=lines_of(fields.get("evidence", "")),
            owner=fields.get("owner") or None,
            until=day_of(fields.get("until", ""), "until"),
            breach=fields.get("breach") or None,
        )
        acting.decide(desk, actor, key, wish, version)
    elif name == "opinion":
        acting.opinion(desk, actor, key, fields.get("opinion", ""), why)
    else:
        acting.answer(desk, actor, key, why, version, is_approved=name == "approve")


async def _show(request: web.Request, attempt: Attempt = NOTHING) -> web.Response:
    desk, (tenant, finding_id), actor = request.app[DESK], _named(request), pages.actor_of(request)
    number = request.query.get("evidence", "1")
    page = int(number) if number.isascii() and number.isdecimal() and 0 < len(number) < 6 else 1  # noqa: PLR2004
    values = await desk.published.ask(lambda reading: _read(desk, reading, tenant, finding_id, max(page, 1)))
    standing = await pages.in_thread(desk, lambda: acting.standing(desk, actor, FindingKey(tenant, finding_id)))
    history = history_of(standing.entries, actor, values["people"])
    values |= {
        "review": standing.review,
        "forms": _forms(standing, pages.finding_path(tenant, finding_id)),
        "rule": rule_texts(desk.words.language).get(str(values["item"]["rule"]), NO_TEXT),
        "cases": await pages.in_thread(desk, lambda: _cases(desk, tenant, finding_id)),
        "is_yours": standing.review.requested_person == actor.person,
    }
    return await attempts.page(request, "finding.html", values, attempt, history)


def _read(desk: Desk, reading: Reading, tenant: str, finding_id: str, page: int) -> dict[str, Any]:
    row = _found(reading, tenant, finding_id)
    evidence = reading.reader.rows(
        "page-evidence", tenant=tenant, finding=finding_id, limit=_EVIDENCE, skip=(page - 1) * _EVIDENCE
    )
    return {
        "item": row,
        "title": title_of(row, reading.people, desk.words.language),
        "question": question_of(row, desk.words.language),
        "subject": subject_of(row, reading.people, desk.words.language),
        "evidence": evidence,
        "evidence_page": page,
        "evidence_pages": -(-count(evidence[0], "total") // _EVIDENCE) if evidence else 0,
        "people": reading.people,
        "clocks": clocks.running(reading.reader, desk.words, desk.now()),
    }  # fmt: skip


def _found(reading: Reading, tenant: str, finding_id: str) -> dict[str, Any]:
    rows = reading.reader.rows("page-finding", tenant=tenant, finding=finding_id)
    if not rows:
        raise web.HTTPNotFound
    return rows[0]


def _cases(desk: Desk, tenant: str, finding_id: str) -> list[str]:
    """Return the breach cases that the finding belongs to and that are not closed."""
    return [
        case.case_id
        for case in casework.all_cases(desk.settings)
        if case.tenant == tenant and finding_id in case.finding_ids and case.state != "closed"
    ]


def _forms(standing: acting.Standing, path: str) -> list[Form]:
    """Return the forms of the page: what waits first, then what may be decided."""
    review, may = standing.review, standing.may
    version = review.version
    forms = []
    if review.pending is not None:
        forms.append(Form("approve", f"{path}/approve", (reason(),), version, may["approve"]))
        name = "withdraw" if standing.is_own_request else "deny"
        forms.append(Form(name, f"{path}/deny", (reason(),), version, may["deny"], is_grave=True))
    if "accepted" in {review.pending, review.decision}:
        choose = Field("opinion", "choice", acting.OPINIONS, "opinion", is_needed=True)
        forms.append(Form("opinion", f"{path}/opinion", (choose, reason()), version, may["opinion"]))
    possible = [to for to in acting.DECISIONS if may[to] is None]
    refusals = {to: why.message for to in acting.DECISIONS if (why := may[to]) is not None}
    fields = (
        Field("to", "choice", acting.DECISIONS, "decision", is_needed=True),
        Field("breach", "choice", acting.BREACH_ANSWERS, "breach", only="to confirmed"),
        reason(),
        Field("evidence", "lines", only="to false_positive explained accepted resolved"),
        Field("owner", "text", only="to remediating accepted"),
        Field("until", "day", only="to remediating accepted"),
    )
    refusal = None if possible else may["confirmed"]
    forms.append(Form("decide", f"{path}/decide", fields, version, refusal, refusals))
    return forms


def _named(request: web.Request) -> tuple[str, str]:
    return request.match_info["tenant"], request.match_info["finding"]
