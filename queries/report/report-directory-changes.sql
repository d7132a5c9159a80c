/*---
query: report-directory-changes
grain: one row per tenant and activity in the directory that touches grants; nobody is named
columns:
  tenant_id: tenant
  activity: what was done
  events: how many times
  apps: how many apps
  first_at: first time
  last_at: last time
---*/
SELECT
    tenant_id,
    activity,
    count(*) AS events,
    count(DISTINCT app_id) AS apps,
    min(occurred_at) AS first_at,
    max(occurred_at) AS last_at
FROM directory_changes
GROUP BY tenant_id, activity
ORDER BY tenant_id, events DESC, activity
LIMIT 500
