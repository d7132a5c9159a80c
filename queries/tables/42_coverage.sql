/*---
table: coverage
grain: tenant × feed × interval
columns:
  tenant_id: tenant
  feed: log or state feed
  covered_from: beginning of the interval
  covered_to: end of the interval, exclusive; for state feeds first and last snapshot
  state: complete, provisional (may still grow, or only the extent of a file) or gap
  reason: >-
    settled_hour, declared_window, snapshot (complete); hour_may_still_grow, no_file_for_hour, extent_of_file,
    file_ends_early (provisional); not_covered, next_page_missing, records_missing (a listing that ends early or of which
    records were set aside), not_collected when the feed was never seen (gap)
  records: records of the feed in the interval
---*/
WITH hours AS (
    SELECT
        *,
        max(covered_to) OVER (
            PARTITION BY tenant_id, feed ORDER BY covered_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before
    FROM coverage_windows
    WHERE reason IN ('settled_hour', 'hour_may_still_grow')
),

windows AS (
    SELECT tenant_id, feed, covered_from, covered_to, state, reason
    FROM coverage_windows
    UNION ALL
    -- Storage gets no file for an hour without events. Between two hours that have one, no more than a day apart, the
    -- export was most likely on; whether it was, nothing says.
    SELECT tenant_id, feed, before, covered_from, 'provisional', 'no_file_for_hour'
    FROM hours
    WHERE before < covered_from AND covered_from - before <= INTERVAL 1 DAY
),

edges AS (
    SELECT tenant_id, feed, covered_from AS moment, CASE state WHEN 'complete' THEN 1 ELSE 0 END AS complete,
        CASE state WHEN 'provisional' THEN 1 ELSE 0 END AS provisional
    FROM windows
    UNION ALL
    SELECT tenant_id, feed, covered_to, CASE state WHEN 'complete' THEN -1 ELSE 0 END,
        CASE state WHEN 'provisional' THEN -1 ELSE 0 END
    FROM windows
    UNION ALL
    SELECT p.tenant_id, f.feed, b.moment, 0, 0
    FROM watched_periods AS p
    CROSS JOIN log_feeds AS f
    CROSS JOIN unnest([p.watched_from, p.watched_to]) AS b (moment)
),

steps AS (
    SELECT tenant_id, feed, moment, sum(complete) AS complete, sum(provisional) AS provisional
    FROM edges
    GROUP BY ALL
),

segments AS (
    SELECT
        tenant_id,
        feed,
        moment AS covered_from,
        lead(moment) OVER line AS covered_to,
        CASE
            WHEN sum(complete) OVER line > 0 THEN 'complete'
            WHEN sum(provisional) OVER line > 0 THEN 'provisional'
            ELSE 'gap'
        END AS state
    FROM steps
    WINDOW line AS (PARTITION BY tenant_id, feed ORDER BY moment)
),

islands AS (
    SELECT
        *,
        sum(is_new) OVER (PARTITION BY tenant_id, feed ORDER BY covered_from) AS island
    FROM (
        SELECT
            *,
            CASE WHEN lag(state) OVER (PARTITION BY tenant_id, feed ORDER BY covered_from) = state THEN 0 ELSE 1 END
                AS is_new
        FROM segments
        WHERE covered_to IS NOT NULL
    )
),

intervals AS (
    SELECT tenant_id, feed, island, any_value(state) AS state, min(covered_from) AS covered_from,
        max(covered_to) AS covered_to
    FROM islands
    GROUP BY ALL
),

-- Events by the minute, each minute standing at its first event: enough to place them, and few.
minutes AS (
    SELECT tenant_id, feed, min(occurred_at) AS moment, count(*) AS records
    FROM (
        SELECT tenant_id, 'graph_activity' AS feed, occurred_at FROM landed_calls WHERE is_newest
        UNION ALL
        SELECT tenant_id, feed, occurred_at FROM landed_records WHERE is_newest AND feed IN (FROM log_feeds)
    )
    WHERE occurred_at IS NOT NULL
    GROUP BY tenant_id, feed, date_trunc('minute', occurred_at)
),

reasons AS (
    SELECT i.tenant_id, i.feed, i.island, min(w.reason) AS reason
    FROM intervals AS i
    INNER JOIN windows AS w
        ON
            i.tenant_id = w.tenant_id
            AND i.feed = w.feed
            AND i.state = w.state
            AND i.covered_from < w.covered_to
            AND i.covered_to > w.covered_from
    GROUP BY ALL
),

state_feeds_seen AS (
    SELECT
        n.tenant_id,
        n.feed,
        min(n.snapshot_at) AS covered_from,
        max(n.snapshot_at) AS covered_to,
        bool_or(n.is_whole) FILTER (WHERE n.is_latest) AS is_whole,
        bool_or(n.has_last_page) FILTER (WHERE n.is_latest) AS has_last_page,
        (
            SELECT count(DISTINCT o.object_id) FROM state_objects AS o
            WHERE o.tenant_id = n.tenant_id AND o.feed = n.feed
        ) AS records
    FROM state_snapshots AS n
    GROUP BY ALL
)

SELECT
    i.tenant_id,
    i.feed,
    i.covered_from,
    i.covered_to,
    i.state,
    coalesce(
        r.reason,
        CASE
            WHEN i.feed IN (SELECT w.feed FROM coverage_windows AS w WHERE w.tenant_id = i.tenant_id)
                THEN 'not_covered' ELSE 'not_collected'
        END
    ) AS reason,
    coalesce(sum(m.records), 0)::BIGINT AS records
FROM intervals AS i
LEFT JOIN reasons AS r ON i.tenant_id = r.tenant_id AND i.feed = r.feed AND i.island = r.island
LEFT JOIN minutes AS m
    ON i.tenant_id = m.tenant_id AND i.feed = m.feed AND i.covered_from <= m.moment AND i.covered_to > m.moment
GROUP BY ALL
UNION ALL
SELECT
    t.tenant_id,
    f.feed,
    coalesce(s.covered_from, p.watched_from),
    coalesce(s.covered_to, p.watched_to),
    CASE WHEN s.is_whole THEN 'complete' ELSE 'gap' END AS state,
    CASE
        WHEN s.is_whole THEN 'snapshot'
        WHEN s.feed IS NULL THEN 'not_collected'
        WHEN s.has_last_page THEN 'records_missing'
        ELSE 'next_page_missing'
    END AS reason,
    coalesce(s.records, 0) AS records
FROM configured_tenants AS t
CROSS JOIN state_feeds AS f
LEFT JOIN state_feeds_seen AS s ON t.tenant_id = s.tenant_id AND f.feed = s.feed
LEFT JOIN watched_periods AS p ON t.tenant_id = p.tenant_id
UNION ALL
-- A tenant of which no log was ever seen: nothing is known, and that is said.
SELECT
    t.tenant_id,
    f.feed,
    NULL,
    NULL,
    'gap',
    'not_collected',
    0
FROM configured_tenants AS t
CROSS JOIN log_feeds AS f
WHERE t.tenant_id NOT IN (SELECT p.tenant_id FROM watched_periods AS p)
