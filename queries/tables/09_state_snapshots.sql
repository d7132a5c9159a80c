/*---
table: state_snapshots
temporary: true
grain: one row per file of a listing (service principals, grants, users, groups …), with the snapshot it is a page of
columns:
  tenant_id: tenant
  feed: state feed
  source_id: the file
  observed_at: when the file's content was taken
  snapshot_from: >-
    when its first file was taken; imported files observed within an hour of each other are one snapshot, what the auditor
    listed itself is always one of its own
  snapshot_at: when its last file was taken
  is_latest: the snapshot is the feed's newest
  has_last_page: one of its pages names no next page
  is_whole: >-
    nothing of it is known to be missing: one of its pages is the last one, no page ends early, and no record of it was set
    aside; what is not in it was not there
---*/
WITH observed AS (
    SELECT
        s.tenant_id,
        f.feed,
        s.source_id,
        s.observed_at,
        s.has_next_page,
        s.outcome = 'partial' AS is_partial,
        -- The collector ends a listing with its file: the next one, however soon, says anew what there is.
        CASE WHEN s.origin = 'graph' THEN s.source_id END AS listing
    FROM sources AS s
    -- One table may list grants and assignments together.
    INNER JOIN (
        SELECT source_id, kind AS feed FROM sources
        UNION
        SELECT source_id, feed FROM sightings
    ) AS f ON s.source_id = f.source_id
    WHERE f.feed IN (FROM state_feeds) AND s.outcome IN ('imported', 'partial')
),

-- A listing comes in pages, each a file of its own: what lies close together in time is one snapshot.
numbered AS (
    SELECT
        *,
        sum(starts) OVER (PARTITION BY tenant_id, feed, listing ORDER BY observed_at, source_id) AS snapshot
    FROM (
        SELECT
            *,
            CASE
                WHEN
                    observed_at - lag(observed_at) OVER (
                        PARTITION BY tenant_id, feed, listing ORDER BY observed_at, source_id
                    ) <= INTERVAL 1 HOUR THEN 0 ELSE 1
            END AS starts
        FROM observed
    )
)

SELECT
    tenant_id,
    feed,
    source_id,
    observed_at,
    snapshot_from,
    snapshot_at,
    snapshot_at = max(snapshot_at) OVER (PARTITION BY tenant_id, feed) AS is_latest,
    has_last_page,
    has_last_page AND NOT has_partial AS is_whole
FROM (
    SELECT
        *,
        min(observed_at) OVER pages AS snapshot_from,
        max(observed_at) OVER pages AS snapshot_at,
        bool_or(NOT has_next_page) OVER pages AS has_last_page,
        bool_or(is_partial) OVER pages AS has_partial
    FROM numbered
    WINDOW pages AS (PARTITION BY tenant_id, feed, listing, snapshot)
)
