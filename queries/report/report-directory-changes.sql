/*---
query: report-directory-changes
grain: one row per tenant and activity in the directory that touches grants; nobody is named
params:
  limit: how many of each tenant at most, the most frequent first; NULL for all
columns:
  tenant_id: tenant
  activity: what was done
  events: how many times
  apps: how many apps
  first_at: first time
  last_at: last time
  total: activities of that tenant in all, beyond the limit too
  total_events: times in all, beyond the limit too
---*/
WITH counted AS (
    SELECT
        tenant_id,
        activity,
        count(*) AS events,
        count(DISTINCT app_id) AS apps,
        min(occurred_at) AS first_at,
        max(occurred_at) AS last_at
    FROM directory_changes
    GROUP BY tenant_id, activity
)
SELECT
    tenant_id,
    activity,
    events,
    apps,
    first_at,
    last_at,
    count(*) OVER (PARTITION BY tenant_id) AS total,
    sum(events) OVER (PARTITION BY tenant_id)::BIGINT AS total_events
FROM counted
QUALIFY coalesce(row_number() OVER (PARTITION BY tenant_id ORDER BY events DESC, activity) <= $limit::BIGINT, TRUE)
ORDER BY tenant_id, events DESC, activity
