/*---
id: volume-by-day
title: How much each app touched, day by day
question: On which days did an app touch more than usual, and was the day watched?
parameters:
  app_id: {type: VARCHAR, default: null, description: "only this app"}
  workload: {type: VARCHAR, default: null, description: "only this workload, e.g. mail"}
  since: {type: TIMESTAMPTZ, default: null, description: "only accesses from this time on (UTC)"}
columns: [tenant_id, day, feed, app_id, app_name, workload, operation, accesses, times_usual, items, resources, outside, refused, hours_watched]
---*/
-- times_usual: against the median of the days on which the app did this at all. A day that is missing here, or lower than
-- usual, says nothing where it was not watched (hours_watched, of 24).
WITH days AS (
    SELECT
        e.tenant_id,
        CAST(e.occurred_at AT TIME ZONE 'UTC' AS DATE) AS day,
        e.feed,
        e.app_id,
        max(e.app_name) AS app_name,
        e.workload,
        e.operation,
        count(*) AS accesses,
        CAST(sum(e.item_count) AS BIGINT) AS items,
        count(DISTINCT lower(coalesce(e.resource_id, e.resource_name))) AS resources,
        count(*) FILTER (WHERE e.verdict = 'outside') AS outside,
        count(*) FILTER (WHERE NOT e.succeeded) AS refused
    FROM judged_accesses AS e
    WHERE
        e.occurred_at IS NOT NULL
        AND ($app_id::VARCHAR IS NULL OR e.app_id = lower($app_id))
        AND ($workload::VARCHAR IS NULL OR e.workload = $workload)
        AND ($since::TIMESTAMPTZ IS NULL OR e.occurred_at >= $since)
    GROUP BY e.tenant_id, day, e.feed, e.app_id, e.workload, e.operation
),

edges AS (
    SELECT DISTINCT tenant_id, feed, day, epoch_us(CAST(day AS TIMESTAMP)) AS begins, 86400000000 AS length FROM days
),

watched AS (
    SELECT
        d.tenant_id,
        d.feed,
        d.day,
        round(
            sum(least(epoch_us(c.covered_to), d.begins + d.length) - greatest(epoch_us(c.covered_from), d.begins)) / 3.6e9, 1
        ) AS hours
    FROM edges AS d
    INNER JOIN coverage AS c
        ON
            d.tenant_id = c.tenant_id AND d.feed = c.feed AND c.state <> 'gap'
            AND epoch_us(c.covered_from) < d.begins + d.length AND epoch_us(c.covered_to) > d.begins
    GROUP BY d.tenant_id, d.feed, d.day
)

SELECT
    d.tenant_id,
    d.day,
    d.feed,
    d.app_id,
    d.app_name,
    d.workload,
    d.operation,
    d.accesses,
    round(
        d.accesses
        / median(d.accesses) OVER (PARTITION BY d.tenant_id, d.feed, d.app_id, d.workload, d.operation), 1
    ) AS times_usual,
    d.items,
    d.resources,
    d.outside,
    d.refused,
    coalesce(w.hours, 0) AS hours_watched
FROM days AS d
LEFT JOIN watched AS w ON d.tenant_id = w.tenant_id AND d.feed = w.feed AND d.day = w.day
ORDER BY d.tenant_id, d.day DESC, d.accesses DESC, d.feed, d.app_id, d.workload, d.operation
