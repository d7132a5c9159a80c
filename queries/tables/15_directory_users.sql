/*---
table: directory_users
grain: one row per user of a tenant, as last observed
columns:
  tenant_id: tenant
  user_id: object id
  user_name: user principal name, lower-case
  observed_at: when this was last observed
---*/
SELECT
    tenant_id,
    user_id,
    user_name,
    observed_at
FROM (
    SELECT
        tenant_id,
        object_id AS user_id,
        lower(record ->> '$.userPrincipalName') AS user_name,
        observed_at
    FROM state_objects
    WHERE feed = 'users'
    UNION ALL
    SELECT
        tenant_id,
        member_id,
        member_name,
        observed_at
    FROM group_snapshot_members
    WHERE member_kind = 'user'
)
WHERE user_name IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY tenant_id, user_id ORDER BY observed_at DESC, user_name ASC) = 1
