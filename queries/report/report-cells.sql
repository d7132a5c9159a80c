/*---
query: report-cells
grain: one row per cell of the matrix tenant x app x workload
params:
  limit: how many at most, the gravest ones; NULL for all
columns:
  tenant_id: tenant
  tenant_name: its name
  app_id: app, NULL when the log names none
  app_name: newest known display name; chosen by whoever made the app
  integration_name: name in the consent register
  record: consent record
  workload: workload, NULL when unknown
  recorded: active, ended, never or NULL
  granted: yes, no or unknown
  used: access events in scope
  within: judged within
  outside: judged outside
  not_assessable: not assessable
  first_used_at: first of them
  last_used_at: last of them
  coverage: complete, provisional or gap
---*/
WITH gravest AS (
    SELECT * FROM cells
    ORDER BY
        outside DESC, not_assessable DESC, coalesce(recorded = 'active', FALSE), used DESC,
        tenant_id, app_id NULLS LAST, workload NULLS LAST
    LIMIT CAST($limit AS BIGINT)
),
names AS (
    SELECT tenant_id, app_id, any_value(app_name) AS app_name FROM apps GROUP BY tenant_id, app_id
)
SELECT
    c.tenant_id,
    t.name AS tenant_name,
    c.app_id,
    a.app_name,
    c.integration_name,
    c.record,
    c.workload,
    c.recorded,
    c.granted,
    c.used,
    c.within,
    c.outside,
    c.not_assessable,
    c.first_used_at,
    c.last_used_at,
    c.coverage
FROM gravest AS c
LEFT JOIN tenants AS t ON c.tenant_id = t.tenant_id
LEFT JOIN names AS a ON c.tenant_id = a.tenant_id AND c.app_id = a.app_id
ORDER BY t.name, c.tenant_id, c.app_id NULLS LAST, c.workload NULLS LAST
