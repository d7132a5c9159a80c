"""A request of a person (GDPR Art. 15-21): the day it is due, and what may be written about it. Pure functions.

Two clocks run, and the earlier one counts: one calendar month by law, and the days of the policy. Days are days of a
calendar: what is due on a day is due before that day ends in the reader's zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from m365audit.config.clocks import Clocks, months_after
from m365audit.config.spelling import suggestion
from m365audit.errors import ReviewError
from m365audit.findings.conditions import check_reason
from m365audit.findings.decisions import Ruling
from m365audit.findings.roles import check_may
from m365audit.findings.values import Terms
from m365audit.store.journal import Actor, Entry

KINDS: Final = ("access", "rectify", "erase", "restrict", "portability", "object")
STATES: Final = ("open", "extended", "answered", "refused")
_PEOPLE: Final = frozenset({"dpo", "risk_owner", "analyst", "admin"})


@dataclass(frozen=True, slots=True)
class SubjectRequest:
    """How a request stands.

    Attributes:
        request_id: DS-year-number.
        kind: one of ``KINDS``.
        received_on: day on which it came in.
        state: one of ``STATES``.
        legal_due_on: last day by law, the extension counted.
        policy_due_on: last day by the policy; by law alone once it is extended.
        answered_at: when it was answered or refused.
    """

    tenant: str
    request_id: str
    version: int = 0
    kind: str = ""
    received_on: date = date.min
    state: str = "open"
    legal_due_on: date = date.max
    policy_due_on: date = date.max
    answered_at: datetime | None = None
    reason: str | None = None

    @property
    def due_on(self) -> date:
        """The earlier of the two days."""
        return min(self.legal_due_on, self.policy_due_on)

    @property
    def is_running(self) -> bool:
        """It waits for an answer."""
        return self.state in {"open", "extended"}


def due_days(received: date, clocks: Clocks, policy_days: int | None = None) -> tuple[date, date]:
    """Return the last day by law (same day of the next month, or its last day) and by the policy.

    Args:
        received: day on which the request came in.
        clocks: the clocks by date.
        policy_days: days that the policy names; None for those of the clocks.
    """
    law = clocks.at("request.law", received)
    days = policy_days or clocks.at("request.policy", received).amount
    return _months_after(received, law.amount), received + timedelta(days=days)


def extended_day(received: date, clocks: Clocks) -> date:
    """Return the last day by law of a request whose time was extended."""
    months = clocks.at("request.law", received).amount + clocks.at("request.extension", received).amount
    return _months_after(received, months)


def end_of(day: date, zone: tzinfo) -> datetime:
    """Return the last second of a day in a zone, in UTC."""
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)


def fold(entries: Sequence[Entry], clocks: Clocks, policy_days: int | None = None) -> SubjectRequest:
    """Return how a request stands by its entries, of which there is at least one."""
    request = SubjectRequest(entries[0].tenant, entries[0].subject)
    for entry in entries:
        request = replace(_step(request, entry, entry.body, clocks, policy_days), version=entry.version)
    return request


def _step(
    request: SubjectRequest, entry: Entry, body: Mapping[str, Any], clocks: Clocks, policy_days: int | None
) -> SubjectRequest:
    if entry.event == "add":
        received = date.fromisoformat(body["received_on"])
        law, policy = due_days(received, clocks, policy_days)
        return replace(
            request, kind=body["kind"], received_on=received, legal_due_on=law, policy_due_on=policy
        )  # fmt: skip
    if entry.event == "extend":
        day = extended_day(request.received_on, clocks)
        return replace(request, state="extended", legal_due_on=day, policy_due_on=day, reason=body.get("reason"))
    if entry.event in {"answer", "refuse"}:
        state = "answered" if entry.event == "answer" else "refused"
        return replace(request, state=state, answered_at=_moment(body), reason=body.get("reason") or request.reason)
    return request


def add(terms: Terms, actor: Actor, kind: str, received: date, reference: str, *, today: date) -> Ruling:
    """Return the entry about a request that came in.

    Raises:
        ReviewError: there is no such kind, or it has yet to come in.
    """
    check_may(terms, actor, _PEOPLE, "write down a request")
    if kind not in KINDS:
        raise ReviewError(f"there is no request {kind!r}", hint=suggestion(kind, KINDS), key="no_choice", field="kind")
    if received > today:
        what = f"{received} lies in the future"
        raise ReviewError(what, hint=f"today is {today}", key="future_day", day=received, today=today)
    return Ruling("add", {"kind": kind, "received_on": received.isoformat(), "reference": reference.strip()})


def extend(terms: Terms, request: SubjectRequest, actor: Actor, reason: str, *, today: date, clocks: Clocks) -> Ruling:
    """Return the entry about an extension: only within the first month, told with its reason (Art. 12(3)).

    Raises:
        ReviewError: the first month is over, it was extended before, or it has been answered.
    """
    _check_running(terms, request, actor, "extend a request")
    check_reason(reason)
    if request.state == "extended":
        raise ReviewError("it was extended already: two months is all there is", key="extended_already")
    law, _ = due_days(request.received_on, clocks)
    if today > law:
        hint = f"it had to be told by {law}; answer it now"
        what = "the first month is over: it cannot be extended any more"
        raise ReviewError(what, hint=hint, key="month_over", day=law)
    return Ruling("extend", {"reason": reason.strip(), "due_on": extended_day(request.received_on, clocks).isoformat()})


def end(terms: Terms, request: SubjectRequest, actor: Actor, reason: str, *, at: datetime, is_refused: bool) -> Ruling:
    """Return the entry about an answer, or a refusal, which needs its reason (Art. 12(4)).

    Raises:
        ReviewError: it was ended before, or there is no reason.
    """
    _check_running(terms, request, actor, "answer a request")
    check_reason(reason)
    body = {"reason": reason.strip(), "answered_at": at.astimezone(UTC).isoformat().replace("+00:00", "Z")}
    return Ruling("refuse" if is_refused else "answer", body)


def _check_running(terms: Terms, request: SubjectRequest, actor: Actor, what: str) -> None:
    check_may(terms, actor, _PEOPLE, what)
    if not request.is_running:
        what = f"{request.request_id} is {request.state} already"
        hint = "a new one is added with requests add"
        raise ReviewError(what, hint=hint, key="request_ended", request=request.request_id, state=request.state)


def _months_after(day: date, months: int) -> date:
    return months_after(datetime.combine(day, time(), UTC), months).date()


def _moment(body: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(body["answered_at"])
