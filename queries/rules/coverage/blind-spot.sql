/*---
id: blind-spot
version: 1
severity: medium
title: "{feed} was not watched while {app_id} was, or may have been, active"
question: Where could an app have used our people's data without us seeing it?
identity: [app_id, feed]
needs: [app_role_assignments, delegated_permission_grants]
needs_register: true
evidence: >
  Gaps of a feed that would show the use of a workload that is recorded for the app or within reach of its grants, during
  the time from the first to the last sign of the app (seen, or holding a grant). Records of the feed that could not be
  taken in are a gap that may be of any time.
misses: >
  Workloads that no feed shows. Inside the time between two signs of an app nothing says that it was at work.
advice: >
  Close the gap at its cause: licence, permission, export, retention; import a file with broken records again, mended. What
  was not collected in time cannot be had again.
control: [C07-5, C08-2]
references: ["GDPR Art. 5(2)", "GDPR Art. 24(1)", "GDPR Art. 32(1)(d)", "Policy §7"]
---*/
WITH app_workloads AS (
    SELECT a.tenant_id, a.app_id, v.workload
    FROM register_apps AS a
    INNER JOIN register_versions AS v ON a.tenant_id = v.tenant_id AND a.record = v.record
    UNION
    SELECT g.tenant_id, g.app_id, coalesce(r.workload, g.workload) AS workload
    FROM grants AS g
    LEFT JOIN permission_reach AS r
        ON
            g.resource_app_id = r.resource_app_id AND lower(g.permission) = lower(r.permission)
            AND g.kind = r.kind
),
app_feeds AS (
    SELECT DISTINCT w.tenant_id, w.app_id, f.feed
    FROM app_workloads AS w
    INNER JOIN workload_feeds AS f ON w.workload = f.workload
    WHERE
        w.workload IN (SELECT p.workload FROM policy_workloads AS p)
        AND NOT EXISTS (
            SELECT 1 FROM apps AS a
            WHERE a.tenant_id = w.tenant_id AND a.app_id = w.app_id AND a.is_first_party
        )
),
activity AS (
    SELECT tenant_id, app_id, min(first_seen_at) AS active_from, max(last_seen_at) AS active_until
    FROM (
        SELECT tenant_id, app_id, first_seen_at, last_seen_at FROM apps
        UNION ALL
        SELECT tenant_id, app_id, first_seen_at, last_seen_at FROM grants
    ) AS signs
    GROUP BY tenant_id, app_id
),
gaps AS (
    SELECT tenant_id, feed, covered_from, covered_to, reason
    FROM coverage
    WHERE state = 'gap' AND reason IS DISTINCT FROM 'purged_by_retention'
    UNION ALL
    -- A feed that no coverage row names was not watched at all.
    SELECT t.tenant_id, f.feed, t.watched_from, t.watched_to, 'not_collected'
    FROM tenants AS t
    CROSS JOIN (SELECT DISTINCT feed FROM workload_feeds) AS f
    WHERE NOT EXISTS (SELECT 1 FROM coverage AS c WHERE c.tenant_id = t.tenant_id AND c.feed = f.feed)
)
SELECT
    n.tenant_id,
    n.app_id,
    n.feed,
    coalesce(strftime(make_timestamp(epoch_us(g.covered_from)), '%Y-%m-%dT%H:%M:%SZ'), '..')
    || '/' || coalesce(strftime(make_timestamp(epoch_us(g.covered_to)), '%Y-%m-%dT%H:%M:%SZ'), '..') AS event_id,
    g.covered_from AS occurred_at,
    g.covered_to AS last_seen_at,
    -- By this word an app's permission is meant elsewhere.
    [CASE g.reason WHEN 'permission' THEN 'no_permission' ELSE coalesce(g.reason, 'gap') END] AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM app_feeds AS n
INNER JOIN gaps AS g ON n.tenant_id = g.tenant_id AND n.feed = g.feed
INNER JOIN activity AS a ON n.tenant_id = a.tenant_id AND n.app_id = a.app_id
WHERE coalesce(a.active_from < g.covered_to, TRUE) AND coalesce(a.active_until >= g.covered_from, TRUE)
