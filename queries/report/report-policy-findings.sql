/*---
query: report-policy-findings
grain: one row per weakness of the policy's own text
columns:
  rule: POL-01, …
  title: what the text lacks
  why: why that matters
  severity: info, low, medium, high or critical
  gdpr: articles
  words: what was filled into title and reason, as JSON, for other languages
---*/
SELECT DISTINCT rule, title, why, severity, array_to_string([CAST(gdpr AS VARCHAR)], ', ') AS gdpr, words
FROM policy_findings
ORDER BY rule
