"""Everything that is due, in one list: what it is about, when, and what is left. Pure functions.

Nothing here names a person, so that the list may stand on page 1 and in a calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from m365audit.findings.case import Case
from m365audit.findings.requests import SubjectRequest, end_of
from m365audit.findings.values import Review


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that is due.

    Attributes:
        kind: breach, request, decision, approval, remedy or acceptance.
        tenant: tenant id.
        subject: id of the case, request or finding.
        due_at: when.
    """

    kind: str
    tenant: str
    subject: str
    due_at: datetime

    def left(self, now: datetime) -> timedelta:
        """Return what is left of it; negative when it is overdue."""
        return self.due_at - now


def due_things(
    reviews: Iterable[Review], cases: Iterable[Case], requests: Iterable[SubjectRequest], zone: tzinfo
) -> list[Due]:
    """Return all that is due, the soonest first.

    Args:
        reviews: how the findings stand.
        cases: breach cases.
        requests: requests of people.
        zone: where a day ends.
    """
    found = [*_of_cases(cases), *_of_reviews(reviews)]
    found += [
        Due("request", each.tenant, each.request_id, end_of(each.due_on, zone)) for each in requests if each.is_running
    ]
    return sorted(found, key=lambda due: (due.due_at, due.kind, due.tenant, due.subject))


def _of_cases(cases: Iterable[Case]) -> Iterator[Due]:
    for case in cases:
        if case.is_running and case.due_at is not None:
            yield Due("breach", case.tenant, case.case_id, case.due_at)


def _of_reviews(reviews: Iterable[Review]) -> Iterator[Due]:
    for review in reviews:
        if review.due_at is not None:
            undecided = review.decision is None or review.returned is not None
            kind = "approval" if review.pending else "decision" if undecided else "remedy"
            yield Due(kind, review.tenant, review.finding_id, review.due_at)
        if review.decision == "accepted" and review.expires_at is not None:
            yield Due("acceptance", review.tenant, review.finding_id, review.expires_at)
