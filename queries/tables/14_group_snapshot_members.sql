/*---
table: group_snapshot_members
grain: one row per group, snapshot and listed member
columns:
  tenant_id: tenant
  group_id: object id of the group
  observed_at: when its members were listed
  member_id: object id of the member
  member_kind: user, group or other (a device, a service principal, or a kind that was not written down)
  member_name: user principal name when it was written down, lower-case
---*/
WITH listed AS (
    SELECT
        s.tenant_id,
        s.object_id AS group_id,
        s.observed_at,
        lower(m.member ->> '$.id') AS member_id,
        CASE
            WHEN (m.member ->> '$."@odata.type"') ILIKE '%.user' THEN 'user'
            WHEN (m.member ->> '$."@odata.type"') ILIKE '%.group' THEN 'group'
            WHEN (m.member ->> '$."@odata.type"') IS NOT NULL THEN 'other'
            WHEN json_exists(m.member, '$.userPrincipalName') THEN 'user'
            WHEN json_exists(m.member, '$.groupTypes') OR json_exists(m.member, '$.securityEnabled') THEN 'group'
            ELSE 'other'
        END AS member_kind,
        lower(m.member ->> '$.userPrincipalName') AS member_name
    FROM state_objects AS s,
        unnest(
            list_concat(
                coalesce(TRY_CAST(s.record -> '$.members' AS JSON []), []),
                coalesce(TRY_CAST(s.record -> '$.transitiveMembers' AS JSON []), [])
            )
        ) AS m (member)
    WHERE s.feed = 'groups' AND (m.member ->> '$.id') <> ''
)

-- A member may stand in both lists, and say what it is in one of them only.
SELECT
    tenant_id,
    group_id,
    observed_at,
    member_id,
    coalesce(min(member_kind) FILTER (WHERE member_kind <> 'other'), 'other') AS member_kind,
    min(member_name) AS member_name
FROM listed
GROUP BY ALL
