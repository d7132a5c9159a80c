/*---
table: event_calls
temporary: true
grain: one way in which one registered app called, resource and time left out
columns:
  call_no: number of the row
  app_no: row of registered_apps
  access_kind: application, delegated or null
  workload: the workload touched
  operation: read, write, send, delete or null
  permissions: permissions of which any would allow the call
  first_at: time of the earliest such event
  last_at: time of the latest
---*/
WITH calls AS (
    SELECT
        a.app_no,
        e.access_kind,
        e.workload,
        e.operation,
        e.permissions,
        min(e.first_at) AS first_at,
        max(e.last_at) AS last_at
    FROM access_forms AS e
    INNER JOIN registered_apps AS a ON e.tenant_id = a.tenant_id AND e.app_id = a.app_id
    WHERE
        e.first_at IS NOT NULL
        AND coalesce(e.succeeded, TRUE)
        AND (e.workload IS NULL OR e.workload IN (SELECT p.workload FROM policy_workloads AS p))
    GROUP BY ALL
)

SELECT
    row_number() OVER () AS call_no,
    *
FROM calls
