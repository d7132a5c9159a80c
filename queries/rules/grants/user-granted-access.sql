/*---
id: user-granted-access
version: 1
severity: medium
title: "People gave {app_id} {permission} for themselves"
question: Which apps were let in by single people, past the house that answers for the data?
identity: [app_id, resource_app_id, permission]
needs: [delegated_permission_grants]
needs_register: true
evidence: >
  Current delegated grants for one person each, to an app that is not Microsoft's, of a permission that reaches an audited
  workload, which no recorded process in force when the grant was last seen lists. One piece of evidence for each person.
misses: >
  An administrator can grant for one person too: the grant does not say who did it. What people may grant by themselves
  (tenant_policies) is a setting, not a finding. Grants for everybody: granted-not-recorded.
advice: >
  Take the grants back or record the app; let administrators grant, and people ask (admin consent workflow).
control: [C04-4]
references: ["GDPR Art. 25(2)", "GDPR Art. 32(1)(b)", "GDPR Art. 24(1)", "Policy §4"]
---*/
SELECT
    g.tenant_id,
    g.app_id,
    g.resource_app_id,
    g.permission,
    'delegated_permission_grants' AS feed,
    g.grant_id AS event_id,
    g.first_seen_at AS occurred_at,
    g.last_seen_at,
    [CASE WHEN a.is_recorded THEN 'permission' ELSE 'no_record' END] AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM grants AS g
LEFT JOIN apps AS a ON g.tenant_id = a.tenant_id AND g.app_id = a.app_id
WHERE
    g.is_current AND g.kind = 'delegated' AND g.granted_for = 'one_user'
    AND a.is_first_party IS DISTINCT FROM TRUE
    AND g.workload IN (SELECT p.workload FROM policy_workloads AS p)
    AND NOT EXISTS (
        SELECT 1
        FROM register_apps AS r
        INNER JOIN register_segments AS s
            ON
                r.tenant_id = s.tenant_id AND r.record = s.record AND s.period_reason IS NULL
                AND coalesce(g.last_seen_at >= s.valid_from, TRUE) AND coalesce(g.last_seen_at < s.valid_to, TRUE)
        INNER JOIN register_versions AS v
            ON s.tenant_id = v.tenant_id AND s.record = v.record AND s.process = v.process AND s.version = v.version
        WHERE
            r.tenant_id = g.tenant_id AND r.app_id = g.app_id
            AND list_contains(
                list_transform(v.permissions, LAMBDA p: lower(p.name) || '/' || p.kind), lower(g.permission) || '/delegated'
            )
    )
