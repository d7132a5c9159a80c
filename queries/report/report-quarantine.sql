/*---
query: report-quarantine
grain: one row per tenant, file and reason
params:
  limit: how many at most, the largest first; NULL for all
columns:
  tenant_id: tenant
  path: the file as it was named
  reason: why its records could not be taken in
  records: how many
  first_record: ordinal of the first of them
  first_line: its line
  total: records in quarantine in all, beyond the limit too
  groups: rows in all, beyond the limit too
---*/
WITH grouped AS (
    SELECT
        tenant_id,
        path,
        reason,
        count(*) AS records,
        min(record) AS first_record,
        min(line) AS first_line
    FROM quarantine
    GROUP BY tenant_id, path, reason
)
SELECT
    listed.tenant_id,
    listed.path,
    listed.reason,
    listed.records,
    listed.first_record,
    listed.first_line,
    (SELECT count(q.reason) FROM quarantine AS q) AS total,
    (SELECT count(g.reason) FROM grouped AS g) AS groups
FROM grouped AS listed
ORDER BY listed.records DESC, listed.tenant_id, listed.path, listed.reason
LIMIT CAST($limit AS BIGINT)
