"""What may be written about a breach case, by whom, on what conditions; how it stands is ``case.fold``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from m365audit.config.spelling import suggestion
from m365audit.errors import ReviewError
from m365audit.findings.case import REQUIRED_ANSWERS, Case
from m365audit.findings.conditions import check_reason
from m365audit.findings.decisions import Ruling
from m365audit.findings.roles import check_may, check_second
from m365audit.findings.values import Terms
from m365audit.store.journal import Actor

RISKS: Final = ("no_risk", "risk", "high_risk")
_PEOPLE: Final = frozenset({"dpo", "risk_owner", "analyst", "admin"})
_DECIDERS: Final = frozenset({"dpo", "risk_owner", "admin"})
_SLACK: Final = timedelta(minutes=5)
"""What a clock may be ahead."""


def become_aware(terms: Terms, case: Case, actor: Actor, aware_at: datetime, reason: str, *, now: datetime) -> Ruling:
    """Return the entry about when a person became aware: earlier is one person's word, later takes a second one.

    Raises:
        ReviewError: it lies in the future, the case is closed, or there is no reason.
    """
    _check_open(terms, case, actor, _PEOPLE, "say when somebody became aware")
    check_reason(reason)
    _check_past(aware_at, now)
    is_later = case.aware_at is not None and aware_at > case.aware_at
    if is_later and case.pending_aware_at is not None:
        what = "a later awareness waits for a second person"
        raise ReviewError(what, hint="approve or deny it first", key="awareness_waits")
    body: dict[str, Any] = {"aware_at": _text(aware_at), "before": _text(case.aware_at), "reason": reason.strip()}
    if is_later:
        body |= {"is_pending": terms.is_second_person_needed, "is_second_person_off": not terms.is_second_person_needed}
    return Ruling("aware", body)


def answer_later_awareness(terms: Terms, case: Case, actor: Actor, reason: str, *, is_approved: bool) -> Ruling:
    """Return the entry with which a second person lets a later awareness through, or does not.

    Raises:
        ReviewError: nothing waits, or it is the same natural person.
    """
    _check_open(terms, case, actor, _PEOPLE | {"reviewer"}, "approve a later awareness")
    if case.pending_aware_at is None:
        raise ReviewError("nothing waits for a second person here", key="nothing_waits")
    if is_approved:
        check_second(terms, str(case.pending_person), actor, "who asked for a later awareness cannot approve it")
    check_reason(reason)
    return Ruling("aware_approve" if is_approved else "aware_deny", {"reason": reason.strip()})


def assess(terms: Terms, case: Case, actor: Actor, risk: str, reason: str) -> Ruling:
    """Return the entry with the risk for the people concerned; that there is none, too, needs its reason (33(5)).

    Raises:
        ReviewError: nobody is aware yet, or the authority was told already and the risk would go.
    """
    _check_open(terms, case, actor, _DECIDERS, "assess a breach")
    if risk not in RISKS:
        raise ReviewError(f"there is no risk {risk!r}", hint=suggestion(risk, RISKS), key="no_choice", field="risk")
    if case.aware_at is None:
        hint = f"first: m365audit breach aware {case.case_id}"
        raise ReviewError("nobody is aware of it yet", hint=hint, key="not_aware")
    check_reason(reason)
    return Ruling("assess", {"risk": risk, "before": case.risk, "reason": reason.strip()})


def notify(
    terms: Terms, case: Case, actor: Actor, notified_at: datetime, *, now: datetime, is_complete: bool,
    answers: Mapping[str, str], reference: str | None, late_reason: str | None,
) -> Ruling:  # fmt: skip
    """Return the entry about a notification of the authority, the first or the complete one (33(4)).

    Raises:
        ReviewError: it is not possible, is late without a reason, or is called complete and lacks answers.
    """
    _check_open(terms, case, actor, _DECIDERS, "notify the authority")
    _check_past(notified_at, now)
    if case.aware_at is None or case.due_at is None:
        hint = f"first: m365audit breach aware {case.case_id}"
        raise ReviewError("nobody is aware of it yet", hint=hint, key="not_aware")
    if notified_at < case.aware_at:
        what = "it was notified before anybody was aware"
        raise ReviewError(what, hint="correct aware_at first: it may be earlier", key="notified_unaware")
    if case.risk == "no_risk":
        hint = f"first: m365audit breach assess {case.case_id} risk"
        raise ReviewError("it was assessed as no risk", hint=hint, key="no_risk")
    if not is_complete and case.notified_at is not None:
        hint = "what comes later makes it complete: --complete"
        raise ReviewError("the authority was notified already", hint=hint, key="notified_already")
    is_late = case.notified_at is None and notified_at > case.due_at
    if is_late:
        _check_late(case, late_reason)
    body: dict[str, Any] = {
        "phase": "complete" if is_complete else "initial", "notified_at": _text(notified_at), "reference": reference,
        "late_reason": late_reason.strip() if is_late and late_reason else None, "answers": _answers(answers),
    }  # fmt: skip
    if is_complete:
        _check_complete(case, body["answers"])
    return Ruling("notify", body)


def write_answers(terms: Terms, case: Case, actor: Actor, answers: Mapping[str, str]) -> Ruling:
    """Return the entry with answers for the notification, before there is one.

    Raises:
        ReviewError: there is no such answer.
    """
    _check_open(terms, case, actor, _PEOPLE, "write answers")
    return Ruling("answer", {"answers": _answers(answers)})


def tell(terms: Terms, case: Case, actor: Actor, at: datetime, *, now: datetime, whom: str) -> Ruling:
    """Return the entry that the controller was told (``controller``) or the people concerned were (``people``).

    Raises:
        ReviewError: it lies in the future or before anybody knew, or the case is closed.
    """
    _check_open(terms, case, actor, _PEOPLE, f"say that the {whom} was told")
    _check_past(at, now)
    known = [moment for moment in (case.detected_at, case.first_seen_at, case.aware_at) if moment is not None]
    if known and at < min(known):
        what = f"the {whom} cannot have been told before anybody knew"
        hint = f"the first sign of it is of {min(known):%Y-%m-%d %H:%M} UTC; aware_at may be earlier: correct it first"
        raise ReviewError(what, hint=hint, key="told_unaware", at=min(known))
    return Ruling("tell" if whom == "controller" else "inform", {"at": _text(at)})


def close(terms: Terms, case: Case, actor: Actor, reason: str, not_informed_reason: str | None = None) -> Ruling:
    """Return the entry that ends a case.

    Raises:
        ReviewError: the authority, or at a high risk the people concerned, were not told and nobody said why.
    """
    _check_open(terms, case, actor, _DECIDERS, "close a case")
    check_reason(reason)
    if case.pending_aware_at is not None:
        what = "a later awareness waits for a second person"
        raise ReviewError(what, hint="approve or deny it first", key="awareness_waits")
    if case.aware_at is not None and case.risk != "no_risk" and case.state != "notified_complete":
        key, missing = "not_notified", "the authority was not wholly notified"
        if case.risk is None:
            key, missing = "not_assessed", "its risk is not assessed"
        hint = f"see m365audit breach status {case.case_id}; assess no_risk, or notify, then close"
        raise ReviewError(f"it cannot be closed: {missing}", hint=hint, key=key)
    if case.risk == "high_risk" and case.people_informed_at is None:
        if not not_informed_reason:
            hint = "say when they were (breach informed), or why not (--not-informed REASON, GDPR Art. 34(3))"
            what = "the risk is high, and the people concerned were not informed"
            raise ReviewError(what, hint=hint, key="people_not_informed")
        check_reason(not_informed_reason)
    return Ruling("close", {"reason": reason.strip(), "not_informed_reason": not_informed_reason})


def _check_open(terms: Terms, case: Case, actor: Actor, roles: frozenset[str], what: str) -> None:
    check_may(terms, actor, roles, what)
    if case.state == "closed":
        hint = "open a new case for the same finding"
        raise ReviewError(f"{case.case_id} is closed", hint=hint, key="case_closed", case=case.case_id)


def _check_past(moment: datetime, now: datetime) -> None:
    if moment > now + _SLACK:
        what = f"{moment:%Y-%m-%d %H:%M} UTC lies in the future"
        raise ReviewError(what, hint=f"it is {now:%Y-%m-%d %H:%M} UTC", key="future", at=moment, now=now)


def _check_late(case: Case, late_reason: str | None) -> None:
    if not late_reason:
        what = f"the {case.hours} hours were over at {case.due_at:%Y-%m-%d %H:%M} UTC"
        hint = "say why it is late: --late-reason (GDPR Art. 33(1))"
        raise ReviewError(what, hint=hint, key="late", hours=case.hours, due=case.due_at)
    check_reason(late_reason)


def _check_complete(case: Case, answers: Mapping[str, str]) -> None:
    whole = replace(case, answers={**(case.answers or {}), **answers})
    if whole.missing:
        hint = "; ".join(f"{name}: {REQUIRED_ANSWERS[name]}" for name in whole.missing)
        what = f"it is not complete by GDPR Art. 33(3): {', '.join(whole.missing)} missing"
        hint = f"give them with --answer NAME=TEXT. {hint}"
        raise ReviewError(what, hint=hint, key="incomplete", field=tuple(whole.missing))


def _answers(answers: Mapping[str, str]) -> dict[str, str]:
    for name in answers:
        if name not in REQUIRED_ANSWERS:
            hint = suggestion(name, tuple(REQUIRED_ANSWERS))
            raise ReviewError(f"there is no answer {name!r}", hint=hint, key="no_answer", name=name)
    return {name: text.strip() for name, text in answers.items() if text.strip()}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
