/*---
table: collected_feeds
grain: tenant × feed that the auditor ever tried to collect
columns:
  tenant_id: tenant
  feed: log or state feed
  collections: what collects it
  read_until: end of the newest window that was read; of a listing, when it was last read whole; NULL when it never was
  last_read_at: when the newest whole reading began, by Microsoft's clock
  last_tried_at: when the newest reading began, whatever became of it; NULL when nothing was tried yet
  settled_until: end of the newest settled window; NULL for listings
  open_windows: windows that are still to be read
  gap_windows: windows that could not be read
  clock_at: newest moment of Microsoft's clock that the auditor saw, in any tenant
---*/
WITH told AS (
    SELECT
        tenant_id,
        feed,
        collection,
        CASE WHEN state IN ('drained', 'settled') THEN covered_to END AS read_until,
        last_pulled_at AS last_read_at,
        tried_at AS last_tried_at,
        CASE WHEN state = 'settled' THEN covered_to END AS settled_until,
        state = 'open' AS is_open,
        state = 'gap' AS is_gap
    FROM collection_windows
    UNION ALL
    SELECT
        tenant_id, feed, collection, whole_at AS read_until, whole_at AS last_read_at, observed_at, NULL, FALSE, NOT is_whole
    FROM collection_listings
),

clock AS (
    SELECT max(moment) AS clock_at
    FROM (
        SELECT max(greatest(last_tried_at, last_read_at)) AS moment FROM told
        UNION ALL
        SELECT max(clock_at) FROM auditor
    )
)

SELECT
    t.tenant_id,
    t.feed,
    list(DISTINCT t.collection ORDER BY t.collection) AS collections,
    max(t.read_until) AS read_until,
    max(t.last_read_at) AS last_read_at,
    max(t.last_tried_at) AS last_tried_at,
    max(t.settled_until) AS settled_until,
    count(*) FILTER (WHERE t.is_open) AS open_windows,
    count(*) FILTER (WHERE t.is_gap) AS gap_windows,
    any_value(c.clock_at) AS clock_at
FROM told AS t
CROSS JOIN clock AS c
GROUP BY t.tenant_id, t.feed
