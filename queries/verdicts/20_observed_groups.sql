/*---
table: observed_groups
temporary: true
grain: one group that a consent record lists or that such a group may hold, and one period answered by one snapshot
columns:
  tenant_id: the group's tenant
  group_id: the group; a group without any snapshot has one row with nulls
  observed_at: when the answering snapshot was taken
  valid_from: start of the period that the snapshot answers for
  valid_to: end of the period, exclusive (one microsecond after the snapshot)
  is_complete: the snapshot lists every member; otherwise absence says nothing
---*/
WITH RECURSIVE known_groups AS (
    SELECT
        tenant_id,
        lower(group_id) AS group_id
    FROM group_snapshots
    UNION
    SELECT
        tenant_id,
        lower(member_id)
    FROM group_snapshot_members WHERE member_kind = 'group'
    UNION
    SELECT
        tenant_id,
        lower(group_id)
    FROM membership_changes
),

memberships AS (
    SELECT
        tenant_id,
        lower(group_id) AS group_id,
        lower(member_id) AS member_id
    FROM group_snapshot_members
    UNION
    SELECT
        tenant_id,
        lower(group_id),
        lower(member_id)
    FROM membership_changes
),

nestings AS (
    SELECT
        m.tenant_id,
        m.group_id,
        m.member_id
    FROM memberships AS m
    INNER JOIN known_groups AS g ON m.tenant_id = g.tenant_id AND m.member_id = g.group_id
),

relevant (tenant_id, group_id) AS (
    SELECT DISTINCT
        tenant_id,
        unnest(resource_groups) AS group_id
    FROM compared_versions
    UNION
    SELECT
        r.tenant_id,
        n.member_id
    FROM relevant AS r
    INNER JOIN nestings AS n ON r.tenant_id = n.tenant_id AND r.group_id = n.group_id
),

snapshots AS (
    SELECT
        tenant_id,
        lower(group_id) AS group_id,
        observed_at,
        bool_and(coalesce(is_complete, FALSE)) AS is_complete
    FROM group_snapshots
    WHERE observed_at IS NOT NULL
    GROUP BY ALL
)

SELECT
    r.tenant_id,
    r.group_id,
    s.observed_at,
    coalesce(
        lag(s.observed_at) OVER (PARTITION BY r.tenant_id, r.group_id ORDER BY s.observed_at)
        + INTERVAL 1 MICROSECOND,
        s.observed_at - to_seconds(coalesce((SELECT max(membership_before_first_seconds) FROM policy_settings), 2678400))
    ) AS valid_from,
    s.observed_at + INTERVAL 1 MICROSECOND AS valid_to,
    s.is_complete
FROM relevant AS r
LEFT JOIN snapshots AS s ON r.tenant_id = s.tenant_id AND r.group_id = s.group_id
