/*---
table: call_periods
temporary: true
grain: one row of event_calls and one period in which register and group observation stand still for its app
columns:
  call_id: number of the row
  app_no: as in event_calls
  shape_no: row of call_shapes
  valid_from: start of the period; the first has none (-infinity)
  valid_to: end of the period, exclusive; the last has none (infinity)
  judged_at: a moment of the period
---*/
WITH app_scopes AS (
    SELECT DISTINCT
        tenant_id,
        app_no,
        scope_id
    FROM candidates
),

bounds AS (
    SELECT
        app_no,
        valid_from AS bound_at
    FROM candidates
    UNION
    SELECT
        app_no,
        valid_to
    FROM candidates
    UNION
    SELECT
        s.app_no,
        unnest([u.valid_from, u.valid_to])
    FROM app_scopes AS s
    INNER JOIN unobserved_scopes AS u ON s.tenant_id = u.tenant_id AND s.scope_id = u.scope_id
),

starts AS (
    SELECT
        call_no,
        TIMESTAMPTZ '-infinity' AS valid_from
    FROM event_calls
    UNION
    SELECT
        c.call_no,
        b.bound_at
    FROM event_calls AS c
    INNER JOIN bounds AS b ON c.app_no = b.app_no AND c.first_at < b.bound_at AND c.last_at >= b.bound_at
),

periods AS (
    SELECT
        call_no,
        valid_from,
        lead(valid_from, 1, TIMESTAMPTZ 'infinity') OVER (PARTITION BY call_no ORDER BY valid_from) AS valid_to
    FROM starts
)

SELECT
    row_number() OVER () AS call_id,
    c.app_no,
    s.shape_no,
    p.valid_from,
    p.valid_to,
    greatest(p.valid_from, c.first_at) AS judged_at
FROM event_calls AS c
INNER JOIN periods AS p ON c.call_no = p.call_no
INNER JOIN call_shapes AS s
    ON
        c.access_kind IS NOT DISTINCT FROM s.access_kind
        AND c.workload IS NOT DISTINCT FROM s.workload
        AND c.operation IS NOT DISTINCT FROM s.operation
        AND c.permissions IS NOT DISTINCT FROM s.permissions
