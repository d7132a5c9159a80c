/*---
table: group_snapshots
grain: one row per group and time at which its members were listed
columns:
  tenant_id: tenant
  group_id: object id of the group
  observed_at: when its members were listed
  is_complete: >-
    false when the list may be cut: it has a next page, or exactly the 20 members that Microsoft gives with $expand and no
    count that says these are all, or a member without an id; then the listed ones are members and nothing is known of the
    others
---*/
WITH listed AS (
    SELECT
        *,
        list_concat(
            coalesce(TRY_CAST(record -> '$.members' AS JSON []), []),
            coalesce(TRY_CAST(record -> '$.transitiveMembers' AS JSON []), [])
        ) AS members
    FROM state_objects
    WHERE
        feed = 'groups'
        AND (json_type(record, '$.members') = 'ARRAY' OR json_type(record, '$.transitiveMembers') = 'ARRAY')
)

SELECT
    tenant_id,
    object_id AS group_id,
    observed_at,
    NOT coalesce(
        json_exists(record, '$."members@odata.nextLink"')
        OR json_exists(record, '$."transitiveMembers@odata.nextLink"')
        OR (json_array_length(record, '$.members') = 20 AND (record ->> '$."members@odata.count"') IS DISTINCT FROM '20')
        OR (json_type(record, '$.members') IS DISTINCT FROM 'ARRAY' AND json_array_length(record, '$.transitiveMembers') = 20)
        OR len(list_filter(members, LAMBDA m: coalesce(m ->> '$.id', '') = '')) > 0,
        FALSE
    ) AS is_complete
FROM listed
