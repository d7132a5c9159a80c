/*---
query: report-breach-cases
grain: one row per breach case, open ones first, the one that is due first on top
params:
  limit: how many at most
columns:
  tenant_id: tenant
  case_id: number of the case
  finding_ids: findings that it was opened from
  state: suspected, aware, assessed, notified_initial, notified_complete or closed
  risk: no_risk, risk or high_risk; NULL while nobody has assessed it
  detected_at: when the machine found it
  first_seen_at: when a person first looked at it
  aware_at: when somebody was aware, as a person said
  due_at: when the authority has to know
  notified_at: when the authority was told
  controller_told_at: when the controller was told
  people_informed_at: when the persons concerned were told
  closed_at: when it was closed
  late_reason: why it was late, for the authority
  hours: hours of the clock
  total: cases in all, beyond the limit too
---*/
SELECT
    tenant_id,
    case_id,
    finding_ids,
    state,
    risk,
    detected_at,
    first_seen_at,
    aware_at,
    due_at,
    notified_at,
    controller_told_at,
    people_informed_at,
    closed_at,
    late_reason,
    hours,
    (SELECT count(a.tenant_id) FROM breach_cases AS a) AS total
FROM breach_cases
ORDER BY state = 'closed', notified_at IS NOT NULL, due_at NULLS LAST, tenant_id, case_id
LIMIT CAST($limit AS BIGINT)
