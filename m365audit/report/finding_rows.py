"""Owns findings and the first pieces of their evidence; the rest stays in the database, one command away."""

from __future__ import annotations

import shlex
from collections import defaultdict

from m365audit.report.document import Evidence, Finding
from m365audit.report.rows import Reader, Row, TenantNames, count, flag, moment, text, texts, total, words

EVIDENCE_ROWS = 20
"""Pieces of evidence per finding; the finding's command shows all of them."""
_FINDINGS = 5_000


def build_findings(reader: Reader, names: TenantNames) -> tuple[tuple[Finding, ...], int]:
    """Return the findings, gravest first, and how many there are in all."""
    rows = reader.rows("report-findings", limit=_FINDINGS)
    evidence: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for row in reader.rows("report-evidence", rows=EVIDENCE_ROWS, findings=_FINDINGS):
        evidence[words(row, "tenant_id"), words(row, "finding_id")].append(one_evidence(row))
    return tuple(_with_evidence(row, names, evidence) for row in rows), total(rows)


def _with_evidence(row: Row, names: TenantNames, evidence: dict[tuple[str, str], list[Evidence]]) -> Finding:
    pieces = evidence.get((words(row, "tenant_id"), words(row, "finding_id")), [])
    first, others = tuple(pieces[:EVIDENCE_ROWS]), pieces[EVIDENCE_ROWS:]
    return one_finding(row, names, first, others[-1] if others else None)


def one_evidence(row: Row) -> Evidence:
    """Return one piece of evidence."""
    return Evidence(
        feed=words(row, "feed"),
        event_id=words(row, "event_id"),
        occurred_at=moment(row, "occurred_at"),
        app_id=text(row, "app_id"),
        workload=text(row, "workload"),
        operation=text(row, "operation"),
        what=text(row, "what"),
        resource_kind=text(row, "resource_kind"),
        resource_id=text(row, "resource_id"),
        country=text(row, "country"),
        verdict=text(row, "verdict"),
        reasons=texts(row, "reasons"),
    )


def one_finding(row: Row, names: TenantNames, evidence: tuple[Evidence, ...], last: Evidence | None) -> Finding:
    """Return one finding with the pieces of evidence that are shown."""
    tenant, name = names.of(row)
    finding_id = words(row, "finding_id")
    return Finding(
        tenant_id=tenant,
        tenant_name=name,
        finding_id=finding_id,
        rule=words(row, "rule"),
        severity=words(row, "severity"),
        title=words(row, "title"),
        question=text(row, "question"),
        subject=text(row, "subject"),
        app_id=text(row, "app_id"),
        app_name=text(row, "app_name"),
        record=text(row, "record"),
        process=text(row, "process"),
        state=words(row, "state"),
        decision=text(row, "decision"),
        change=text(row, "change"),
        reasons=texts(row, "reasons"),
        opened_at=moment(row, "opened_at"),
        resolved_at=moment(row, "resolved_at"),
        reopened=count(row, "reopened"),
        first_seen_at=moment(row, "first_seen_at"),
        last_seen_at=moment(row, "last_seen_at"),
        evidence_count=count(row, "evidence_count"),
        is_seen=flag(row, "is_seen"),
        evidence_kept=count(row, "evidence_kept"),
        evidence=evidence,
        evidence_last=last,
        evidence_command=_evidence_command(tenant, finding_id),
    )


def _evidence_command(tenant: str, finding: str) -> str:
    # Quoted for a shell: a reader copies this line, and ids are data.
    return shlex.join(
        ["m365audit", "query", "finding-evidence", "--param", f"tenant={tenant}", "--param", f"finding={finding}"]
    )
