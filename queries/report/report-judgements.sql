/*---
query: report-judgements
grain: one row per tenant, app, workload, operation, verdict and reasons; only outside and not assessable
params:
  limit: how many at most, the largest first
columns:
  tenant_id: tenant
  app_id: app
  app_name: newest known display name
  integration_name: name in the consent register
  workload: workload
  operation: operation
  verdict: outside or not_assessable
  reasons: why
  record: nearest record
  process: nearest process
  events: how many
  first_at: first event
  last_at: last event
  total: rows in all, beyond the limit too
---*/
SELECT
    e.tenant_id,
    e.app_id,
    (
        SELECT any_value(a.app_name) FROM apps AS a
        WHERE a.tenant_id = e.tenant_id AND a.app_id = e.app_id
    ) AS app_name,
    (
        SELECT any_value(a.integration_name) FROM apps AS a
        WHERE a.tenant_id = e.tenant_id AND a.app_id = e.app_id
    ) AS integration_name,
    e.workload,
    e.operation,
    v.verdict,
    v.reasons,
    v.record,
    v.process,
    count(*) AS events,
    min(e.occurred_at) AS first_at,
    max(e.occurred_at) AS last_at,
    count(*) OVER () AS total
FROM access_events AS e
INNER JOIN verdicts AS v ON e.tenant_id = v.tenant_id AND e.feed = v.feed AND e.event_id = v.event_id
WHERE v.verdict IN ('outside', 'not_assessable')
GROUP BY e.tenant_id, e.app_id, e.workload, e.operation, v.verdict, v.reasons, v.record, v.process
ORDER BY
    events DESC, e.tenant_id, e.app_id, e.workload, e.operation, v.verdict DESC, v.reasons, v.record, v.process
LIMIT CAST($limit AS BIGINT)
