"""Owns the calendar form: what is due when, for the reader's own calendar. Names nobody, and no app.

Titles hold our own ids and words alone: a calendar is shown on phones and to colleagues.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from icalendar import Alarm, Calendar, Event

from m365audit.report.document import Document
from m365audit.report.words import Words

_OURS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}(/[A-Za-z0-9][A-Za-z0-9_-]{0,63})?")
"""Ids of cases, findings, controls, records with their process; no dot, because calendars make links of names."""
_ALARMS: Final = {"breach": (timedelta(hours=24), timedelta(hours=6))}
_ALARM: Final = (timedelta(days=1),)


@dataclass(frozen=True, slots=True)
class Due:
    """Something that has to be done by a time. ``kind``: breach, request, acceptance, remediation, record, attestation.

    ``ref`` is its id within the tenant, written by the product or in the customer's own files.
    """

    kind: str
    tenant_id: str
    ref: str
    at: datetime


def dues(document: Document) -> Iterator[Due]:
    """Yield everything of the document that has a time to be done by."""
    for case in document.clocks.breaches:
        if case.due_at is not None and case.notified_at is None and case.state != "closed":
            yield Due("breach", case.tenant_id, case.case_id, case.due_at)
    for request in document.clocks.requests:
        if request.due_at is not None and request.answered_at is None:
            yield Due("request", request.tenant_id, request.request_id, request.due_at)
    for ending in document.clocks.records_ending:
        yield Due("record", ending.tenant_id, f"{ending.record}/{ending.process}", ending.ends_at)
    for attestation in document.attestations:
        if attestation.valid_until is not None:
            yield Due("attestation", attestation.tenant_id, attestation.control, attestation.valid_until)
    yield from _decided(document)


def _decided(document: Document) -> Iterator[Due]:
    for finding in document.findings:
        review = finding.review
        if review is None or finding.state == "resolved":
            continue
        if review.decision == "accepted" and review.expires_at is not None:
            yield Due("acceptance", finding.tenant_id, finding.finding_id, review.expires_at)
        if review.decision == "remediating" and review.due_at is not None:
            yield Due("remediation", finding.tenant_id, finding.finding_id, review.due_at)


def render_ics(document: Document, words: Words) -> bytes:
    """Return the due dates as iCalendar (RFC 5545), times in UTC; the same document gives the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", "-//m365audit//report//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", words.plain("ics.name"))
    events = {_uid(due): due for due in dues(document)}
    for uid, due in sorted(events.items(), key=lambda item: (item[1].at, item[0])):
        calendar.add_component(_event(uid, due, document.now, words))
    if not events:
        calendar.add_component(_nothing(document.now, words))
    made: bytes = calendar.to_ical()
    return made


def _nothing(now: datetime, words: Words) -> Event:
    """Return the entry of a calendar without entries: the RFC wants one, and "nothing" is only said as of a day."""
    day = now.astimezone(UTC).date()
    event = Event()
    event.add("uid", "nothing-due@m365audit")
    event.add("dtstamp", now.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", day)
    event.add("summary", words.plain("ics.nothing", day=day.isoformat()))
    event.add("transp", "TRANSPARENT")
    return event


def _event(uid: str, due: Due, now: datetime, words: Words) -> Event:
    event = Event()
    title = words.plain(f"ics.{due.kind}", ref=_ref(due.ref))
    event.add("uid", uid)
    event.add("dtstamp", now.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", due.at.astimezone(UTC).replace(microsecond=0))
    event.add("summary", title)
    event.add("description", words.plain("ics.description", tenant=_ref(due.tenant_id)))
    event.add("categories", [due.kind])
    event.add("transp", "TRANSPARENT")
    for before in _ALARMS.get(due.kind, _ALARM):
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", title)
        alarm.add("trigger", -before)
        event.add_component(alarm)
    return event


def _uid(due: Due) -> str:
    """Return an id that stays the same when the date moves: the calendar then moves the entry."""
    key = "\x1f".join((due.kind, due.tenant_id, due.ref)).encode("utf-8", "surrogatepass")
    return f"{hashlib.sha256(key).hexdigest()[:32]}@m365audit"


def _ref(ref: str) -> str:
    """Return an id as it stands if it looks like one; anything else is told by its hash."""
    return ref if _OURS.fullmatch(ref) else "#" + hashlib.sha256(ref.encode("utf-8", "surrogatepass")).hexdigest()[:8]
