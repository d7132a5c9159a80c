"""Owns what runs by the clock, as of ``now``: breach cases, requests of data subjects, records that end."""

from __future__ import annotations

from datetime import datetime

from m365audit.report.decided import BreachCase, Clocks, RecordEnding, SubjectRequest
from m365audit.report.present import Tables
from m365audit.report.rows import Row, TenantNames, maybe_count, moment, text, texts, total, words

_LIST = 200
_AHEAD = 30
"""Days before its end at which a record is told of."""
_DAY = 86_400


def build_clocks(tables: Tables, names: TenantNames, now: datetime, reviews_overdue: int) -> Clocks:
    """Return every clock; lists are bounded, totals are not."""
    cases = tables.rows("report-breach-cases", "breach_cases", limit=_LIST)
    requests = tables.rows("report-subject-requests", "subject_requests", limit=_LIST)
    ending = tables.rows("report-records-ending", "register_versions", now=now, days=_AHEAD, limit=_LIST)
    return Clocks(
        breaches=tuple(_case(row, names, now) for row in cases),
        breaches_total=total(cases),
        requests=tuple(_request(row, names, now) for row in requests),
        requests_total=total(requests),
        records_ending=tuple(filter(None, (_ending(row, names, now) for row in ending))),
        records_ending_total=total(ending),
        reviews_overdue=reviews_overdue,
    )


def _case(row: Row, names: TenantNames, now: datetime) -> BreachCase:
    due, notified, closed = (moment(row, name) for name in ("due_at", "notified_at", "closed_at"))
    is_running = due is not None and notified is None and closed is None
    return BreachCase(
        *names.of(row),
        case_id=words(row, "case_id"),
        finding_ids=texts(row, "finding_ids"),
        state=words(row, "state"),
        risk=text(row, "risk"),
        detected_at=moment(row, "detected_at"),
        first_seen_at=moment(row, "first_seen_at"),
        aware_at=moment(row, "aware_at"),
        due_at=due,
        notified_at=notified,
        controller_told_at=moment(row, "controller_told_at"),
        people_informed_at=moment(row, "people_informed_at"),
        closed_at=closed,
        late_reason=text(row, "late_reason"),
        hours=maybe_count(row, "hours"),
        # Rounded down, so that a minute that is over is never shown as left.
        seconds_left=int((due - now).total_seconds() // 1) if is_running and due is not None else None,
    )


def _request(row: Row, names: TenantNames, now: datetime) -> SubjectRequest:
    due, answered, state = moment(row, "due_at"), moment(row, "answered_at"), words(row, "state")
    is_open = due is not None and answered is None and state in ("open", "extended")
    return SubjectRequest(
        *names.of(row),
        request_id=words(row, "request_id"),
        kind=words(row, "kind"),
        received_at=moment(row, "received_at"),
        legal_due_at=moment(row, "legal_due_at"),
        policy_due_at=moment(row, "policy_due_at"),
        due_at=due,
        answered_at=answered,
        state=state,
        days_left=days_between(now, due) if is_open and due is not None else None,
    )


def _ending(row: Row, names: TenantNames, now: datetime) -> RecordEnding | None:
    ends = moment(row, "ends_at")
    if ends is None:
        return None
    return RecordEnding(
        *names.of(row),
        record=words(row, "record"),
        process=words(row, "process"),
        integration_name=text(row, "integration_name"),
        ends_at=ends,
        days_left=days_between(now, ends),
    )


def days_between(now: datetime, due: datetime) -> int:
    """Return whole days until ``due``, negative once it has passed."""
    seconds = (due - now).total_seconds()
    return int(seconds // _DAY)
