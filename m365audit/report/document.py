"""Owns the typed document that every renderer shows; holds values and no words of layout, and never reads a database.

What is unknown is None or the word ``unknown``, never zero and never an empty cell that could be read as "all well".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from m365audit.report.controls import Attestation, Circumstances, Control, ControlCounts, PolicyFinding
from m365audit.report.decided import Clocks, Review, ReviewEvent, Waiting
from m365audit.report.sheets import SourceAccount, TenantSection
from m365audit.report.timeline import Integration
from m365audit.report.unknowns import NotAssessable, NotJudged, Unknown
from m365audit.report.use import Cell, CellTotals, Judgement

SCHEMA = "m365audit.report/2"


@dataclass(frozen=True, slots=True)
class Period:
    """The watched time, half-open, UTC; None when there is no evidence at all."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class GeneratedFrom:
    """What the report was made from: enough to make the same report again."""

    run_id: str | None
    command: str | None
    generated_at: datetime | None
    version: str | None
    register_hash: str | None
    register_state: str
    policy_versions: tuple[str, ...]
    previous_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The first thing the reader sees.

    ``state``: nothing_judged, outside, no_events, cannot_tell, none_seen.
    """

    state: str
    headline: str
    explanation: str
    outside_events: int
    outside_cells: int
    used_cells: int
    events: int
    tenants: int
    tenants_outside: int
    not_judged: tuple[NotJudged, ...]
    highlights: tuple[Judgement, ...]
    unknowns: tuple[Unknown, ...]
    is_register_absent: bool


@dataclass(frozen=True, slots=True)
class FeedCoverage:
    """How much of the watched time one source of evidence covers in one tenant.

    ``state``: complete, provisional, partial, observed (a state feed that was read), none.
    ``covered_percent`` is rounded down and never 100 while a gap is known; None for state feeds. ``gap_details`` are
    sentences of the collector's: what happened, and the next step.
    """

    tenant_id: str
    tenant_name: str
    feed: str
    state: str
    covered_percent: int | None
    watched_seconds: int
    covered_seconds: int
    complete_seconds: int
    gaps: int
    gap_reasons: tuple[str, ...]
    records: int
    first_at: datetime | None
    last_at: datetime | None
    gap_details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeverityCount:
    """Findings of one severity: open and undecided, open and decided, and what moved since the run before."""

    severity: str
    open: int
    decided: int
    new: int
    reopened: int
    resolved: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What moved since the run before."""

    since: datetime | None
    severities: tuple[SeverityCount, ...]
    new: int
    reopened: int
    resolved: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One event behind a finding; things are named by id, people are not named."""

    feed: str
    event_id: str
    occurred_at: datetime | None
    app_id: str | None
    workload: str | None
    operation: str | None
    what: str | None
    resource_kind: str | None
    resource_id: str | None
    country: str | None
    verdict: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One tracked statement with the first pieces of its evidence, the last one, and the command that shows them all.

    ``is_seen``: the newest evaluation shows it; else times and evidence are of the last one that did.
    ``evidence_kept``: pieces that the published database holds. ``evidence_last``: None when it is among the first.
    ``controls``: the commitments that it speaks against. ``dimensions``: in what it differs from the record (record,
    period, workload, operation, access_kind, permission, resource, unknown). ``advice``: what to do next, in
    ``text_language`` as title and question are. ``history``: what was decided, the oldest first.
    """

    tenant_id: str
    tenant_name: str
    finding_id: str
    rule: str
    severity: str
    title: str
    question: str | None
    subject: str | None
    app_id: str | None
    app_name: str | None
    record: str | None
    process: str | None
    state: str
    decision: str | None
    change: str | None
    reasons: tuple[str, ...]
    opened_at: datetime | None
    resolved_at: datetime | None
    reopened: int
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    evidence_count: int
    is_seen: bool
    evidence_kept: int
    evidence: tuple[Evidence, ...]
    evidence_last: Evidence | None
    evidence_command: str
    controls: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    advice: str | None = None
    text_language: str = "en"
    review: Review | None = None
    history: tuple[ReviewEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The whole report. Every list is bounded or as long as the configuration; its total stands beside it."""

    schema: str
    language: str
    time_zone: str
    now: datetime
    is_identified: bool
    circumstances: Circumstances
    title: str
    period: Period
    generated_from: GeneratedFrom
    answer: Answer
    clocks: Clocks
    waiting: Waiting
    control_counts: ControlCounts
    coverage: tuple[FeedCoverage, ...]
    changes: Changes
    matrix: tuple[Cell, ...]
    matrix_total: int
    matrix_totals: tuple[CellTotals, ...]
    findings: tuple[Finding, ...]
    findings_total: int
    outside: tuple[Judgement, ...]
    outside_total: int
    not_assessable: NotAssessable
    integrations: tuple[Integration, ...]
    integrations_total: int
    controls: tuple[Control, ...]
    controls_total: int
    attestations: tuple[Attestation, ...]
    policy_findings: tuple[PolicyFinding, ...]
    journal: tuple[ReviewEvent, ...]
    journal_total: int
    sources: tuple[SourceAccount, ...]
    method: tuple[str, ...]
    tenants: tuple[TenantSection, ...]
