/*---
table: registered_apps
temporary: true
grain: one app that a consent record of the tenant lists
columns:
  app_no: number of the app, as in candidates
  tenant_id: the tenant
  app_id: the app
  is_selective: some candidate covers less than every resource, so that verdicts may depend on the resource
---*/
SELECT
    app_no,
    tenant_id,
    app_id,
    NOT bool_and(covers_all) AS is_selective
FROM candidates
GROUP BY ALL
