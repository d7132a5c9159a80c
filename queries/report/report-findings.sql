/*---
query: report-findings
grain: one row per finding, the gravest and newest first
params:
  limit: how many at most; NULL for all
columns:
  tenant_id: tenant
  finding_id: stable identity
  rule: rule that made it
  severity: info, low, medium, high or critical
  title: what it says
  question: the question it answers, in the reader's words
  subject: JSON object of the identity
  app_id: app concerned, if one
  app_name: its newest known display name
  record: consent record concerned
  process: process concerned
  state: open or resolved
  decision: what a person decided, NULL when nothing yet
  change: new, reopened, resolved or unchanged since the run before
  reasons: reasons of the verdicts behind it
  opened_at: when it was first found
  resolved_at: when it went away
  reopened: how many times it came back
  first_seen_at: first time in the evidence
  last_seen_at: last time in the evidence
  evidence_count: pieces of evidence
  is_seen: whether the newest evaluation shows it
  evidence_kept: pieces of its evidence that this publication holds
  total: findings in all, beyond the limit too
---*/
WITH gravest AS (
    SELECT * FROM findings
    ORDER BY
        state = 'resolved',
        list_position(['critical', 'high', 'medium', 'low', 'info'], severity),
        last_seen_at DESC NULLS LAST,
        tenant_id,
        finding_id
    LIMIT CAST($limit AS BIGINT)
),
kept AS (
    SELECT e.tenant_id, e.finding_id, count(*) AS pieces
    FROM finding_evidence AS e
    INNER JOIN gravest AS g ON e.tenant_id = g.tenant_id AND e.finding_id = g.finding_id
    GROUP BY e.tenant_id, e.finding_id
),
names AS (
    SELECT tenant_id, app_id, any_value(app_name) AS app_name FROM apps GROUP BY tenant_id, app_id
)
SELECT
    f.tenant_id,
    f.finding_id,
    f.rule,
    f.severity,
    f.title,
    f.question,
    CAST(f.subject AS VARCHAR) AS subject,
    f.app_id,
    n.app_name,
    f.record,
    f.process,
    f.state,
    f.decision,
    f.change,
    f.reasons,
    f.opened_at,
    f.resolved_at,
    f.reopened,
    f.first_seen_at,
    f.last_seen_at,
    f.evidence_count,
    f.is_seen,
    coalesce(k.pieces, 0) AS evidence_kept,
    (SELECT count(*) FROM findings) AS total
FROM gravest AS f
LEFT JOIN kept AS k ON f.tenant_id = k.tenant_id AND f.finding_id = k.finding_id
LEFT JOIN names AS n ON f.tenant_id = n.tenant_id AND f.app_id = n.app_id
ORDER BY
    f.state = 'resolved',
    list_position(['critical', 'high', 'medium', 'low', 'info'], f.severity),
    f.last_seen_at DESC NULLS LAST,
    f.tenant_id,
    f.finding_id
