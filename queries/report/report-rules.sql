/*---
query: report-rules
grain: one row per tenant and rule, but for rules about the collector where there is none to speak of
columns:
  tenant_id: tenant
  rule: rule
  outcome: findings, clean, not_evaluated or error
  reason: why it was not evaluated, or what went wrong
  findings: how many it made
---*/
SELECT tenant_id, rule, outcome, reason, findings
FROM rule_outcomes
WHERE NOT (outcome = 'not_evaluated' AND coalesce(starts_with(reason, 'everything came in files'), FALSE))
ORDER BY tenant_id, rule
