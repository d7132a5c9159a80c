"""The SQL that makes findings and evidence of one rule's rows; sets only, no row ever comes to Python.

A subject is identified once, however many events stand behind it.
"""

from __future__ import annotations

from typing import Final

from m365audit.rules.rule import Rule
from m365audit.rules.titles import title_sql
from m365audit.store.json_text import json_object, json_string, literal

RESULT_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS finding_evidence (
        tenant_id VARCHAR, finding_id VARCHAR, feed VARCHAR, event_id VARCHAR, occurred_at TIMESTAMPTZ)""",
    """CREATE TABLE IF NOT EXISTS present_findings (
        tenant_id VARCHAR, finding_id VARCHAR, rule VARCHAR, severity VARCHAR, title VARCHAR, question VARCHAR,
        subject VARCHAR, app_id VARCHAR, record VARCHAR, process VARCHAR, first_seen_at TIMESTAMPTZ,
        last_seen_at TIMESTAMPTZ, evidence_count BIGINT, reasons VARCHAR[])""",
)
"""What rules fill: ``finding_evidence`` is published, ``present_findings`` is what the ledger takes in."""

WORK_TABLES: Final = ("rule_rows", "rule_subjects", "rule_identified", "rule_keyed", "rule_evidence", "rule_findings")
"""Temporary tables of the rule that is being run."""


def rows_sql(select: str) -> str:
    """Return what keeps a rule's rows of the tenants ``$tenants``."""
    return f"CREATE OR REPLACE TEMP TABLE rule_rows AS {select} WHERE tenant_id IN (SELECT unnest($tenants::VARCHAR[]))"


def subjects_sql(rule: Rule) -> str:
    """Return what lists the subjects of ``rule_rows``, each once, with the finding's title and JSON."""
    columns = ", ".join(f'"{name}"' for name in rule.identity)
    subject = json_object({name: json_string(f'"{name}"') for name in rule.identity})
    return f"""
CREATE OR REPLACE TEMP TABLE rule_subjects AS
SELECT tenant_id, {columns}, {title_sql(rule.title)} AS title, {subject} AS subject
FROM (SELECT DISTINCT tenant_id, {columns} FROM rule_rows)"""  # noqa: S608  (identity columns are snake_case words, checked by the loader)


def identified_sql(select: str) -> str:
    """Return what gives every subject its finding's id; ``select`` is ``identify``'s."""
    return f"CREATE OR REPLACE TEMP TABLE rule_identified AS {select}"


def keyed_sql(rule: Rule, *, has_last: bool) -> str:
    """Return what puts the finding's id on every row in place of the subject."""
    last = "coalesce(r.last_seen_at, r.occurred_at)" if has_last else "r.occurred_at"
    same = " AND ".join(f'r."{name}" IS NOT DISTINCT FROM i."{name}"' for name in rule.identity)
    return f"""
CREATE OR REPLACE TEMP TABLE rule_keyed AS
SELECT i.finding_id, r.tenant_id, r.feed, r.event_id, r.occurred_at, {last} AS seen_until, r.app_id, r.record,
       r.process, r.reasons
FROM rule_rows AS r
JOIN rule_identified AS i ON r.tenant_id = i.tenant_id AND {same}"""  # noqa: S608  (as above)


EVIDENCE_SQL: Final = """
CREATE OR REPLACE TEMP TABLE rule_evidence AS
SELECT any_value(tenant_id) AS tenant_id, finding_id, feed, event_id, min(occurred_at) AS occurred_at
FROM rule_keyed
GROUP BY finding_id, feed, event_id"""
"""The same event twice is one piece of evidence. An id is of one tenant."""


def findings_sql(rule: Rule) -> str:
    """Return what makes the rule's findings, in the order of the columns of ``present_findings``."""
    return f"""
CREATE OR REPLACE TEMP TABLE rule_findings AS
WITH summed AS (
    SELECT finding_id, min(app_id) AS app_id, min(record) AS record, min(process) AS process,
           min(occurred_at) AS first_seen_at, max(seen_until) AS last_seen_at
    FROM rule_keyed GROUP BY finding_id
),
counted AS (SELECT finding_id, count(*) AS pieces FROM rule_evidence GROUP BY finding_id),
told AS (
    SELECT finding_id, list(reason ORDER BY reason) AS reasons
    FROM (SELECT DISTINCT finding_id, unnest(reasons) AS reason FROM rule_keyed)
    WHERE reason IS NOT NULL
    GROUP BY finding_id
),
-- Two spellings of one GUID are one subject: the smaller one is shown.
named AS (
    SELECT finding_id, min(tenant_id) AS tenant_id, min(subject) AS subject, arg_min(title, subject) AS title
    FROM rule_identified GROUP BY finding_id
)
SELECT n.tenant_id, n.finding_id, {literal(rule.id)} AS rule, {literal(rule.severity)} AS severity, n.title,
       {literal(rule.question)} AS question, n.subject, s.app_id, s.record, s.process, s.first_seen_at, s.last_seen_at,
       c.pieces, coalesce(t.reasons, []) AS reasons
FROM named AS n
JOIN summed AS s USING (finding_id)
JOIN counted AS c USING (finding_id)
LEFT JOIN told AS t USING (finding_id)"""  # noqa: S608  (the header's texts are quoted)


STORE_SQL: Final = (
    "INSERT INTO finding_evidence SELECT * FROM rule_evidence",
    "INSERT INTO present_findings SELECT * FROM rule_findings",
)
"""What adds a rule's evidence and findings to the result tables; to be run as one transaction."""

COUNT_SQL: Final = "SELECT tenant_id, count(*) FROM present_findings WHERE rule = $rule GROUP BY tenant_id"
"""How many findings a rule made for each tenant."""
