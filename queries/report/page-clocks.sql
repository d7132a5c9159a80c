/*---
query: page-clocks
grain: one row per clock that runs, the nearest end first
columns:
  kind: case or request
  tenant_id: tenant
  id: id of the case or the request
  due_at: when it ends
---*/
SELECT 'case' AS kind, tenant_id, case_id AS id, due_at
FROM breach_cases
WHERE due_at IS NOT NULL AND notified_at IS NULL AND state IN ('aware', 'assessed') AND risk IS DISTINCT FROM 'no_risk'
UNION ALL
SELECT 'request' AS kind, tenant_id, request_id AS id, due_at
FROM subject_requests
WHERE due_at IS NOT NULL AND state IN ('open', 'extended')
ORDER BY due_at, kind, id
