"""Commands about breach cases: the clock, what was done about it, the draft of a notification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click

from m365audit.cli.deciding import chosen, entry_values, here, moment, tell
from m365audit.cli.options import config_option, format_option, output_option, reason_option, version_option
from m365audit.cli.output import as_json, lay_out
from m365audit.cli.streams import say, show, show_bytes, show_lines
from m365audit.config import Settings
from m365audit.config.durations import iso
from m365audit.errors import ReviewError
from m365audit.findings.breach import RISKS
from m365audit.findings.case import REQUIRED_ANSWERS, Case
from m365audit.findings.notification import Answer
from m365audit.pipeline import casework
from m365audit.pipeline.casework import Doing
from m365audit.pipeline.reviewing import zone_of
from m365audit.report.draft import DraftAnswer, render_draft
from m365audit.report.words import load_words
from m365audit.store.publish import write_in_place

ALERT: Final = 20
"""Exit code where a breach clock has run for 48 hours or more, or has run out."""
_AT = click.option(
    "--at", "at", default=None, metavar="TIME", help="When, with its zone: 2026-11-21T09:00:00Z. Default: now."
)


@click.group()
def breach() -> None:
    """Breaches of personal data: the clock of GDPR Art. 33, and what was done about it.

    \b
    suspected → aware → assessed → notified_initial → notified_complete → closed

    Confirming a finding with --breach yes opens a case and starts its clock: 72 hours from when a person was aware,
    weekends included.
    """  # noqa: D301 - click reads the character


def _doing(config_path: Path | None, version: int | None = None) -> Doing:
    settings, actor, now = here(config_path)
    return Doing(settings, actor, now, version)


def _time(doing: Doing, text: str | None, option: str) -> datetime:
    return moment(doing.settings, text, option) if text else doing.now


@breach.command("open", short_help="Open a case that is suspected.")
@click.argument("finding_ids", nargs=-1, required=True, metavar="FINDING_ID...")
@reason_option
@format_option("text", "json")
@config_option()
def open_case(finding_ids: tuple[str, ...], *, reason: str, form: str, config_path: Path | None) -> None:
    """Open a case that is suspected, for findings of one tenant; nobody is aware yet, and no clock runs."""
    doing = _doing(config_path)
    keys = [chosen(doing.settings, begin) for begin in finding_ids]
    if len({key.tenant for key in keys}) > 1:
        raise ReviewError("the findings are of several tenants", hint="open a case for each of them")
    entry = casework.open_case(doing, keys[0].tenant, [key.finding_id for key in keys], reason)
    tell(entry, form, [f"{entry.subject} is suspected", f"  m365audit breach aware {entry.subject} --reason TEXT"])


@breach.command("list", short_help="List the cases and their clocks.")
@click.option("--all", "everything", is_flag=True, help="Closed ones too.")
@format_option("table", "csv", "json")
@config_option()
def list_cases(*, everything: bool, form: str, config_path: Path | None) -> None:
    """List the cases, the most urgent first."""
    doing = _doing(config_path)
    names = ("case_id", "tenant_id", "state", "risk", "aware_at", "due_at", "left", "findings")
    found = [case for case in casework.all_cases(doing.settings) if everything or case.state != "closed"]
    rows = [
        (case.case_id, case.tenant, case.state, case.risk, case.aware_at, case.due_at, _left(case, doing.now),
         len(case.finding_ids))
        for case in sorted(found, key=lambda case: (not case.is_running, case.due_at or doing.now, case.case_id))
    ]  # fmt: skip
    show(lay_out(names, rows, form))


@breach.command("status", short_help="Show the clocks; exit code 20 from 48 hours on.")
@click.argument("case_id", required=False)
@format_option("text", "json")
@config_option()
def status(case_id: str | None, *, form: str, config_path: Path | None) -> int:
    """Show one case, or all that are open, with what is left of the clock.

    Ends with exit code 20 when 48, 60 or 70 hours have passed since awareness without a notification, or all of them:
    run it every hour and let it wake somebody.
    """
    doing = _doing(config_path)
    one = casework.case_of(doing.settings, case_id) if case_id else None
    found = [one[0]] if one else [case for case in casework.all_cases(doing.settings) if case.state != "closed"]
    if form == "json":
        values: list[dict[str, object]] = [_values(case, doing.now) for case in found]
        if one:
            values[0]["entries"] = [entry_values(entry) for entry in one[1]]
        show(as_json(values[0] if one else values))
    elif not found:
        show_lines(["no breach case is open"])
    else:
        show_lines([line for case in found for line in _lines(case, doing)])
    alerts = [(case, hours) for case in found if (hours := case.alert(doing.now)) is not None]
    for case, hours in alerts:
        say(f"alert: {case.case_id}: {hours} hours have passed since awareness; {_left(case, doing.now)}")
    return ALERT if alerts else 0


@breach.command("aware", short_help="Say when somebody was aware: the clock runs from then.")
@click.argument("case_id")
@_AT
@reason_option
@version_option
@click.option("--approve/--deny", "approved", default=None, help="Answer a later awareness that another asked for.")
@format_option("text", "json")
@config_option()
def aware(
    case_id: str, *, at: str | None, reason: str, version: int | None, approved: bool | None, form: str,
    config_path: Path | None,
) -> None:  # fmt: skip
    """Say when a person was reasonably certain that it is a breach.

    It may be moved earlier by anybody, and later only with a second person; what was said before stays visible.
    """
    doing = _doing(config_path, version)
    if approved is None:
        entry = casework.become_aware(doing, case_id, _time(doing, at, "--at"), reason)
    else:
        entry = casework.answer_later_awareness(doing, case_id, reason, is_approved=approved)
    waits = (
        ["a later awareness waits for a second person: breach aware --approve"] if entry.body.get("is_pending") else []
    )
    tell(entry, form, [*waits, *_lines(casework.case_of(doing.settings, case_id)[0], doing)])


@breach.command("assess", short_help="Say what the risk for the people concerned is.")
@click.argument("case_id")
@click.argument("risk", type=click.Choice(RISKS))
@reason_option
@version_option
@format_option("text", "json")
@config_option()
def assess(case_id: str, risk: str, *, reason: str, version: int | None, form: str, config_path: Path | None) -> None:
    """Say what the risk for the people concerned is: no_risk needs no notification, but its reason is kept."""
    doing = _doing(config_path, version)
    entry = casework.assess(doing, case_id, risk, reason)
    tell(entry, form, _lines(casework.case_of(doing.settings, case_id)[0], doing))


@breach.command("notified", short_help="Say that the authority was notified.")
@click.argument("case_id")
@_AT
@click.option("--complete", is_flag=True, help="The notification is complete by Art. 33(3); default: a first one.")
@click.option("--answer", "answers", multiple=True, metavar="NAME=TEXT", help=f"One of {', '.join(REQUIRED_ANSWERS)}.")
@click.option("--ref", "reference", default=None, metavar="NUMBER", help="Number that the authority gave.")
@click.option("--late-reason", default=None, metavar="TEXT", help="Why it is later than the clock allows.")
@version_option
@format_option("text", "json")
@config_option()
def notified(
    case_id: str, *, at: str | None, complete: bool, answers: tuple[str, ...], reference: str | None,
    late_reason: str | None, version: int | None, form: str, config_path: Path | None,
) -> None:  # fmt: skip
    """Say that the authority was notified, in its own form; this program sends nothing.

    A first notification may leave things open (Art. 33(4)); a complete one has all answers of Art. 33(3)(a) to (d).
    """
    doing = _doing(config_path, version)
    entry = casework.notify(
        doing, case_id, _time(doing, at, "--at"), is_complete=complete, answers=_answers(answers),
        reference=reference, late_reason=late_reason,
    )  # fmt: skip
    tell(entry, form, _lines(casework.case_of(doing.settings, case_id)[0], doing))


@breach.command("told", short_help="Say that the controller was told (by a processor).")
@click.argument("case_id")
@_AT
@version_option
@format_option("text", "json")
@config_option()
def told(case_id: str, *, at: str | None, version: int | None, form: str, config_path: Path | None) -> None:
    """Say when the processor told the controller (Art. 33(2))."""
    doing = _doing(config_path, version)
    entry = casework.tell(doing, case_id, _time(doing, at, "--at"), "controller")
    tell(entry, form, [f"{entry.subject}: the controller was told at {entry.body['at']}"])


@breach.command("informed", short_help="Say that the people concerned were informed.")
@click.argument("case_id")
@_AT
@version_option
@format_option("text", "json")
@config_option()
def informed(case_id: str, *, at: str | None, version: int | None, form: str, config_path: Path | None) -> None:
    """Say when the people concerned were informed (Art. 34)."""
    doing = _doing(config_path, version)
    entry = casework.tell(doing, case_id, _time(doing, at, "--at"), "people")
    tell(entry, form, [f"{entry.subject}: the people concerned were informed at {entry.body['at']}"])


@breach.command("close", short_help="End a case.")
@click.argument("case_id")
@reason_option
@click.option("--not-informed", default=None, metavar="TEXT", help="At a high risk: why people are not informed.")
@version_option
@format_option("text", "json")
@config_option()
def close(
    case_id: str, *, reason: str, not_informed: str | None, version: int | None, form: str, config_path: Path | None
) -> None:  # fmt: skip
    """End a case: notified completely, assessed as no risk, or never more than suspected."""
    doing = _doing(config_path, version)
    entry = casework.close(doing, case_id, reason, not_informed)
    tell(entry, form, [f"{entry.subject} is closed"])


@breach.command("draft", short_help="Draft the notification; keep answers for it.")
@click.argument("case_id")
@click.option("--answer", "answers", multiple=True, metavar="NAME=TEXT", help=f"One of {', '.join(REQUIRED_ANSWERS)}.")
@format_option("text", "html", "json", what="text, a page to copy from, or JSON.")
@output_option
@config_option()
def draft(case_id: str, *, answers: tuple[str, ...], form: str, output: Path | None, config_path: Path | None) -> None:
    """Show what a notification would say: filled from evidence, suggested, or yours to write. Nothing is sent.

    With --answer, keep an answer first; `breach notified --complete` asks for all of them.
    """
    doing = _doing(config_path)
    if answers:
        casework.write_answers(doing, case_id, _answers(answers))
    case, made = casework.draft_notification(doing.settings, case_id, doing.now)
    if form == "html":
        page = _draft_page(doing, case, made)
        if output is None:
            show_bytes(page)
        else:
            output.parent.stat()
            write_in_place((page,), output)
            say(f"written: {output}")
        return
    if form == "json":
        values = [
            {"block": each.block, "block_name": each.block_name, "question": each.question, "status": each.status,
             "answer": each.text or None, "name": each.name or None} for each in made
        ]  # fmt: skip
        show(as_json({"case_id": case.case_id, "missing": list(case.missing), "answers": values}))
        return
    show_lines(_draft_lines(case, made))


def _draft_page(doing: Doing, case: Case, made: Iterable[Answer]) -> bytes:
    answers = [
        DraftAnswer(each.block, each.block_name, each.question, each.status, each.text, each.name) for each in made
    ]
    told = doing.settings.report
    return render_draft(case.case_id, answers, case.missing, doing.now, load_words(told.language, told.time_zone))


def _draft_lines(case: Case, made: Iterable[Answer]) -> Iterator[str]:
    yield f"Draft of the notification of {case.case_id}; nothing is sent"
    block = -1
    for each in made:
        if each.block != block:
            block = each.block
            yield ""
            yield f"{block}. {each.block_name}"
        name = f" [--answer {each.name}=TEXT]" if each.name else ""
        yield f"  {each.question}{name}"
        yield f"    {each.status}" + (f": {each.text}" if each.text else "")


def _answers(given: Iterable[str]) -> dict[str, str]:
    """Return answers by name.

    Raises:
        ReviewError: one is not NAME=TEXT.
    """
    found = {}
    for text in given:
        name, equals, answer = text.partition("=")
        if not equals:
            raise ReviewError(f"{text!r} is no answer", hint="write --answer NAME=TEXT")
        found[name.strip()] = answer
    return found


def _left(case: Case, now: datetime) -> str:
    """Return in words what is left of the clock."""
    left = case.left(now)
    if left is None:
        return ""
    minutes = int(abs(left) / timedelta(minutes=1))
    shown = f"{minutes // 60} h {minutes % 60:02} min"
    return f"{shown} left" if left >= timedelta() else f"overdue by {shown}"


def _lines(case: Case, doing: Doing) -> Iterator[str]:
    head = f"{case.case_id}  {case.state}" + (f"  {case.risk}" if case.risk else "")
    yield f"{head}  {_left(case, doing.now)}".rstrip()
    for name, when in _times(case).items():
        if when is not None:
            yield f"  {name:20} {_both(doing.settings, when)}"
    yield f"  {'findings':20} {', '.join(case.finding_ids) or 'none'}"
    if case.pending_aware_at is not None:
        yield f"  a later awareness waits for a second person: {_both(doing.settings, case.pending_aware_at)}"
    if case.is_running and case.missing:
        yield f"  {'answers to write':20} {', '.join(case.missing)} (breach draft {case.case_id})"


def _both(settings: Settings, when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC ({when.astimezone(zone_of(settings)):%Y-%m-%d %H:%M %Z})"


def _times(case: Case) -> dict[str, datetime | None]:
    return {
        "detected": case.detected_at, "first seen": case.first_seen_at, "aware": case.aware_at,
        "notify by": case.due_at, "notified": case.notified_at, "complete": case.completed_at,
        "controller told": case.controller_told_at, "people informed": case.people_informed_at,
        "closed": case.closed_at,
    }  # fmt: skip


def _values(case: Case, now: datetime) -> dict[str, object]:
    left = case.left(now)
    times = {name.replace(" ", "_"): iso(when) if when else None for name, when in _times(case).items()}
    return {
        "case_id": case.case_id, "tenant_id": case.tenant, "version": case.version, "state": case.state,
        "risk": case.risk, **times, "seconds_left": int(left.total_seconds()) if left is not None else None,
        "alert_hours": case.alert(now), "finding_ids": list(case.finding_ids), "missing": list(case.missing),
        "late_reason": case.late_reason,
    }  # fmt: skip
