/*---
query: report-controls
grain: one row per tenant, control and integration, by clause
params:
  limit: how many at most
columns:
  tenant_id: tenant
  control: control, e.g. C12-3
  clause: clause of the policy
  title: what it is about
  commitment: what the policy promises
  severity: how grave it is when it is broken
  outcome: within, outside, review, not_assessable or not_applicable
  reason_code: why it is not assessable
  sentence: what the evidence says
  said: the same as keys of sentences with their facts, as JSON, for other languages
  attach: what would answer it
  owner_role: role that owns it
  integration_name: integration, where it is about one
  rules: rules that speak about it
  finding_ids: open findings that speak against it
  gdpr: articles
  iso: controls of ISO/IEC 27701
  attested_role: role of who attested
  attested_at: when
  attested_until: until when that holds
  total: rows in all, beyond the limit too
---*/
SELECT
    tenant_id,
    control,
    CAST(clause AS VARCHAR) AS clause,
    title,
    commitment,
    severity,
    outcome,
    reason_code,
    sentence,
    said,
    attach,
    owner AS owner_role,
    integration_name,
    rules,
    finding_ids,
    array_to_string([CAST(gdpr AS VARCHAR)], ', ') AS gdpr,
    array_to_string([CAST(iso AS VARCHAR)], ', ') AS iso,
    attested_by AS attested_role,
    attested_at,
    attested_until,
    (SELECT count(a.tenant_id) FROM controls AS a) AS total
FROM controls
ORDER BY
    TRY_CAST(regexp_extract(control, '\d+') AS INTEGER) NULLS LAST,
    control,
    tenant_id,
    integration_name NULLS FIRST
LIMIT CAST($limit AS BIGINT)
