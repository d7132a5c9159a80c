/*---
table: findings
grain: one finding, open or resolved; the gravest first
columns:
  tenant_id: tenant
  finding_id: id that stays the same for the same rule, tenant and subject
  rule: rule that made it
  severity: info, low, medium, high or critical
  title: one sentence
  question: the question that the rule asks
  subject: what the finding is about, as JSON; with rule and tenant it is the finding's identity
  app_id: application concerned
  record: consent record concerned
  process: process of that record
  reasons: reasons of the verdicts behind it, each once
  state: open or resolved
  decision: what a person decided, confirmed again where the machine gave it back; NULL until somebody does
  pending: decision that was asked for and waits for a second person
  decided_at: when it was decided
  decision_expires_at: end of an acceptance
  returned: why the machine gave a decision back; expired, severity, scope or reappeared
  first_seen_at: time of its oldest evidence
  last_seen_at: time of its newest evidence
  evidence_count: pieces of evidence
  opened_at: evidence time of the evaluation that first found it
  resolved_at: evidence time of the evaluation that found it gone; NULL while it is open
  reopened: how often it came back
  change: new, reopened, resolved or unchanged since the evaluation before
  is_seen: whether the newest evaluation shows it; else times, count and evidence are of the last one that did
---*/
WITH spoken AS (
    -- Only a rule that spoke on evidence that was all there may resolve what it no longer finds.
    SELECT DISTINCT tenant_id, rule
    FROM rule_outcomes
    WHERE is_covered AND outcome IN ('findings', 'clean')
),
seen AS (
    SELECT
        p.tenant_id,
        p.finding_id,
        p.rule,
        p.severity,
        p.title,
        p.question,
        CAST(p.subject AS JSON) AS subject,
        p.app_id,
        p.record,
        p.process,
        p.reasons,
        'open' AS state,
        -- What people decided is in the journal; it is written in when the findings stand (store/review_tables.py).
        CAST(NULL AS VARCHAR) AS decision,
        CAST(NULL AS VARCHAR) AS pending,
        CAST(NULL AS TIMESTAMPTZ) AS decided_at,
        CAST(NULL AS TIMESTAMPTZ) AS decision_expires_at,
        CAST(NULL AS VARCHAR) AS returned,
        p.first_seen_at,
        p.last_seen_at,
        p.evidence_count,
        CASE WHEN b.finding_id IS NULL THEN t.watched_to ELSE b.opened_at END AS opened_at,
        CAST(NULL AS TIMESTAMPTZ) AS resolved_at,
        coalesce(b.reopened + CAST(b.state = 'resolved' AS BIGINT), 0) AS reopened,
        CASE
            WHEN b.finding_id IS NULL THEN 'new'
            WHEN b.state = 'resolved' THEN 'reopened'
            ELSE 'unchanged'
        END AS change,
        TRUE AS is_seen
    FROM present_findings AS p
    LEFT JOIN finding_ledger AS b ON p.finding_id = b.finding_id AND p.tenant_id = b.tenant_id
    LEFT JOIN tenants AS t ON p.tenant_id = t.tenant_id
),
unseen AS (
    SELECT b.*, b.state = 'open' AND s.rule IS NOT NULL AS is_gone, t.watched_to
    FROM finding_ledger AS b
    LEFT JOIN rule_aliases AS a ON b.rule = a.alias
    LEFT JOIN spoken AS s ON b.tenant_id = s.tenant_id AND coalesce(a.rule, b.rule) = s.rule
    LEFT JOIN tenants AS t ON b.tenant_id = t.tenant_id
    WHERE
        NOT EXISTS (
            SELECT 1 FROM present_findings AS p
            WHERE p.finding_id = b.finding_id AND p.tenant_id = b.tenant_id
        )
),
following AS (
    SELECT * FROM seen
    UNION ALL
    SELECT
        tenant_id,
        finding_id,
        rule,
        severity,
        title,
        question,
        subject,
        app_id,
        record,
        process,
        reasons,
        CASE WHEN is_gone THEN 'resolved' ELSE state END AS state,
        CAST(NULL AS VARCHAR) AS decision,
        CAST(NULL AS VARCHAR) AS pending,
        CAST(NULL AS TIMESTAMPTZ) AS decided_at,
        CAST(NULL AS TIMESTAMPTZ) AS decision_expires_at,
        CAST(NULL AS VARCHAR) AS returned,
        first_seen_at,
        last_seen_at,
        evidence_count,
        opened_at,
        CASE WHEN is_gone THEN watched_to ELSE resolved_at END AS resolved_at,
        reopened,
        CASE WHEN is_gone THEN 'resolved' ELSE 'unchanged' END AS change,
        FALSE AS is_seen
    FROM unseen
)
SELECT * FROM following
ORDER BY
    state = 'resolved',
    list_position(['critical', 'high', 'medium', 'low', 'info'], severity),
    last_seen_at DESC NULLS LAST,
    tenant_id,
    finding_id
