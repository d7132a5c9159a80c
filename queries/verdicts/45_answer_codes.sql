/*---
table: answer_codes
temporary: true
grain: one possible answer
columns:
  code: "512 * period + 128 * workload + 32 * operation + 8 * access_kind + 4 * permission + resource; period 0 is a match, else its reason; the others 0 match, 1 mismatch, 2 unknown. Below 0: settled before any candidate"
  verdict: within, outside, not_assessable or out_of_scope
  reasons: why it is not within, in the order of the dimensions
---*/
WITH combinations AS (
    SELECT
        512 * p.i + 128 * w.i + 32 * o.i + 8 * k.i + 4 * n.i + r.i AS code,
        list_filter([
            ['before_start', 'invalidated', 'after_withdrawal', 'after_expiry'][p.i],
            CASE w.i WHEN 1 THEN 'workload' END,
            CASE o.i WHEN 1 THEN 'operation' END,
            CASE k.i WHEN 1 THEN 'access_kind' END,
            CASE n.i WHEN 1 THEN 'permission' END,
            CASE r.i WHEN 1 THEN 'resource' END
        ], LAMBDA reason: reason IS NOT NULL) AS mismatches,
        list_filter([
            CASE w.i WHEN 2 THEN 'workload_unknown' END,
            CASE o.i WHEN 2 THEN 'operation_unknown' END,
            CASE k.i WHEN 2 THEN 'access_kind_unknown' END,
            CASE r.i WHEN 2 THEN 'resource_unknown' END
        ], LAMBDA reason: reason IS NOT NULL) AS unknowns
    FROM range(5) AS p (i)
    CROSS JOIN range(3) AS w (i)
    CROSS JOIN range(3) AS o (i)
    CROSS JOIN range(3) AS k (i)
    CROSS JOIN range(2) AS n (i)
    CROSS JOIN range(3) AS r (i)
)

SELECT
    code::INTEGER AS code,
    CASE
        WHEN len(mismatches) > 0 THEN 'outside'
        WHEN len(unknowns) > 0 THEN 'not_assessable'
        ELSE 'within'
    END AS verdict,
    CASE WHEN len(mismatches) > 0 THEN mismatches ELSE unknowns END AS reasons
FROM combinations
UNION ALL
SELECT
    s.code,
    s.verdict,
    s.reasons
FROM (
    VALUES
    (-1, 'out_of_scope', []),
    (-2, 'not_assessable', ['register_invalid']),
    (-3, 'not_assessable', ['time_unknown']),
    (-4, 'not_assessable', ['app_unknown']),
    (-5, 'outside', ['no_record'])
) AS s (code, verdict, reasons)
