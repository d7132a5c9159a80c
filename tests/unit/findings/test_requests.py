"""When a request of a person is due, by two clocks of which the earlier counts, and what may be done about it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m365audit.errors import ReviewError
from m365audit.findings import requests
from m365audit.findings.decisions import Ruling
from m365audit.findings.requests import SubjectRequest, due_days, end_of, extended_day
from m365audit.store.journal import Entry

from .deciding import CLOCKS, NOW, PEOPLE, REASON, person, terms

TERMS, ANA = terms(PEOPLE), person("ana")


def day(text: str) -> date:
    """Return a day of 2026, or of the year given."""
    return date.fromisoformat(text if len(text) == 10 else f"2026-{text}")


@pytest.mark.parametrize(
    ("received", "law", "policy"),
    [
        ("01-31", "02-28", "03-02"),
        ("2028-01-31", "2028-02-29", "2028-03-01"),
        ("2028-02-29", "2028-03-29", "2028-03-30"),
        ("07-31", "08-31", "08-30"),
        ("11-22", "12-22", "12-22"),
        ("03-31", "04-30", "04-30"),
        ("05-31", "06-30", "06-30"),
        ("12-31", "2027-01-31", "2027-01-30"),
        ("2027-02-01", "2027-03-01", "2027-03-03"),
    ],
)
def test_the_earlier_of_a_month_and_thirty_days_counts(received: str, law: str, policy: str) -> None:
    assert due_days(day(received), CLOCKS) == (day(law), day(policy))
    found = fold([Ruling("add", {"kind": "access", "received_on": day(received).isoformat()})])
    assert found.due_on == min(day(law), day(policy))


@given(st.dates(date(2019, 1, 1), date(2060, 1, 1)))
def test_no_request_is_due_before_four_weeks_or_after_a_month(received: date) -> None:
    law, policy = due_days(received, CLOCKS)
    assert timedelta(28) <= law - received <= timedelta(31)
    assert policy - received == timedelta(30)
    assert law.day == received.day or (law + timedelta(1)).day == 1
    assert extended_day(received, CLOCKS) > law


@pytest.mark.parametrize(("on", "offset"), [("03-29", 2), ("10-25", 1), ("07-01", 2), ("12-31", 1)])
def test_a_day_ends_where_its_reader_is(on: str, offset: int) -> None:
    end = end_of(day(on), ZoneInfo("Europe/Amsterdam"))
    assert end == datetime.combine(day(on), datetime.min.time(), UTC) + timedelta(hours=24 - offset, seconds=-1)


def fold(rulings: list[Ruling]) -> SubjectRequest:
    """Return how a request stands after these entries."""
    entries = [
        Entry("request", "t", "DS-1", each.event, ANA, each.body, number, NOW, number, "", "")
        for number, each in enumerate(rulings, 1)
    ]
    return requests.fold(entries, CLOCKS)


def added(received: str = "11-01") -> Ruling:
    """Return the entry of a request that came in."""
    return requests.add(TERMS, ANA, "erase", day(received), "ticket 7", today=day("11-23"))


def test_the_policy_may_promise_fewer_days() -> None:
    found = due_days(day("11-01"), CLOCKS, 14)
    assert found == (day("12-01"), day("11-15"))


def test_it_is_extended_within_the_first_month_only_and_once() -> None:
    open_one = fold([added()])
    last = requests.extend(TERMS, open_one, ANA, REASON, today=day("12-01"), clocks=CLOCKS)
    extended = fold([added(), last])
    assert (extended.state, extended.due_on) == ("extended", day("2027-02-01"))
    with pytest.raises(ReviewError, match="first month is over"):
        requests.extend(TERMS, open_one, ANA, REASON, today=day("12-02"), clocks=CLOCKS)
    with pytest.raises(ReviewError, match="already"):
        requests.extend(TERMS, extended, ANA, REASON, today=day("11-30"), clocks=CLOCKS)
    with pytest.raises(ReviewError, match="characters"):
        requests.extend(TERMS, open_one, ANA, "busy", today=day("11-30"), clocks=CLOCKS)


@pytest.mark.parametrize("is_refused", [True, False])
def test_it_is_ended_once_with_a_reason(*, is_refused: bool) -> None:
    ended = requests.end(TERMS, fold([added()]), ANA, REASON, at=NOW, is_refused=is_refused)
    found = fold([added(), ended])
    assert (found.state, found.answered_at, found.is_running) == ("refused" if is_refused else "answered", NOW, False)
    with pytest.raises(ReviewError, match="already"):
        requests.end(TERMS, found, ANA, REASON, at=NOW, is_refused=False)
    with pytest.raises(ReviewError, match="characters"):
        requests.end(TERMS, fold([added()]), ANA, "", at=NOW, is_refused=is_refused)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ReviewError, match="future"):
        added("11-24")
    with pytest.raises(ReviewError, match="no request 'acces'"):
        requests.add(TERMS, ANA, "acces", day("11-01"), "", today=day("11-23"))
    with pytest.raises(ReviewError, match="may not"):
        requests.add(TERMS, person("rev"), "access", day("11-01"), "", today=day("11-23"))
