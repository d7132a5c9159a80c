"""Owns the way from query rows to the typed document; SQL has counted already, here rows only get their names."""

from __future__ import annotations

from dataclasses import dataclass
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
from m365audit.report.document import SCHEMA, Changes, Document, FeedCoverage, GeneratedFrom, Period, SeverityCount
from m365audit.report.finding_rows import build_findings
from m365audit.report.hiding import hidden
from m365audit.report.integration_rows import build_integrations
from m365audit.report.people import People
from m365audit.report.present import Tables, present
from m365audit.report.rows import Reader, Row, TenantNames, count, moment, text
from m365audit.report.sheets import SourceAccount, TenantSection
from m365audit.report.tenants import build_tenants
from m365audit.report.unknown_rows import build_not_assessable
from m365audit.report.unknowns import NotAssessable
from m365audit.report.use_rows import Use, build_use
from m365audit.report.words import Words, load_words


@dataclass(frozen=True, slots=True)
class _Asked:
    """For whom the report is, and what it is made from."""

    tables: Tables
    names: TenantNames
    tenants: tuple[TenantSection, ...]
    now: datetime
    people: People
    words: Words
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What was read and judged, and what could not be."""

    generated_from: GeneratedFrom
    use: Use
    coverage: tuple[FeedCoverage, ...]
    not_assessable: NotAssessable
    sources: tuple[SourceAccount, ...]


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
    tables = present(hidden(reader, people))
    tenants = build_tenants(tables.reader)
    names = TenantNames({tenant.tenant_id: tenant.name for tenant in tenants})
    asked = _Asked(tables, names, tenants, now, people, words, circumstances)
    return _document(asked, _evidence(asked))


def _evidence(asked: _Asked) -> _Evidence:
    reader, names = asked.tables.reader, asked.names
    use = build_use(reader, names)
    return _Evidence(
        generated_from=_generated_from(reader, asked.tenants),
        use=use,
        coverage=build_coverage(reader, names.by_id),
        not_assessable=build_not_assessable(reader, names, use.not_assessable),
        sources=tuple(_source(row, names) for row in reader.rows("report-sources")),
    )


def _document(asked: _Asked, found: _Evidence) -> Document:
    tables, names, words, use = asked.tables, asked.names, asked.words, found.use
    findings, findings_total = build_findings(tables, names, words.language)
    integrations, integrations_total = build_integrations(tables, asked.tenants, use.cells, findings)
    controls, controls_total = build_controls(tables, names, words.language)
    journal, journal_total = build_journal(tables, names)
    waiting, overdue = build_waiting(tables, asked.now)
    return Document(
        schema=SCHEMA,
        language=words.language,
        time_zone=str(words.zone),
        now=asked.now,
        is_identified=asked.people.is_identified,
        circumstances=asked.circumstances,
        title=words.plain("page.title"),
        period=_period(asked.tenants),
        generated_from=found.generated_from,
        answer=make_answer(_findable(asked, found), words),
        clocks=build_clocks(tables, names, asked.now, overdue),
        waiting=waiting,
        control_counts=build_control_counts(tables),
        coverage=found.coverage,
        changes=_changes(tables.reader, found.generated_from.previous_run_at),
        matrix=use.cells,
        matrix_total=sum(item.cells for item in use.totals),
        matrix_totals=use.totals,
        findings=findings,
        findings_total=findings_total,
        outside=use.outside.listed,
        outside_total=use.outside.total,
        not_assessable=found.not_assessable,
        integrations=integrations,
        integrations_total=integrations_total,
        controls=controls,
        controls_total=controls_total,
        attestations=build_attestations(tables, names),
        policy_findings=build_policy_findings(tables, words.language),
        journal=journal,
        journal_total=journal_total,
        sources=found.sources,
        method=words.lines("method"),
        tenants=asked.tenants,
    )


def _findable(asked: _Asked, found: _Evidence) -> Findable:
    return Findable(
        register_state=found.generated_from.register_state,
        cells=found.use.totals,
        coverage=found.coverage,
        outside=found.use.outside.listed,
        not_assessable=found.not_assessable,
        sources=found.sources,
        tenants=asked.tenants,
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


def _changes(reader: Reader, since: datetime | None) -> Changes:
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
        since=since,
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
