/*---
query: report-rules
grain: one row per tenant and rule
columns:
  tenant_id: tenant
  rule: rule
  outcome: findings, clean, not_evaluated or error
  reason: why it was not evaluated, or what went wrong
  findings: how many it made
---*/
SELECT tenant_id, rule, outcome, reason, findings
FROM rule_outcomes
ORDER BY tenant_id, rule
