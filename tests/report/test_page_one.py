"""Page 1 and what it leads to: clocks as of now, counts of controls, decisions that wait; nobody is named."""

# ruff: noqa: RUF001 - the dash is a sign of the page

from __future__ import annotations

import dataclasses
from datetime import timedelta

import duckdb
import pytest

from m365audit.report import Circumstances, Document, render

from .database import PERSON
from .page import Element, read_page
from .reader import NOW, QueryReader, document_of


def _page(document: Document) -> Element:
    return read_page(render(document, "html"))


def test_the_breach_clock_counts_down_to_the_minute_in_both_times(report_world: duckdb.DuckDBPyConnection) -> None:
    document = document_of(QueryReader(report_world), time_zone="Europe/Amsterdam")
    text = _page(document).by_id("page-one").text()
    assert "BR-2026-001 40 h 30 min left" in text
    assert "due Mon 23 Nov 2026 01:30 Amsterdam (00:30 UTC)" in text
    assert "BR-2026-002" not in text


def test_a_clock_that_ran_out_says_how_late_it_is(report_world: duckdb.DuckDBPyConnection) -> None:
    late = document_of(QueryReader(report_world), now=NOW + timedelta(hours=41))
    text = _page(late).by_id("page-one").text()
    assert "BR-2026-001 0 h 30 min too late" in text
    assert "clock late" in {item.attributes.get("class") for item in _page(late).all("li")}


def test_a_minute_that_is_over_is_not_left(report_world: duckdb.DuckDBPyConnection) -> None:
    document = document_of(QueryReader(report_world), now=NOW + timedelta(hours=40, minutes=30, seconds=1))
    assert document.clocks.breaches[0].seconds_left == -1


def test_summer_time_does_not_move_the_clock(report_world: duckdb.DuckDBPyConnection) -> None:
    readings = {
        document_of(QueryReader(report_world), time_zone=zone).clocks.breaches[0].seconds_left
        for zone in ("UTC", "Europe/Amsterdam", "Pacific/Apia")
    }
    assert len(readings) == 1


def test_requests_records_and_overdue_reviews_stand_beside_it(document: Document) -> None:
    text = _page(document).by_id("page-one").text()
    assert "DS-19 5 days left" in text
    assert document.clocks.reviews_overdue == 1
    assert "Consent records that end within 30 days 0" in text


def test_controls_are_counted_by_outcome_and_never_scored(document: Document) -> None:
    text = _page(document).by_id("page-one").text()
    assert "▲ 6 outside · ◆ 3 for a person · ? 3 not assessable · ✓ 3 within · – 3 not applicable" in text
    assert document.control_counts.attested == 1
    assert "1 weakness of the policy's own text" in text
    assert "%" not in _page(document).by_id("controls").text()


def test_what_waits_for_a_decision_is_counted_and_leads_there(document: Document) -> None:
    page = _page(document)
    waiting = {link.text(): link.attributes["href"] for link in page.by_id("page-one").all("a")}
    assert waiting["1 ending of a finding waits for a second person"] == "#decisions"
    assert waiting["0 critical and high findings that nobody decided"] == "#findings"
    assert waiting["1 decision came back and has to be made again"] == "#decisions"
    assert waiting["1 acceptance waits for the data protection officer's opinion"] == "#decisions"
    assert waiting["! 1 acceptance expired"] == "#decisions"
    text = page.by_id("page-one").text()
    assert "1 accepted risk , the data protection officer disagreed with 1" in text


def test_what_was_not_looked_at_is_not_zero(report_world: duckdb.DuckDBPyConnection) -> None:
    reader = QueryReader(report_world)
    names = [row for row in reader.rows("report-present") if row["table_name"] not in {"controls", "finding_reviews"}]

    class Older:
        def rows(self, query_name: str, **params: object) -> list[dict[str, object]]:
            return names if query_name == "report-present" else reader.rows(query_name, **params)

        batches = reader.batches

    document = document_of(Older())
    text = _page(document).by_id("page-one").text()
    assert "not looked at. That is not a pass." in text
    assert "what else waits is not known" in text
    assert "Reviews overdue not known" in text


@pytest.mark.parametrize(
    ("circumstances", "said"),
    [
        (Circumstances(is_second_person_off=True), "the second person is switched off"),
        (Circumstances(is_one_person=True), "Data protection officer and risk owner are one person"),
    ],
)
def test_a_missing_second_person_is_said_on_page_one(
    document: Document, circumstances: Circumstances, said: str
) -> None:
    assert said not in _page(document).by_id("page-one").text()
    changed = dataclasses.replace(document, circumstances=circumstances)
    assert said in _page(changed).by_id("page-one").text()


def test_a_finding_tells_what_to_do_and_who_decided_by_role(document: Document) -> None:
    page = _page(document)
    shown = {article.all("h3")[0].text(): article.text() for article in page.all("article")}
    first = next(text for title, text in shown.items() if "Use went on after" in title)
    assert "What to do next" in first
    assert "Speaks against" in first
    assert "data protection officer" in first
    assert "(time)" in first


def test_an_attestation_is_shown_and_stays_not_assessable(document: Document) -> None:
    row = next(row for row in _page(document).all("tr") if row.text().startswith("C08-4") and "attested" in row.text())
    assert "not assessable" in row.text()
    assert "attested by provider on 2026-11-21" in row.text()


def test_nobody_is_named_in_any_section(document: Document) -> None:
    page = render(document, "html").decode()
    assert PERSON not in page
    assert "Anna de Vries" not in page
    assert document.journal[0].person.startswith("P-")
    assert document.journal[0].person in page


def test_the_integrity_block_holds_what_it_was_given(document: Document) -> None:
    given = Circumstances(database_hash="d" * 64, journal_entries=5, journal_head="e" * 64)
    text = _page(dataclasses.replace(document, circumstances=given)).text()
    assert f"SHA-256 {'d' * 64}" in text
    assert f"5 entries, head {'e' * 64}" in text


@pytest.mark.parametrize(("days", "count"), [(2, 0), (3, 1)])
def test_a_tenant_whose_evidence_ends_early_is_not_known_until_the_end_of_the_period(
    report_world: duckdb.DuckDBPyConnection, days: int, count: int
) -> None:
    reader = QueryReader(report_world)

    class Early:
        def rows(self, query_name: str, **params: object) -> list[dict[str, object]]:
            rows = reader.rows(query_name, **params)
            if query_name == "report-tenants":
                rows[0]["watched_to"] -= timedelta(days=days)  # type: ignore[operator]
            return rows

        batches = reader.batches

    unknowns = {item.code: item for item in document_of(Early()).answer.unknowns}
    assert ("tenants_ended_early" in unknowns) == bool(count)
    if count:
        assert unknowns["tenants_ended_early"].what == "tenant's evidence ends days before the others'"
