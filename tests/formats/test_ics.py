"""The calendar of due dates: stable, in UTC, and without a word that a colleague should not read."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from report.database import FABRIKAM, PERSON, RUN_AT, empty_world
from report.reader import NOW, QueryReader, document_of, pieces

from m365audit.report import Document
from m365audit.report.ics import dues, render_ics
from m365audit.report.words import load_words

from .world import DAY


@pytest.fixture(scope="module")
def made(reader: QueryReader) -> bytes:
    return b"".join(pieces(reader, "ics"))


def _events(made: bytes) -> dict[str, Any]:
    return {str(event["SUMMARY"]): event for event in icalendar.Calendar.from_ical(made).walk("VEVENT")}


def test_everything_that_is_due_is_in_it(made: bytes) -> None:
    assert {title: event["DTSTART"].dt for title, event in _events(made).items()} == {
        "Breach BR-2026-001: notify the authority": RUN_AT + 1.7 * DAY,
        "Request DS-19: answer the person": RUN_AT + 6 * DAY,
        "Accepted risk F1-00000000000000000000000003 ends: decide again": RUN_AT + 20 * DAY,
        "Finding F1-00000000000000000000000004: to be mended by now": RUN_AT + 5 * DAY,
        "Consent record fabrikam-signatures/signatures-mail ends": RUN_AT + 9 * DAY,
        "Attestation for C14-1 ends: attach a new one": RUN_AT + 300 * DAY,
    }


def test_what_is_notified_closed_or_answered_is_not(document: Document) -> None:
    assert "BR-2026-002" not in {due.ref for due in dues(document)}
    clocks = document.clocks
    answered = dataclasses.replace(clocks.requests[0], answered_at=NOW)
    changed = dataclasses.replace(document, clocks=dataclasses.replace(clocks, requests=(answered,)))
    assert "request" not in {due.kind for due in dues(changed)}


def test_times_are_utc_and_the_same_document_gives_the_same_bytes(reader: QueryReader, made: bytes) -> None:
    assert b"".join(pieces(reader, "ics", time_zone="Europe/Amsterdam")) == made
    assert b"TZID" not in made
    assert b"DTSTAMP:20261121T080000Z" in made


def test_an_entry_keeps_its_id_when_its_date_moves(document: Document) -> None:
    clocks = document.clocks
    later = dataclasses.replace(clocks.breaches[0], due_at=datetime(2027, 1, 1, tzinfo=UTC))
    moved = dataclasses.replace(document, clocks=dataclasses.replace(clocks, breaches=(later, *clocks.breaches[1:])))
    before, after = (_events(render_ics(each, load_words())) for each in (document, moved))
    title = "Breach BR-2026-001: notify the authority"
    assert before[title]["UID"] == after[title]["UID"]
    assert before[title]["DTSTART"].dt != after[title]["DTSTART"].dt


def test_it_names_nobody_and_no_app(document: Document) -> None:
    text = render_ics(document, load_words()).decode().replace("\r\n ", "")
    for name in (PERSON, "Free Mail Summarizer", "SalSoft", "k.bos", "Fabrikam"):
        assert name not in text
    assert FABRIKAM in text


def test_a_clock_of_a_breach_warns_twice(made: bytes) -> None:
    alarms = _events(made)["Breach BR-2026-001: notify the authority"].walk("VALARM")
    assert [alarm["TRIGGER"].dt for alarm in alarms] == [-timedelta(hours=24), -timedelta(hours=6)]


def test_nothing_due_is_said_as_of_a_day() -> None:
    document = document_of(QueryReader(empty_world()))
    empty = render_ics(document, load_words())
    ((title, event),) = _events(empty).items()
    assert title == f"No date is known by which anything is due (as of {NOW.date()})"
    assert (event["DTSTART"].dt, event.walk("VALARM")) == (NOW.date(), [])
    later = render_ics(dataclasses.replace(document, now=document.now + 2 * DAY), load_words())
    ((_, moved),) = _events(later).items()
    assert moved["UID"] == event["UID"]  # a calendar that is read again moves it, and keeps one
