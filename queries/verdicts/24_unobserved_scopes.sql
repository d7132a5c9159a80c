/*---
table: unobserved_scopes
temporary: true
grain: one resource scope and one period in which the members of one of its groups are not known in full
columns:
  tenant_id: the scope's tenant
  scope_id: the scope
  valid_from: start of the period
  valid_to: end of the period, exclusive
---*/
WITH edges AS (
    SELECT
        tenant_id,
        group_id,
        TIMESTAMPTZ '-infinity' AS known_from,
        TIMESTAMPTZ '-infinity' AS known_to
    FROM observed_groups
    UNION
    SELECT
        tenant_id,
        group_id,
        valid_from,
        valid_to
    FROM observed_groups
    WHERE is_complete
    UNION
    SELECT
        tenant_id,
        group_id,
        TIMESTAMPTZ 'infinity',
        TIMESTAMPTZ 'infinity'
    FROM observed_groups
),

gaps AS (
    SELECT
        tenant_id,
        group_id,
        known_to AS valid_from,
        lead(known_from) OVER (PARTITION BY tenant_id, group_id ORDER BY known_from, known_to) AS valid_to
    FROM edges
),

group_gaps AS (
    SELECT DISTINCT
        n.tenant_id,
        n.listed_group,
        greatest(n.valid_from, g.valid_from) AS valid_from,
        least(n.valid_to, g.valid_to) AS valid_to
    FROM nested_groups AS n
    INNER JOIN gaps AS g
        ON
            n.tenant_id = g.tenant_id
            AND n.group_id = g.group_id
            AND n.valid_from < g.valid_to
            AND n.valid_to > g.valid_from
    WHERE g.valid_from < g.valid_to
),

scopes AS (
    SELECT DISTINCT
        tenant_id,
        scope_id,
        unnest(resource_groups) AS listed_group
    FROM compared_versions
)

SELECT DISTINCT
    s.tenant_id,
    s.scope_id,
    g.valid_from,
    g.valid_to
FROM scopes AS s
INNER JOIN group_gaps AS g ON s.tenant_id = g.tenant_id AND s.listed_group = g.listed_group
