/*---
table: consent_processes
grain: one process version and app id
columns:
  tenant_id: tenant that agreed
  record: consent record
  process: process inside the record
  app_id: application that the record lists
  version: position of the entry in the record's history that declares this version, from 0
  workload: what it is about
  purpose: why
  legal_basis: GDPR Art. 6 ground that the record names
  permissions: permission names
  permission_kinds: application or delegated, in the same order
  operations: read, write, send, delete
  resources: all, or the ids or groups it is limited to, as JSON
  effective_from: first moment
  effective_until: first moment after it
  recorded_at: when the entry was written down
  ended_at: when it stopped before effective_until; NULL when it did not
  ended_by: event that ended it
---*/
SELECT
    v.tenant_id,
    v.record,
    v.process,
    a.app_id,
    v.version,
    v.workload,
    v.purpose,
    v.legal_basis,
    list_transform(v.permissions, LAMBDA p: p.name) AS permissions,
    list_transform(v.permissions, LAMBDA p: p.kind) AS permission_kinds,
    v.operations,
    CASE
        WHEN v.covers_all THEN '"all"'::JSON
        WHEN len(v.resource_groups) > 0 THEN to_json({'groups': v.resource_groups})
        ELSE to_json({'ids': v.resource_ids})
    END AS resources,
    v.effective_from,
    v.effective_until,
    v.recorded_at,
    v.ended_at,
    v.ended_by
FROM register_versions AS v
INNER JOIN register_apps AS a ON v.tenant_id = a.tenant_id AND v.record = a.record
