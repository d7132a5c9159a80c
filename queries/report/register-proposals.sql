/*---
query: register-proposals
grain: one row per app, current permission and audited workload that it reaches (or none)
params:
  tenant: tenant id
  app: application id; NULL for every app that no consent record lists and that is not Microsoft's own
columns:
  app_id: app
  app_name: display name, chosen by whoever registered it
  api: API as consent records name it
  permission: exact name
  kind: application or delegated
  workload: audited workload that the permission reaches; NULL when it reaches none
  operations: what it allows there
  granted_for: as in grants
  principals: users for whom it was granted one by one
  event_id: audit event that made the grant, where known
  first_seen_at: first time that the evidence shows it
  last_seen_at: last time that the evidence shows it
---*/
SELECT
    g.app_id,
    any_value(g.app_name) AS app_name,
    CASE
        WHEN g.source = 'exchange_rbac' THEN 'exchange_rbac'
        WHEN g.resource_app_id = '00000002-0000-0ff1-ce00-000000000000' THEN 'exchange_online'
        WHEN g.resource_app_id = 'c5393580-f805-4401-95e8-94b7a6ef2fc2' THEN 'office365_management'
        ELSE 'microsoft_graph'
    END AS api,
    g.permission,
    g.kind,
    r.workload,
    any_value(r.operations) AS operations,
    g.granted_for,
    count(DISTINCT g.principal_id) AS principals,
    min(g.event_id) AS event_id,
    min(g.first_seen_at) AS first_seen_at,
    max(g.last_seen_at) AS last_seen_at
FROM grants AS g
LEFT JOIN permission_reach AS r
    ON
        g.resource_app_id = r.resource_app_id AND g.permission = r.permission AND g.kind = r.kind
        AND r.workload IN (SELECT p.workload FROM policy_workloads AS p)
LEFT JOIN apps AS a ON g.tenant_id = a.tenant_id AND g.app_id = a.app_id
WHERE
    g.tenant_id = $tenant AND g.is_current AND g.app_id IS NOT NULL AND g.permission IS NOT NULL
    AND CASE WHEN $app IS NULL THEN NOT coalesce(a.is_recorded OR a.is_first_party, FALSE) ELSE g.app_id = $app END
GROUP BY ALL
ORDER BY app_name, g.app_id, r.workload, g.permission, g.kind, g.granted_for
