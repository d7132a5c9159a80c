/*---
table: watched_periods
temporary: true
grain: one row per tenant with log evidence
columns:
  tenant_id: tenant
  watched_from: beginning of the oldest interval that any log of the tenant covers, or of which it is known that it was not read
  watched_to: end of the newest
---*/
SELECT
    tenant_id,
    min(covered_from) AS watched_from,
    max(covered_to) AS watched_to
FROM (
    SELECT tenant_id, covered_from, covered_to FROM coverage_windows
    UNION ALL
    SELECT tenant_id, covered_from, covered_to FROM collection_windows
)
GROUP BY ALL
