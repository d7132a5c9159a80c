/*---
query: report-names
grain: one row per tenant, in the order of their names
columns:
  tenant_id: tenant
  name: its name in the configuration
  is_evaluated: whether its events were judged
  not_evaluated_reason: why not
---*/
SELECT tenant_id, name, is_evaluated, not_evaluated_reason
FROM tenants
ORDER BY name, tenant_id
