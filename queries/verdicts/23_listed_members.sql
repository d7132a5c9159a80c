/*---
table: listed_members
temporary: true
grain: one listed group, one member at any depth (the group itself included), and one period; periods may overlap
columns:
  tenant_id: the group's tenant
  listed_group: a group that a consent record lists
  member_id: what belongs to it, lower case
  valid_from: start of the period
  valid_to: end of the period, exclusive
---*/
SELECT DISTINCT
    n.tenant_id,
    n.listed_group,
    m.member_id,
    greatest(n.valid_from, m.valid_from) AS valid_from,
    least(n.valid_to, m.valid_to) AS valid_to
FROM nested_groups AS n
INNER JOIN group_memberships AS m
    ON
        n.tenant_id = m.tenant_id
        AND n.group_id = m.group_id
        AND n.valid_from < m.valid_to
        AND n.valid_to > m.valid_from
UNION
SELECT
    tenant_id,
    listed_group,
    group_id,
    valid_from,
    valid_to
FROM nested_groups
