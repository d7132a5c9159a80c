"""How a breach case stands by its entries. Three times are three facts, and never one another.

*Detected* is the machine's, *first seen* is when a person first looked, *aware* is when a person was reasonably certain
(EDPB Guidelines 9/2022): from then the hours of GDPR Art. 33(1) run, in UTC, weekends included. Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from m365audit.config.clocks import Clocks
from m365audit.store.journal import Entry

STATES: Final = ("suspected", "aware", "assessed", "notified_initial", "notified_complete", "closed")
ALERT_HOURS: Final = (48, 60, 70)
"""Hours after awareness at which the clock speaks up."""
REQUIRED_ANSWERS: Final[Mapping[str, str]] = {
    "nature": "33(3)(a) what happened to which kinds of data",
    "people": "33(3)(a) kinds and approximate number of people concerned",
    "records": "33(3)(a) kinds and approximate number of records concerned",
    "contact": "33(3)(b) name and contact of the data protection officer or of who can tell more",
    "consequences": "33(3)(c) likely consequences",
    "measures": "33(3)(d) measures taken or proposed",
}
"""What a notification must say to be complete, by the name of the answer (GDPR Art. 33(3))."""


@dataclass(frozen=True, slots=True)
class Case:
    """How a breach case stands.

    Attributes:
        case_id: BR-year-number.
        state: one of ``STATES``.
        risk: one of ``RISKS``, None until it is assessed.
        detected_at: when the machine showed it.
        first_seen_at: when a person first looked at it.
        aware_at: when a person was reasonably certain.
        due_at: end of the hours to notify the authority; None while nobody is aware.
        pending_aware_at: a later awareness that was asked for and waits for a second person.
        hours: hours that the clock has.
        answers: what was written for the notification, by name.
    """

    tenant: str
    case_id: str
    version: int = 0
    state: str = "suspected"
    finding_ids: tuple[str, ...] = ()
    risk: str | None = None
    detected_at: datetime | None = None
    first_seen_at: datetime | None = None
    aware_at: datetime | None = None
    due_at: datetime | None = None
    notified_at: datetime | None = None
    completed_at: datetime | None = None
    controller_told_at: datetime | None = None
    people_informed_at: datetime | None = None
    closed_at: datetime | None = None
    late_reason: str | None = None
    reason: str | None = None
    reference: str | None = None
    hours: int | None = None
    pending_aware_at: datetime | None = None
    pending_person: str | None = None
    is_second_person_off: bool = False
    answers: Mapping[str, str] | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the answers that a complete notification still lacks."""
        return tuple(name for name in REQUIRED_ANSWERS if not (self.answers or {}).get(name, "").strip())

    @property
    def is_running(self) -> bool:
        """The authority may have to be notified, and has not been."""
        return (
            self.due_at is not None and self.notified_at is None and self.risk != "no_risk" and self.state != "closed"
        )

    def left(self, now: datetime) -> timedelta | None:
        """Return what is left of the clock, negative when it ran out; None when it does not run."""
        return self.due_at - now if self.is_running and self.due_at is not None else None

    def alert(self, now: datetime) -> int | None:
        """Return the highest of ``ALERT_HOURS`` that is reached; None before the first, or when nothing runs."""
        if not self.is_running or self.aware_at is None:
            return None
        return max((hours for hours in ALERT_HOURS if now >= self.aware_at + timedelta(hours=hours)), default=None)


def fold(entries: Sequence[Entry], clocks: Clocks) -> Case:
    """Return how a case stands by its entries, of which there is at least one."""
    case = Case(entries[0].tenant, entries[0].subject, answers={})
    for entry in entries:
        case = replace(case, version=entry.version)
        step = _STEPS.get(entry.event)
        case = case if step is None else step(case, entry)
    if case.aware_at is None:
        return case
    clock = clocks.at("breach.authority", case.aware_at)
    due = clock.after(case.aware_at.astimezone(UTC))
    return replace(case, due_at=due, hours=int((due - case.aware_at).total_seconds() // 3600))


def _opened(case: Case, entry: Entry) -> Case:
    body = entry.body
    findings = dict.fromkeys((*case.finding_ids, *body.get("findings", ())))
    return replace(
        case,
        finding_ids=tuple(findings),
        detected_at=_earlier(case.detected_at, _moment(body.get("detected_at"))),
        first_seen_at=_earlier(case.first_seen_at, _moment(body.get("first_seen_at"))),
        reason=body.get("reason") or case.reason,
    )


def _aware(case: Case, entry: Entry) -> Case:
    moment = _moment(entry.body["aware_at"])
    if entry.body.get("is_pending"):
        return replace(case, pending_aware_at=moment, pending_person=entry.actor.person)
    case = replace(case, pending_aware_at=None, pending_person=None)
    state = "aware" if case.state == "suspected" else case.state
    off = case.is_second_person_off or bool(entry.body.get("is_second_person_off"))
    return replace(case, state=state, aware_at=moment, is_second_person_off=off)


def _aware_approved(case: Case, _: Entry) -> Case:
    moved = case.pending_aware_at or case.aware_at
    return replace(case, aware_at=moved, pending_aware_at=None, pending_person=None)


def _aware_denied(case: Case, _: Entry) -> Case:
    return replace(case, pending_aware_at=None, pending_person=None)


def _assessed(case: Case, entry: Entry) -> Case:
    state = "assessed" if case.state in {"suspected", "aware"} else case.state
    return replace(case, state=state, risk=str(entry.body["risk"]), reason=entry.body.get("reason") or case.reason)


def _notified(case: Case, entry: Entry) -> Case:
    body = entry.body
    moment, is_complete = _moment(body["notified_at"]), body["phase"] == "complete"
    return replace(
        case,
        state="notified_complete" if is_complete else "notified_initial",
        notified_at=case.notified_at or moment,
        completed_at=moment if is_complete else case.completed_at,
        late_reason=body.get("late_reason") or case.late_reason,
        reference=body.get("reference") or case.reference,
        answers={**(case.answers or {}), **body.get("answers", {})},
    )


def _answered(case: Case, entry: Entry) -> Case:
    return replace(case, answers={**(case.answers or {}), **entry.body.get("answers", {})})


def _told(case: Case, entry: Entry) -> Case:
    return replace(case, controller_told_at=_moment(entry.body["at"]))


def _informed(case: Case, entry: Entry) -> Case:
    return replace(case, people_informed_at=_moment(entry.body["at"]))


def _closed(case: Case, entry: Entry) -> Case:
    return replace(case, state="closed", closed_at=entry.at, reason=entry.body.get("reason") or case.reason)


_STEPS: Final = {
    "open": _opened, "link": _opened, "aware": _aware, "aware_approve": _aware_approved, "aware_deny": _aware_denied,
    "assess": _assessed, "notify": _notified, "answer": _answered, "tell": _told, "inform": _informed,
    "close": _closed,
}  # fmt: skip


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one is not None and other is not None else one or other


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None
