/*---
query: report-judgements
grain: one row per tenant, app, workload, operation, verdict and reasons; only outside and not assessable
params:
  limit: how many of each verdict at most, the largest first; NULL for all
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
  total: rows of that verdict in all, beyond the limit too
---*/
WITH grouped AS (
    SELECT
        tenant_id,
        app_id,
        workload,
        operation,
        verdict,
        reasons,
        record,
        process,
        sum(accesses)::BIGINT AS events,
        min(first_at) AS first_at,
        max(last_at) AS last_at
    FROM judged_forms
    WHERE verdict IN ('outside', 'not_assessable')
    GROUP BY tenant_id, app_id, workload, operation, verdict, reasons, record, process
),
totals AS (
    SELECT verdict, count(*) AS total FROM grouped GROUP BY verdict
),
largest AS (
    (
        SELECT * FROM grouped
        WHERE verdict = 'outside'
        ORDER BY events DESC, tenant_id, app_id, workload, operation, reasons, record, process
        LIMIT CAST($limit AS BIGINT)
    )
    UNION ALL
    (
        SELECT * FROM grouped
        WHERE verdict = 'not_assessable'
        ORDER BY events DESC, tenant_id, app_id, workload, operation, reasons, record, process
        LIMIT CAST($limit AS BIGINT)
    )
),
names AS (
    SELECT
        tenant_id,
        app_id,
        any_value(app_name) AS app_name,
        any_value(integration_name) AS integration_name
    FROM apps
    GROUP BY tenant_id, app_id
)
SELECT
    l.tenant_id,
    l.app_id,
    n.app_name,
    n.integration_name,
    l.workload,
    l.operation,
    l.verdict,
    l.reasons,
    l.record,
    l.process,
    l.events,
    l.first_at,
    l.last_at,
    t.total
FROM largest AS l
INNER JOIN totals AS t ON l.verdict = t.verdict
LEFT JOIN names AS n ON l.tenant_id = n.tenant_id AND l.app_id = n.app_id
ORDER BY
    l.events DESC, l.tenant_id, l.app_id, l.workload, l.operation, l.verdict DESC, l.reasons, l.record, l.process
