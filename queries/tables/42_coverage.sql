/*---
table: coverage
grain: tenant × feed × interval
columns:
  tenant_id: tenant
  feed: log or state feed
  covered_from: >-
    beginning of the interval; NULL when it is not known when it was: of a tenant that was never watched, and of records
    of a log that were set aside (records_missing), which may be of any time
  covered_to: end of the interval, exclusive; for state feeds first and last snapshot
  state: complete, provisional (may still grow, or only the extent of a file) or gap
  reason: >-
    settled_window (collected twice, and nothing was new the second time), settled_hour, declared_window, snapshot
    (complete); drained_window (collected once), hour_may_still_grow, no_file_for_hour, extent_of_file, file_ends_early
    (provisional); licence, permission, throttled, expired, disabled, error (why it was not collected), not_read_yet,
    not_covered, next_page_missing, records_missing (records were set aside; a listing that ends early too),
    too_old (a listing that was not read whole for longer than the clock evidence.listing allows),
    not_collected when the feed was never seen, purged_by_retention when it was read and is older than it may be kept
    (gap)
  records: records of the feed in the interval
  detail: what the collector says about a gap and the next step, or about a listing; NULL where there is nothing to say
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

read_windows AS (
    SELECT tenant_id, feed, covered_from, covered_to, state, reason, NULL::VARCHAR AS detail
    FROM coverage_windows
    UNION ALL
    SELECT
        tenant_id,
        feed,
        covered_from,
        covered_to,
        CASE state WHEN 'settled' THEN 'complete' WHEN 'drained' THEN 'provisional' ELSE 'gap' END,
        CASE state
            WHEN 'settled' THEN 'settled_window' WHEN 'drained' THEN 'drained_window' WHEN 'open' THEN 'not_read_yet'
            ELSE coalesce(reason, 'error')
        END,
        CASE WHEN state = 'gap' THEN nullif(detail, '') END
    FROM collection_windows
    UNION ALL
    -- Storage gets no file for an hour without events. Between two hours that have one, no more than a day apart, the
    -- export was most likely on; whether it was, nothing says.
    SELECT tenant_id, feed, before, covered_from, 'provisional', 'no_file_for_hour', NULL
    FROM hours
    WHERE before < covered_from AND covered_from - before <= INTERVAL 1 DAY
),

windows AS (
    SELECT
        w.tenant_id,
        w.feed,
        greatest(w.covered_from, coalesce(p.purged_until, w.covered_from)) AS covered_from,
        w.covered_to,
        w.state,
        w.reason,
        w.detail
    FROM read_windows AS w
    LEFT JOIN purged_feeds AS p ON w.tenant_id = p.tenant_id AND w.feed = p.feed
    WHERE p.purged_until IS NULL OR w.covered_to > p.purged_until
    UNION ALL
    -- What was read once and removed as too old to keep is no gap that looks like missing evidence.
    SELECT
        p.tenant_id,
        p.feed,
        least(
            p.purged_from,
            (
                SELECT min(w.covered_from) FROM read_windows AS w
                WHERE w.tenant_id = p.tenant_id AND w.feed = p.feed
            )
        ),
        p.purged_until,
        'gap',
        'purged_by_retention',
        NULL
    FROM purged_feeds AS p
),

ranked AS (
    -- Where several speak of the same time, the lowest number is believed: what was read, then what somebody can mend.
    SELECT
        *,
        CASE state WHEN 'complete' THEN 1 WHEN 'provisional' THEN 2
            ELSE 2 + coalesce(nullif(list_position(
                ['permission', 'licence', 'disabled', 'throttled', 'error', 'not_read_yet', 'expired'], reason
            ), 0), 8)
        END AS rank
    FROM windows
),

edges AS (
    SELECT tenant_id, feed, covered_from AS moment, rank, 1 AS step FROM ranked
    UNION ALL
    SELECT tenant_id, feed, covered_to, rank, -1 FROM ranked
    UNION ALL
    SELECT p.tenant_id, f.feed, b.moment, NULL, 0
    FROM watched_periods AS p
    CROSS JOIN log_feeds AS f
    CROSS JOIN unnest([p.watched_from, p.watched_to]) AS b (moment)
),

steps AS (
    SELECT
        tenant_id,
        feed,
        moment,
        sum(step) FILTER (WHERE rank = 1) AS r1,
        sum(step) FILTER (WHERE rank = 2) AS r2,
        sum(step) FILTER (WHERE rank = 3) AS r3,
        sum(step) FILTER (WHERE rank = 4) AS r4,
        sum(step) FILTER (WHERE rank = 5) AS r5,
        sum(step) FILTER (WHERE rank = 6) AS r6,
        sum(step) FILTER (WHERE rank = 7) AS r7,
        sum(step) FILTER (WHERE rank = 8) AS r8,
        sum(step) FILTER (WHERE rank = 9) AS r9,
        sum(step) FILTER (WHERE rank = 10) AS r10
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
            WHEN sum(r1) OVER line > 0 THEN 1 
            WHEN sum(r2) OVER line > 0 THEN 2 
            WHEN sum(r3) OVER line > 0 THEN 3 
            WHEN sum(r4) OVER line > 0 THEN 4 
            WHEN sum(r5) OVER line > 0 THEN 5 
            WHEN sum(r6) OVER line > 0 THEN 6 
            WHEN sum(r7) OVER line > 0 THEN 7 
            WHEN sum(r8) OVER line > 0 THEN 8 
            WHEN sum(r9) OVER line > 0 THEN 9 
            WHEN sum(r10) OVER line > 0 THEN 10
            ELSE 11
        END AS rank
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
            CASE WHEN lag(rank) OVER (PARTITION BY tenant_id, feed ORDER BY covered_from) = rank THEN 0 ELSE 1 END
                AS is_new
        FROM segments
        WHERE covered_to IS NOT NULL
    )
),

intervals AS (
    SELECT
        tenant_id,
        feed,
        island,
        any_value(rank) AS rank,
        CASE any_value(rank) WHEN 1 THEN 'complete' WHEN 2 THEN 'provisional' ELSE 'gap' END AS state,
        min(covered_from) AS covered_from,
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
    SELECT i.tenant_id, i.feed, i.island, min(w.reason) AS reason, arg_max(w.detail, w.covered_to) AS detail
    FROM intervals AS i
    INNER JOIN ranked AS w
        ON
            i.tenant_id = w.tenant_id
            AND i.feed = w.feed
            AND i.rank = w.rank
            AND i.covered_from < w.covered_to
            AND i.covered_to > w.covered_from
    GROUP BY ALL
),

refused_listings AS (
    SELECT tenant_id, feed, observed_at, coalesce(reason, 'error') AS reason, nullif(detail, '') AS detail
    FROM collection_listings
    WHERE NOT is_whole
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
),

known_moments AS (
    SELECT tenant_id, watched_to AS moment, FALSE AS is_microsofts FROM watched_periods
    UNION ALL
    SELECT tenant_id, snapshot_at, FALSE FROM state_snapshots
    UNION ALL
    SELECT tenant_id, greatest(tried_at, last_pulled_at), TRUE FROM collection_windows
    UNION ALL
    SELECT tenant_id, observed_at, TRUE FROM collection_listings
    UNION ALL
    SELECT tenant_id, signed_in_at, TRUE FROM sign_in_states
    UNION ALL
    SELECT tenant_id, failed_at, is_refused FROM sign_in_states
),

-- The newest moment of which anything is known: whatever was not read since is that old. Of a tenant that the auditor
-- collects, time goes on where only another tenant answers.
as_of AS (
    SELECT
        tenant_id,
        CASE
            WHEN bool_or(is_microsofts IS NOT NULL AND is_microsofts)
                THEN greatest(max(moment), (SELECT max(k.moment) FROM known_moments AS k WHERE k.is_microsofts))
            ELSE max(moment)
        END AS moment
    FROM known_moments
    GROUP BY tenant_id
),

listing_ages AS (
    SELECT
        s.tenant_id,
        s.feed,
        s.covered_to,
        a.moment,
        -- Without a limit that was in force nobody can say that a listing is new enough.
        coalesce(
            a.moment - s.covered_to <= CASE c.unit
                WHEN 'hours' THEN to_hours(c.amount) WHEN 'days' THEN to_days(c.amount::INTEGER)
                WHEN 'months' THEN to_months(c.amount::INTEGER)
            END,
            FALSE
        ) AS is_fresh,
        coalesce(c.amount || ' ' || c.unit || ' are allowed', 'clocks.yml has no limit for that day') AS allowed
    FROM state_feeds_seen AS s
    INNER JOIN as_of AS a ON s.tenant_id = a.tenant_id
    LEFT JOIN clocks AS c
        ON
            c.clock = 'evidence.listing'
            AND c.valid_from <= cast(make_timestamp(epoch_us(a.moment)) AS DATE)
            AND coalesce(cast(make_timestamp(epoch_us(a.moment)) AS DATE) < c.valid_until, TRUE)
    WHERE s.is_whole
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
            WHEN i.feed IN (SELECT w.feed FROM windows AS w WHERE w.tenant_id = i.tenant_id)
                THEN 'not_covered' ELSE 'not_collected'
        END
    ) AS reason,
    coalesce(sum(m.records), 0)::BIGINT AS records,
    r.detail
FROM intervals AS i
LEFT JOIN reasons AS r ON i.tenant_id = r.tenant_id AND i.feed = r.feed AND i.island = r.island
LEFT JOIN minutes AS m
    ON i.tenant_id = m.tenant_id AND i.feed = m.feed AND i.covered_from <= m.moment AND i.covered_to > m.moment
GROUP BY ALL
UNION ALL
SELECT
    t.tenant_id,
    f.feed,
    coalesce(s.covered_from, l.observed_at, p.watched_from),
    coalesce(s.covered_to, l.observed_at, p.watched_to),
    CASE WHEN s.is_whole THEN 'complete' ELSE 'gap' END AS state,
    CASE
        WHEN s.is_whole THEN 'snapshot'
        WHEN l.feed IS NOT NULL THEN l.reason
        WHEN s.feed IS NULL THEN 'not_collected'
        WHEN s.has_last_page THEN 'records_missing'
        ELSE 'next_page_missing'
    END AS reason,
    coalesce(s.records, 0) AS records,
    CASE WHEN s.is_whole THEN nullif(w.detail, '') ELSE l.detail END AS detail
FROM configured_tenants AS t
CROSS JOIN state_feeds AS f
LEFT JOIN state_feeds_seen AS s ON t.tenant_id = s.tenant_id AND f.feed = s.feed
LEFT JOIN refused_listings AS l ON t.tenant_id = l.tenant_id AND f.feed = l.feed AND coalesce(l.observed_at >= s.covered_to, TRUE)
LEFT JOIN collection_listings AS w
    ON t.tenant_id = w.tenant_id AND f.feed = w.feed AND w.is_whole AND w.observed_at = s.covered_to
LEFT JOIN watched_periods AS p ON t.tenant_id = p.tenant_id
UNION ALL
-- What was whole the time before, and could not be read the last time.
SELECT l.tenant_id, l.feed, l.observed_at AS seen_from, l.observed_at AS seen_to, 'gap', l.reason, 0, l.detail
FROM refused_listings AS l
INNER JOIN state_feeds_seen AS s ON l.tenant_id = s.tenant_id AND l.feed = s.feed
WHERE s.is_whole AND l.observed_at > s.covered_to
UNION ALL
-- What was whole once, and has not been read for too long: nobody knows what has changed since.
SELECT
    a.tenant_id,
    a.feed,
    a.moment AS seen_from,
    a.moment AS seen_to,
    'gap',
    'too_old',
    0,
    'it was read whole last on ' || strftime(make_timestamp(epoch_us(a.covered_to)), '%Y-%m-%d') || '; ' || a.allowed
    || ' (evidence.listing)'
FROM listing_ages AS a
WHERE
    NOT a.is_fresh
    AND NOT EXISTS (
        SELECT 1 FROM refused_listings AS l
        WHERE l.tenant_id = a.tenant_id AND l.feed = a.feed AND l.observed_at > a.covered_to
    )
UNION ALL
-- A tenant of which no log was ever seen: nothing is known, and that is said.
SELECT
    t.tenant_id,
    f.feed,
    NULL,
    NULL,
    'gap',
    'not_collected',
    0,
    NULL
FROM configured_tenants AS t
CROSS JOIN log_feeds AS f
WHERE
    t.tenant_id NOT IN (SELECT p.tenant_id FROM watched_periods AS p)
    AND (t.tenant_id, f.feed) NOT IN (SELECT (a.tenant_id, a.feed) FROM set_aside AS a)
UNION ALL
-- Records of a log that were set aside and not read since: nobody knows of which time they are, nor of what.
SELECT
    a.tenant_id,
    a.feed,
    NULL,
    NULL,
    'gap',
    'records_missing',
    0,
    a.records || ' record(s) of ' || a.files || ' file(s) could not be taken in (table quarantine)'
FROM set_aside AS a
