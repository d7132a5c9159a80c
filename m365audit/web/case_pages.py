"""Owns the pages about breach cases: the clock, what happened when, and the next steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from m365audit.errors import ReviewError
from m365audit.findings import breach
from m365audit.findings.case import REQUIRED_ANSWERS, Case
from m365audit.findings.decisions import Ruling
from m365audit.findings.values import Terms
from m365audit.pipeline import casework, reviewing
from m365audit.report.draft import DraftAnswer, render_draft
from m365audit.store.journal import Actor, Entry
from m365audit.web import acting, attempts, clocks, edge, pages
from m365audit.web.acting import TRIAL
from m365audit.web.attempts import NOTHING, Attempt
from m365audit.web.desk import DESK, Desk
from m365audit.web.forms import Field, Form, moment_of, reason, version_of
from m365audit.web.guards import content_policy
from m365audit.web.reading import Reading
from m365audit.web.showing import history_of, title_of

ROUTES: Final = web.RouteTableDef()
_PHASES: Final = ("initial", "complete")


@dataclass(frozen=True, slots=True)
class _Act:
    """One step: its fields, how it is tried, and how it is done."""

    fields: tuple[Field, ...]
    trial: Callable[[Terms, Case, Actor, datetime], Ruling]
    do: Callable[[casework.Doing, str, Mapping[str, str], Callable[[str], datetime]], Entry]
    is_offered: Callable[[Case], bool] = lambda _: True


_ACTS: Final[Mapping[str, _Act]] = {
    "approve_aware": _Act(
        (reason(),),
        lambda terms, case, actor, _: breach.answer_later_awareness(terms, case, actor, TRIAL, is_approved=True),
        lambda doing, case, sent, _: casework.answer_later_awareness(doing, case, sent["reason"], is_approved=True),
        lambda case: case.pending_aware_at is not None,
    ),
    "deny_aware": _Act(
        (reason(),),
        lambda terms, case, actor, _: breach.answer_later_awareness(terms, case, actor, TRIAL, is_approved=False),
        lambda doing, case, sent, _: casework.answer_later_awareness(doing, case, sent["reason"], is_approved=False),
        lambda case: case.pending_aware_at is not None,
    ),
    "assess": _Act(
        (Field("risk", "choice", breach.RISKS, "risk", is_needed=True), reason()),
        lambda terms, case, actor, _: breach.assess(terms, case, actor, "risk", TRIAL),
        lambda doing, case, sent, _: casework.assess(doing, case, sent["risk"], sent["reason"]),
    ),
    "answers": _Act(
        tuple(Field(name, "lines") for name in REQUIRED_ANSWERS),
        lambda terms, case, actor, _: breach.write_answers(terms, case, actor, {}),
        lambda doing, case, sent, _: casework.write_answers(doing, case, {key: sent[key] for key in REQUIRED_ANSWERS}),
    ),
    "notify": _Act(
        (
            Field("notified_at", "moment", is_needed=True),
            Field("phase", "choice", _PHASES, "phase", is_needed=True),
            Field("reference", "text"),
            Field("late_reason", "lines"),
        ),
        lambda terms, case, actor, now: breach.notify(
            terms, case, actor, now, now=now, is_complete=False, answers={}, reference=None, late_reason=TRIAL
        ),
        lambda doing, case, sent, at: casework.notify(
            doing, case, at("notified_at"), is_complete=sent["phase"] == "complete", answers={},
            reference=sent["reference"] or None, late_reason=sent["late_reason"] or None,
        ),
    ),
    "inform": _Act(
        (Field("informed_at", "moment", is_needed=True),),
        lambda terms, case, actor, now: breach.tell(terms, case, actor, now, now=now, whom="people"),
        lambda doing, case, _, at: casework.tell(doing, case, at("informed_at"), "people"),
    ),
    "controller": _Act(
        (Field("told_at", "moment", is_needed=True),),
        lambda terms, case, actor, now: breach.tell(terms, case, actor, now, now=now, whom="controller"),
        lambda doing, case, _, at: casework.tell(doing, case, at("told_at"), "controller"),
    ),
    "aware": _Act(
        (Field("aware_at", "moment", is_needed=True), reason()),
        lambda terms, case, actor, now: breach.become_aware(terms, case, actor, now, TRIAL, now=now),
        lambda doing, case, sent, at: casework.become_aware(doing, case, at("aware_at"), sent["reason"]),
    ),
    "close": _Act(
        (reason(), Field("not_informed_reason", "lines")),
        lambda terms, case, actor, _: breach.close(terms, case, actor, TRIAL, TRIAL),
        lambda doing, case, sent, _: casework.close(doing, case, sent["reason"], sent["not_informed_reason"] or None),
    ),
}  # fmt: skip


@ROUTES.get("/cases")
async def cases(request: web.Request) -> web.Response:
    """List the cases, those that run first."""
    desk = request.app[DESK]
    found = await pages.in_thread(desk, lambda: casework.all_cases(desk.settings))
    found.sort(key=lambda case: (not case.is_running, case.state == "closed", case.case_id))
    values = await desk.published.ask(lambda reading: _frame(desk, reading))
    return await pages.page(request, "cases.html", {**values, "cases": found})


@ROUTES.get("/cases/{case}")
async def case(request: web.Request) -> web.Response:
    """Show a case."""
    return await _show(request, attempts.done(request, "case"))


@ROUTES.get("/cases/{case}/draft")
async def draft(request: web.Request) -> web.Response:
    """Show the draft of the notification: what is known, what is suggested, what a person must write."""
    desk, case_id = request.app[DESK], request.match_info["case"]
    await _found(desk, case_id)

    def made() -> bytes:
        now = desk.now()
        case, answers = casework.draft_notification(desk.settings, case_id, now)
        told = [DraftAnswer(a.block, a.block_name, a.question, a.status, a.text, a.name) for a in answers]
        return render_draft(case.case_id, told, case.missing, now, desk.words)

    body = await pages.in_thread(desk, lambda: acting.in_turn(made))
    return pages.html(body, policy=content_policy(hashes=pages.hashes_of(body)))


@ROUTES.post("/cases/{case}/{act}")
async def act(request: web.Request) -> web.Response:
    """Write a step down."""
    desk, sent, actor = request.app[DESK], await edge.form(request), pages.actor_of(request)
    name, case_id = request.match_info["act"], request.match_info["case"]
    wanted = _ACTS.get(name)
    if wanted is None:
        raise web.HTTPNotFound
    await _found(desk, case_id)
    whole = {field.name: sent.get(field.name, "") for field in wanted.fields}

    def at(field: str) -> datetime:
        found = moment_of(whole[field], field, desk.words.zone)
        if found is None:
            raise ReviewError(f"{field} is empty", hint="say when", key="empty", field=field)
        return found

    try:
        doing = acting.doing(desk, actor, version_of(sent))
        await pages.in_thread(desk, lambda: acting.in_turn(lambda: wanted.do(doing, case_id, whole, at)))
    except ReviewError as error:
        return await _show(request, Attempt(here=name, typed=sent, error=error))
    raise web.HTTPSeeOther(f"/cases/{case_id}?done=case")


async def _show(request: web.Request, attempt: Attempt = NOTHING) -> web.Response:
    desk, actor = request.app[DESK], pages.actor_of(request)
    found, entries = await _found(desk, request.match_info["case"])
    values = await desk.published.ask(lambda reading: _frame(desk, reading, found))
    history = history_of(entries, actor, values["people"])
    values |= {
        "case": found,
        "forms": await pages.in_thread(desk, lambda: _forms(desk, found, actor)),
        "required": REQUIRED_ANSWERS,
    }
    return await attempts.page(request, "case.html", values, attempt, history)


async def _found(desk: Desk, case_id: str) -> tuple[Case, list[Entry]]:
    try:
        return await pages.in_thread(desk, lambda: casework.case_of(desk.settings, case_id))
    except ReviewError:
        raise web.HTTPNotFound from None


def _frame(desk: Desk, reading: Reading, case: Case | None = None) -> dict[str, Any]:
    found = []
    for finding in case.finding_ids if case is not None else ():
        rows = reading.reader.rows("page-finding", tenant=case.tenant, finding=finding) if case is not None else []
        found += [{**row, "title": title_of(row, reading.people, desk.words.language)} for row in rows]
    return {
        "findings": found,
        "people": reading.people,
        "tenants": pages.tenant_names(reading),
        "clocks": clocks.running(reading.reader, desk.words, desk.now()),
    }


def _forms(desk: Desk, case: Case, actor: Actor) -> list[Form]:
    terms, now = reviewing.terms_of(desk.settings), desk.now()
    forms = []
    for name, step in _ACTS.items():
        if not step.is_offered(case):
            continue
        why = acting.refusal(desk.words, lambda step=step: step.trial(terms, case, actor, now))  # type: ignore[misc]
        fields = tuple(_filled(field, case) for field in step.fields)
        forms.append(Form(name, f"/cases/{case.case_id}/{name}", fields, case.version, why))
    return forms


def _filled(field: Field, case: Case) -> Field:
    text = (case.answers or {}).get(field.name, "")
    return Field(field.name, field.kind, field.choices, field.family, field.is_needed, field.only, text)
