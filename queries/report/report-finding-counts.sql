/*---
query: report-finding-counts
grain: one row per tenant, severity, state, change and whether a person has decided
columns:
  tenant_id: tenant
  severity: info, low, medium, high or critical
  state: open or resolved
  change: new, reopened, resolved or unchanged since the run before
  is_decided: whether a person has decided
  findings: how many
---*/
SELECT
    tenant_id,
    severity,
    state,
    change,
    decision IS NOT NULL AS is_decided,
    count(*) AS findings
FROM findings
GROUP BY ALL
ORDER BY ALL
