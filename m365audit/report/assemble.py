"""Owns the way from query rows to the typed document; SQL has counted already, here rows only get their names."""

from __future__ import annotations

from datetime import datetime

from m365audit.model import SEVERITIES
from m365audit.report.answer import Findable, make_answer
from m365audit.report.clock_rows import build_clocks
from m365audit.report.control_rows import (
    build_attestations,
    build_control_counts,
    build_controls,
    build_policy_findings,
)
from m365audit.report.controls import NOTHING_MORE, Circumstances
from m365audit.report.coverage import build_coverage
from m365audit.report.decided_rows import build_journal, build_waiting
from m365audit.report.document import (
    SCHEMA,
    Cell,
    CellTotals,
    Changes,
    Document,
    GeneratedFrom,
    Judgement,
    Period,
    SeverityCount,
)
from m365audit.report.finding_rows import build_findings
from m365audit.report.hiding import hidden
from m365audit.report.integration_rows import build_integrations
from m365audit.report.people import People
from m365audit.report.present import present
from m365audit.report.rows import Reader, Row, TenantNames, count, moment, text, texts, total, words
from m365audit.report.sheets import SourceAccount, TenantSection
from m365audit.report.tenants import build_tenants
from m365audit.report.unknown_rows import build_not_assessable
from m365audit.report.words import load_words

_CELLS = 5_000
_JUDGEMENTS = 500
"""Of each verdict, the largest first."""


def build_document(
    reader: Reader,
    *,
    now: datetime,
    people: People,
    language: str = "en",
    time_zone: str = "UTC",
    circumstances: Circumstances = NOTHING_MORE,
) -> Document:
    """Return the report's document, made from the published database alone.

    The same database, time and key give the same document: findings are as of the evidence, clocks as of ``now``.

    Args:
        reader: the published database.
        now: what clocks and expiries are measured against.
        people: makes the tokens that stand for persons, or shows their names.
        language: ``en`` or ``nl``.
        time_zone: the reader's, e.g. ``Europe/Amsterdam``; UTC stands beside it.
        circumstances: what the database does not hold and the report has to say.
    """
    words = load_words(language, time_zone)
    reader = hidden(reader, people)
    tables = present(reader)
    tenants = build_tenants(reader)
    names = TenantNames({tenant.tenant_id: tenant.name for tenant in tenants})
    generated_from = _generated_from(reader, tenants)
    coverage = build_coverage(reader, names.by_id)
    outside, not_assessable = _judgements(reader, names)
    unknown = build_not_assessable(reader, names, *not_assessable)
    cells = tuple(one_cell(row, names) for row in reader.rows("report-cells", limit=_CELLS))
    totals = tuple(_cell_totals(row, names) for row in reader.rows("report-cell-totals"))
    sources = tuple(_source(row, names) for row in reader.rows("report-sources"))
    findings, findings_total = build_findings(tables, names, language)
    waiting, overdue = build_waiting(tables, now)
    integrations, integrations_total = build_integrations(tables, tenants, cells, findings)
    controls, controls_total = build_controls(tables, names, language)
    journal, journal_total = build_journal(tables, names)
    found = Findable(generated_from.register_state, totals, coverage, outside[0], unknown, sources, tenants)
    answer = make_answer(found, words)
    return Document(
        schema=SCHEMA,
        language=language,
        time_zone=time_zone,
        now=now,
        is_identified=people.is_identified,
        circumstances=circumstances,
        title=words.plain("page.title"),
        period=_period(tenants),
        generated_from=generated_from,
        answer=answer,
        clocks=build_clocks(tables, names, now, overdue),
        waiting=waiting,
        control_counts=build_control_counts(tables),
        coverage=coverage,
        changes=_changes(reader, generated_from),
        matrix=cells,
        matrix_total=sum(item.cells for item in totals),
        matrix_totals=totals,
        findings=findings,
        findings_total=findings_total,
        outside=outside[0],
        outside_total=outside[1],
        not_assessable=unknown,
        integrations=integrations,
        integrations_total=integrations_total,
        controls=controls,
        controls_total=controls_total,
        attestations=build_attestations(tables, names),
        policy_findings=build_policy_findings(tables, language),
        journal=journal,
        journal_total=journal_total,
        sources=sources,
        method=words.lines("method"),
        tenants=tenants,
    )


def _period(tenants: tuple[TenantSection, ...]) -> Period:
    starts = [tenant.watched_from for tenant in tenants if tenant.watched_from is not None]
    ends = [tenant.watched_to for tenant in tenants if tenant.watched_to is not None]
    return Period(min(starts, default=None), max(ends, default=None))


def _generated_from(reader: Reader, tenants: tuple[TenantSection, ...]) -> GeneratedFrom:
    versions = {process.policy_version for tenant in tenants for process in tenant.processes if process.policy_version}
    policy_versions = tuple(sorted(versions))
    for row in reader.rows("report-run"):
        return GeneratedFrom(
            run_id=text(row, "run_id"),
            command=text(row, "command"),
            generated_at=moment(row, "generated_at"),
            version=text(row, "version"),
            register_hash=text(row, "register_hash"),
            register_state=text(row, "register_state") or "unknown",
            policy_versions=policy_versions,
            previous_run_at=moment(row, "previous_run_at"),
        )
    return GeneratedFrom(None, None, None, None, None, "unknown", policy_versions, None)


def _cell_totals(row: Row, names: TenantNames) -> CellTotals:
    counted = ("cells", "used_cells", "outside_cells", "apps", "apps_outside", "events", "outside_events")
    return CellTotals(*names.of(row), *(count(row, name) for name in counted))


def one_cell(row: Row, names: TenantNames) -> Cell:
    """Return one cell of the matrix."""
    tenant, name = names.of(row)
    return Cell(
        tenant_id=tenant,
        tenant_name=name,
        app_id=text(row, "app_id"),
        app_name=text(row, "app_name"),
        integration_name=text(row, "integration_name"),
        record=text(row, "record"),
        workload=text(row, "workload"),
        recorded=text(row, "recorded") or "unknown",
        granted=text(row, "granted") or "unknown",
        used=count(row, "used"),
        within=count(row, "within"),
        outside=count(row, "outside"),
        not_assessable=count(row, "not_assessable"),
        first_used_at=moment(row, "first_used_at"),
        last_used_at=moment(row, "last_used_at"),
        coverage=text(row, "coverage") or "gap",
    )


Judgements = tuple[tuple[Judgement, ...], int]
"""Those that are listed, and how many there are."""


def _judgements(reader: Reader, names: TenantNames) -> tuple[Judgements, Judgements]:
    """Return what is outside and what could not be assessed."""
    rows: dict[str, list[Row]] = {"outside": [], "not_assessable": []}
    for row in reader.rows("report-judgements", limit=_JUDGEMENTS):
        rows[words(row, "verdict")].append(row)
    outside, unknown = ((tuple(one_judgement(row, names) for row in found), total(found)) for found in rows.values())
    return outside, unknown


def one_judgement(row: Row, names: TenantNames) -> Judgement:
    """Return events of one app with the same verdict for the same reasons."""
    tenant, name = names.of(row)
    return Judgement(
        tenant_id=tenant,
        tenant_name=name,
        app_id=text(row, "app_id"),
        app_name=text(row, "app_name"),
        integration_name=text(row, "integration_name"),
        workload=text(row, "workload"),
        operation=text(row, "operation"),
        verdict=words(row, "verdict"),
        reasons=texts(row, "reasons"),
        record=text(row, "record"),
        process=text(row, "process"),
        events=count(row, "events"),
        first_at=moment(row, "first_at"),
        last_at=moment(row, "last_at"),
    )


def _changes(reader: Reader, generated_from: GeneratedFrom) -> Changes:
    rows = reader.rows("report-finding-counts")

    def found(**wanted: object) -> int:
        return sum(
            count(row, "findings")
            for row in rows
            if all(row[column] == value for column, value in wanted.items())
        )  # fmt: skip

    severities = tuple(
        SeverityCount(
            severity=severity,
            open=found(severity=severity, state="open", is_decided=False),
            decided=found(severity=severity, state="open", is_decided=True),
            new=found(severity=severity, change="new"),
            reopened=found(severity=severity, change="reopened"),
            resolved=found(severity=severity, change="resolved"),
        )
        for severity in reversed(SEVERITIES)
    )
    return Changes(
        since=generated_from.previous_run_at,
        severities=severities,
        new=found(change="new"),
        reopened=found(change="reopened"),
        resolved=found(change="resolved"),
        unchanged=found(change="unchanged"),
    )


def _source(row: Row, names: TenantNames) -> SourceAccount:
    records, stored = count(row, "records"), count(row, "stored")
    duplicate, quarantined = count(row, "duplicate"), count(row, "quarantined")
    return SourceAccount(
        *names.of(row),
        files=count(row, "files"),
        files_partial=count(row, "files_partial"),
        files_refused=count(row, "files_refused"),
        bytes=count(row, "bytes"),
        records=records,
        stored=stored,
        duplicate=duplicate,
        quarantined=quarantined,
        is_balanced=records == stored + duplicate + quarantined,
    )
