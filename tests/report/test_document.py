"""What the document says: the answer, its limits, its bounds. Unknown never reads as fine."""

from __future__ import annotations

import dataclasses
import time
from datetime import datetime, timedelta

import duckdb
import pytest

from m365audit.errors import QueryError
from m365audit.model import FEEDS, LOG_FEEDS
from m365audit.report import Document, render
from m365audit.report.document import Evidence
from m365audit.report.finding_rows import EVIDENCE_ROWS
from m365audit.report.matrix import build_matrix
from m365audit.report.tables import SECTIONS

from .database import (
    ADATUM,
    CONTOSO,
    CRM,
    FABRIKAM,
    FROM,
    PERSON,
    RUN_AT,
    TO,
    access,
    empty_world,
    insert,
    make_cells,
)  # fmt: skip
from .page import Element, read_page
from .reader import QueryReader, document_of, pieces
from .world import build_world


def _page_one(document: Document) -> Element:
    return read_page(render(document, "html")).by_id("page-one")


def _lone_tenant(*, evaluated: bool = True, covered: bool = True) -> duckdb.DuckDBPyConnection:
    """One tenant with one recorded app; every log is complete when ``covered``."""
    connection = empty_world()
    insert(connection, "tenants",
           {"tenant_id": CONTOSO, "name": "Contoso", "is_evaluated": evaluated, "watched_from": FROM,
            "watched_to": TO, "access_events": 0, "unmapped_events": 0,
            "not_evaluated_reason": None if evaluated else "crm.yaml:3: two records have the same name"})  # fmt: skip
    insert(connection, "runs",
           {"tenant_id": CONTOSO, "run_id": "r1", "command": "evaluate", "started_at": RUN_AT, "version": "0.1.0",
            "register_state": "valid" if evaluated else "invalid"})  # fmt: skip
    insert(connection, "policy_workloads", {"workload": "mail"})
    for feed in FEEDS if covered else ():
        insert(connection, "coverage",
               {"tenant_id": CONTOSO, "feed": feed, "covered_from": FROM if feed in LOG_FEEDS else TO,
                "covered_to": TO, "state": "complete", "records": 1})  # fmt: skip
    return connection


def _use(connection: duckdb.DuckDBPyConnection, verdict: str, reasons: list[str]) -> None:
    events, verdicts = access(CONTOSO, CRM, "mail", "read", verdict, reasons, count=3, start=FROM)
    insert(connection, "access_events", *events)
    insert(connection, "verdicts", *verdicts)
    connection.execute("UPDATE tenants SET access_events = 3")


def _document(connection: duckdb.DuckDBPyConnection) -> Document:
    make_cells(connection)
    return document_of(QueryReader(connection))


def test_outside_use_is_the_answer_and_says_that_there_may_be_more(document: Document) -> None:
    answer = document.answer
    assert answer.state == "outside"
    assert (answer.outside_events, answer.outside_cells, answer.used_cells, answer.events) == (79, 3, 8, 212)
    assert (answer.tenants_outside, answer.tenants) == (1, 3)
    assert [item.tenant_name for item in answer.not_judged] == ["Adatum"]
    assert "There may be more" in answer.explanation
    text = _page_one(document).text()
    assert "Yes. Data was used outside the recorded consent." in text
    assert "Adatum was not judged: consent/adatum/crm.yaml:14" in text


def test_an_invalid_register_makes_nothing_judged_the_most_prominent_answer() -> None:
    connection = _lone_tenant(evaluated=False)
    _use(connection, "not_assessable", ["register_invalid"])
    document = _document(connection)
    assert document.answer.state == "nothing_judged"
    assert document.generated_from.register_state == "invalid"
    assert {cell.recorded for cell in document.matrix} == {"unknown"}
    first = _page_one(document).by_id("answer-box")
    assert first.all("p")[0].text() == "■ Nothing was judged."
    assert "crm.yaml:3: two records have the same name" in first.text()
    assert "within" not in _page_one(document).all("table")[-1].text()
    assert "a zero below means that nobody looked" in _page_one(document).text()


def test_an_empty_database_is_not_a_pass() -> None:
    reader = QueryReader(empty_world())
    document = document_of(reader)
    assert document.answer.state == "nothing_judged"
    assert document.period.start is None
    for form, section in (("html", None), ("json", None), *(("csv", section) for section in SECTIONS)):
        assert b"".join(pieces(reader, form, section))


def test_no_events_is_never_worded_as_no_processing() -> None:
    document = _document(_lone_tenant())
    assert document.answer.state == "no_events"
    assert "proves nothing" in document.answer.headline
    assert "No events is not the same as no processing" in _page_one(document).text()


def test_agreement_with_everything_known_is_the_only_good_answer() -> None:
    connection = _lone_tenant()
    _use(connection, "within", [])
    document = _document(connection)
    assert document.answer.unknowns == ()
    assert document.answer.state == "none_seen"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE coverage SET state = 'gap' WHERE feed = 'audit_exchange'", "logs_missing"),
        ("UPDATE coverage SET covered_to = covered_to - INTERVAL 1 SECOND WHERE feed = 'audit_teams'",
         "logs_with_gaps"),
        ("UPDATE coverage SET state = 'provisional' WHERE feed = 'graph_activity'", "logs_provisional"),
        ("DELETE FROM coverage WHERE feed = 'call_records'", "logs_missing"),
        ("DELETE FROM coverage WHERE feed = 'app_role_assignments'", "grants_not_read"),
        ("DELETE FROM coverage WHERE feed = 'exchange_role_assignments'", "inner_grants_not_read"),
        ("UPDATE coverage SET state = 'gap', reason = 'permission' WHERE feed = 'rsc_grants'", "inner_grants_not_read"),
        ("UPDATE tenants SET unmapped_events = 1", "unmapped_calls"),
        ("UPDATE tenants SET access_events = 4", "events_without_verdict"),
        ("UPDATE verdicts SET verdict = 'not_assessable' WHERE event_id LIKE '%00001'", "events_not_assessable"),
        ("INSERT INTO rule_outcomes VALUES ('{t}', 'r', 'not_evaluated', 'x', 0, false)", "rules_not_evaluated"),
        ("INSERT INTO rule_outcomes VALUES ('{t}', 'r', 'error', 'x', 0, false)", "rules_failed"),
        (("INSERT INTO sources (tenant_id, records, stored, duplicate, quarantined, outcome)"
         " VALUES ('{t}', 3, 1, 1, 1, 'imported')"), "records_quarantined"),
        (("INSERT INTO sources (tenant_id, records, stored, duplicate, quarantined, outcome)"
         " VALUES ('{t}', 3, 1, 1, 0, 'imported')"), "sources_unbalanced"),
        ("INSERT INTO sources (tenant_id, outcome) VALUES ('{t}', 'refused')", "files_refused"),
        ("INSERT INTO sources (tenant_id, outcome) VALUES ('{t}', 'partial')", "files_partial"),
        ("INSERT INTO grants (tenant_id, app_id, is_current) VALUES ('{t}', 'x', true)", "grants_unreadable"),
        ("INSERT INTO tenants VALUES ('t2', 'Other', false, 'x', NULL, NULL, 0, 0, false)", "tenants_not_judged"),
        (("INSERT INTO register_versions (tenant_id, record, process, version, workload, operations)"
         " VALUES ('{t}', 'r', 'p', 1, 'files', [])"), "processes_not_audited"),
    ],
)  # fmt: skip
def test_each_unknown_reaches_page_one_and_ends_the_good_answer(change: str, code: str) -> None:
    connection = _lone_tenant()
    _use(connection, "within", [])
    connection.execute(change.replace("{t}", CONTOSO))
    document = _document(connection)
    assert document.answer.state == "cannot_tell"
    found = {item.code: item for item in document.answer.unknowns}
    assert code in found
    page = read_page(render(document, "html"))
    link = next(a for a in page.by_id("page-one").all("a") if a.text() == f"{found[code].count} {found[code].what}")
    assert page.by_id((link.attributes["href"] or "")[1:]).tag in ("h2", "h3")


def test_coverage_never_rounds_up_and_names_feeds_that_nobody_saw(document: Document) -> None:
    lines = {(line.tenant_id, line.feed): line for line in document.coverage}
    assert len(lines) == 3 * len(FEEDS)
    assert (lines[CONTOSO, "audit_exchange"].state, lines[CONTOSO, "audit_exchange"].covered_percent) == ("partial", 83)
    assert lines[CONTOSO, "sign_ins_interactive"].state == "provisional"
    assert lines[CONTOSO, "app_role_assignments"].state == "observed"
    assert lines[FABRIKAM, "delegated_permission_grants"].state == "none"
    assert lines[FABRIKAM, "sign_ins_non_interactive"].gap_reasons == ("not_collected",)
    assert lines[ADATUM, "graph_activity"].covered_percent == 0
    assert "< 1 %" in _page_one(document).text()


@pytest.mark.parametrize(
    ("feeds", "reason", "said"),
    [
        ([feed for feed in FEEDS if feed.startswith("sign_ins_")], "licence",
         "All four sign-in logs : the tenant's licence does not include it: buy one that does, or accept the gap"),
        (["sign_ins_interactive", "users"], "permission",
         "Sign-ins, interactive, Users : the auditor may not read it: grant it the permission that"),
        ([feed for feed in FEEDS if feed.startswith("audit_")], "disabled",
         "Unified audit log : the log is not switched on: “m365audit doctor” says where"),
        (["directory_audits"], "expired",
         "Directory audit : Microsoft does not keep it any more: it can only come from an export made in time"),
        ([feed for feed in FEEDS if feed not in LOG_FEEDS], "error",
         "Every listing of the directory : reading it failed"),
        (["call_records"], "throttled", "Call records : Microsoft's limits did not let it be read in time"),
        (["call_records"], "error", "Call records : reading it failed: the next run tries again"),
        (["call_records"], "not_read_yet", "Call records : not read yet: the next run reads it"),
    ],
)  # fmt: skip
def test_page_one_says_what_was_not_seen_and_why_with_the_next_step(feeds: list[str], reason: str, said: str) -> None:
    connection = _lone_tenant()
    connection.execute("UPDATE coverage SET state = 'gap', reason = ? WHERE list_contains(?, feed)", [reason, feeds])
    assert said in _page_one(_document(connection)).text()


def test_what_was_seen_in_part_is_not_said_to_be_unseen() -> None:
    connection = _lone_tenant()
    connection.execute(
        "INSERT INTO coverage (tenant_id, feed, covered_from, covered_to, state, reason) SELECT tenant_id, feed, "
        "covered_from, covered_from + INTERVAL 1 DAY, 'gap', 'expired' FROM coverage WHERE feed = 'directory_audits'"
    )
    assert "Directory audit , in part: Microsoft does not keep it" in _page_one(_document(connection)).text()


def test_a_hole_of_one_second_is_not_a_hundred_percent() -> None:
    connection = _lone_tenant()
    connection.execute("UPDATE coverage SET covered_to = covered_to - INTERVAL 1 SECOND WHERE feed = 'audit_teams'")
    line = next(line for line in _document(connection).coverage if line.feed == "audit_teams")
    assert (line.state, line.covered_percent) == ("partial", 99)


def test_records_that_were_set_aside_are_a_gap_of_every_time() -> None:
    connection = _lone_tenant()
    seen = {"first_seen_at": FROM, "last_seen_at": TO}
    insert(connection, "findings", {"tenant_id": CONTOSO, "finding_id": "f", "rule": "r", "severity": "high", **seen})
    reader = QueryReader(connection)
    asked = {"tenant": CONTOSO, "findings": ["f"]}
    assert [row["gaps"] for row in reader.rows("breach-evidence", **asked)] == [0]
    told = "1 record(s) of 1 file(s) could not be taken in (table quarantine)"
    insert(connection, "coverage", {"tenant_id": CONTOSO, "feed": "audit_teams", "state": "gap",
                                    "reason": "records_missing", "records": 0, "detail": told})  # fmt: skip
    document = _document(connection)
    line = next(line for line in document.coverage if line.feed == "audit_teams")
    assert (line.state, line.covered_percent, line.gap_details) == ("partial", 99, (told,))
    assert "Teams audit , in part: records of it could not be taken in" in _page_one(document).text()
    assert [row["gaps"] for row in reader.rows("breach-evidence", **asked)] == [1]


def test_overlapping_evidence_is_counted_once() -> None:
    connection = _lone_tenant()
    middle = FROM + (TO - FROM) / 2
    connection.execute("DELETE FROM coverage WHERE feed = 'graph_activity'")
    for begin, end, state in ((FROM, middle, "complete"), (FROM, middle, "provisional"), (FROM, FROM, "complete"),
                              (FROM + timedelta(days=1), middle, "complete")):  # fmt: skip
        insert(connection, "coverage", {"tenant_id": CONTOSO, "feed": "graph_activity", "covered_from": begin,
                                        "covered_to": end, "state": state})  # fmt: skip
    line = next(line for line in _document(connection).coverage if line.feed == "graph_activity")
    assert line.covered_seconds == line.complete_seconds == (TO - FROM).total_seconds() / 2
    assert line.covered_percent == 50


def test_evidence_is_the_first_in_time_with_the_command_for_the_rest(document: Document) -> None:
    finding = document.findings[0]
    assert (finding.rule, finding.evidence_count, len(finding.evidence)) == ("used-after-end", 45, EVIDENCE_ROWS)
    times = [event.occurred_at for event in finding.evidence if event.occurred_at is not None]
    assert times == sorted(times)
    assert finding.evidence[0].event_id.endswith("00000")
    assert finding.evidence_command == (
        f"m365audit query finding-evidence --param tenant={CONTOSO} --param finding={finding.finding_id}"
    )
    assert "Evidence: the first 20 and the last of 45" in read_page(render(document, "html")).text()


def test_findings_come_gravest_first_and_resolved_ones_last(document: Document) -> None:
    assert [(item.severity, item.state) for item in document.findings] == [
        ("critical", "open"), ("high", "open"), ("medium", "open"), ("low", "open"), ("info", "open"),
        ("medium", "resolved"),
    ]  # fmt: skip


def test_changes_count_every_finding_once(document: Document) -> None:
    changes = document.changes
    assert (changes.new, changes.reopened, changes.resolved, changes.unchanged) == (2, 1, 1, 2)
    assert changes.since == RUN_AT - timedelta(days=7)
    assert sum(line.open + line.decided for line in changes.severities) == 5


def test_page_one_names_no_person(document: Document) -> None:
    named = dataclasses.replace(
        document,
        answer=dataclasses.replace(document.answer, highlights=tuple(
            dataclasses.replace(item, app_name=f"Helper of {PERSON}", integration_name=None)
            for item in document.answer.highlights
        )),
        matrix=tuple(dataclasses.replace(cell, integration_name=f"Sync {PERSON}") for cell in document.matrix),
    )  # fmt: skip
    assert PERSON not in _page_one(named).text()
    assert "[address]" in _page_one(named).text()
    assert PERSON not in render(document, "html").decode()


def test_accounting_adds_up_or_says_so(document: Document) -> None:
    account = next(item for item in document.sources if item.tenant_id == CONTOSO)
    assert account.records == account.stored + account.duplicate + account.quarantined == 1127
    assert account.is_balanced


def test_a_large_matrix_shows_the_gravest_rows_and_counts_the_others(document: Document) -> None:
    cells = [
        dataclasses.replace(document.matrix[0], app_id=f"app-{number:03d}", outside=number % 50, used=50)
        for number in range(100)
    ]
    totals = dataclasses.replace(document.matrix_totals[0], tenant_id=cells[0].tenant_id, apps=1_000, apps_outside=900)
    (tenant,) = build_matrix(cells, [totals], room=10).tenants
    assert [row.outside for row in tenant.rows] == [49, 49, 48, 48, 47, 47, 46, 46, 45, 45]
    assert (tenant.hidden, tenant.hidden_outside) == (990, 890)
    page = _page_one(dataclasses.replace(document, matrix=tuple(cells), matrix_totals=(totals,)))
    assert "988 more integrations , 888 of them with use outside the record" in page.text()


def test_two_hundred_findings_make_less_than_a_megabyte_in_about_a_second(document: Document) -> None:
    event = Evidence(
        feed="graph_activity", event_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        occurred_at=datetime.fromisoformat("2026-11-03T12:00:00.123456+00:00"),
        app_id=CRM, workload="mail", operation="read", what="GET /users/{}/mailFolders/{}/messages",
        resource_kind="user", resource_id="44444444-4444-4444-8444-000000000000", country="NL", verdict="outside",
        reasons=("no_record",),
    )  # fmt: skip
    findings = tuple(
        dataclasses.replace(
            document.findings[0], finding_id=f"F1-{number:026d}", evidence=(event,) * EVIDENCE_ROWS, evidence_last=event
        )
        for number in range(200)
    )
    large = dataclasses.replace(document, findings=findings, findings_total=200)
    render(document, "html")
    begin = time.perf_counter()
    page = render(large, "html")
    assert time.perf_counter() - begin < 3  # about 0.4 s when nothing else runs
    assert len(page) < 1_000_000
    assert page.count(b"the first 3 and the last of 45") == 200


@pytest.mark.parametrize(("form", "section"), [("docx", None), ("csv", "people"), ("html", "cells")])
def test_an_unknown_form_or_section_is_refused(form: str, section: str | None) -> None:
    with pytest.raises(QueryError):
        pieces(QueryReader(empty_world()), form, section)


def test_a_document_has_no_other_form(document: Document) -> None:
    with pytest.raises(QueryError):
        render(document, "csv")


def test_the_page_says_when_it_does_not_show_every_finding(document: Document) -> None:
    page = render(dataclasses.replace(document, findings_total=9_000), "html")
    assert "6 of 9,000 findings are shown" in read_page(page).text()


def test_a_world_can_be_built_twice_alike() -> None:
    assert document_of(QueryReader(build_world())) == document_of(QueryReader(build_world()))


def test_a_title_shows_the_apps_name_in_place_of_its_id(document: Document) -> None:
    finding = dataclasses.replace(document.findings[0], title=f"{CRM} went on", app_name="<b>CRM</b>")
    page = read_page(render(dataclasses.replace(document, findings=(finding,)), "html"))
    assert page.by_id("finding-1").text().endswith("“<b>CRM</b>” went on")


def test_what_the_collector_says_of_a_gap_is_shown_with_the_next_step() -> None:
    connection = _lone_tenant()
    connection.execute(
        "UPDATE coverage SET state = 'gap', reason = 'permission', detail = 'grant <b>AuditLog.Read.All</b>' "
        "WHERE feed = 'directory_audits'"
    )
    document = _document(connection)
    (line,) = [line for line in document.coverage if line.feed == "directory_audits"]
    assert (line.gap_reasons, line.gap_details) == (("permission",), ("grant <b>AuditLog.Read.All</b>",))
    page = b"".join(pieces(QueryReader(connection), "html", None)).decode()
    assert "the auditor may not read it" in page
    assert "grant &lt;b&gt;AuditLog.Read.All&lt;/b&gt;" in page


def test_a_listing_that_was_refused_the_last_time_has_a_gap() -> None:
    connection = _lone_tenant()
    insert(connection, "coverage",
           {"tenant_id": CONTOSO, "feed": "users", "covered_from": TO, "covered_to": TO, "state": "gap",
            "reason": "throttled", "records": 0})  # fmt: skip
    (line,) = [line for line in _document(connection).coverage if line.feed == "users"]
    assert (line.state, line.gap_reasons) == ("partial", ("throttled",))
