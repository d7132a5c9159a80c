/*---
table: call_periods
temporary: true
grain: one row of event_calls and one period in which register and group observation stand still for its app
columns:
  call_id: number of the row
  tenant_id: as in event_calls
  app_id: as in event_calls
  access_kind: as in event_calls
  workload: as in event_calls
  operation: as in event_calls
  permissions: as in event_calls
  succeeded: as in event_calls
  is_timed: as in event_calls
  step: as in event_calls
  needs_resource: the verdict depends on the resource too
  valid_from: start of the period; the first has none (-infinity)
  valid_to: end of the period, exclusive; the last has none (infinity)
  judged_at: a moment of the period; null when the events have no time
---*/
WITH app_scopes AS (
    SELECT DISTINCT tenant_id, app_id, scope_id
    FROM candidates
),

bounds AS (
    SELECT tenant_id, app_id, valid_from AS bound_at FROM candidates
    UNION
    SELECT tenant_id, app_id, valid_to FROM candidates
    UNION
    SELECT s.tenant_id, s.app_id, unnest([u.valid_from, u.valid_to])
    FROM app_scopes AS s
    INNER JOIN unobserved_scopes AS u ON s.tenant_id = u.tenant_id AND s.scope_id = u.scope_id
),

selective_apps AS (
    SELECT DISTINCT tenant_id, app_id
    FROM candidates
    WHERE NOT covers_all
),

numbered AS MATERIALIZED (
    SELECT *, row_number() OVER () AS call_no
    FROM event_calls
),

starts AS (
    SELECT call_no, TIMESTAMPTZ '-infinity' AS valid_from FROM numbered
    UNION
    SELECT c.call_no, b.bound_at
    FROM numbered AS c
    INNER JOIN bounds AS b
        ON
            c.tenant_id = b.tenant_id
            AND c.app_id = b.app_id
            AND c.first_at < b.bound_at
            AND c.last_at >= b.bound_at
    WHERE c.step = 'candidates'
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
    c.tenant_id,
    c.app_id,
    c.access_kind,
    c.workload,
    c.operation,
    c.permissions,
    c.succeeded,
    c.is_timed,
    c.step,
    c.step = 'candidates' AND a.app_id IS NOT NULL AS needs_resource,
    p.valid_from,
    p.valid_to,
    greatest(p.valid_from, c.first_at) AS judged_at
FROM numbered AS c
INNER JOIN periods AS p ON c.call_no = p.call_no
LEFT JOIN selective_apps AS a ON c.tenant_id = a.tenant_id AND c.app_id = a.app_id
