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

-- What a scope answers to a resource that it does not hold.
strangers AS (
    SELECT
        k.*,
        x.tenant_id,
        x.app_id,
        x.is_null,
        x.lacks_id,
        x.lacks_name,
        CASE
            WHEN k.covers_all THEN 'match'
            WHEN x.is_null THEN 'unknown'
            WHEN x.lacks_id AND (v.names_id OR v.names_group) THEN 'unknown'
            WHEN x.lacks_name AND v.names_user THEN 'unknown'
            WHEN k.is_unobserved THEN 'unknown'
            ELSE 'mismatch'
        END AS resource
    FROM compared_candidates AS k
    INNER JOIN call_periods AS c ON k.call_id = c.call_id
    INNER JOIN (SELECT DISTINCT tenant_id, app_id, is_null, lacks_id, lacks_name FROM classes) AS x
        ON c.tenant_id = x.tenant_id AND c.app_id = x.app_id
    INNER JOIN (SELECT DISTINCT scope_id, names_id, names_user, names_group FROM compared_versions) AS v
        ON k.scope_id = v.scope_id
    WHERE c.needs_resource
),

nearest_strangers AS (
    SELECT
        call_id,
        tenant_id,
        app_id,
        is_null,
        lacks_id,
        lacks_name,
        min(distance + CASE resource WHEN 'mismatch' THEN 8 WHEN 'unknown' THEN 1 ELSE 0 END * 4294967296) AS distance,
        arg_min(
            struct_pack(
                record := record,
                process := process,
                mismatches := CASE resource WHEN 'mismatch' THEN mismatches || ['resource'] ELSE mismatches END,
                unknowns := CASE resource WHEN 'unknown' THEN unknowns || ['resource_unknown'] ELSE unknowns END
            ),
            distance + CASE resource WHEN 'mismatch' THEN 8 WHEN 'unknown' THEN 1 ELSE 0 END * 4294967296
        ) AS candidate
    FROM strangers
    GROUP BY ALL
),

-- A scope that holds the resource is nearer than the same scope as a stranger: the minimum of both is right.
possible AS (
    SELECT s.call_id, x.class_id, s.distance, s.candidate
    FROM nearest_strangers AS s
    INNER JOIN classes AS x
        ON
            s.tenant_id = x.tenant_id
            AND s.app_id = x.app_id
            AND s.is_null = x.is_null
            AND s.lacks_id = x.lacks_id
            AND s.lacks_name = x.lacks_name
    UNION ALL
    SELECT
        k.call_id,
        x.class_id,
        k.distance,
        struct_pack(record := k.record, process := k.process, mismatches := k.mismatches, unknowns := k.unknowns)
    FROM call_periods AS c
    INNER JOIN compared_candidates AS k ON c.call_id = k.call_id
    INNER JOIN (
        SELECT tenant_id, app_id, class_id, unnest(scope_ids) AS scope_id
        FROM classes
    ) AS x ON c.tenant_id = x.tenant_id AND c.app_id = x.app_id AND k.scope_id = x.scope_id
    WHERE c.needs_resource
    UNION ALL
    SELECT
        k.call_id,
        0,
        k.distance,
        struct_pack(record := k.record, process := k.process, mismatches := k.mismatches, unknowns := k.unknowns)
    FROM compared_candidates AS k
    INNER JOIN call_periods AS c ON k.call_id = c.call_id
    WHERE NOT c.needs_resource
),

nearest AS (
    SELECT call_id, class_id, arg_min(candidate, distance) AS candidate
    FROM possible
    GROUP BY ALL
)

SELECT
    call_id,
    class_id,
    CASE
        WHEN len(candidate.mismatches) > 0 THEN 'outside'
        WHEN len(candidate.unknowns) > 0 THEN 'not_assessable'
        ELSE 'within'
    END AS verdict,
    CASE WHEN len(candidate.mismatches) > 0 THEN candidate.mismatches ELSE candidate.unknowns END AS reasons,
    candidate.record AS record,
    candidate.process AS process
FROM nearest
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
