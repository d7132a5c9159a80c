/*---
table: answers
temporary: true
grain: one row of call_periods and one class of resources
columns:
  call_id: row of call_periods
  class_id: "class of resource_classes; 0 to 3: held by no scope and lacking nothing, an id, a name, all"
  place: place of the process that is within or nearest, as in candidates
  code: row of answer_codes
---*/
WITH scopes AS (
    SELECT DISTINCT
        scope_id,
        names_id,
        names_user,
        names_group
    FROM compared_versions
),

strangers (class_id, lacks) AS (VALUES (0, 'nothing'), (1, 'id'), (2, 'name'), (3, 'all')),

-- How near the nearest scope is to a resource that no scope holds.
to_strangers AS (
    SELECT
        k.call_id,
        k.app_no,
        x.class_id,
        x.lacks,
        min(
            k.nearness + CASE
                WHEN k.covers_all THEN 0
                WHEN
                    x.lacks = 'all'
                    OR (x.lacks = 'id' AND (s.names_id OR s.names_group))
                    OR (x.lacks = 'name' AND s.names_user)
                    OR k.is_unobserved
                    THEN 1099511627776 + 2
                ELSE 8 * 1099511627776 + 1
            END
        ) AS nearness
    FROM compared_candidates AS k
    INNER JOIN scopes AS s ON k.scope_id = s.scope_id
    CROSS JOIN strangers AS x
    GROUP BY ALL
),

-- A scope that holds the resource is nearer than the same scope to a stranger: the minimum of both is right.
possible AS (
    SELECT
        call_id,
        class_id,
        nearness
    FROM to_strangers
    UNION ALL
    SELECT
        s.call_id,
        x.class_id,
        s.nearness
    FROM to_strangers AS s
    INNER JOIN resource_classes AS x ON s.app_no = x.app_no AND s.lacks = x.lacks
    UNION ALL
    SELECT
        k.call_id,
        x.class_id,
        k.nearness
    FROM compared_candidates AS k
    INNER JOIN (
        SELECT
            class_id,
            app_no,
            unnest(scope_ids) AS scope_id
        FROM resource_classes
    ) AS x
        ON k.app_no = x.app_no AND k.scope_id = x.scope_id
),

nearest AS (
    SELECT
        call_id,
        class_id,
        min(nearness) AS nearness
    FROM possible
    GROUP BY ALL
)

SELECT
    call_id,
    class_id,
    (nearness >> 12) & 268435455 AS place,
    (nearness & 4095)::INTEGER AS code
FROM nearest
