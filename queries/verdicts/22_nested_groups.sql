/*---
table: nested_groups
temporary: true
grain: one listed group, one group inside it at any depth (itself included), and one period
columns:
  tenant_id: the groups' tenant
  listed_group: a group that a consent record lists
  group_id: the listed group itself, or a group that is its member, directly or through others
  valid_from: start of the period
  valid_to: end of the period, exclusive
---*/
WITH RECURSIVE
-- Groups may hold each other in a circle: UNION drops what was found before, and the bounds come from a finite set.
nested (tenant_id, listed_group, group_id, valid_from, valid_to) AS (
    SELECT DISTINCT
        tenant_id,
        unnest(resource_groups) AS listed_group,
        unnest(resource_groups) AS group_id,
        TIMESTAMPTZ '-infinity' AS valid_from,
        TIMESTAMPTZ 'infinity' AS valid_to
    FROM compared_versions
    UNION
    SELECT
        n.tenant_id,
        n.listed_group,
        m.member_id,
        greatest(n.valid_from, m.valid_from),
        least(n.valid_to, m.valid_to)
    FROM nested AS n
    INNER JOIN group_memberships AS m
        ON
            n.tenant_id = m.tenant_id
            AND n.group_id = m.group_id
            AND n.valid_from < m.valid_to
            AND n.valid_to > m.valid_from
    WHERE m.is_group AND m.member_id <> n.listed_group
)

SELECT * FROM nested
