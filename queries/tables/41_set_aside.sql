/*---
table: set_aside
temporary: true
grain: tenant × log feed of which records were set aside, and not read since
columns:
  tenant_id: tenant
  feed: log feed that they may be of
  records: how many they are at most; one record counts for every feed that it may be of
  files: in how many files
---*/
WITH noted AS (
    SELECT
        s.tenant_id,
        s.source_id,
        s.kind,
        s.path,
        s.origin,
        -- What one run read of a window stands in several files of one name.
        CASE s.origin WHEN 'graph' THEN coalesce(s.run_id, '') ELSE s.source_id::VARCHAR END AS reading,
        q.records
    FROM sources AS s
    INNER JOIN (SELECT source_id, count(*) AS records FROM quarantine GROUP BY source_id) AS q ON s.source_id = q.source_id
),

readings AS (
    SELECT
        tenant_id,
        kind,
        path,
        CASE origin WHEN 'graph' THEN coalesce(run_id, '') ELSE source_id::VARCHAR END AS reading,
        max(source_id) AS last_source,
        sum(records) AS records,
        sum(stored + duplicate) AS taken_in,
        sum(duplicate) AS duplicate,
        bool_and(outcome = 'imported') AS is_whole
    FROM sources
    WHERE (tenant_id, path) IN (SELECT (n.tenant_id, n.path) FROM noted AS n)
    GROUP BY ALL
),

-- Nobody can tell whether a record that came later is one that was set aside: it had no id that could be read. Only what
-- came again under the same name, with as many records, with all that could be read before and with nothing set aside,
-- is the same, mended.
lasting AS (
    SELECT n.*
    FROM noted AS n
    INNER JOIN readings AS r
        ON n.tenant_id = r.tenant_id AND n.kind IS NOT DISTINCT FROM r.kind AND n.path = r.path AND n.reading = r.reading
    WHERE NOT EXISTS (
        SELECT 1 FROM readings AS m
        WHERE
            m.tenant_id = r.tenant_id AND m.kind = r.kind AND m.path = r.path AND m.last_source > r.last_source
            AND m.is_whole AND m.records = r.records AND r.taken_in > 0 AND m.duplicate >= r.taken_in
    )
),

may_be_of AS (
    SELECT l.source_id, f.feed
    FROM lasting AS l
    INNER JOIN log_feeds AS f
        ON
            l.kind IS NULL
            OR l.kind = CASE
                WHEN starts_with(f.feed, 'sign_ins_') THEN 'sign_ins' WHEN starts_with(f.feed, 'audit_') THEN 'audit_records'
                ELSE f.feed
            END
    UNION
    -- One file of diagnostic settings may hold several logs.
    SELECT r.source_id, r.feed
    FROM landed_records AS r
    WHERE r.source_id IN (SELECT l.source_id FROM lasting AS l) AND r.feed IN (FROM log_feeds)
    UNION
    SELECT c.source_id, 'graph_activity'
    FROM landed_calls AS c
    WHERE c.source_id IN (SELECT l.source_id FROM lasting AS l)
)

SELECT
    l.tenant_id,
    f.feed,
    sum(l.records)::BIGINT AS records,
    count(DISTINCT l.source_id) AS files
FROM lasting AS l
INNER JOIN may_be_of AS f ON l.source_id = f.source_id
GROUP BY ALL
