/*---
id: first-seen-use
title: What apps touched for the first time
question: Which app began to touch which mailbox, calendar or team for the first time?
parameters:
  since: {type: TIMESTAMPTZ, default: null, description: "only what was first touched from this time on (UTC)"}
  app_id: {type: VARCHAR, default: null, description: "only this app"}
  workload: {type: VARCHAR, default: null, description: "only this workload, e.g. mail"}
  rows: {type: BIGINT, default: 1000, description: "how many rows at most, newest first"}
columns: [tenant_id, first_at, app_id, app_name, workload, operation, resource_kind, resource_id, resource_name, accesses, last_at, verdicts, hours_watched_before, hours_not_watched_before, first_event_id, feed]
---*/
-- First seen is not first done: the hours before say how far back was looked, and with which holes.
WITH firsts AS (
    SELECT
        e.tenant_id,
        e.app_id,
        max(e.app_name) AS app_name,
        e.workload,
        e.operation,
        e.resource_kind,
        lower(coalesce(e.resource_id, e.resource_name)) AS resource,
        max(e.resource_id) AS resource_id,
        max(e.resource_name) AS resource_name,
        min(e.occurred_at) AS first_at,
        max(e.occurred_at) AS last_at,
        count(*) AS accesses,
        list_sort(list(DISTINCT e.verdict)) AS verdicts,
        min_by(e.event_id, e.occurred_at) AS first_event_id,
        min_by(e.feed, e.occurred_at) AS feed
    FROM judged_accesses AS e
    WHERE
        e.succeeded IS DISTINCT FROM FALSE
        AND ($app_id::VARCHAR IS NULL OR e.app_id = lower($app_id))
        AND ($workload::VARCHAR IS NULL OR e.workload = $workload)
    GROUP BY e.tenant_id, e.app_id, e.workload, e.operation, e.resource_kind, resource
),

chosen AS (
    SELECT *
    FROM firsts
    WHERE $since::TIMESTAMPTZ IS NULL OR first_at >= $since
    ORDER BY first_at DESC NULLS LAST, tenant_id, app_id, workload, operation, resource
    LIMIT $rows::BIGINT
),

before AS (
    SELECT
        m.tenant_id,
        m.feed,
        m.first_at,
        round(
            sum(epoch_us(least(c.covered_to, m.first_at)) - epoch_us(c.covered_from))
            FILTER (WHERE c.state <> 'gap') / 3.6e9, 1
        ) AS watched,
        round(
            sum(epoch_us(least(c.covered_to, m.first_at)) - epoch_us(c.covered_from))
            FILTER (WHERE c.state = 'gap') / 3.6e9, 1
        ) AS missed
    FROM (SELECT DISTINCT tenant_id, feed, first_at FROM chosen) AS m
    INNER JOIN coverage AS c ON m.tenant_id = c.tenant_id AND m.feed = c.feed AND c.covered_from < m.first_at
    GROUP BY m.tenant_id, m.feed, m.first_at
)

SELECT
    f.tenant_id,
    f.first_at,
    f.app_id,
    f.app_name,
    f.workload,
    f.operation,
    f.resource_kind,
    f.resource_id,
    f.resource_name,
    f.accesses,
    f.last_at,
    f.verdicts,
    coalesce(b.watched, 0) AS hours_watched_before,
    coalesce(b.missed, 0) AS hours_not_watched_before,
    f.first_event_id,
    f.feed
FROM chosen AS f
LEFT JOIN before AS b ON f.tenant_id = b.tenant_id AND f.feed = b.feed AND f.first_at = b.first_at
ORDER BY f.first_at DESC NULLS LAST, f.tenant_id, f.app_id, f.workload, f.operation, f.resource
