/*---
query: report-control-counts
grain: one row per outcome of controls, over all tenants; a control's lines for integrations are part of its tenant's
columns:
  outcome: within, outside, review, not_assessable or not_applicable
  controls: how many
  attested: of these, how many somebody attested and that still holds
---*/
SELECT
    outcome,
    count(*) AS controls,
    count(attested_at) AS attested
FROM controls
WHERE integration_name IS NULL
GROUP BY outcome
ORDER BY outcome
