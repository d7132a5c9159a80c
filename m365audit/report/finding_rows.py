"""Owns findings and the first pieces of their evidence; the rest stays in the database, one command away."""

from __future__ import annotations

import dataclasses
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from m365audit.report.decided import Review, ReviewEvent
from m365audit.report.decided_rows import build_reviews
from m365audit.report.document import Evidence, Finding
from m365audit.report.present import Tables
from m365audit.report.rows import Row, TenantNames, count, flag, moment, parts_of, text, texts, total, words
from m365audit.report.rule_texts import RuleText, rule_texts

EVIDENCE_ROWS = 20
"""Pieces of evidence per finding; the finding's command shows all of them."""
_FINDINGS = 5_000
DIMENSIONS: Final = {
    "no_record": "record", "before_start": "period", "invalidated": "period", "after_withdrawal": "period",
    "after_expiry": "period", "workload": "workload", "operation": "operation", "access_kind": "access_kind",
    "permission": "permission", "resource": "resource", "time_unknown": "unknown", "app_unknown": "unknown",
    "workload_unknown": "unknown", "operation_unknown": "unknown", "access_kind_unknown": "unknown",
    "resource_unknown": "unknown", "register_invalid": "unknown",
}  # fmt: skip
"""In what a use differs from the record, by the reason of its verdict (verdicts.md)."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a finding's own row: reviews and history by finding, the rules' texts."""

    reviews: Mapping[tuple[str, str], Review]
    histories: Mapping[tuple[str, str], Sequence[ReviewEvent]]
    texts: Mapping[str, RuleText]
    language: str


def build_findings(tables: Tables, names: TenantNames, language: str) -> tuple[tuple[Finding, ...], int]:
    """Return the findings, gravest first, and how many there are in all."""
    reader = tables.reader
    beside = Beside(*build_reviews(tables, names, _FINDINGS), rule_texts(language), language)
    rows = reader.rows("report-findings", limit=_FINDINGS)
    evidence: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for row in reader.rows("report-evidence", rows=EVIDENCE_ROWS, findings=_FINDINGS):
        evidence[words(row, "tenant_id"), words(row, "finding_id")].append(one_evidence(row))
    return tuple(_with_evidence(row, names, evidence, beside) for row in rows), total(rows)


def _with_evidence(
    row: Row, names: TenantNames, evidence: dict[tuple[str, str], list[Evidence]], beside: Beside
) -> Finding:
    pieces = evidence.get((words(row, "tenant_id"), words(row, "finding_id")), [])
    first, others = tuple(pieces[:EVIDENCE_ROWS]), pieces[EVIDENCE_ROWS:]
    finding = one_finding(row, names, first, others[-1] if others else None)
    return told(finding, beside, sorted({piece.country for piece in pieces if piece.country is not None}))


def told(finding: Finding, beside: Beside, countries: Sequence[str]) -> Finding:
    """Return the finding with its review, its history and the rule's texts in the reader's language."""
    key, text = (finding.tenant_id, finding.finding_id), beside.texts.get(finding.rule)
    review = beside.reviews.get(key)
    told = dataclasses.replace(
        finding,
        decision=review.decision if review is not None else finding.decision,
        countries=tuple(countries),
        dimensions=tuple(dict.fromkeys(DIMENSIONS[reason] for reason in finding.reasons if reason in DIMENSIONS)),
        review=review,
        history=tuple(beside.histories.get(key, ())),
    )
    if text is None:
        return told
    told = dataclasses.replace(told, advice=text.advice, controls=text.controls, text_language=text.language)
    if not text.has_own_title:
        return told
    title = text.filled(dict(parts_of(finding.subject or "{}")))
    question = told.question if text.language == "en" else text.question
    return dataclasses.replace(told, title=title or told.title, question=question or told.question)


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
