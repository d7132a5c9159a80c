/*---
table: answers
temporary: true
grain: one row of call_periods and one class of resources
columns:
  call_id: row of call_periods
  class_id: class of resource_classes; 0 where the resource plays no part
  verdict: within, outside, not_assessable or out_of_scope
  reasons: why it is not within
  record: record of the process that is within or nearest
  process: that process
---*/
WITH classes AS (
    SELECT DISTINCT tenant_id, app_id, class_id, is_null, lacks_id, lacks_name, scope_ids
    FROM resource_classes
),

scopes AS (
    SELECT DISTINCT scope_id, names_id, names_user, names_group
    FROM compared_versions
),

-- How near the nearest scope is to a resource that no scope holds.
strangers AS (
    SELECT
        c.call_id,
        c.tenant_id,
        c.app_id,
        x.is_null,
        x.lacks_id,
        x.lacks_name,
        min(
            k.nearness + CASE
                WHEN k.covers_all THEN 0
                WHEN
                    x.is_null
                    OR (x.lacks_id AND (s.names_id OR s.names_group))
                    OR (x.lacks_name AND s.names_user)
                    OR k.is_unobserved
                    THEN 1099511627776 + 2
                ELSE 8 * 1099511627776 + 1
            END
        ) AS nearness
    FROM compared_candidates AS k
    INNER JOIN call_periods AS c ON k.call_id = c.call_id
    INNER JOIN (SELECT DISTINCT tenant_id, app_id, is_null, lacks_id, lacks_name FROM classes) AS x
        ON c.tenant_id = x.tenant_id AND c.app_id = x.app_id
    INNER JOIN scopes AS s ON k.scope_id = s.scope_id
    WHERE c.needs_resource
    GROUP BY ALL
),

-- A scope that holds the resource is nearer than the same scope as a stranger: the minimum of both is right.
possible AS (
    SELECT s.call_id, x.class_id, s.nearness
    FROM strangers AS s
    INNER JOIN classes AS x
        ON
            s.tenant_id = x.tenant_id
            AND s.app_id = x.app_id
            AND s.is_null = x.is_null
            AND s.lacks_id = x.lacks_id
            AND s.lacks_name = x.lacks_name
    UNION ALL
    SELECT k.call_id, x.class_id, k.nearness
    FROM compared_candidates AS k
    INNER JOIN call_periods AS c ON k.call_id = c.call_id
    INNER JOIN (
        SELECT tenant_id, app_id, class_id, unnest(scope_ids) AS scope_id
        FROM classes
    ) AS x ON c.tenant_id = x.tenant_id AND c.app_id = x.app_id AND k.scope_id = x.scope_id
    WHERE c.needs_resource
    UNION ALL
    SELECT k.call_id, 0, k.nearness
    FROM compared_candidates AS k
    INNER JOIN call_periods AS c ON k.call_id = c.call_id
    WHERE NOT c.needs_resource
),

nearest AS (
    SELECT call_id, class_id, min(nearness) AS nearness
    FROM possible
    GROUP BY ALL
),

places AS (
    SELECT DISTINCT tenant_id, app_id, place, record, process
    FROM candidates
)

SELECT
    n.call_id,
    n.class_id,
    CASE
        WHEN len(r.mismatches) > 0 THEN 'outside'
        WHEN len(r.unknowns) > 0 THEN 'not_assessable'
        ELSE 'within'
    END AS verdict,
    CASE WHEN len(r.mismatches) > 0 THEN r.mismatches ELSE r.unknowns END AS reasons,
    p.record,
    p.process
FROM nearest AS n
INNER JOIN call_periods AS c ON n.call_id = c.call_id
INNER JOIN places AS p
    ON c.tenant_id = p.tenant_id AND c.app_id = p.app_id AND (n.nearness >> 12) & 268435455 = p.place
INNER JOIN answer_reasons AS r ON n.nearness & 4095 = r.code
UNION ALL
SELECT
    call_id,
    0 AS class_id,
    CASE step WHEN 'out_of_scope' THEN 'out_of_scope' WHEN 'no_record' THEN 'outside' ELSE 'not_assessable' END AS verdict,
    CASE step WHEN 'out_of_scope' THEN [] ELSE [step] END AS reasons,
    NULL AS record,
    NULL AS process
FROM call_periods
WHERE step <> 'candidates'
