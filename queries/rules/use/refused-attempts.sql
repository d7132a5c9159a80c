/*---
id: refused-attempts
version: 1
severity: low
title: "{app_id} tried {operation} on {workload} without a record of it, and was refused"
question: Which apps try to reach data that nobody agreed to?
identity: [app_id, workload, operation]
needs: [graph_activity]
needs_register: true
evidence: >
  Calls on an audited workload that failed, by an app that is not Microsoft's and that no recorded process for this
  workload covered at that time. No data was touched.
misses: >
  Attempts that no log shows; audit records tell of success only, most of the time. A call may have failed for another
  reason than a missing permission.
advice: >
  Ask the app's owner what it wanted. A failed attempt today is a successful one as soon as somebody grants the permission.
control: [C12-3]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 25(2)", "Policy §7"]
---*/
WITH agreed AS (
    SELECT a.tenant_id, a.app_id, v.workload, s.valid_from, s.valid_to
    FROM register_apps AS a
    INNER JOIN register_segments AS s
        ON a.tenant_id = s.tenant_id AND a.record = s.record AND s.period_reason IS NULL
    INNER JOIN register_versions AS v
        ON
            s.tenant_id = v.tenant_id AND s.record = v.record
            AND s.process = v.process AND s.version = v.version
)
SELECT
    e.tenant_id,
    e.app_id,
    e.workload,
    e.operation,
    e.feed,
    e.event_id,
    e.occurred_at,
    ['refused'] AS reasons,
    CAST(NULL AS VARCHAR) AS record,
    CAST(NULL AS VARCHAR) AS process
FROM access_events AS e
WHERE
    e.succeeded IS FALSE
    AND e.workload IN (SELECT p.workload FROM policy_workloads AS p)
    AND NOT EXISTS (
        SELECT 1 FROM apps AS a
        WHERE a.tenant_id = e.tenant_id AND a.app_id = e.app_id AND a.is_first_party
    )
    AND NOT EXISTS (
        SELECT 1 FROM agreed AS g
        WHERE
            g.tenant_id = e.tenant_id AND g.app_id = e.app_id AND g.workload = e.workload
            AND COALESCE(g.valid_from <= e.occurred_at, TRUE) AND COALESCE(e.occurred_at < g.valid_to, TRUE)
    )
