/*---
table: unmapped_calls
grain: one kind of call that the catalogue does not know
columns:
  tenant_id: tenant
  feed: log that shows it
  method: HTTP method; NULL for audit operations
  shape: path with ids masked, or the audit operation
  calls: how many
  apps: applications that made them
  first_at: first of them
  last_at: last of them
---*/
SELECT
    tenant_id,
    feed,
    CASE WHEN feed = 'graph_activity' THEN split_part(endpoint, ' ', 1) END AS method,
    CASE WHEN feed = 'graph_activity' THEN substr(endpoint, strpos(endpoint, ' ') + 1) ELSE endpoint END AS shape,
    sum(accesses)::BIGINT AS calls,
    list_sort(list_distinct(list(app_id) FILTER (WHERE app_id IS NOT NULL)))[:20] AS apps,
    min(first_at) AS first_at,
    max(last_at) AS last_at
FROM access_forms
WHERE NOT is_mapped
GROUP BY ALL
