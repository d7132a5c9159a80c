/*---
query: report-register
grain: one row per tenant, record and process, in its last version
columns:
  tenant_id: tenant
  record: consent record
  process: process
  integration_name: integration
  workload: workload
  is_audited: whether the policy has this workload audited
  operations: operations agreed to
  permissions: permissions agreed to
  covers_all: whether it covers all resources
  purpose: purpose, as written in the record
  legal_basis: legal basis, as written in the record
  policy_version: version of the privacy policy that it names
  effective_from: begin
  effective_until: agreed end
  ended_at: end by withdrawal, revocation or invalidation
  ended_by: what ended it
---*/
SELECT
    v.tenant_id,
    v.record,
    v.process,
    (
        SELECT any_value(r.integration_name) FROM register_records AS r
        WHERE r.tenant_id = v.tenant_id AND r.record = v.record
    ) AS integration_name,
    v.workload,
    v.workload IN (SELECT p.workload FROM policy_workloads AS p) AS is_audited,
    v.operations,
    list_transform(v.permissions, LAMBDA p: p.name || ' (' || p.kind || ')') AS permissions,
    v.covers_all,
    v.purpose,
    v.legal_basis,
    v.policy_version,
    v.effective_from,
    v.effective_until,
    v.ended_at,
    v.ended_by
FROM register_versions AS v
QUALIFY row_number() OVER (PARTITION BY v.tenant_id, v.record, v.process ORDER BY v.version DESC) = 1
ORDER BY v.tenant_id, v.record, v.process
