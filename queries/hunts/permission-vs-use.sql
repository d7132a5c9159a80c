/*---
id: permission-vs-use
title: Permissions held against calls seen
question: Which permissions could be taken away, because no call that was seen needed them?
parameters:
  app_id: {type: VARCHAR, default: null, description: "only this app"}
  only_without_use: {type: BOOLEAN, default: true, description: "leave out permissions that a call was seen for"}
columns: [tenant_id, app_id, app_name, permission, kind, workload, granted_for, state, calls, calls_of_app, first_used_at, last_used_at, granted_at, hours_watched, hours_not_watched]
---*/
-- state is seen, not_seen or not_assessable. A log names every permission that would allow a call, so that a call may be
-- seen for more permissions than it needed; not_seen is said only where the calls' log has no hole since the grant.
WITH held AS (
    SELECT
        g.tenant_id,
        g.app_id,
        max(g.app_name) AS app_name,
        g.permission,
        g.kind,
        max(g.workload) AS workload,
        CASE WHEN bool_or(g.granted_for = 'all_users') THEN 'all_users' ELSE max(g.granted_for) END AS granted_for,
        min(g.first_seen_at) AS granted_at
    FROM grants AS g
    WHERE
        g.is_current AND g.workload IS NOT NULL AND g.permission IS NOT NULL
        AND ($app_id::VARCHAR IS NULL OR g.app_id = lower($app_id))
    GROUP BY g.tenant_id, g.app_id, g.permission, g.kind
),

calls AS (
    SELECT e.tenant_id, e.app_id, e.access_kind, e.occurred_at, unnest(e.permissions) AS permission
    FROM access_events AS e
    WHERE e.succeeded IS DISTINCT FROM FALSE
),

used AS (
    SELECT
        h.tenant_id,
        h.app_id,
        h.permission,
        h.kind,
        count(*) AS calls,
        min(c.occurred_at) AS first_used_at,
        max(c.occurred_at) AS last_used_at
    FROM held AS h
    INNER JOIN calls AS c
        ON
            h.tenant_id = c.tenant_id AND h.app_id = c.app_id AND h.permission = c.permission
            AND coalesce(c.access_kind, h.kind) = h.kind
    GROUP BY h.tenant_id, h.app_id, h.permission, h.kind
),

apps_calls AS (
    SELECT tenant_id, app_id, count(*) AS calls_of_app, count(*) FILTER (WHERE permissions IS NULL) AS without_list
    FROM access_events
    WHERE succeeded IS DISTINCT FROM FALSE
    GROUP BY tenant_id, app_id
),

watched AS (
    SELECT
        tenant_id,
        round(sum(epoch_us(covered_to) - epoch_us(covered_from)) FILTER (WHERE state <> 'gap') / 3.6e9, 1) AS seen,
        round(sum(epoch_us(covered_to) - epoch_us(covered_from)) FILTER (WHERE state = 'gap') / 3.6e9, 1) AS missed,
        coalesce(bool_or(state = 'gap' AND covered_from IS NULL), FALSE) AS is_missed_somewhen
    FROM coverage
    WHERE feed = 'graph_activity'
    GROUP BY tenant_id
)

SELECT
    h.tenant_id,
    h.app_id,
    h.app_name,
    h.permission,
    h.kind,
    h.workload,
    h.granted_for,
    CASE
        WHEN u.calls > 0 THEN 'seen'
        WHEN
            coalesce(w.seen, 0) = 0 OR coalesce(w.missed, 0) > 0 OR w.is_missed_somewhen
            OR coalesce(a.without_list, 0) > 0 THEN 'not_assessable'
        ELSE 'not_seen'
    END AS state,
    coalesce(u.calls, 0) AS calls,
    coalesce(a.calls_of_app, 0) AS calls_of_app,
    u.first_used_at,
    u.last_used_at,
    h.granted_at,
    coalesce(w.seen, 0) AS hours_watched,
    w.missed AS hours_not_watched
FROM held AS h
LEFT JOIN used AS u
    ON h.tenant_id = u.tenant_id AND h.app_id = u.app_id AND h.permission = u.permission AND h.kind = u.kind
LEFT JOIN apps_calls AS a ON h.tenant_id = a.tenant_id AND h.app_id = a.app_id
LEFT JOIN watched AS w ON h.tenant_id = w.tenant_id
WHERE NOT $only_without_use::BOOLEAN OR u.calls IS NULL
ORDER BY h.tenant_id, h.app_id, h.permission, h.kind
