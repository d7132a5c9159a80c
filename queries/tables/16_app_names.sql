/*---
table: app_names
temporary: true
grain: one row per application of a tenant, with one name for it
columns:
  tenant_id: tenant
  app_id: application id
  app_name: its display name in the tenant
---*/
SELECT
    tenant_id,
    app_id,
    arg_max(app_name, observed_at) AS app_name
FROM service_principals
WHERE app_id IS NOT NULL
GROUP BY ALL
