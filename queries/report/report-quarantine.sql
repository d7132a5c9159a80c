/*---
query: report-quarantine
grain: one row per tenant, file and reason
params:
  limit: how many at most, the largest first
columns:
  tenant_id: tenant
  path: the file as it was named
  reason: why its records could not be taken in
  records: how many
  first_record: ordinal of the first of them
  first_line: its line
  total: records in quarantine in all, beyond the limit too
---*/
SELECT
    tenant_id,
    path,
    reason,
    count(*) AS records,
    min(record) AS first_record,
    min(line) AS first_line,
    (SELECT count(q.reason) FROM quarantine AS q) AS total
FROM quarantine
GROUP BY tenant_id, path, reason
ORDER BY records DESC, tenant_id, path, reason
LIMIT CAST($limit AS BIGINT)
