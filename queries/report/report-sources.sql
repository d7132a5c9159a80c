/*---
query: report-sources
grain: one row per tenant, all its files of evidence taken together
columns:
  tenant_id: tenant
  files: files seen
  files_partial: of these, taken in only partly
  files_refused: of these, refused
  bytes: their size
  records: records read
  stored: stored as new
  duplicate: already known
  quarantined: could not be taken in; kept aside
---*/
SELECT
    tenant_id,
    count(*) AS files,
    count(*) FILTER (WHERE outcome = 'partial') AS files_partial,
    count(*) FILTER (WHERE outcome = 'refused') AS files_refused,
    coalesce(sum(bytes), 0)::BIGINT AS bytes,
    coalesce(sum(records), 0)::BIGINT AS records,
    coalesce(sum(stored), 0)::BIGINT AS stored,
    coalesce(sum(duplicate), 0)::BIGINT AS duplicate,
    coalesce(sum(quarantined), 0)::BIGINT AS quarantined
FROM sources
GROUP BY tenant_id
ORDER BY tenant_id
