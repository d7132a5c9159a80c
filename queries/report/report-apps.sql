/*---
query: report-apps
grain: one row per tenant and app that has a cell
params:
  limit: how many permissions of each app at most
  apps: how many apps at most, those of the gravest cells; NULL for all
columns:
  tenant_id: tenant
  app_id: app
  app_name: newest known display name
  publisher: publisher as the app states it
  owner_tenant_id: tenant that owns the app
  integration_kind: kind in the consent register
  integration_name: name in the consent register
  is_recorded: whether a consent record names it
  first_seen_at: first trace in the evidence
  last_seen_at: last trace in the evidence
  permissions: currently granted, the first ones by name
  permission_count: currently granted in all
  total: apps of that tenant in all, beyond the limit too
---*/
WITH with_cells AS (
    SELECT
        tenant_id,
        app_id,
        sum(outside) AS outside,
        sum(not_assessable) AS not_assessable
    FROM cells
    WHERE app_id IS NOT NULL
    GROUP BY tenant_id, app_id
),
totals AS (
    SELECT tenant_id, count(*) AS total FROM with_cells GROUP BY tenant_id
),
shown AS (
    SELECT tenant_id, app_id FROM with_cells
    ORDER BY outside DESC, not_assessable DESC, tenant_id, app_id
    LIMIT CAST($apps AS BIGINT)
),
held AS (
    SELECT
        g.tenant_id,
        g.app_id,
        list(
            DISTINCT coalesce(g.permission, 'unknown permission') || ' (' || coalesce(g.kind, 'unknown kind') || ')'
        ) AS permissions
    FROM grants AS g
    INNER JOIN shown AS s ON g.tenant_id = s.tenant_id AND g.app_id = s.app_id
    WHERE g.is_current
    GROUP BY g.tenant_id, g.app_id
)
SELECT
    s.tenant_id,
    s.app_id,
    any_value(a.app_name) AS app_name,
    any_value(a.publisher) AS publisher,
    any_value(a.owner_tenant_id) AS owner_tenant_id,
    any_value(a.integration_kind) AS integration_kind,
    any_value(a.integration_name) AS integration_name,
    coalesce(bool_or(a.is_recorded), FALSE) AS is_recorded,
    min(a.first_seen_at) AS first_seen_at,
    max(a.last_seen_at) AS last_seen_at,
    coalesce(any_value(list_sort(h.permissions)[1:CAST($limit AS BIGINT)]), []) AS permissions,
    coalesce(any_value(len(h.permissions)), 0) AS permission_count,
    any_value(t.total) AS total
FROM shown AS s
INNER JOIN totals AS t ON s.tenant_id = t.tenant_id
LEFT JOIN apps AS a ON s.tenant_id = a.tenant_id AND s.app_id = a.app_id
LEFT JOIN held AS h ON s.tenant_id = h.tenant_id AND s.app_id = h.app_id
GROUP BY s.tenant_id, s.app_id
ORDER BY s.tenant_id, s.app_id
