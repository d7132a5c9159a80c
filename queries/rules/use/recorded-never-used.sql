/*---
id: recorded-never-used
version: 1
severity: info
title: "{app_id} holds what {record} agrees to for {process}, and never used it"
question: Which agreements and permissions are not needed?
identity: [app_id, record, process]
needs: [graph_activity, audit_exchange, audit_teams, app_role_assignments, delegated_permission_grants]
needs_complete: true
needs_register: true
evidence: >
  A recorded process in force at the end of the watched time, one of whose permissions the app holds, and no logged access
  by the app to that workload with one of the process's operations in the whole watched time.
misses: >
  Everything, unless every log that could show the use was collected without a gap and is settled. Use before the watched
  time. An app with calls that could not be placed is left out, because one of them may be the use.
advice: >
  Ask whether the process is still needed; if not, end the record and remove the permission.
control: [C05-2]
references: ["GDPR Art. 5(1)(c)", "GDPR Art. 25(2)", "Policy §5"]
---*/
WITH active AS (
    SELECT
        a.tenant_id,
        a.app_id,
        v.record,
        v.process,
        v.workload,
        v.operations,
        v.permissions,
        v.effective_from
    FROM register_apps AS a
    INNER JOIN tenants AS t ON a.tenant_id = t.tenant_id
    INNER JOIN register_segments AS s
        ON
            a.tenant_id = s.tenant_id AND a.record = s.record AND s.period_reason IS NULL
            AND coalesce(t.watched_to >= s.valid_from, TRUE) AND coalesce(t.watched_to < s.valid_to, TRUE)
    INNER JOIN register_versions AS v
        ON
            s.tenant_id = v.tenant_id AND s.record = v.record
            AND s.process = v.process AND s.version = v.version
    WHERE v.workload IN (SELECT p.workload FROM policy_workloads AS p)
),
granted AS (
    SELECT DISTINCT a.tenant_id, a.app_id, a.record, a.process
    FROM active AS a
    CROSS JOIN unnest(a.permissions) AS u (permission)
    INNER JOIN grants AS g
        ON
            a.tenant_id = g.tenant_id AND a.app_id = g.app_id AND g.is_current
            AND lower(u.permission.name) = lower(g.permission) AND u.permission.kind = g.kind
),
used AS (
    SELECT DISTINCT tenant_id, app_id, workload, operation
    FROM judged_forms
    WHERE succeeded IS DISTINCT FROM FALSE
)
SELECT
    a.tenant_id,
    a.app_id,
    'register' AS feed,
    a.record || '/' || a.process AS event_id,
    a.effective_from AS occurred_at,
    ['never_used'] AS reasons,
    a.record,
    a.process
FROM active AS a
INNER JOIN granted AS g
    ON a.tenant_id = g.tenant_id AND a.app_id = g.app_id AND a.record = g.record AND a.process = g.process
WHERE
    NOT EXISTS (
        -- What is unknown about an event may be the very use.
        SELECT 1 FROM used AS u
        WHERE
            u.tenant_id = a.tenant_id
            AND coalesce(u.app_id = a.app_id, TRUE)
            AND coalesce(u.workload = a.workload, TRUE)
            AND coalesce(list_contains(a.operations, u.operation), TRUE)
    )
