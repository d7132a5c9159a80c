/*---
table: group_memberships
temporary: true
grain: one direct member of one group that matters, and one unbroken period of observed membership
columns:
  tenant_id: the group's tenant
  group_id: the group
  member_id: the member, lower case
  is_group: the member is itself a group that matters
  valid_from: start of the membership as far as observed
  valid_to: end of it, exclusive
---*/
WITH
-- Inside the period that a snapshot answers for, changes are undone backwards from the snapshot: what was removed
-- had been a member, what was added had not. A change and its opposite at one instant: before it, not a member.
listed AS (
    SELECT DISTINCT
        o.tenant_id,
        o.group_id,
        o.valid_from,
        o.valid_to,
        lower(m.member_id) AS member_id
    FROM observed_groups AS o
    INNER JOIN group_snapshot_members AS m
        ON o.tenant_id = m.tenant_id AND o.group_id = lower(m.group_id) AND o.observed_at = m.observed_at
    WHERE m.member_id IS NOT NULL
),

changes AS (
    SELECT
        o.tenant_id,
        o.group_id,
        o.valid_from,
        o.valid_to,
        lower(c.member_id) AS member_id,
        c.occurred_at,
        bool_and(c.change = 'remove') AS is_removal
    FROM observed_groups AS o
    INNER JOIN membership_changes AS c
        ON
            o.tenant_id = c.tenant_id
            AND o.group_id = lower(c.group_id)
            AND o.valid_from <= c.occurred_at
            AND o.valid_to > c.occurred_at
    WHERE c.member_id IS NOT NULL AND c.change IN ('add', 'remove')
    GROUP BY ALL
),

last_changes AS (
    SELECT
        tenant_id,
        group_id,
        valid_from,
        member_id,
        max(occurred_at) AS occurred_at
    FROM changes
    GROUP BY ALL
),

undone AS (
    SELECT
        *,
        coalesce(
            lag(occurred_at) OVER (PARTITION BY tenant_id, group_id, member_id, valid_from ORDER BY occurred_at),
            valid_from
        ) AS previous_at
    FROM changes
),

periods AS (
    SELECT
        l.tenant_id,
        l.group_id,
        l.member_id,
        coalesce(c.occurred_at, l.valid_from) AS valid_from,
        l.valid_to
    FROM listed AS l
    LEFT JOIN last_changes AS c
        ON
            l.tenant_id = c.tenant_id
            AND l.group_id = c.group_id
            AND l.valid_from = c.valid_from
            AND l.member_id = c.member_id
    UNION ALL
    SELECT
        tenant_id,
        group_id,
        member_id,
        previous_at AS valid_from,
        occurred_at AS valid_to
    FROM undone
    WHERE is_removal AND previous_at < occurred_at
),

marked AS (
    SELECT
        *,
        coalesce(
            valid_from > max(valid_to) OVER (
                PARTITION BY tenant_id, group_id, member_id
                ORDER BY valid_from, valid_to
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            TRUE
        ) AS is_start
    FROM periods
),

numbered AS (
    SELECT
        *,
        count_if(is_start) OVER (
            PARTITION BY tenant_id, group_id, member_id ORDER BY valid_from, valid_to ROWS UNBOUNDED PRECEDING
        ) AS island
    FROM marked
)

SELECT
    n.tenant_id,
    n.group_id,
    n.member_id,
    bool_or(g.group_id IS NOT NULL) AS is_group,
    min(n.valid_from) AS valid_from,
    max(n.valid_to) AS valid_to
FROM numbered AS n
LEFT JOIN (
    SELECT DISTINCT
        tenant_id,
        group_id
    FROM observed_groups
) AS g
    ON n.tenant_id = g.tenant_id AND n.member_id = g.group_id
GROUP BY n.tenant_id, n.group_id, n.member_id, n.island
