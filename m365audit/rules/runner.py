"""Runs rules against the candidate database and says, per tenant, what came out. Keeps no finding's history.

A rule's SELECT runs once for all tenants; its rows stay in the database. What comes back to Python is one row per
finding, never one per event.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from m365audit.errors import QueryError
from m365audit.rules.loader import wrapped
from m365audit.rules.rule import Rule
from m365audit.rules.sql_tree import Database
from m365audit.rules.watch import Tenant, tenants

Identify = Callable[[str, int, str, Mapping[str, str | None]], str]
"""Makes a finding's id from the rule's key name, its key version, the tenant and the subject."""

OutcomeName = Literal["findings", "clean", "not_evaluated", "error"]


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule came to for one tenant.

    Attributes:
        reason: why not, in words; with outcome ``findings`` the evidence that was missing all the same; else None.
        is_covered: all the evidence that the rule needs was there: only then may a finding that is gone be resolved.
    """

    tenant_id: str
    rule: str
    outcome: OutcomeName
    reason: str | None
    findings: int
    is_covered: bool


@dataclass(frozen=True, slots=True)
class PresentFinding:
    """One finding as the evidence shows it now; ``subject`` is canonical JSON of the identity columns."""

    tenant_id: str
    finding_id: str
    rule: str
    severity: str
    title: str
    question: str
    subject: str
    app_id: str | None
    record: str | None
    process: str | None
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    evidence_count: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleResults:
    """What one evaluation came to; the findings' evidence is in the table ``finding_evidence``.

    Attributes:
        outcomes: one for every rule and tenant.
        findings: what the evidence shows now.
        aliases: earlier rule ids and today's, for findings that were made under the old name.
    """

    outcomes: tuple[RuleOutcome, ...]
    findings: tuple[PresentFinding, ...]
    aliases: Mapping[str, str]


def run_rules(database: Database, rules: Sequence[Rule], identify: Identify) -> RuleResults:
    """Run every rule for every tenant; a rule that fails is an ``error`` of its own and stops no other.

    Fills the table ``finding_evidence`` (tenant_id, finding_id, feed, event_id, occurred_at).

    Args:
        database: the candidate; all derived tables stand in it.
        rules: proven rules.
        identify: makes finding ids (``m365audit.findings.identity.finding_id``).

    Raises:
        QueryError: the candidate itself cannot be read (not: one rule's SELECT failed).
    """
    known = tenants(database)
    database.execute(_EVIDENCE_TABLE)
    outcomes: list[RuleOutcome] = []
    findings: list[PresentFinding] = []
    for number, rule in enumerate(rules, start=1):
        present, said = _run_rule(database, rule, number, known, identify)
        outcomes += said
        findings += present
    aliases = {alias: rule.id for rule in rules for alias in rule.aliases}
    return RuleResults(tuple(outcomes), tuple(findings), aliases)


_EVIDENCE_TABLE = (
    "CREATE TABLE IF NOT EXISTS finding_evidence"
    " (tenant_id VARCHAR, finding_id VARCHAR, feed VARCHAR, event_id VARCHAR, occurred_at TIMESTAMPTZ)"
)


def _run_rule(
    database: Database, rule: Rule, number: int, known: Sequence[Tenant], identify: Identify
) -> tuple[list[PresentFinding], list[RuleOutcome]]:
    refused = {tenant.id: reason for tenant in known if (reason := tenant.refusal(rule))}
    open_tenants = [tenant.id for tenant in known if tenant.id not in refused]
    try:
        present = _rows(database, rule, number, open_tenants, identify) if open_tenants else []
    except QueryError as error:
        said = [RuleOutcome(tenant.id, rule.id, "error", error.message, 0, is_covered=False) for tenant in known]
        return [], said
    counts: dict[str, int] = {}
    for finding in present:
        counts[finding.tenant_id] = counts.get(finding.tenant_id, 0) + 1
    return present, [_outcome(rule, t, counts.get(t.id, 0), refused.get(t.id, "")) for t in known]


def _outcome(rule: Rule, tenant: Tenant, findings: int, refusal: str) -> RuleOutcome:
    uncovered = tenant.uncovered(rule)
    if refusal:
        return RuleOutcome(tenant.id, rule.id, "not_evaluated", refusal, 0, is_covered=False)
    if findings:
        return RuleOutcome(tenant.id, rule.id, "findings", uncovered or None, findings, is_covered=not uncovered)
    if uncovered:
        return RuleOutcome(tenant.id, rule.id, "not_evaluated", uncovered, 0, is_covered=False)
    return RuleOutcome(tenant.id, rule.id, "clean", None, 0, is_covered=True)


def _rows(
    database: Database, rule: Rule, number: int, open_tenants: list[str], identify: Identify
) -> list[PresentFinding]:
    table, groups = f"rule_rows_{number}", f"rule_groups_{number}"
    try:
        database.execute(f"CREATE OR REPLACE TABLE {table} AS {wrapped(rule.sql)}")
        columns = {row[0] for row in database.execute(f"DESCRIBE {table}")}
        database.execute(_group_sql(rule, table, groups, has_last="last_seen_at" in columns), {"tenants": open_tenants})
        rows = database.execute(f"SELECT * FROM {groups} ORDER BY group_no")  # noqa: S608  (names are ours)
        found = {row[0]: _finding(rule, row, identify) for row in rows}
        database.execute(_evidence_sql(rule, table, groups), {
            "groups": list(found), "ids": [finding.finding_id for finding in found.values()],
        })  # fmt: skip
    finally:
        database.execute(f"DROP TABLE IF EXISTS {table}")
        database.execute(f"DROP TABLE IF EXISTS {groups}")
    return list(found.values())


def _group_sql(rule: Rule, table: str, groups: str, *, has_last: bool) -> str:
    identity = ", ".join(f'"{name}"' for name in rule.identity)
    last = "coalesce(last_seen_at, occurred_at)" if has_last else "occurred_at"
    return f"""
CREATE OR REPLACE TABLE {groups} AS
SELECT row_number() OVER (ORDER BY tenant_id, subject) AS group_no, *
FROM (
    SELECT tenant_id,
           struct_pack({", ".join(f'"{name}" := "{name}"' for name in rule.identity)}) AS subject,
           min(app_id) AS app_id_shown, min(record) AS record_shown, min(process) AS process_shown,
           min(occurred_at) AS first_seen_at, max({last}) AS last_seen_at,
           count(DISTINCT (feed, event_id)) AS evidence_count,
           list_sort(list_distinct(flatten(list(coalesce(reasons, []))))) AS reasons
    FROM {table}
    WHERE tenant_id IN (SELECT unnest($tenants::VARCHAR[]))
    GROUP BY tenant_id, {identity}
)"""  # noqa: S608  (identity columns are snake_case words, checked by the loader)


def _evidence_sql(rule: Rule, table: str, groups: str) -> str:
    same = " AND ".join(f'r."{name}" IS NOT DISTINCT FROM g.subject."{name}"' for name in rule.identity)
    return f"""
INSERT INTO finding_evidence
SELECT r.tenant_id, i.finding_id, r.feed, r.event_id, min(r.occurred_at)
FROM {table} AS r
JOIN {groups} AS g ON r.tenant_id = g.tenant_id AND {same}
JOIN (SELECT unnest($groups::BIGINT[]) AS group_no, unnest($ids::VARCHAR[]) AS finding_id) AS i USING (group_no)
GROUP BY r.tenant_id, i.finding_id, r.feed, r.event_id"""  # noqa: S608  (as above)


def _finding(rule: Rule, row: tuple[Any, ...], identify: Identify) -> PresentFinding:
    _, tenant_id, subject, app_id, record, process, first, last, count, reasons = row
    return PresentFinding(
        tenant_id=tenant_id,
        finding_id=identify(rule.key_name, rule.key_version, tenant_id, subject),
        rule=rule.id,
        severity=rule.severity,
        title=rule.title_for(subject),
        question=rule.question,
        subject=json.dumps(subject, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
        app_id=app_id,
        record=record,
        process=process,
        first_seen_at=first,
        last_seen_at=last,
        evidence_count=count,
        reasons=tuple(reasons),
    )
