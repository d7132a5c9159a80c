/*---
table: event_calls
temporary: true
grain: one way in which one app called, resource and time left out
columns:
  tenant_id: the events' tenant
  app_id: the app
  access_kind: application, delegated or null
  workload: the workload touched
  operation: read, write, send, delete or null
  permissions: permissions of which any would allow the call
  succeeded: whether the call was answered
  is_timed: the events have a time
  first_at: time of the earliest such event
  last_at: time of the latest
  step: "what settles the verdict: out_of_scope, register_invalid, time_unknown, app_unknown, no_record, or the candidates"
---*/
WITH calls AS (
    SELECT
        tenant_id,
        app_id,
        access_kind,
        workload,
        operation,
        permissions,
        succeeded,
        occurred_at IS NOT NULL AS is_timed,
        min(occurred_at) AS first_at,
        max(occurred_at) AS last_at
    FROM access_events
    GROUP BY ALL
),

-- On the shipped list, and no service principal of that app id is known to belong to anyone else.
own_apps AS (
    SELECT DISTINCT c.tenant_id, c.app_id
    FROM calls AS c
    SEMI JOIN first_party_apps AS f ON c.app_id = lower(f.app_id)
    ANTI JOIN (
        SELECT p.tenant_id, lower(p.app_id) AS app_id
        FROM service_principals AS p
        ANTI JOIN microsoft_tenants AS m ON lower(p.owner_tenant_id) = lower(m.tenant_id)
    ) AS o ON c.tenant_id = o.tenant_id AND c.app_id = o.app_id
)

SELECT
    c.*,
    CASE
        WHEN c.workload IS NOT NULL AND w.workload IS NULL THEN 'out_of_scope'
        WHEN c.succeeded = FALSE THEN 'out_of_scope'
        WHEN o.app_id IS NOT NULL THEN 'out_of_scope'
        WHEN t.tenant_id IS NOT NULL THEN 'register_invalid'
        WHEN NOT c.is_timed THEN 'time_unknown'
        WHEN c.app_id IS NULL THEN 'app_unknown'
        WHEN r.app_id IS NULL THEN 'no_record'
        ELSE 'candidates'
    END AS step
FROM calls AS c
LEFT JOIN (SELECT DISTINCT workload FROM policy_workloads) AS w ON c.workload = w.workload
LEFT JOIN own_apps AS o ON c.tenant_id = o.tenant_id AND c.app_id = o.app_id
LEFT JOIN (SELECT DISTINCT tenant_id FROM tenants WHERE is_evaluated = FALSE) AS t ON c.tenant_id = t.tenant_id
LEFT JOIN (SELECT DISTINCT tenant_id, app_id FROM candidates) AS r
    ON c.tenant_id = r.tenant_id AND c.app_id = r.app_id
