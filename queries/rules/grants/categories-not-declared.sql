/*---
id: categories-not-declared
version: 1
severity: high
title: "{app_id} may reach {workload}, which neither policy nor record names"
question: Which kinds of data may the integrations reach that our policy never told people about?
identity: [app_id, workload]
needs: [app_role_assignments, delegated_permission_grants]
needs_register: true
evidence: >
  Current grants to a recorded app of a permission that reaches an audited workload whose content no category of the policy
  names, and for which no process of its records, in force or ended, names categories of data. One piece of evidence for
  each grant. Said only where the policy lists categories.
misses: >
  Which data really is in a message or appointment: special categories cannot be told without reading it. Apps that stand in
  no record: unrecorded-app-with-reach.
advice: >
  Add the category to the policy's list, or name it in the record (data_categories); else take the permission back.
control: [C02-1]
references: ["GDPR Art. 5(1)(a)", "GDPR Art. 5(1)(b)", "GDPR Art. 14(1)(d)", "Policy §2"]
---*/
WITH declared AS (
    SELECT DISTINCT unnest(workloads) AS workload FROM policy_categories
),
held AS (
    SELECT DISTINCT
        g.tenant_id, g.app_id, g.grant_id, g.source, g.first_seen_at, g.last_seen_at, r.workload
    FROM grants AS g
    INNER JOIN permission_reach AS r
        ON
            lower(g.permission) = lower(r.permission) AND g.kind = r.kind
            AND coalesce(g.resource_app_id = r.resource_app_id, TRUE)
    WHERE
        g.is_current AND g.app_id IS NOT NULL
        AND r.workload IN (SELECT p.workload FROM policy_workloads AS p)
        AND r.workload NOT IN (SELECT d.workload FROM declared AS d WHERE d.workload IS NOT NULL)
)
SELECT
    h.tenant_id,
    h.app_id,
    h.workload,
    CASE h.source
        WHEN 'app_role_assignment' THEN 'app_role_assignments'
        WHEN 'delegated_permission_grant' THEN 'delegated_permission_grants'
        WHEN 'rsc' THEN 'rsc_grants'
        WHEN 'exchange_rbac' THEN 'exchange_role_assignments'
        ELSE h.source
    END AS feed,
    h.grant_id AS event_id,
    h.first_seen_at AS occurred_at,
    h.last_seen_at,
    ['category_not_named'] AS reasons,
    a.record,
    cast(NULL AS VARCHAR) AS process
FROM held AS h
INNER JOIN (SELECT tenant_id, app_id, min(record) AS record FROM register_apps GROUP BY ALL) AS a
    ON h.tenant_id = a.tenant_id AND h.app_id = a.app_id
WHERE
    EXISTS (SELECT 1 FROM policy_categories)
    AND NOT EXISTS (
        SELECT 1
        FROM register_apps AS o
        INNER JOIN register_versions AS v ON o.tenant_id = v.tenant_id AND o.record = v.record
        WHERE
            o.tenant_id = h.tenant_id AND o.app_id = h.app_id AND v.workload = h.workload
            AND len(v.data_categories) > 0
    )
