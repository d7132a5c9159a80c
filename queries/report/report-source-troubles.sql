/*---
query: report-source-troubles
grain: one row per file of evidence that was refused or taken in only partly
params:
  limit: how many at most, refused ones first; NULL for all
columns:
  tenant_id: tenant
  path: the file as it was named
  kind: what it was taken for
  outcome: refused or partial
  message: why
  total: such files in all, beyond the limit too
---*/
SELECT
    tenant_id,
    path,
    kind,
    outcome,
    message,
    (SELECT count(*) FROM sources AS s WHERE s.outcome IN ('refused', 'partial')) AS total
FROM sources
WHERE outcome IN ('refused', 'partial')
ORDER BY outcome DESC, tenant_id, path, source_id
LIMIT CAST($limit AS BIGINT)
