/*---
query: report-attestations
grain: one row per attestation, the newest first
params:
  limit: how many at most
columns:
  tenant_id: tenant
  control: control that it is about
  kind: certificate, contract, letter, …
  ref: where it is
  sha256: hash of the file
  by_role: role of who attested
  attested_at: when
  valid_until: until when it holds
  is_valid: whether it holds today
---*/
SELECT
    tenant_id,
    control,
    kind,
    ref,
    sha256,
    by_role,
    attested_at,
    valid_until,
    is_valid
FROM attestations
ORDER BY attested_at DESC NULLS LAST, tenant_id, control, ref
LIMIT CAST($limit AS BIGINT)
