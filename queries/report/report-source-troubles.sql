/*---
query: report-source-troubles
grain: one row per file of evidence that was refused or taken in only partly
params:
  limit: how many at most
columns:
  tenant_id: tenant
  path: the file as it was named
  kind: what it was taken for
  outcome: refused or partial
  message: why
  total: such files in all, beyond the limit too
---*/
SELECT tenant_id, path, kind, outcome, message, count(*) OVER () AS total
FROM sources
WHERE outcome IN ('refused', 'partial')
ORDER BY tenant_id, outcome DESC, path, source_id
LIMIT CAST($limit AS BIGINT)
