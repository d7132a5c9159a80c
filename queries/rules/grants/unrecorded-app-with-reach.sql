/*---
id: unrecorded-app-with-reach
version: 2
severity: high
title: "{app_id} may reach our people's data and stands in no record"
question: Which apps are we responsible for without knowing them?
identity: [app_id]
needs: [app_role_assignments, delegated_permission_grants, rsc_grants, exchange_role_assignments]
needs_register: true
evidence: >
  Every current grant, of a permission that reaches an audited workload, to an app that is not Microsoft's and that no
  record of the tenant lists.
misses: >
  Teams and chats that were not asked for their grants; permissions without a known name (those are named by
  granted-not-recorded).
advice: >
  Find the owner. Remove the app, or make it known: who processes what for whom, on which basis.
control: [C03-2, C12-1, C06-3]
references: ["GDPR Art. 5(2)", "GDPR Art. 28(1)", "GDPR Art. 30(1)", "Policy §6"]
---*/
WITH reach AS (
    SELECT DISTINCT resource_app_id, lower(permission) AS permission, kind
    FROM permission_reach
    WHERE workload IN (SELECT p.workload FROM policy_workloads AS p)
)
SELECT
    g.tenant_id,
    g.app_id,
    CASE g.source
        WHEN 'app_role_assignment' THEN 'app_role_assignments'
        WHEN 'delegated_permission_grant' THEN 'delegated_permission_grants'
        WHEN 'rsc' THEN 'rsc_grants'
        WHEN 'exchange_rbac' THEN 'exchange_role_assignments'
        ELSE g.source
    END AS feed,
    g.grant_id AS event_id,
    g.first_seen_at AS occurred_at,
    g.last_seen_at,
    ['no_record'] AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM grants AS g
WHERE
    g.is_current
    AND g.app_id IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM apps AS a
        WHERE a.tenant_id = g.tenant_id AND a.app_id = g.app_id AND a.is_first_party
    )
    AND NOT EXISTS (
        SELECT 1 FROM register_apps AS a
        WHERE a.tenant_id = g.tenant_id AND a.app_id = g.app_id
    )
    AND (
        g.workload IN (SELECT p.workload FROM policy_workloads AS p)
        OR EXISTS (
            SELECT 1 FROM reach AS r
            WHERE
                r.permission = lower(g.permission) AND r.kind = g.kind
                AND coalesce(r.resource_app_id = g.resource_app_id, TRUE)
        )
    )
