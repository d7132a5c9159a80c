/*---
table: audited_forms
temporary: true
grain: one form in which the audit log shows accesses
columns:
  form_no: number of the row, above those of landed_forms
  tenant_id: as in audited_accesses
  feed: as in audited_accesses
  app_id: as in audited_accesses
  app_name: as in audited_accesses
  access_kind: as in audited_accesses
  actor_id: as in audited_accesses
  actor_name: as in audited_accesses
  workload: as in audited_accesses
  operation: as in audited_accesses
  endpoint: as in audited_accesses
  protocol: as in audited_accesses
  permissions: as in audited_accesses
  resource_kind: as in audited_accesses
  resource: as in audited_accesses
  floor_reason: as in audited_accesses
  ip_address: as in audited_accesses
  succeeded: as in audited_accesses
  is_mapped: as in audited_accesses
  accesses: accesses of this form
  untimed: those whose time could not be read
  first_at: time of the earliest
  last_at: time of the latest
---*/
SELECT
    (SELECT coalesce(max(f.form_no), 0) FROM landed_forms AS f) + row_number() OVER (ORDER BY hash(a)) AS form_no,
    *
FROM (
    SELECT
        * EXCLUDE (event_id, occurred_at, item_count, source_id),
        count(*) AS accesses,
        count(*) - count(occurred_at) AS untimed,
        min(occurred_at) AS first_at,
        max(occurred_at) AS last_at
    FROM audited_accesses
    GROUP BY ALL
) AS a
