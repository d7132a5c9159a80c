/*---
table: state_objects
temporary: true
grain: one row per state object (service principal, grant, user, group …) and snapshot that showed it
columns:
  tenant_id: tenant
  feed: state feed
  record_id: the object's id as written; ids of grants differ in case alone
  record: the object as Microsoft wrote it
  snapshot_at: when the snapshot was taken; files observed within an hour of each other are one snapshot
  is_latest: the snapshot is the feed's newest
---*/
WITH observed AS (
    SELECT DISTINCT g.tenant_id, g.feed, g.source_id, s.observed_at
    FROM sightings AS g
    INNER JOIN sources AS s ON g.tenant_id = s.tenant_id AND g.source_id = s.source_id
),

-- A listing comes in pages, each a file of its own: what lies close together in time is one snapshot.
numbered AS (
    SELECT
        *,
        sum(starts) OVER (PARTITION BY tenant_id, feed ORDER BY observed_at, source_id) AS snapshot
    FROM (
        SELECT
            *,
            CASE
                WHEN observed_at - lag(observed_at) OVER (PARTITION BY tenant_id, feed ORDER BY observed_at, source_id)
                    <= INTERVAL 1 HOUR THEN 0 ELSE 1
            END AS starts
        FROM observed
    )
),

snapshots AS (
    SELECT
        *,
        max(observed_at) OVER (PARTITION BY tenant_id, feed, snapshot) AS snapshot_at,
        snapshot = max(snapshot) OVER (PARTITION BY tenant_id, feed) AS is_latest
    FROM numbered
)

SELECT
    n.tenant_id,
    n.feed,
    r.record_id,
    r.record,
    n.snapshot_at,
    n.is_latest
FROM snapshots AS n
INNER JOIN sightings AS g ON n.tenant_id = g.tenant_id AND n.feed = g.feed AND n.source_id = g.source_id
INNER JOIN landed_records AS r
    ON g.tenant_id = r.tenant_id AND g.feed = r.feed AND g.record_id = r.record_id AND g.content = r.content
QUALIFY row_number() OVER (
    PARTITION BY n.tenant_id, n.feed, r.record_id, n.snapshot_at ORDER BY n.observed_at DESC, n.source_id DESC
) = 1
