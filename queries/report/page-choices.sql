/*---
query: page-choices
grain: one row per value that a filter of the review page can be set to
columns:
  kind: tenant, rule or integration
  value: what the filter is set to
  name: what a person reads
  findings: how many findings have it, open and resolved
---*/
SELECT 'tenant' AS kind, f.tenant_id AS value, coalesce(any_value(t.name), f.tenant_id) AS name, count(*) AS findings
FROM findings AS f
LEFT JOIN tenants AS t ON f.tenant_id = t.tenant_id
GROUP BY f.tenant_id
UNION ALL
SELECT 'rule' AS kind, rule AS value, rule AS name, count(*) AS findings
FROM findings
GROUP BY rule
UNION ALL
SELECT 'integration' AS kind, a.integration_name AS value, a.integration_name AS name, count(*) AS findings
FROM findings AS f
INNER JOIN (SELECT DISTINCT tenant_id, app_id, integration_name FROM apps) AS a
    ON f.tenant_id = a.tenant_id AND f.app_id = a.app_id
WHERE a.integration_name IS NOT NULL
GROUP BY a.integration_name
ORDER BY kind, name
