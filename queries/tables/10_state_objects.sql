/*---
table: state_objects
temporary: true
grain: one row per state object (service principal, grant, user, group …) and time at which it was shown
columns:
  tenant_id: tenant
  feed: state feed
  object_id: >-
    the object's id; ids of grants as written, because they differ in case alone, every other id is a GUID in lower-case
  record: the object as Microsoft wrote it
  observed_at: when it was shown
  snapshot_at: the snapshot of which this is a part (see state_snapshots)
---*/
WITH shown AS (
    SELECT
        n.tenant_id,
        n.feed,
        CASE WHEN n.feed IN ('delegated_permission_grants', 'app_role_assignments') THEN r.record_id ELSE lower(r.record_id) END
            AS object_id,
        r.record,
        r.content,
        n.observed_at,
        n.snapshot_at,
        n.source_id
    FROM state_snapshots AS n
    INNER JOIN sightings AS g ON n.tenant_id = g.tenant_id AND n.feed = g.feed AND n.source_id = g.source_id
    INNER JOIN landed_records AS r
        ON g.tenant_id = r.tenant_id AND g.feed = r.feed AND g.record_id = r.record_id AND g.content = r.content
)

SELECT tenant_id, feed, object_id, record, observed_at, snapshot_at
FROM shown
QUALIFY row_number() OVER (
    PARTITION BY tenant_id, feed, object_id, observed_at ORDER BY source_id DESC, content
) = 1
