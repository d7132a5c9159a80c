/*---
table: answer_reasons
temporary: true
grain: one combination of answers in the six dimensions
columns:
  code: "512 * period + 128 * workload + 32 * operation + 8 * access_kind + 4 * permission + resource; period 0 is a match, else its reason; the others 0 match, 1 mismatch, 2 unknown"
  mismatches: the mismatch reasons, in the order of the dimensions
  unknowns: the unknown dimensions, likewise
---*/
SELECT
    512 * p.i + 128 * w.i + 32 * o.i + 8 * k.i + 4 * n.i + r.i AS code,
    list_filter([
        CASE p.i
            WHEN 1 THEN 'before_start' WHEN 2 THEN 'invalidated' WHEN 3 THEN 'after_withdrawal' WHEN 4 THEN 'after_expiry'
        END,
        CASE w.i WHEN 1 THEN 'workload' END,
        CASE o.i WHEN 1 THEN 'operation' END,
        CASE k.i WHEN 1 THEN 'access_kind' END,
        CASE n.i WHEN 1 THEN 'permission' END,
        CASE r.i WHEN 1 THEN 'resource' END
    ], lambda reason: reason IS NOT NULL) AS mismatches,
    list_filter([
        CASE w.i WHEN 2 THEN 'workload_unknown' END,
        CASE o.i WHEN 2 THEN 'operation_unknown' END,
        CASE k.i WHEN 2 THEN 'access_kind_unknown' END,
        CASE r.i WHEN 2 THEN 'resource_unknown' END
    ], lambda reason: reason IS NOT NULL) AS unknowns
FROM range(5) AS p (i)
CROSS JOIN range(3) AS w (i)
CROSS JOIN range(3) AS o (i)
CROSS JOIN range(3) AS k (i)
CROSS JOIN range(2) AS n (i)
CROSS JOIN range(3) AS r (i)
