/*---
query: page-finding
grain: one finding, open or resolved
params:
  tenant: tenant id
  finding: finding id
columns:
  tenant_id: tenant
  tenant_name: its name
  finding_id: stable identity
  rule: rule that made it
  severity: info, low, medium, high or critical
  title: what it says
  question: the question it answers, in the reader's words
  subject: JSON object of the identity
  app_id: app concerned, if one
  app_name: its newest known display name
  integration_name: integration that the register calls it
  record: consent record concerned
  process: process concerned
  reasons: reasons of the verdicts behind it
  state: open or resolved
  change: new, reopened, resolved or unchanged since the run before
  is_seen: whether the newest evaluation shows it
  opened_at: when it was first found
  resolved_at: when it went away
  reopened: how many times it came back
  first_seen_at: first time in the evidence
  last_seen_at: last time in the evidence
  evidence_count: pieces of evidence
  evidence_kept: pieces of its evidence that this publication holds
---*/
SELECT
    f.tenant_id,
    t.name AS tenant_name,
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
    (
        SELECT any_value(a.integration_name) FROM apps AS a
        WHERE a.tenant_id = f.tenant_id AND a.app_id = f.app_id
    ) AS integration_name,
    f.record,
    f.process,
    f.reasons,
    f.state,
    f.change,
    f.is_seen,
    f.opened_at,
    f.resolved_at,
    f.reopened,
    f.first_seen_at,
    f.last_seen_at,
    f.evidence_count,
    (
        SELECT count(*) FROM finding_evidence AS e
        WHERE e.tenant_id = f.tenant_id AND e.finding_id = f.finding_id
    ) AS evidence_kept
FROM findings AS f
LEFT JOIN tenants AS t ON f.tenant_id = t.tenant_id
WHERE f.tenant_id = $tenant AND f.finding_id = $finding
