/*---
table: group_snapshots
grain: one row per group and snapshot that showed its members
columns:
  tenant_id: tenant
  group_id: object id of the group
  observed_at: when its members were listed
  is_complete: >-
    false when the list may be cut: it has a next page, or exactly the 20 members that Microsoft gives with $expand; then
    the listed ones are members and nothing is known of the others
---*/
SELECT
    tenant_id,
    lower(record_id) AS group_id,
    snapshot_at AS observed_at,
    NOT coalesce(
        json_exists(record, '$."members@odata.nextLink"')
        OR json_exists(record, '$."transitiveMembers@odata.nextLink"')
        OR coalesce(json_array_length(record, '$.members'), json_array_length(record, '$.transitiveMembers')) = 20,
        FALSE
    ) AS is_complete
FROM state_objects
WHERE
    feed = 'groups'
    AND (json_type(record, '$.members') = 'ARRAY' OR json_type(record, '$.transitiveMembers') = 'ARRAY')
