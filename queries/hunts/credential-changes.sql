/*---
id: credential-changes
title: New keys, owners and redirect addresses of apps, and what the app did next
question: Who changed how an app proves itself, and what did that app do in the hours after?
parameters:
  app_id: {type: VARCHAR, default: null, description: "only this app"}
  since: {type: TIMESTAMPTZ, default: null, description: "only changes from this time on (UTC)"}
  hours: {type: BIGINT, default: 72, description: "how long after the change the app is followed"}
columns: [tenant_id, occurred_at, app_id, app_name, change, what, actor_id, actor_name, result, accesses_after, outside_after, items_after, addresses_after, sign_ins_after, first_after_at, hours_watched, event_id]
---*/
-- Zero accesses say something only where hours_watched comes near the hours asked for.
WITH changed AS (
    SELECT d.tenant_id, d.occurred_at, d.app_id, d.event_id, d.actor_id, d.actor_name, d.result, c.change, c.what
    FROM directory_changes AS d, unnest(d.changes) AS u (c)
    WHERE
        len(d.changes) > 0
        AND ($app_id::VARCHAR IS NULL OR d.app_id = lower($app_id))
        AND ($since::TIMESTAMPTZ IS NULL OR d.occurred_at >= $since)
),

times AS (
    SELECT DISTINCT
        tenant_id, app_id, occurred_at AS begins_at,
        to_timestamp(epoch_us(occurred_at) / 1e6 + $hours::BIGINT * 3600) AS ends_at
    FROM changed
),

accesses AS (
    SELECT
        t.tenant_id,
        t.app_id,
        t.begins_at,
        count(*) AS accesses_after,
        count(*) FILTER (WHERE e.verdict = 'outside') AS outside_after,
        CAST(sum(e.item_count) AS BIGINT) AS items_after,
        count(DISTINCT e.ip_address) AS addresses_after,
        min(e.occurred_at) AS first_after_at
    FROM times AS t
    INNER JOIN judged_accesses AS e
        ON t.tenant_id = e.tenant_id AND t.app_id = e.app_id AND e.occurred_at >= t.begins_at AND e.occurred_at < t.ends_at
    WHERE e.succeeded IS DISTINCT FROM FALSE
    GROUP BY t.tenant_id, t.app_id, t.begins_at
),

signed AS (
    SELECT t.tenant_id, t.app_id, t.begins_at, count(*) AS sign_ins_after
    FROM times AS t
    INNER JOIN sign_ins AS s
        ON t.tenant_id = s.tenant_id AND t.app_id = s.app_id AND s.occurred_at >= t.begins_at AND s.occurred_at < t.ends_at
    GROUP BY t.tenant_id, t.app_id, t.begins_at
),

watched AS (
    SELECT
        t.tenant_id,
        t.app_id,
        t.begins_at,
        round(
            sum(epoch_us(least(c.covered_to, t.ends_at)) - epoch_us(greatest(c.covered_from, t.begins_at))) / 3.6e9, 1
        ) AS hours_watched
    FROM times AS t
    INNER JOIN coverage AS c
        ON
            t.tenant_id = c.tenant_id AND c.feed = 'graph_activity' AND c.state <> 'gap'
            AND c.covered_from < t.ends_at AND c.covered_to > t.begins_at
    GROUP BY t.tenant_id, t.app_id, t.begins_at
)

SELECT
    c.tenant_id,
    c.occurred_at,
    c.app_id,
    a.app_name,
    c.change,
    c.what,
    c.actor_id,
    c.actor_name,
    c.result,
    coalesce(e.accesses_after, 0) AS accesses_after,
    coalesce(e.outside_after, 0) AS outside_after,
    e.items_after,
    coalesce(e.addresses_after, 0) AS addresses_after,
    coalesce(s.sign_ins_after, 0) AS sign_ins_after,
    e.first_after_at,
    coalesce(w.hours_watched, 0) AS hours_watched,
    c.event_id
FROM changed AS c
LEFT JOIN apps AS a ON c.tenant_id = a.tenant_id AND c.app_id = a.app_id
LEFT JOIN accesses AS e ON c.tenant_id = e.tenant_id AND c.app_id = e.app_id AND c.occurred_at = e.begins_at
LEFT JOIN signed AS s ON c.tenant_id = s.tenant_id AND c.app_id = s.app_id AND c.occurred_at = s.begins_at
LEFT JOIN watched AS w ON c.tenant_id = w.tenant_id AND c.app_id = w.app_id AND c.occurred_at = w.begins_at
ORDER BY c.occurred_at DESC NULLS LAST, c.tenant_id, c.app_id, c.change, c.what
