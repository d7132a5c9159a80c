/*---
query: report-findings
grain: one row per finding, the gravest and newest first
params:
  limit: how many at most
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
  total: findings in all, beyond the limit too
---*/
SELECT
    f.tenant_id,
    f.finding_id,
    f.rule,
    f.severity,
    f.title,
    f.question,
    CAST(f.subject AS VARCHAR) AS subject,
    f.app_id,
    (
        SELECT any_value(a.app_name) FROM apps AS a
        WHERE a.tenant_id = f.tenant_id AND a.app_id = f.app_id
    ) AS app_name,
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
    count(*) OVER () AS total
FROM findings AS f
ORDER BY
    f.state = 'resolved',
    list_position(['critical', 'high', 'medium', 'low', 'info'], f.severity),
    f.last_seen_at DESC NULLS LAST,
    f.tenant_id,
    f.finding_id
LIMIT CAST($limit AS BIGINT)
