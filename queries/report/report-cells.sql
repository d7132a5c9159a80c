/*---
query: report-cells
grain: one row per cell of the matrix tenant x app x workload
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
SELECT
    c.tenant_id,
    t.name AS tenant_name,
    c.app_id,
    any_value(a.app_name) AS app_name,
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
FROM cells AS c
LEFT JOIN tenants AS t ON c.tenant_id = t.tenant_id
LEFT JOIN apps AS a ON c.tenant_id = a.tenant_id AND c.app_id = a.app_id
GROUP BY ALL
ORDER BY t.name, c.tenant_id, c.app_id NULLS LAST, c.workload NULLS LAST
