/*---
table: state_objects
temporary: true
grain: one row per state object (service principal, grant, user, group …) and snapshot that showed it
columns:
  tenant_id: tenant
  feed: state feed
  record_id: the object's id as written; ids of grants differ in case alone
  record: the object as Microsoft wrote it
  snapshot_at: when the snapshot was taken
  is_latest: the snapshot is the feed's newest
---*/
SELECT
    n.tenant_id,
    n.feed,
    r.record_id,
    r.record,
    n.snapshot_at,
    n.is_latest
FROM state_snapshots AS n
INNER JOIN sightings AS g ON n.tenant_id = g.tenant_id AND n.feed = g.feed AND n.source_id = g.source_id
INNER JOIN landed_records AS r
    ON g.tenant_id = r.tenant_id AND g.feed = r.feed AND g.record_id = r.record_id AND g.content = r.content
QUALIFY row_number() OVER (
    PARTITION BY n.tenant_id, n.feed, r.record_id, n.snapshot_at ORDER BY n.observed_at DESC, n.source_id DESC
) = 1
